"""Networks by the name an experiment file uses."""

from typing import Any

from common.networks.compact_net import compact_net
from common.networks.fire_detection_net import fire_detection_net
from common.schema.network import Network

BUILDERS = {"FireDetectionNet": fire_detection_net, "CompactNet": compact_net}


def build(network: Network, input_shape: tuple[int, int, int], classes: int) -> Any:
    """An untrained Keras model: float32 [n, *input_shape] in [0, 1] to softmax [n, classes]."""
    return BUILDERS[network.architecture](network, input_shape, classes)
