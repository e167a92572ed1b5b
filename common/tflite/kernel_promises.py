"""Whether a quantised file holds what its format says. Pure."""

from collections.abc import Iterator

from common.schema.variant import Promise
from common.tflite.reader import Inspection


def kernel_promises(wanted: str, found: Inspection, left: str) -> tuple[Promise, ...]:
    """A promise for each kernel that it is of type `wanted`, waived as `left` says where it is not, and one that any
    of them is."""
    kernels = tuple(_kernels(wanted, found, left))
    kept = sum(promise.kept for promise in kernels)
    some = Promise(
        claim="quantised kernels",
        subject="the file",
        expected=f"at least one in {wanted}",
        observed=f"{kept} of {len(kernels)}",
        kept=kept > 0,
    )
    return (*kernels, some)


def _kernels(wanted: str, found: Inspection, left: str) -> Iterator[Promise]:
    for kernel in found.kernels:
        kept = kernel.tensor.dtype == wanted
        yield Promise(
            claim="type",
            subject=kernel.tensor.name,
            expected=wanted,
            observed=kernel.tensor.dtype,
            kept=kept,
            waived=None if kept else left,
        )
