"""Load TensorFlow without the lines it prints while loading, which no setting turns off, and without its advice
to programmers, among which a stage's own line would be lost."""

import contextlib
import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

# What Keras loads if it is there, for kinds of input that nothing here has: an eighth of the time that loading takes.
NOT_NEEDED = ("pandas", "scipy")


@contextlib.contextmanager
def tensorflow_quietly() -> Iterator[None]:
    """Import tensorflow, then what the body imports on top of it. What they wrote to standard error is shown only if
    that failed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with standard_error_held() as held:
        try:
            with without(*NOT_NEEDED):
                tensorflow = importlib.import_module("tensorflow")
                yield
            # The second burst of messages comes with the first look at the devices.
            tensorflow.config.list_physical_devices()
            tensorflow.get_logger().setLevel("ERROR")
            warnings.filterwarnings("ignore", module=r"(tensorflow|tf_keras|keras)(\.|$|_model_optimization)")
        except BaseException:
            held.show()
            raise


@dataclass(frozen=True)
class Held:
    """What was written to standard error, and where it would have gone."""

    said: BinaryIO
    kept: int

    def show(self) -> None:
        """Write it there after all."""
        self.said.seek(0)
        os.write(self.kept, self.said.read())


@contextlib.contextmanager
def standard_error_held() -> Iterator[Held]:
    """Nothing that the body, or a library below it, writes to standard error is seen, unless it is shown."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            try:
                yield Held(said, kept)
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
    finally:
        os.close(kept)


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Packages that are not loaded yet seem not to be installed meanwhile, to those who can do without them."""
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    # None says that there is no such module.
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
