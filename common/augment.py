"""What a network is trained on: batches as tf.data, with random flips, crops and colour changes that are a pure
function of a seed."""

from typing import Any

import tensorflow as tf

from common.batches import Batches
from common.schema.augmentation import Augmentation

# Rec. 601 luma, so that less saturation keeps the brightness people see.
LUMA = (0.299, 0.587, 0.114)


def labelled(batches: Batches, epochs: range, settings: Augmentation, classes: int) -> Any:
    """These epochs as tf.data: float32 [b, h, w, 3] in [0, 1], one-hot float32 [b, classes]. What becomes of a batch
    depends on the seed and on its number since epoch 0 alone."""

    def generate() -> Any:
        for epoch in epochs:
            yield from batches.epoch(epoch)

    signature = (tf.TensorSpec((None, *batches.images.shape[1:]), tf.uint8), tf.TensorSpec((None,), tf.int32))
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    first = epochs.start * batches.steps

    def prepare(step: Any, batch: tuple[Any, Any]) -> tuple[Any, Any]:
        images = tf.cast(batch[0], tf.float32) / 255.0
        images = augment(images, settings, tf.stack([batches.seed, first + tf.cast(step, tf.int32)]))
        return images, tf.one_hot(batch[1], classes)

    return dataset.enumerate().map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def augment(images: Any, settings: Augmentation, seed: Any) -> Any:
    """Images float32 [n, h, w, 3] in [0, 1] and an int32 [2] seed to images of the same form."""
    seeds = tf.random.split(seed, 3)
    if settings.flip or settings.crop:
        images = _crop_and_flip(images, settings, seeds[0], seeds[1])
    if settings.colour:
        images = _colour(images, settings.colour, seeds[2])
    return images


def _crop_and_flip(images: Any, settings: Augmentation, crop_seed: Any, flip_seed: Any) -> Any:
    shape = tf.shape(images)
    count = shape[0]
    # One resampling does both: the box says which part of the picture is stretched over it all.
    draws = tf.random.stateless_uniform([3, count], crop_seed)
    side = 1.0 - settings.crop * draws[0]
    top, left = draws[1] * (1.0 - side), draws[2] * (1.0 - side)
    right = left + side
    if settings.flip:
        mirrored = tf.random.stateless_uniform([count], flip_seed) < 0.5  # noqa: PLR2004
        left, right = tf.where(mirrored, right, left), tf.where(mirrored, left, right)
    boxes = tf.stack([top, left, top + side, right], axis=1)
    return tf.image.crop_and_resize(images, boxes, tf.range(count), shape[1:3])


def _colour(images: Any, strength: float, seed: Any) -> Any:
    factors = tf.random.stateless_uniform([3, tf.shape(images)[0], 1, 1, 1], seed, 1 - strength, 1 + strength)
    brightness, contrast, saturation = factors[0], factors[1], factors[2]
    # Colour by colour: a sum over an axis of three takes longer than all the rest of this.
    parts = zip(LUMA, tf.unstack(images, axis=-1), strict=True)
    grey = tf.add_n([weight * part for weight, part in parts])[..., tf.newaxis]
    mean = tf.reduce_mean(grey, axis=(1, 2), keepdims=True)
    saturated = grey + (images - grey) * saturation
    return tf.clip_by_value((mean + (saturated - mean) * contrast) * brightness, 0.0, 1.0)
