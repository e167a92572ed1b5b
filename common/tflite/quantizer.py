"""The only caller of litert-quantizer for files, and what it promises of them."""

import contextlib
import fnmatch
import io
import logging
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import EdgeproofError
from common.schema.given import FileConvert
from common.schema.variant import Promise
from common.tflite.kernel_promises import kernel_promises
from common.tflite.reader import Inspection

# Sums are made in another order by another number of threads, and then the ranges differ in their last digits.
THREADS = 1
LEFT = "litert-quantizer leaves this operator as it is"


@dataclass(frozen=True)
class Calibration:
    """A signature's name, and its inputs by name, afresh at every call."""

    signature: str
    inputs: Callable[[], Iterable[dict[str, Any]]]


def quantized(path: Path, content: bytes, convert: FileConvert, calibration: Calibration | None) -> bytes:
    """The content of a file quantised as `convert` says. Raises EdgeproofError for one that litert-quantizer
    refuses."""
    from litert_quantizer import quantizer  # half a second

    logging.getLogger("absl").setLevel(logging.ERROR)
    # It warns of the memory that looking at every tensor takes.
    warnings.simplefilter("ignore", UserWarning)
    try:
        made = quantizer.Quantizer(content)
        _add(made, ".*", convert.format)
        for pattern, format_ in convert.layers.items():
            _add(made, fnmatch.translate(pattern), format_)
        with contextlib.redirect_stdout(io.StringIO()):  # It prints a summary of sizes.
            ranges = None
            if calibration is not None:
                # A generator would be used up before it is calibrated with.
                ranges = made.calibrate({calibration.signature: list(calibration.inputs())}, num_threads=THREADS)
            return bytes(made.quantize(ranges, enable_progress_report=False).quantized_model)
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError, NotImplementedError, AttributeError) as error:
        said = " ".join(str(error).split())[:300]
        raise EdgeproofError(f"{path} cannot be quantised to {convert.format}: {said}") from error


def quantised_promises(convert: FileConvert, found: Inspection) -> tuple[Promise, ...]:
    """Which kernels are what the format says; those that are not were left by litert-quantizer or by a pattern."""
    wanted = {"4": "int4"}.get(convert.format.split("_wi")[1][0], "int8")
    return kernel_promises(wanted, found, f"{LEFT}, or a pattern of [convert] layers does" if convert.layers else LEFT)


def _add(made: Any, pattern: str, format_: str) -> None:
    """One rule; a later one replaces an earlier one where both match."""
    every = "*"
    match format_:
        case "float32":
            made.update_quantization_recipe(pattern, every, algorithm_key="no_quantize")
        case "dynamic_wi8_afp32" | "dynamic_wi4_afp32":
            made.add_dynamic_config(pattern, every, _weight_bits(format_))
        case "weight_only_wi8_afp32" | "weight_only_wi4_afp32":
            made.add_weight_only_config(pattern, every, _weight_bits(format_))
        case _:
            made.add_static_config(pattern, every, 16 if format_.endswith("ai16") else 8, 8)


def _weight_bits(format_: str) -> int:
    return 4 if "_wi4_" in format_ else 8
