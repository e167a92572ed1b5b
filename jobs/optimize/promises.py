"""What a recipe promises, held against the converted file. Pure: expectations and inspection to verdicts.

The converter names tensors as it likes and joins the names of what it fused, so a kernel is found again by
its number of output channels and of weights per channel. Where several kernels share both, the one that
keeps a promise best stands for the layer that promises most.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from common.numbers import listed, percent
from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.variant import Promise
from common.tflite.kernel_promises import KERNEL_TYPES
from common.tflite.parts import chosen
from common.tflite.quantizer import Quantization
from common.tflite.reader import Inspection, Kernel
from jobs.optimize.held import FloatKernels, Held
from jobs.optimize.pass_result import Expectation

# tfmot neither prunes nor clusters depthwise kernels.
REACHED = ("CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
# The converter leaves smaller tensors in float under dynamic range.
SMALLEST_QUANTIZED = 1024
# The converter joins the names of what it fused; this one says that a BatchNormalization is in a kernel.
FUSED_BATCH_NORM = "/batchnorm/mul"
FOLDED = "the converter multiplied a BatchNormalization into this kernel, which scales its input channels apart"
# Of the multiply-accumulates: with less in int8, a network that was trained for it is not worth the name.
LEAST_INT8 = 0.1
# A file that is larger than in int8 without the training by no more than this has its reason in its notes.
LITTLE_LARGER = 0.05
# litert-quantizer's recipes that leave the kernels of some operators in float.
WITH_FLOAT = ("dynamic_wi4_afp32", "weight_only_wi4_afp32")
LEFT_IN_FLOAT = ("DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
IO_TYPES = {"int8": "int8", "int16x8": "int16", "static_wi8_ai8": "int8", "static_wi8_ai16": "int16"}
FLOAT_PORT = "the layer beside it is left in float"
TRAIN_LONGER = "fine-tune for more steps than the schedule's begin_step and frequency, or change the recipe"
OTHER_RECIPE = "change the recipe, or leave this variant out"
OTHER_FORMAT = "choose another format, or leave integer_io out: the network has layers that this one cannot hold"
WITHOUT = "leave quantize_aware out: int8 alone is calibrated, and a float format keeps all in float"
HINTS = {
    **dict.fromkeys(("sparsity", "groups", "clusters", "present"), TRAIN_LONGER),
    "type": OTHER_FORMAT,
    "layers": "name layers that have an operator in the file: variant.json of the variant without layers lists them",
    "int8": WITHOUT,
    "weights": "fine-tune with a smaller learning_rate or sparsity: a kernel has nothing left",
    "accuracy": "a milder recipe: less sparsity, more clusters or bits, a longer fine-tuning",
}


def check(
    recipe: Recipe,
    expected: Sequence[Expectation],
    inspection: Inspection,
    held: Held | None = None,
    wanted: Quantization | None = None,
) -> tuple[Promise, ...]:
    """Every promise of the recipe with what the file holds; `held` says it layer by layer after quantisation-aware
    training, `wanted` what litert-quantizer was to do with each operator of the file."""
    reached = () if wanted is None else _reached(wanted)
    return (*_promises(recipe, expected, inspection, held, {} if wanted is None else wanted.others), *reached)


def advice(promises: Sequence[Promise]) -> str:
    """What to do about the first promise that is neither kept nor waived."""
    broken = next((promise for promise in promises if not promise.kept and promise.waived is None), None)
    return HINTS.get(broken.claim, OTHER_RECIPE) if broken else OTHER_RECIPE


def _promises(
    recipe: Recipe,
    expected: Sequence[Expectation],
    inspection: Inspection,
    held: Held | None,
    others: Mapping[str, str],
) -> Iterator[Promise]:
    kernels = [kernel for kernel in inspection.kernels if kernel.operator in REACHED]

    def alike(item: Expectation) -> tuple[str, int, int]:
        return item.claim, item.channels, item.per_channel

    # A later pass that promises the same of the same kernel replaces an earlier one.
    latest = {(item.layer, *alike(item)): item for item in expected}.values()
    for (_, channels, per_channel), group in groupby(sorted(latest, key=alike), key=alike):
        same = [kernel for kernel in kernels if _key(kernel) == (channels, per_channel)]
        yield from _matched(list(group), same)
    floats = () if held is None else held.floats
    apart = {name for kernels in floats for name in kernels.tensors}
    for kernel in inspection.kernels:
        yield _alive(kernel)
        if kernel.tensor.name not in apart:
            yield _type(others.get(kernel.tensor.name, recipe.convert.format), kernel)
    yield from (_float(kernels) for kernels in floats)
    yield from _ports(recipe.convert, inspection, floating=bool(inspection.proof.float_islands) and held is not None)
    if held is not None:
        yield from _worth(inspection, held)


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


def _ports(settings: Convert, inspection: Inspection, *, floating: bool) -> Iterator[Promise]:
    """`floating`: the network was trained for int8, and some operators of the file are in float all the same."""
    expected = IO_TYPES[settings.format] if settings.integer_io else "float32"
    for port in (*inspection.inputs, *inspection.outputs):
        kept = port.dtype == expected
        yield Promise(
            claim="type",
            subject=port.name,
            expected=expected,
            observed=port.dtype,
            kept=kept,
            waived=FLOAT_PORT if floating and not kept and port.dtype == "float32" else None,
        )


def _reached(wanted: Quantization) -> Iterator[Promise]:
    """That each pattern of layers that have a format of their own is about some operator."""
    for pattern in wanted.convert.layers:
        names = dict.fromkeys(part.owner for part in wanted.parts if chosen({pattern: True}, part, otherwise=False))
        yield Promise(
            claim="layers",
            subject=pattern,
            expected="operators of the file",
            observed=f"those of {listed(tuple(names))}" if names else "no operator",
            kept=bool(names),
        )


def _type(format_: str, kernel: Kernel) -> Promise:
    expected = KERNEL_TYPES[format_]
    small = format_ == "dynamic_range" and kernel.tensor.elements < SMALLEST_QUANTIZED
    if small or (format_ in WITH_FLOAT and kernel.operator in LEFT_IN_FLOAT):
        expected = "float32"
    return Promise(
        claim="type",
        subject=kernel.tensor.name,
        expected=expected,
        observed=kernel.tensor.dtype,
        kept=kernel.tensor.dtype == expected,
    )


def _float(kernels: FloatKernels) -> Promise:
    return Promise(
        claim="type",
        subject=kernels.layer,
        expected="int8",
        observed=f"{kernels.dtype}, run as hybrid" if kernels.domain == "hybrid" else kernels.dtype,
        kept=False,
        waived=f"{kernels.layer} {kernels.said}",
    )


def _worth(inspection: Inspection, held: Held) -> Iterator[Promise]:
    """That the training for int8 was for something."""
    share = inspection.proof.int8_mac_share
    if share is not None:
        yield Promise(
            claim="int8",
            subject="the multiply-accumulates",
            expected=f">= {percent(LEAST_INT8)} in int8",
            observed=f"{percent(share)}",
            kept=share >= LEAST_INT8,
        )
    if held.plain_bytes is not None:
        kept = held.size_bytes <= (1 + LITTLE_LARGER) * held.plain_bytes
        yield Promise(
            claim="size",
            subject="the file",
            expected=f"<= {held.plain_bytes:,} bytes and {percent(LITTLE_LARGER)}, as int8 without the training",
            observed=f"{held.size_bytes:,} bytes",
            kept=kept,
            waived=None if kept else held.larger,
        )
