"""Networks by what an experiment file calls them. This package and `common.augment` are the part of `common`
that needs TensorFlow: training and distillation build networks alike."""

from pathlib import Path
from typing import Any

import tf_keras

from common.errors import UsageError
from common.model_file import model_file
from common.networks.applications import application
from common.networks.check import adopted
from common.networks.compact_net import compact_net
from common.networks.fire_detection_net import fire_detection_net
from common.networks.own import from_file
from common.schema.network import Network

BUILDERS = {"FireDetectionNet": fire_detection_net, "CompactNet": compact_net}


def build(network: Network, input_shape: tuple[int, int, int], classes: int, folder: Path) -> Any:
    """A Keras model: float32 [n, *input_shape] in [0, 1] to probabilities [n, classes], untrained unless it
    was saved with weights. A relative path starts at `folder`, the experiment file's.

    Raises UsageError for a file that does not exist or is not such a model, and for images too small.
    """
    name = network.architecture
    path = model_file(network, folder)
    if path is not None:
        return adopted(from_file(path, input_shape, classes), str(path), input_shape, classes)
    if name in BUILDERS:
        return BUILDERS[name](network, input_shape, classes)
    try:
        return application(name, input_shape, classes)
    except ValueError as error:
        raise UsageError(f"{name} cannot be built: {error}", hint="change [data] height and width") from error


def build_student(network: Network, input_shape: tuple[int, int, int], classes: int, folder: Path) -> Any:
    """The same, with the names of its layers counted from the start, whatever this process built before: a recipe names
    them."""
    tf_keras.backend.reset_uids()
    student = build(network, input_shape, classes, folder)
    tf_keras.backend.reset_uids()
    return student
