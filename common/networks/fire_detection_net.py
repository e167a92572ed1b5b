"""FireDetectionNet, the published fire / non-fire classifier (2,123,813 parameters at 128 x 128 x 3)."""

from typing import Any

from tf_keras import Sequential, layers

from common.schema.network import Network

# (filters, kernel side, max pooling after it)
BLOCKS = ((16, 7, True), (32, 3, True), (64, 3, False), (64, 3, True))
DENSE_UNITS = (128, 128)
DROPOUT = 0.5
# Keras' default, which the original used; it lags for some 300 steps.
MOMENTUM = 0.99


def fire_detection_net(network: Network, input_shape: tuple[int, int, int], classes: int) -> Any:
    """Separable convolutions with BatchNorm after the activation, then two wide dense layers."""
    momentum = network.batch_norm_momentum or MOMENTUM
    model = Sequential([layers.Input(input_shape)], name="fire_detection_net")
    for filters, side, pool in BLOCKS:
        model.add(layers.SeparableConv2D(filters, side, padding="same"))
        model.add(layers.ReLU())
        model.add(layers.BatchNormalization(momentum=momentum))
        if pool:
            model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    for units in DENSE_UNITS:
        model.add(layers.Dense(units))
        model.add(layers.ReLU())
        model.add(layers.BatchNormalization(momentum=momentum))
        model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(classes, activation="softmax"))
    return model
