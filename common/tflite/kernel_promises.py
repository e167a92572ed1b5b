"""Whether a quantised file holds what its format says. Pure."""

from collections.abc import Iterator, Mapping

from common.schema.variant import Promise
from common.tflite.reader import Inspection

FLOAT = "float32"
# Of the kernels in each format.
KERNEL_TYPES = {
    "float32": "float32",
    "float16": "float16",
    "dynamic_range": "int8",
    "int8": "int8",
    "int16x8": "int8",
    "dynamic_wi8_afp32": "int8",
    "weight_only_wi8_afp32": "int8",
    "dynamic_wi4_afp32": "int4",
    "weight_only_wi4_afp32": "int4",
    "static_wi8_ai8": "int8",
    "static_wi8_ai16": "int8",
}


def kernel_promises(
    wanted: str, found: Inspection, left: str, others: Mapping[str, str] | None = None
) -> tuple[Promise, ...]:
    """A promise for each kernel that it is of type `wanted`, or of that which `others` has for its name, waived as
    `left` says where it is not and was not to stay in float, and one that any of them is of type `wanted`."""
    kernels = tuple(_kernels(wanted, found, left, others or {}))
    kept = sum(promise.kept and promise.expected == wanted for promise in kernels)
    some = Promise(
        claim="quantised kernels",
        subject="the file",
        expected=f"at least one in {wanted}",
        observed=f"{kept} of {len(kernels)}",
        kept=kept > 0,
    )
    return (*kernels, some)


def _kernels(wanted: str, found: Inspection, left: str, others: Mapping[str, str]) -> Iterator[Promise]:
    for kernel in found.kernels:
        expected = others.get(kernel.tensor.name, wanted)
        kept = kernel.tensor.dtype == expected
        yield Promise(
            claim="type",
            subject=kernel.tensor.name,
            expected=expected,
            observed=kernel.tensor.dtype,
            kept=kept,
            waived=None if kept or expected == FLOAT else left,
        )
