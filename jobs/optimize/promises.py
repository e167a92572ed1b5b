"""What a recipe promises, held against the converted file. Pure: recipe and inspection to verdicts."""

from collections.abc import Iterator

from common.schema.recipe import Cluster, Convert, Prune, Recipe
from common.schema.variant import Promise
from common.tflite.reader import Inspection, Kernel

# tfmot neither prunes nor clusters depthwise kernels.
REACHED = ("CONV_2D", "FULLY_CONNECTED")
# The converter leaves smaller tensors in float under dynamic range.
SMALLEST_QUANTIZED = 1024
# The converter joins the names of what it fused; this one says that a BatchNormalization is in a kernel.
FUSED_BATCH_NORM = "/batchnorm/mul"
FOLDED = "the converter multiplied a BatchNormalization into this kernel, which scales its input channels apart"
KERNEL_TYPES = {"float32": "float32", "float16": "float16", "dynamic_range": "int8", "int8": "int8", "int16x8": "int8"}
IO_TYPES = {"int8": "int8", "int16x8": "int16"}


def check(recipe: Recipe, inspection: Inspection) -> tuple[Promise, ...]:
    """Every promise of the recipe with what the file holds."""
    return tuple(_promises(recipe, inspection))


def _promises(recipe: Recipe, inspection: Inspection) -> Iterator[Promise]:
    kernels = [kernel for kernel in inspection.kernels if kernel.operator in REACHED]
    for settings in recipe.passes:
        for kernel in kernels:
            if isinstance(settings, Prune):
                yield _sparsity(settings, kernel)
            if isinstance(settings, Cluster):
                yield _clusters(settings, kernel)
    for kernel in inspection.kernels:
        yield _type(recipe.convert, kernel)
    yield from _ports(recipe.convert, inspection)


def _sparsity(settings: Prune, kernel: Kernel) -> Promise:
    # tfmot rounds the number of weights that it keeps.
    least = settings.sparsity - 1 / kernel.tensor.elements
    return Promise(
        claim="sparsity",
        subject=kernel.tensor.name,
        expected=f">= {settings.sparsity:.3f} zeros",
        observed=f"{kernel.tensor.zeros:.3f} zeros",
        kept=kernel.tensor.zeros >= least,
    )


def _clusters(settings: Cluster, kernel: Kernel) -> Promise:
    kept = kernel.tensor.unique_per_channel <= settings.clusters
    return Promise(
        claim="clusters",
        subject=kernel.tensor.name,
        expected=f"<= {settings.clusters} values per channel",
        observed=f"{kernel.tensor.unique_per_channel} values per channel",
        kept=kept,
        waived=FOLDED if not kept and FUSED_BATCH_NORM in kernel.tensor.name else None,
    )


def _ports(settings: Convert, inspection: Inspection) -> Iterator[Promise]:
    expected = IO_TYPES[settings.format] if settings.integer_io else "float32"
    for port in (*inspection.inputs, *inspection.outputs):
        yield Promise(
            claim="type", subject=port.name, expected=expected, observed=port.dtype, kept=port.dtype == expected
        )


def _type(settings: Convert, kernel: Kernel) -> Promise:
    expected = KERNEL_TYPES[settings.format]
    if settings.format == "dynamic_range" and kernel.tensor.elements < SMALLEST_QUANTIZED:
        expected = "float32"
    return Promise(
        claim="type",
        subject=kernel.tensor.name,
        expected=expected,
        observed=kernel.tensor.dtype,
        kept=kernel.tensor.dtype == expected,
    )
