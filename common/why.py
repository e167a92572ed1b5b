"""Why one variant is faster than another: their operators side by side, and the largest reasons in words. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from common.schema.examination import LayerTime
from common.schema.processor import Processor
from common.schema.tflite import Domain, Proof

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
INT8_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}
# Smaller ones explain nothing that an interval does not hold.
LEAST_SHARE, LEAST_FACTOR = 0.05, 1.2


@dataclass(frozen=True)
class Side:
    """A variant on one backend: what its operators took and what is in its file."""

    name: str
    layers: tuple[LayerTime, ...]
    proof: Proof


@dataclass(frozen=True)
class Aligned:
    """A layer in both variants; None where one of them has nothing like it there."""

    first: LayerTime | None
    second: LayerTime | None

    @property
    def gained_us(self) -> float:
        """Microseconds that the second saves."""
        first, second = (0.0 if layer is None else layer.mean_us for layer in (self.first, self.second))
        return first - second


@dataclass(frozen=True)
class Why:
    """`layers` are in order; `reasons` are sentences without a full stop, the largest factor first."""

    layers: tuple[Aligned, ...]
    reasons: tuple[str, ...]


def why(first: Side, second: Side, processor: Processor | None = None) -> Why:
    """Compare two variants that were timed on one backend of the `processor`."""
    return Why(tuple(align(first.layers, second.layers)), tuple(_reasons(first, second, processor)))


def align(first: Sequence[LayerTime], second: Sequence[LayerTime]) -> Iterator[Aligned]:
    """Nodes of one kind beside each other, in order: converters rename what they write, and keep the order."""
    pairs = SequenceMatcher(None, [one.kind for one in first], [one.kind for one in second], autojunk=False)
    for tag, low, high, start, end in pairs.get_opcodes():
        if tag == "equal":
            yield from (Aligned(a, b) for a, b in zip(first[low:high], second[start:end], strict=True))
        else:
            yield from (Aligned(one, None) for one in first[low:high])
            yield from (Aligned(None, one) for one in second[start:end])


def conversion_share(layers: Sequence[LayerTime]) -> float | None:
    """Share of the operators' time that quantize and dequantize take; None where nothing was timed."""
    return _share(layers, [one for one in layers if one.kind in CONVERSIONS])


def outside_share(layers: Sequence[LayerTime]) -> float | None:
    """Share of the time outside of the delegate; None where nothing was timed or there is none."""
    return _share(layers, [one for one in layers if not one.delegated]) if any(x.delegated for x in layers) else None


def _share(layers: Sequence[LayerTime], part: Sequence[LayerTime]) -> float | None:
    whole = sum(one.mean_us for one in layers)
    return sum(one.mean_us for one in part) / whole if whole > 0 else None


def _reasons(first: Side, second: Side, processor: Processor | None) -> Iterator[str]:
    # What cannot be counted may be the most of it.
    counted = not (first.proof.uncounted or second.proof.uncounted)
    factors = [(more, few) for more, few in ((first, second), (second, first)) if counted and few.proof.macs > 0]
    for more, few in factors:
        factor = more.proof.macs / few.proof.macs
        if factor >= LEAST_FACTOR:
            yield f"{more.name} has {factor:.1f} times the multiply-accumulates of {few.name}"
    for side in (first, second):
        if _macs(side.proof, "int8") > 0 and (words := _without_dot_products(processor)) is not None:
            yield f"{side.name} computes {side.proof.int8_mac_share or 0:.0%} of them in int8, {words}"
    for side in (first, second):
        conversions, outside = conversion_share(side.layers), outside_share(side.layers)
        if conversions is not None and conversions >= LEAST_SHARE:
            yield f"{conversions:.0%} of the time of {side.name} is quantize and dequantize"
        if outside is not None and outside >= LEAST_SHARE:
            yield f"{outside:.0%} of the time of {side.name} is outside of the delegate"


def _macs(proof: Proof, domain: Domain) -> int:
    return sum(total.macs for total in proof.domains if total.domain == domain)


def _without_dot_products(processor: Processor | None) -> str | None:
    if processor is None or processor.instruction_sets is None:
        return None
    found = [name for name in processor.instruction_sets if name in INT8_DOT_PRODUCTS]
    return f"on a processor with {found[0]}" if found else "on a processor without dot products of int8"
