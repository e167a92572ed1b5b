"""Small networks of the kinds that people bring, as functions: images float32 [n, 32, 32, 3] to two probabilities."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras
from tf_keras import layers

SIDE = 32
CLASSES = 2
IMAGE = (SIDE, SIDE, 3)
GROUPS = 4


def _end() -> Any:
    return layers.Dense(CLASSES, activation="softmax", name="classes")


def _sequence(*parts: Any) -> Any:
    return tf_keras.Sequential([layers.Input(IMAGE), *parts, _end()])


def _graph(body: Callable[[Any], Any], **settings: Any) -> Any:
    start = layers.Input(IMAGE, **settings)
    return tf_keras.Model(start, _end()(body(start)))


def _pool() -> Any:
    return layers.GlobalAveragePooling2D()


def _conv(filters: int = 8, size: int = 3, **settings: Any) -> Any:
    return layers.Conv2D(filters, size, **settings)


def conv_bn_relu() -> Any:
    return _sequence(
        _conv(use_bias=False), layers.BatchNormalization(), layers.ReLU(), _conv(activation="relu"), _pool()
    )


def batch_norm_after_relu() -> Any:
    return _sequence(_conv(activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(), _conv(), _pool())


def nested_sequential() -> Any:
    parts = [_conv(16, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
    return _sequence(tf_keras.Sequential([layers.Input(IMAGE), *parts], name="backbone"), _pool())


def nested_functional() -> Any:
    inner = layers.Input(IMAGE)
    stem = layers.ReLU()(layers.BatchNormalization()(_conv(strides=2)(inner)))
    backbone = tf_keras.Model(inner, layers.Add()([stem, _conv(padding="same")(stem)]), name="backbone")
    backbone.trainable = False

    def body(start: Any) -> Any:
        x = layers.Rescaling(2.0, -1.0)(layers.RandomFlip("horizontal")(start))
        return layers.Dropout(0.2)(_pool()(backbone(x, training=False)))

    return _graph(body)


def lstm_rows() -> Any:
    return _sequence(layers.Reshape((SIDE, SIDE * 3)), layers.LSTM(8))


def gru() -> Any:
    return _sequence(_conv(4, 4, strides=8), layers.Reshape((4, 16)), layers.GRU(8, unroll=True))


def attention() -> Any:
    def body(start: Any) -> Any:
        x = layers.Reshape((-1, 16))(_conv(16, 8, strides=8)(start))
        x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)]))
        return layers.GlobalAveragePooling1D()(x)

    return _graph(body)


def conv1d() -> Any:
    rows = [layers.Conv1D(16, 3, activation="relu"), layers.MaxPooling1D()]
    more = [layers.Conv1D(16, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    return _sequence(layers.Reshape((SIDE, SIDE * 3)), *rows, *more, layers.GlobalAveragePooling1D())


def transposed() -> Any:
    up = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")
    return _sequence(_conv(strides=2, padding="same", activation="relu"), up, _pool())


def transposed_bn() -> Any:
    up = [layers.Conv2DTranspose(16, 3, strides=2, padding="same"), layers.BatchNormalization(), layers.ReLU()]
    return _sequence(_conv(strides=2, padding="same", activation="relu"), *up, _pool())


def dense_bn() -> Any:
    head = [layers.Dense(16), layers.BatchNormalization(), layers.ReLU()]
    return _sequence(_conv(strides=2, activation="relu"), layers.Flatten(), *head)


def dilated() -> Any:
    wide = _conv(dilation_rate=2, padding="same", activation="relu")
    return _sequence(_conv(activation="relu"), wide, layers.DepthwiseConv2D(3, dilation_rate=2), _pool())


def leaky_relu() -> Any:
    return _sequence(
        _conv(activation="swish"), layers.LeakyReLU(0.1), _conv(), layers.PReLU(shared_axes=[1, 2]), _pool()
    )


def slicing() -> Any:
    def body(start: Any) -> Any:
        x = _conv(activation="relu")(start)
        return tf.reduce_mean(tf.concat([x[..., :4] * 2.0, tf.sigmoid(x[..., 4:])], -1), [1, 2])

    return _graph(body)


def add_concatenate() -> Any:
    def body(start: Any) -> Any:
        x = _conv(padding="same", activation="relu")(start)
        z = layers.ReLU()(layers.Add()([x, _conv(padding="same")(x)]))
        return _pool()(layers.Concatenate()([z, _conv(4, 1)(z), _conv(4, 1, activation="relu")(x)]))

    return _graph(body)


def few_weights() -> Any:
    return _sequence(_conv(2, 1), _pool())


def dense_only() -> Any:
    return _sequence(layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu"))


def rescaling_first() -> Any:
    return _sequence(layers.Rescaling(2.0, offset=-1.0), _conv(activation="relu"), _pool())


def augmentation() -> Any:
    return _sequence(layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), _conv(activation="relu"), _pool())


def group_normalization() -> Any:
    return _sequence(_conv(), layers.GroupNormalization(GROUPS), layers.ReLU(), _conv(activation="relu"), _pool())


def mixed_precision() -> Any:
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        end = [layers.Dense(CLASSES), layers.Activation("softmax", dtype="float32")]
        return tf_keras.Sequential([layers.Input(IMAGE), _conv(activation="relu"), _pool(), *end])
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")


def called_twice() -> Any:
    def body(start: Any) -> Any:
        x = _conv(padding="same", activation="relu")(start)
        again, norm = _conv(padding="same"), layers.BatchNormalization()
        return _pool()(layers.ReLU()(norm(again(layers.ReLU()(norm(again(x)))))))

    return _graph(body)


def any_size() -> Any:
    start = layers.Input((None, None, 3))
    return tf_keras.Model(start, _end()(_pool()(_conv(activation="relu")(start))))


def fixed_batch() -> Any:
    return _graph(lambda start: _pool()(_conv(activation="relu")(start)), batch_size=1)


def tanh_heads() -> Any:
    def body(start: Any) -> Any:
        x = _pool()(_conv(activation="tanh")(start))
        return layers.Concatenate()([layers.Dense(8, activation="tanh")(x), layers.Dense(8, activation="sigmoid")(x)])

    return _graph(body)


def elu_selu() -> Any:
    return _sequence(_conv(activation="elu"), _conv(activation="selu"), _conv(), layers.ELU(), _pool())


def dense_on_rows() -> Any:
    return _sequence(
        layers.Reshape((SIDE, SIDE * 3)), layers.Dense(16, activation="relu"), layers.GlobalAveragePooling1D()
    )


def dense_on_maps() -> Any:
    return _sequence(layers.Dense(16, activation="relu"), layers.Dense(8), _pool())


def depthwise() -> Any:
    first = [_conv(strides=2, use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0)]
    second = [layers.DepthwiseConv2D(3, use_bias=False), layers.BatchNormalization(), layers.ReLU(6.0)]
    return _sequence(*first, *second, _conv(16, 1), _pool())


def separable() -> Any:
    first = [layers.SeparableConv2D(8, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
    return _sequence(*first, layers.SeparableConv2D(16, 3, activation="relu"), _pool())


def upsample_transposed() -> Any:
    def body(start: Any) -> Any:
        x = _conv(strides=2, padding="same", activation="relu")(start)
        up = layers.BatchNormalization()(layers.Conv2DTranspose(8, 2, strides=2)(x))
        return _pool()(layers.Subtract()([layers.UpSampling2D()(x), up]))

    return _graph(body)


def squeeze_excite() -> Any:
    def body(start: Any) -> Any:
        x = _conv(activation="relu")(start)
        gate = _conv(4, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        return _pool()(layers.Multiply()([x, _conv(8, 1, activation="sigmoid")(gate)]))

    return _graph(body)


def hard_swish() -> Any:
    def body(start: Any) -> Any:
        x = _conv()(start)
        return _pool()(tf.nn.relu(_conv()(x * tf.nn.relu6(x + 3.0) / 6.0)))

    return _graph(body)


class Own(tf_keras.Model):  # type: ignore[misc]
    """A subclassed model."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = [_conv(activation="relu"), _pool(), _end()]

    def call(self, inputs: Any) -> Any:
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def subclassed() -> Any:
    model = Own()
    model(tf.zeros((1, *IMAGE)))
    return model
