"""A device's answers beside this machine's, by the same file on the same images. Pure but for `prepare`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from common.errors import EdgeproofError
from common.proportion import wilson
from common.schema.examination import OutputCheck
from common.tflite.predict import dequantise, predict, quantise

# Of images; a device that differs in more of them than that gives other answers, not rounded ones.
LEAST_AGREEMENT = 0.95
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Questions:
    """Images as a model's input bytes, one each, and this machine's answers, float32 [n, classes]."""

    layer: str
    shape: tuple[int, ...]
    inputs: tuple[bytes, ...]
    expected: Values
    output: Any


def prepare(model: Path, images: npt.NDArray[np.uint8]) -> Questions:
    """What to ask; `images` uint8 [n, h, w, 3]. Raises EdgeproofError for a model that cannot be asked."""
    try:
        interpreter = Interpreter(str(model), num_threads=1)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise EdgeproofError(f"{model} cannot be run: {error}") from None
    ports, results = interpreter.get_input_details(), interpreter.get_output_details()
    if len(ports) != 1 or len(results) != 1:
        raise EdgeproofError(f"{model} has {len(ports)} inputs and {len(results)} outputs; one of each can be compared")
    values = quantise(images.astype(np.float32) / np.float32(255), ports[0])
    return Questions(
        layer=str(ports[0]["name"]),
        shape=(1, *(int(side) for side in images.shape[1:])),
        inputs=tuple(np.ascontiguousarray(value).tobytes() for value in values),
        expected=predict(model, images, workers=1),
        output=results[0],
    )


def decode(written: bytes, questions: Questions, images: int) -> Values:
    """The bytes of an output file as float32 [images, classes]. Raises ValueError for another size."""
    kind = np.dtype(questions.output["dtype"])
    classes = questions.expected.shape[1]
    if len(written) != images * classes * kind.itemsize:
        raise ValueError(f"{len(written)} bytes of answers instead of {images * classes * kind.itemsize}")
    return dequantise(np.frombuffer(written, kind).reshape(images, classes), questions.output)


def compare(answers: Sequence[Values], expected: Values) -> OutputCheck:
    """How the device's answers differ; one row per image."""
    found = np.concatenate(answers)
    finite = bool(np.isfinite(found).all())
    same = int((found.argmax(axis=1) == expected.argmax(axis=1)).sum()) if finite else 0
    agreement = wilson(same, len(expected))
    return OutputCheck(
        images=len(expected),
        top1_agreement=agreement,
        largest_difference=float(np.abs(found - expected).max()) if finite else None,
        wrong=_wrong(found, expected, finite=finite, agreement=agreement.value),
    )


def _wrong(found: Values, expected: Values, *, finite: bool, agreement: float) -> str | None:
    if not finite:
        return "some answers are no numbers (NaN or infinite)"
    if len(found) > 1 and not np.ptp(found, axis=0).any() and np.ptp(expected, axis=0).any():
        return "the answers are the same for every image"
    if agreement < LEAST_AGREEMENT:
        return f"only {agreement:.0%} of the answers name the same class as this machine's"
    return None
