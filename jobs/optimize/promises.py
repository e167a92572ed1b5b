"""What a recipe promises, held against the converted file. Pure: expectations and inspection to verdicts.

The converter names tensors as it likes and joins the names of what it fused, so a kernel is found again by
its number of output channels and of weights per channel. Where several kernels share both, the one that
keeps a promise best stands for the layer that promises most.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from common.schema.recipe import Convert, QuantizeAware, Recipe
from common.schema.variant import Promise
from common.tflite.reader import Inspection, Kernel
from jobs.optimize.pass_result import Expectation

# tfmot neither prunes nor clusters depthwise kernels.
REACHED = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
# The converter leaves smaller tensors in float under dynamic range.
SMALLEST_QUANTIZED = 1024
# The converter joins the names of what it fused; this one says that a BatchNormalization is in a kernel.
FUSED_BATCH_NORM = "/batchnorm/mul"
FOLDED = "the converter multiplied a BatchNormalization into this kernel, which scales its input channels apart"
UNANNOTATED = "quantisation-aware training left this layer in float"
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
}
# litert-quantizer's recipes that leave the kernels of some operators in float.
WITH_FLOAT = ("dynamic_wi4_afp32", "weight_only_wi4_afp32")
LEFT_IN_FLOAT = ("DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
IO_TYPES = {"int8": "int8", "int16x8": "int16"}


def check(recipe: Recipe, expected: Sequence[Expectation], inspection: Inspection) -> tuple[Promise, ...]:
    """Every promise of the recipe with what the file holds."""
    return tuple(_promises(recipe, expected, inspection))


def _promises(recipe: Recipe, expected: Sequence[Expectation], inspection: Inspection) -> Iterator[Promise]:
    kernels = [kernel for kernel in inspection.kernels if kernel.operator in REACHED]

    def alike(item: Expectation) -> tuple[str, int, int]:
        return item.claim, item.channels, item.per_channel

    # A later pass that promises the same of the same kernel replaces an earlier one.
    latest = {(item.layer, *alike(item)): item for item in expected}.values()
    for (_, channels, per_channel), group in groupby(sorted(latest, key=alike), key=alike):
        same = [kernel for kernel in kernels if _key(kernel) == (channels, per_channel)]
        yield from _matched(list(group), same)
    aware = any(isinstance(settings, QuantizeAware) for settings in recipe.passes)
    for kernel in inspection.kernels:
        yield _alive(kernel)
        yield _type(recipe.convert, kernel, aware)
    yield from _ports(recipe.convert, inspection)


def _key(kernel: Kernel) -> tuple[int, int]:
    channels = 0 if kernel.rows is None else len(kernel.rows)
    return channels, kernel.tensor.elements // max(channels, 1)


def _matched(expected: list[Expectation], kernels: list[Kernel]) -> Iterator[Promise]:
    """Expectations of one claim about kernels of one size, each with the kernel that stands for its layer."""
    most = expected[0].claim == "clusters"
    demanding = sorted(expected, key=lambda item: item.bound, reverse=not most)
    ranked = sorted(kernels, key=lambda kernel: _observed(demanding[0], kernel), reverse=not most)
    for place, item in enumerate(demanding):
        if place < len(ranked):
            yield _verdict(item, ranked[place])
        else:
            shape = f"{item.channels} channels of {item.per_channel} weights"
            yield Promise(claim=item.claim, subject=item.layer, expected=shape, observed="no such kernel", kept=False)


def _observed(item: Expectation, kernel: Kernel) -> float:
    match item.claim:
        case "sparsity":
            return kernel.tensor.zeros
        case "clusters":
            return kernel.tensor.unique_per_channel
        case "groups":
            return _full_groups(item, kernel)
    return 1.0


def _full_groups(item: Expectation, kernel: Kernel) -> float:
    if kernel.rows is None:
        return 0.0
    groups = kernel.rows.reshape(-1, item.group)
    return float(np.mean(np.sum(groups == 0, axis=1) >= item.zeros))


def _verdict(item: Expectation, kernel: Kernel) -> Promise:
    observed = _observed(item, kernel)
    words = {
        "sparsity": (f">= {item.bound:.3f} zeros", f"{observed:.3f} zeros"),
        "clusters": (f"<= {item.bound:.0f} values per channel", f"{observed:.0f} values per channel"),
        "groups": (f"{item.zeros} zeros in every {item.group}", f"{observed:.1%} of the groups have them"),
        "present": (f"{item.channels} channels of {item.per_channel} weights",) * 2,
    }
    # In groups, the bound is the sparsity that follows; every group must have its zeros.
    bound = 1.0 if item.claim == "groups" else item.bound
    kept = observed <= bound if item.claim == "clusters" else observed >= bound
    folded = item.claim == "clusters" and not kept and FUSED_BATCH_NORM in kernel.tensor.name
    expected, seen = words[item.claim]
    return Promise(
        claim=item.claim,
        subject=item.layer,
        expected=expected,
        observed=seen,
        kept=kept,
        waived=FOLDED if folded else None,
    )


def _alive(kernel: Kernel) -> Promise:
    zeros = kernel.tensor.zeros
    return Promise(
        claim="weights",
        subject=kernel.tensor.name,
        expected="not all zero",
        observed=f"{zeros:.3f} zeros",
        kept=zeros < 1,
    )


def _ports(settings: Convert, inspection: Inspection) -> Iterator[Promise]:
    expected = IO_TYPES[settings.format] if settings.integer_io else "float32"
    for port in (*inspection.inputs, *inspection.outputs):
        yield Promise(
            claim="type", subject=port.name, expected=expected, observed=port.dtype, kept=port.dtype == expected
        )


def _type(settings: Convert, kernel: Kernel, aware: bool) -> Promise:
    expected = KERNEL_TYPES[settings.format]
    small = settings.format == "dynamic_range" and kernel.tensor.elements < SMALLEST_QUANTIZED
    if small or (settings.format in WITH_FLOAT and kernel.operator in LEFT_IN_FLOAT):
        expected = "float32"
    kept = kernel.tensor.dtype == expected
    return Promise(
        claim="type",
        subject=kernel.tensor.name,
        expected=expected,
        observed=kernel.tensor.dtype,
        kept=kept,
        waived=UNANNOTATED if aware and not kept else None,
    )
