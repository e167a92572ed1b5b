"""A Keras model to the bytes of a .tflite file, by the TFLite converter or litert-quantizer."""

import contextlib
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from common.batches import even_rows
from common.converter import converted, refusal
from common.errors import EdgeproofError
from common.networks.culprit import HINT, culprit, named_in, part
from common.networks.flat import leaves
from common.networks.recipes import in_place_of
from common.quiet_import import standard_error_held
from common.schema.convert import Convert
from common.tflite.flat import parse
from common.tflite.parts import by_layer
from common.tflite.predict import predict
from common.tflite.quantizer import Calibration, Quantization, quantized

# What an error calls what litert-quantizer is given.
THE_FILE = "the float32 file"
# TensorFlow's operator for the sizes of a tensor.
SHAPE = "Shape"


@dataclass(frozen=True)
class Conversion:
    """How a model becomes a file. `images` uint8 [n, h, w, 3] are the training images that a full-integer format is
    calibrated on; an `aware` model brings its ranges along, and those that it lacks are `measured` if asked."""

    settings: Convert
    images: npt.NDArray[np.uint8]
    aware: bool = False
    measured: bool = False

    def __call__(self, model: Any) -> bytes:
        """The content of a file that LiteRT runs: for any number of images, or for one where the converter does not
        take it otherwise. Raises whatever the converter, litert-quantizer or LiteRT raises."""
        # The converter cannot calibrate what a loop computes.
        with _loops(model, unrolled=self.settings.is_calibrated and not self._brought):
            inference, names = _inference(model, None), layer_names(model)
            if not _computes_sizes(inference):
                # The converter raises whatever TensorFlow raises in it; what it says for one image counts.
                with contextlib.suppress(Exception):
                    return self._content(inference, names)
            return self._content(_inference(model, 1), names)

    @property
    def _brought(self) -> bool:
        """Whether all ranges are the model's own."""
        return self.aware and not self.measured

    def _content(self, inference: Any, layers: Collection[str]) -> bytes:
        # The converter's own way from a Keras model writes every layer's training functions too, and takes twice as
        # long.
        with tempfile.TemporaryDirectory() as folder:
            tf.saved_model.save(inference, folder, signatures=inference.serve)
            content = self._converted(Path(folder), layers)
        with standard_error_held():  # It says there too why it does not run.
            predict(content, self.images[:1], workers=1)
        return content

    def _converted(self, folder: Path, layers: Collection[str]) -> bytes:
        if self.settings.of_file is not None:
            return self._quantized(converted(folder, Convert(format="float32"), None), layers)
        samples = None if self._brought else lambda: _representative(self.images, self.settings.calibration_images)
        content = converted(folder, self.settings, samples, some_float=self.aware)
        if not self.settings.sparse:
            return content
        return min(content, converted(folder, self.settings, samples, sparse=True), key=len)

    def _quantized(self, content: bytes, layers: Collection[str]) -> bytes:
        wanted = quantization(self.settings, content, layers)
        if wanted is None:
            return content
        if not self.settings.is_calibrated:
            return quantized(THE_FILE, content, wanted, None)
        (signature,) = parse(content).signatures
        (name,) = signature.inputs
        rows = lambda: ({name: row} for (row,) in _representative(self.images, self.settings.calibration_images))  # noqa: E731
        return quantized(THE_FILE, content, wanted, Calibration(signature.name, rows))


def layer_names(model: Any) -> tuple[str, ...]:
    """Those of a network, the layers of models inside it among them."""
    return tuple(layer.name for layer in leaves(model))


def quantization(settings: Convert, content: bytes, layers: Collection[str]) -> Quantization | None:
    """What litert-quantizer is, or was, to do to a file of a network with these layers; None where the converter itself
    makes the format. Raises EdgeproofError for a file that is none."""
    if settings.of_file is None:
        return None
    return Quantization(settings.of_file, by_layer(content, layers, in_place_of(layers)), settings.integer_io)


def convert(model: Any, settings: Convert, images: npt.NDArray[np.uint8], *, aware: bool = False) -> bytes:
    """A Keras model as the bytes of a .tflite file in the recipe's format, as `Conversion` has it. A sparse file is
    given only where it is the smaller one.

    Raises EdgeproofError naming the layer with which, and not before which, the model cannot be converted or run.
    """
    conversion = Conversion(settings, images, aware)
    try:
        return conversion(model)
    except Exception as error:
        reason = refusal(error)
        where = named_in(str(error), model) or culprit(model, lambda count: _refuses(conversion, part(model, count)))
        text = f"the network cannot be converted to {settings.format}: {'' if where is None else f'{where}: '}{reason}"
        raise EdgeproofError(text, hint=HINT) from error


def _refuses(conversion: Conversion, model: Any) -> bool:
    try:
        conversion(model)
    except Exception:  # As above.
        return True
    return False


def _inference(model: Any, batch: int | None) -> Any:
    """The model's call at inference, with the names of its inputs and outputs, and nothing else of it."""
    module = tf.Module()
    module.model_variables = model.variables
    signature = [
        tf.TensorSpec((batch, *port.shape[1:]), port.dtype, name)
        for port, name in zip(model.inputs, model.input_names, strict=True)
    ]

    def serve(*given: Any) -> dict[str, Any]:
        found = model(given[0] if len(given) == 1 else list(given), training=False)
        return dict(zip(model.output_names, found if isinstance(found, list) else [found], strict=True))

    module.serve = tf.function(serve, input_signature=signature, autograph=False)
    return module


@contextlib.contextmanager
def _loops(model: Any, *, unrolled: bool) -> Iterator[None]:
    """Recurrent layers are traced as loops, or as the steps of these one after the other.

    Otherwise the converter makes LiteRT's own operator of an LSTM, which begins with the state that the image before
    left: the same image then has another answer every time.
    """
    changes = {"_could_use_gpu_kernel": False} | ({"unroll": True} if unrolled else {})
    changed = [
        (layer, name, getattr(layer, name), value)
        for layer in model.submodules
        if isinstance(layer, tf_keras.layers.RNN)
        for name, value in changes.items()
        if hasattr(layer, name)
    ]
    for layer, name, _, value in changed:
        setattr(layer, name, value)
    try:
        yield
    finally:
        for layer, name, before, _ in changed:
            setattr(layer, name, before)


def _computes_sizes(inference: Any) -> bool:
    """Whether the size of anything follows from the number of images. Such a file computes sizes while it runs, which
    delegates leave to the CPU, and some operators want them to be fixed."""
    graph = inference.serve.get_concrete_function().graph.as_graph_def()
    inner = (node.op for function in graph.library.function for node in function.node_def)
    return SHAPE in {node.op for node in graph.node} or SHAPE in set(inner)


def _representative(images: npt.NDArray[np.uint8], count: int) -> Iterator[list[npt.NDArray[np.float32]]]:
    for row in even_rows(len(images), count):
        yield [images[row : row + 1].astype(np.float32) / np.float32(255)]
