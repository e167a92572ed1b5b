"""Distillation: a smaller network learns from the trained one's outputs and from the labels.

Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network": both distributions are softened by
a temperature T, and their divergence is multiplied by T^2, so that its gradients keep their size. The teacher sees
the very images that the student sees, augmented ones included.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import tensorflow as tf
import tf_keras

from common.networks import build_student
from common.networks.recipes import require_smaller
from common.schema.recipe import Distill
from common.schema.variant import LayerNote
from jobs.optimize.fine_tune import FineTuner
from jobs.optimize.pass_result import PassResult

# float32 probabilities go to 0, where a logarithm has no value.
SMALLEST = 1e-7


def apply(model: Any, settings: Distill, tuner: FineTuner) -> PassResult:
    """Train the student of `settings` with `model` as its teacher, to the last epoch.

    Raises EdgeproofError when the student is not smaller than its teacher, UsageError when it cannot be built.
    """
    student = build_student(settings.network, model.input_shape[1:], tuner.classes, tuner.folder)
    require_smaller(student, model, settings)
    tuner = replace(tuner, batches=replace(tuner.batches, batch_size=settings.batch_size))
    told = f"last loss {_train(model, student, settings, tuner):.4f}" if tuner.trains else "not trained"
    before, after = model.count_params(), student.count_params()
    action = f"{after:,} parameters in place of {before:,} of {model.name}; {told}"
    return PassResult(student, (LayerNote(layer=student.name, action=action),))


def _train(teacher: Any, student: Any, settings: Distill, tuner: FineTuner) -> float:
    """Train `student` in place; the mean loss of the last epoch."""
    steps = settings.epochs * tuner.steps_per_epoch
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        rate = tf_keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    optimizer = tf_keras.optimizers.Adam(rate)
    # Otherwise it makes its state in the first step, which is then traced twice.
    optimizer.build(student.trainable_variables)
    loss_of = distillation_loss(settings, tuner)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(images: Any, one_hot: Any) -> Any:
        taught = teacher(images, training=False)
        with tf.GradientTape() as tape:
            loss = loss_of(one_hot, taught, student(images, training=True)) + sum(student.losses)
        variables = student.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    losses = [step(images, one_hot) for images, one_hot in tuner.dataset(settings.epochs, settings.augmentation)]
    return float(tf.reduce_mean(losses[-tuner.steps_per_epoch :]))


def distillation_loss(settings: Distill, tuner: FineTuner) -> Callable[[Any, Any, Any], Any]:
    """The mean loss in nats of labels (one-hot), teacher's and student's probabilities, each float32 [n, classes].

    alpha T^2 KL(teacher^(1/T) || student^(1/T)) + (1 - alpha) (the training's loss), times the class's weight.
    """
    temperature, alpha = settings.temperature, settings.alpha
    label_loss = tf_keras.losses.get(tuner.loss)
    given = tuner.class_weights or {}
    weights = tf.constant([given.get(label, 1.0) for label in range(tuner.classes)], tf.float32)

    def loss(one_hot: Any, taught: Any, predicted: Any) -> Any:
        # The logarithm of a softmax is its logits but for a constant, which the next softmax drops.
        wanted, got = (tf.nn.log_softmax(_log(values) / temperature) for values in (taught, predicted))
        divergence = tf.reduce_sum(tf.exp(wanted) * (wanted - got), axis=-1) * temperature**2
        each = alpha * divergence + (1.0 - alpha) * label_loss(one_hot, predicted)
        return tf.reduce_mean(each * tf.linalg.matvec(one_hot, weights))

    return loss


def _log(probabilities: Any) -> Any:
    return tf.math.log(tf.maximum(probabilities, SMALLEST))
