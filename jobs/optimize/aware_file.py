"""The file of a network after quantisation-aware training, and what the file says of the network's layers.

The training gives ranges to what it simulated. Where it left any out, the converter would keep all in float that needs
them, so that they are measured there, as without the training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from common.converter import refusal
from common.networks.convert import Conversion, convert
from common.numbers import listed
from common.schema.convert import Convert
from common.schema.tflite import FLOATING
from common.schema.variant import LayerNote
from common.tflite.flat import parse
from common.tflite.reader import Inspection, inspect
from jobs.optimize.held import FloatKernels, Held, computed, float_kernels, told
from jobs.optimize.pass_result import Aware

THE_FILE = "the file"


@dataclass(frozen=True)
class AwareFile:
    """`notes` tell what became of each layer, and why the file is larger than without the training."""

    content: bytes
    inspection: Inspection
    notes: tuple[LayerNote, ...]
    held: Held


def aware_file(
    model: Any, before: Any, aware: Sequence[Aware], settings: Convert, images: npt.NDArray[np.uint8]
) -> AwareFile:
    """The file of `model`, which is `before` after quantisation-aware training; `images` uint8 [n, h, w, 3] are those
    that ranges are measured on."""
    content, found, failure = _filled(model, settings, images)
    operators = computed(content, found, aware)
    floats = float_kernels(operators, aware, failure)
    plain = _plain(before, settings, images)
    larger = None if plain is None or len(content) <= len(plain) else _larger(content, found, plain, floats)
    size = [LayerNote(layer=THE_FILE, action=larger)] if larger else []
    notes = (*told(operators, aware, failure), *size)
    held = Held(floats, len(content), None if plain is None else len(plain), larger)
    return AwareFile(content, found, notes, held)


def _filled(model: Any, settings: Convert, images: npt.NDArray[np.uint8]) -> tuple[bytes, Inspection, str | None]:
    """The file, what is in it, and why ranges that the training left out could not be measured."""
    content = convert(model, settings, images, aware=True)
    found = inspect(content)
    if not any(operator.domain in FLOATING for operator in found.table):
        return content, found, None
    try:
        content = Conversion(settings, images, aware=True, measured=True)(model)
    except Exception as error:  # The converter runs the network to measure it, and raises what its kernels say.
        return content, found, refusal(error)
    return content, inspect(content), None


def _plain(before: Any, settings: Convert, images: npt.NDArray[np.uint8]) -> bytes | None:
    try:
        # Its size does not follow from the ranges: one image is enough.
        return Conversion(settings.model_copy(update={"calibration_images": 1}), images)(before)
    except Exception:  # Without the training, the converter may refuse the network.
        return None


def _larger(content: bytes, found: Inspection, plain: bytes, floats: Sequence[FloatKernels]) -> str:
    more = len(content) - len(plain)
    return (
        f"{more:,} bytes larger than in int8 without the training ({len(plain):,} bytes): "
        f"{listed(tuple(_causes(content, found, plain, floats)))}"
    )


def _causes(content: bytes, found: Inspection, plain: bytes, floats: Sequence[FloatKernels]) -> Iterator[str]:
    """What a file consists of, and how much more it has of each."""
    weights = found.proof.weight_bytes - inspect(plain).proof.weight_bytes
    names = _name_bytes(content) - _name_bytes(plain)
    if weights > 0:
        of = f", since not all kernels are in int8 ({listed(tuple(kernels.layer for kernels in floats))})"
        yield f"its weights take {weights:,} bytes more{of if floats else ''}"
    if names > 0:
        yield f"the names of its tensors, which the training makes longer, {names:,}"
    if (tables := len(content) - len(plain) - weights - names) > 0:
        yield f"its tables of tensors and operators {tables:,}"


def _name_bytes(content: bytes) -> int:
    return sum(len(tensor.name.encode()) for graph in parse(content).graphs for tensor in graph.tensors)
