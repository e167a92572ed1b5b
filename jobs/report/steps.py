"""A recipe in words, for people who read the report."""

from collections.abc import Iterator
from pathlib import Path

from common.numbers import count, listed, percent
from common.schema.convert import Convert
from common.schema.fine_tuning import FineTuning
from common.schema.given import FromFile, FromKeras, KerasConvert
from common.schema.recipe import (
    Cluster,
    Distill,
    Factorize,
    FoldBatchNorm,
    MergeSeparable,
    Pass,
    Prune,
    QuantizeAware,
    Recipe,
)
from common.schema.tflite import FLOATING, Proof
from common.schema.variant import Variant

ALL_INT8 = "all in int8"
# Input channels of a separable convolution that are few, and layers that are named.
FEW, NAMED = 16, 3
FORMATS = {
    "float32": "stored as float32",
    "float16": "weights stored as float16",
    "dynamic_range": "weights stored as int8 (dynamic range)",
    "int8": ALL_INT8,
    "int16x8": "weights in int8, activations in int16, calibrated",
    "dynamic_wi8_afp32": "weights stored as int8 (dynamic, litert-quantizer)",
    "dynamic_wi4_afp32": "weights stored as int4 (dynamic, litert-quantizer)",
    "weight_only_wi8_afp32": "weights stored as int8, computed in float (litert-quantizer)",
    "weight_only_wi4_afp32": "weights stored as int4, computed in float (litert-quantizer)",
    "static_wi8_ai8": f"{ALL_INT8}, calibrated (litert-quantizer)",
    "static_wi8_ai16": "weights in int8, activations in int16, calibrated (litert-quantizer)",
}
PRESERVED = {
    "nothing": "",
    "sparsity": ", zeros preserved",
    "clusters": ", clusters preserved",
    "sparsity_and_clusters": ", zeros and clusters preserved",
}


def making(variant: Variant) -> Iterator[str]:
    """How a variant came about, in words, a step each."""
    if variant.recipe is not None:
        yield from steps(variant.recipe, variant.proof)
        return
    name = "" if variant.origin is None else Path(variant.origin.file).name
    yield f"the file {name}"
    if isinstance(variant.given, FromFile | FromKeras):
        settings = variant.given.convert
        integers = isinstance(settings, KerasConvert) and settings.integer_io
        calibrated = ", calibrated" if settings.format == "int8" else ""
        yield _format(settings.format, variant.proof) + calibrated + (", integers in and out" if integers else "")
        if settings.layers:
            yield "some operators otherwise"


def quantised(given: FromFile) -> Iterator[str]:
    """What is done to a file, in words, a step each."""
    yield _format(given.convert.format, None)
    kinds = dict.fromkeys(given.convert.layers.values())
    for kind in kinds:
        number = sum(other == kind for other in given.convert.layers.values())
        yield f"{count(number, 'operator')} in {kind}"


def steps(recipe: Recipe, proof: Proof | None = None) -> Iterator[str]:
    """The recipe in words, a step each; `proof` is that of its file."""
    for settings in recipe.passes:
        verb = "trained" if isinstance(settings, Distill) else "fine-tuned"
        tuned = f", {verb} for {count(settings.epochs, 'epoch')}" if isinstance(settings, FineTuning) else ""
        yield _pass(settings) + tuned
    yield _convert(recipe, proof)


def _pass(settings: Pass) -> str:
    match settings:
        case Prune():
            return _prune(settings)
        case Cluster():
            where = " per channel" if settings.per_channel else ""
            zeros = ", zeros preserved" if settings.preserve_sparsity else ""
            return f"weights clustered to {settings.clusters} values{where}{zeros}{_layers(settings.layers)}"
        case Distill():
            network = settings.network
            width = "" if network.width is None else f" of width {network.width:g}"
            stride = "" if network.stride is None else f"{' and' if width else ' of'} stride {network.stride}"
            return f"distilled into {network.architecture}{width}{stride}"
        case QuantizeAware():
            return f"trained for int8{PRESERVED[settings.preserve]}"
        case Factorize():
            return _factorize(settings)
        case FoldBatchNorm():
            return f"BatchNormalization folded into its neighbours{_only(settings.layers)}"
        case MergeSeparable():
            few = " of few channels" if settings.max_input_channels <= FEW else ""
            return f"separable convolutions{few} merged into one{_only(settings.layers)}"


def _prune(settings: Prune) -> str:
    if settings.m_by_n is not None:
        how = " ({} of every {})".format(*settings.m_by_n)
    elif settings.block != (1, 1):
        how = " in blocks of {} x {}".format(*settings.block)
    else:
        how = ""
    slowly = " step by step" if settings.schedule == "polynomial" else ""
    return f"{percent(settings.sparsity)} of the weights pruned{how}{slowly}{_layers(settings.layers)}"


def _factorize(settings: Factorize) -> str:
    parts = []
    if settings.rank is not None:
        parts.append(f"dense kernels factorised to rank {settings.rank}")
    if settings.energy is not None:
        parts.append(f"dense kernels factorised to {percent(settings.energy)} of their energy")
    if settings.spatial_rank is not None:
        parts.append(f"convolutions split into columns and rows of rank {settings.spatial_rank}")
    ranks = sorted({rank for rank in settings.ranks.values() if rank})
    if ranks:
        layers = count(sum(1 for rank in settings.ranks.values() if rank), "layer")
        to = f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks of {ranks[0]} to {ranks[-1]}"
        parts.append(f"{layers} factorised to {to}")
    return ", ".join(parts)


def _only(layers: tuple[str, ...]) -> str:
    """Which layers, where it is not all."""
    if layers == ("*",):
        return ""
    more = len(layers) - NAMED
    return f" (only {listed((*layers[:NAMED], *((f'{more} more',) if more > 0 else ())))})"


def _layers(layers: object) -> str:
    return ", some layers otherwise" if layers else ""


def _convert(recipe: Recipe, proof: Proof | None) -> str:
    settings: Convert = recipe.convert
    calibrated = settings.format == "int8" and not any(isinstance(item, QuantizeAware) for item in recipe.passes)
    return (
        _format(settings.format, proof)
        + (", calibrated" if calibrated else "")
        + (", without the zeros" if settings.sparse else "")
        + (", integers in and out" if settings.integer_io else "")
        + _others(settings)
    )


def _others(settings: Convert) -> str:
    """The layers of another format, where there are few kinds."""
    kinds = dict.fromkeys(settings.layers.values())
    return "".join(
        f", {kind}{_only(tuple(layer for layer, other in settings.layers.items() if other == kind))}" for kind in kinds
    )


def _format(name: str, proof: Proof | None) -> str:
    words = FORMATS[name]
    floating = [total for total in proof.domains if total.domain in FLOATING] if proof else []
    if proof is None or not floating or not words.startswith(ALL_INT8):
        return words
    macs = sum(total.macs for total in floating)
    left = (
        f"{percent(macs / proof.macs)} of the multiply-accumulates"
        if macs
        else count(sum(total.operators for total in floating), "operator")
    )
    return words.replace(ALL_INT8, f"in int8 but for {left}")
