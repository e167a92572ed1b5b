"""Load TensorFlow with Keras 3: this process must not have tf_keras (Keras 2) beside it."""

import importlib
import os

from common.quiet_import import tensorflow_quietly


def load_quietly() -> None:
    """Import tensorflow and keras without the lines that they print."""
    # A user's own settings may name another backend, which is not there.
    os.environ.update(TF_USE_LEGACY_KERAS="0", KERAS_BACKEND="tensorflow")
    with tensorflow_quietly():
        importlib.import_module("keras")
