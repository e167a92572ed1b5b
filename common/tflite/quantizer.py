"""The only caller of litert-quantizer, and what it promises of a file."""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import EdgeproofError, UsageError
from common.schema.given import STATIC, FileConvert
from common.schema.variant import Promise
from common.tflite.kernel_promises import KERNEL_TYPES, kernel_promises
from common.tflite.parts import Part, chosen, unreached
from common.tflite.reader import Inspection

# Sums are made in another order by another number of threads, and then the ranges differ in their last digits.
THREADS = 1
LEFT = "litert-quantizer leaves this operator as it is"
# What it calls all that an operator gives, of which it reads no more.
LONGEST_SCOPE = 10_000
EVERY = "*"
FLOATS = ("float32", "float16")


@dataclass(frozen=True)
class Calibration:
    """A signature's name, and its inputs by name, afresh at every call."""

    signature: str
    inputs: Callable[[], Iterable[dict[str, Any]]]


@dataclass(frozen=True)
class Quantization:
    """How a file is quantised: `parts` are its operators by the names that the patterns of `convert` are for.
    `integers` says whether integers go in and out where a format is static; None: unless a pattern leaves what is
    beside in float."""

    convert: FileConvert
    parts: Sequence[Part]
    integers: bool | None = None

    def format(self, part: Part) -> str:
        """That of an operator."""
        return chosen(self.convert.layers, part, self.convert.format)

    @property
    def others(self) -> dict[str, str]:
        """The formats of the constants that a pattern gives one of their own, by name."""
        layers = self.convert.layers
        return {name: found for part in self.parts if (found := chosen(layers, part, "")) for name in part.constants}


def quantized(path: object, content: bytes, wanted: Quantization, calibration: Calibration | None) -> bytes:
    """The content of a file quantised as `wanted` says; `path` is what an error calls it. Raises EdgeproofError for one
    that litert-quantizer refuses."""
    from litert_quantizer import quantizer  # half a second

    logging.getLogger("absl").setLevel(logging.ERROR)
    # It warns of the memory that looking at every tensor takes.
    warnings.simplefilter("ignore", UserWarning)
    try:
        made = quantizer.Quantizer(content)
        _rules(made, wanted)
        # It prints a summary of sizes, and how far it is.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            ranges = None
            if calibration is not None:
                # A generator would be used up before it is calibrated with.
                ranges = made.calibrate({calibration.signature: list(calibration.inputs())}, num_threads=THREADS)
            return bytes(made.quantize(ranges, enable_progress_report=False).quantized_model)
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError, NotImplementedError, AttributeError) as error:
        said = " ".join(str(error).split())[:300]
        raise EdgeproofError(f"{path} cannot be quantised to {wanted.convert.format}: {said}") from error


def require_float(path: object, found: Inspection) -> None:
    """Raise UsageError for a file without anything to quantise."""
    if not any(kernel.tensor.dtype in FLOATS for kernel in found.kernels):
        raise UsageError(f"{path} has no kernel of real numbers left to quantise", hint="start from the float file")


def require_reached(path: object, wanted: Quantization) -> None:
    """Raise UsageError naming a pattern of a file's `layers` that matches nothing."""
    for pattern in unreached(wanted.convert.layers, wanted.parts):
        names = [name for part in wanted.parts for name in part.outputs if name]
        hint = f"patterns are for what operators give: {', '.join(f'{name[:80]!a}' for name in names[:3])}, …"
        raise UsageError(f"{path}: convert.layers: no operator gives what is named like {pattern!a}", hint=hint)


def quantised_promises(wanted: Quantization, found: Inspection) -> tuple[Promise, ...]:
    """Which kernels are what their format says; those that are not were left by litert-quantizer."""
    others = {name: KERNEL_TYPES[format_] for name, format_ in wanted.others.items()}
    return kernel_promises(KERNEL_TYPES[wanted.convert.format], found, LEFT, others)


def _rules(made: Any, wanted: Quantization) -> None:
    """One rule for all operators, and one for those of each other format; a later one replaces an earlier one where
    both match."""
    convert = wanted.convert
    _add(made, ".*", EVERY, convert.format)
    others: dict[str, list[str]] = {}
    for part in wanted.parts:
        if (format_ := wanted.format(part)) != convert.format:
            others.setdefault(format_, []).append(_scope(part))
    if others:
        # Where a format has no such operator, the rule before counts: that is not to be the one for all.
        _add(made, f"{_exactly(scope for scopes in others.values() for scope in scopes)}(?:)", EVERY, "float32")
    for format_, scopes in others.items():
        _add(made, _exactly(scopes), EVERY, format_)
    if convert.is_static:
        static = convert.format if convert.format in STATIC else STATIC[0]
        for port, beside in (
            ("INPUT", [part for part in wanted.parts if part.reads]),
            ("OUTPUT", [part for part in wanted.parts if part.gives]),
        ):
            integers = all(wanted.format(part) in STATIC for part in beside)
            taken = integers if wanted.integers is None else wanted.integers
            # As a pattern it is another one than that of all operators, so that it comes last.
            _add(made, "^", port, static if taken else "float32")


def _exactly(scopes: Iterable[str]) -> str:
    return rf"\A(?:{'|'.join(map(re.escape, dict.fromkeys(scopes)))})\Z"


def _scope(part: Part) -> str:
    """What litert-quantizer calls an operator."""
    return f"{';'.join(name for name in part.outputs if name)};"[:LONGEST_SCOPE]


def _add(made: Any, pattern: str, operators: str, format_: str) -> None:
    match format_:
        case "float32":
            made.update_quantization_recipe(pattern, operators, algorithm_key="no_quantize")
        case "dynamic_wi8_afp32" | "dynamic_wi4_afp32":
            made.add_dynamic_config(pattern, operators, _weight_bits(format_))
        case "weight_only_wi8_afp32" | "weight_only_wi4_afp32":
            made.add_weight_only_config(pattern, operators, _weight_bits(format_))
        case _:
            made.add_static_config(pattern, operators, 16 if format_.endswith("ai16") else 8, 8)


def _weight_bits(format_: str) -> int:
    return 4 if "_wi4_" in format_ else 8
