"""Load TensorFlow with tf_keras (Keras 2), which is what is trained with."""

import importlib
import os

from common.quiet_import import tensorflow_quietly


def load_quietly() -> None:
    """Import tensorflow and tf_keras without the lines that they print."""
    # What a user's own file calls tf.keras is then the Keras 2 that everything here is made of.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    with tensorflow_quietly():
        importlib.import_module("tf_keras")
