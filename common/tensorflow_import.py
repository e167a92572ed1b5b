"""Load TensorFlow without the lines it prints while loading, which no setting turns off, and without its advice
to programmers, among which a stage's own line would be lost."""

import importlib
import os
import sys
import tempfile
import warnings


def load_quietly() -> None:
    """Import tensorflow. What its libraries wrote to standard error is shown only if that failed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # What a user's own file calls tf.keras is then the Keras 2 that everything here is made of.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            # The second burst of messages comes with the first look at the devices.
            tensorflow = importlib.import_module("tensorflow")
            tensorflow.config.list_physical_devices()
            tensorflow.get_logger().setLevel("ERROR")
            warnings.filterwarnings("ignore", module=r"(tensorflow|tf_keras)(\.|$|_model_optimization)")
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
