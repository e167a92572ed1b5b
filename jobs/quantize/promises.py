"""Whether a quantised file holds what its recipe says. Pure."""

from collections.abc import Iterator

from common.schema.given import FileConvert
from common.schema.variant import Promise
from common.tflite.reader import Inspection

LEFT = "litert-quantizer leaves this operator as it is"


def check(convert: FileConvert, found: Inspection) -> tuple[Promise, ...]:
    """A promise for each kernel, and one that any of them is what was asked for."""
    wanted = {"4": "int4"}.get(convert.format.split("_wi")[1][0], "int8")
    kernels = tuple(_kernels(found, wanted, uniform=not convert.layers))
    kept = sum(promise.kept for promise in kernels)
    some = Promise(
        claim="quantised kernels",
        subject="the file",
        expected=f"at least one in {wanted}",
        observed=f"{kept} of {len(kernels)}",
        kept=kept > 0,
    )
    return (*kernels, some)


def _kernels(found: Inspection, wanted: str, *, uniform: bool) -> Iterator[Promise]:
    for kernel in found.kernels:
        kept = kernel.tensor.dtype == wanted
        yield Promise(
            claim="type",
            subject=kernel.tensor.name,
            expected=wanted,
            observed=kernel.tensor.dtype,
            kept=kept,
            waived=None if kept else LEFT if uniform else f"{LEFT}, or a pattern of [convert] layers does",
        )
