"""Which port of one file is which of another, of which shape, and what is drawn for it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from common.ends import Ends, ends, rows_of_tables, whole
from common.schema.inspection import Drawn, FileReport
from common.schema.tflite import Port
from common.tflite.flat import parse
from common.tflite.opened import Content
from common.tflite.pixels import input_pixels

# What can be drawn, and what can be compared.
NUMBERS = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
REAL = ("float16", "float32", "float64")
# Two ranges are one where what they share is so much of the wider one.
MOSTLY = 0.5
# Signatures whose names are tried; no sound file has so many for one subgraph.
MOST_WAYS = 16
# Converters put these around the names that callers use.
PREFIX, SUFFIX = "serving_default_", ":0"


@dataclass(frozen=True)
class Input:
    """An input of both files: its place in each, the shape for both, and what is drawn for it."""

    first: int
    second: int
    shape: tuple[int, ...]
    drawn: Drawn


@dataclass(frozen=True)
class Paired:
    """Inputs in the order of the first file's, and for every output of the first file its place in the second."""

    inputs: tuple[Input, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """A file: its report, and what may be drawn for every input of its first subgraph."""

    report: FileReport
    ends: tuple[Ends, ...]


def side(report: FileReport, content: Content) -> Side:
    """A file's side of a comparison."""
    graph, pixels = parse(content).graphs[0], input_pixels(content)
    rows, known = rows_of_tables(graph), [*pixels, *[None] * len(graph.inputs)]
    found = (
        _inclusive(port, ends(port, known[place], rows.get(tensor)))
        for place, (port, tensor) in enumerate(zip(report.inputs, graph.inputs, strict=True))
        if _fillable(port)
    )
    return Side(report, tuple(found))


def _inclusive(port: Port, found: Ends) -> Ends:
    return replace(found, high=found.high - 1) if whole(port) else found


def obstacle(first: FileReport, second: FileReport) -> str | None:
    """Why two files cannot be run on the same inputs, as far as their types and numbers tell."""
    for what, before, after in (
        ("inputs", first.inputs, second.inputs),
        ("outputs", first.outputs, second.outputs),
    ):
        for port in (*before, *after):
            if not _fillable(port):
                return f"an {what[:-1]} is of type {port.dtype}"
        if len(before) != len(after):
            return f"one has {len(before)} {what}, the other {len(after)}"
        if not before:
            return f"they have no {what}"
    own, theirs = (_ways(report, main=True) for report in (first, second))
    if not own & theirs and (own & _ways(second) or theirs & _ways(first)):
        return f"their first subgraphs have other signatures: {', '.join(sorted(own))} and {', '.join(sorted(theirs))}"
    return None


def _ways(report: FileReport, *, main: bool = False) -> set[str]:
    """The names of the signatures, of the first subgraph only or of all."""
    return {way.name for way in report.signatures if way.subgraph == 0 or not main}


def paired(first: Side, second: Side) -> Paired | str:
    """Which port is which, by the names of the signatures, or of the tensors, or by their order; or why none fits."""
    inputs = next(_orders(first.report, second.report, "inputs"), None)
    if inputs is None:
        return "their inputs have different shapes"
    outputs = next(_orders(first.report, second.report, "outputs"), None)
    if outputs is None:
        return "their outputs have different shapes"
    made = []
    own_names, other_names = (_names(each.report, "inputs")[0] for each in (first, second))
    for place, other in enumerate(inputs):
        own, theirs = first.report.inputs[place], second.report.inputs[other]
        shape = _agreed(own, theirs)
        if shape is not None:
            names = own_names[place], other_names[other]
            made.append(Input(place, other, shape, _drawn(own, theirs, names, (first.ends[place], second.ends[other]))))
    return Paired(tuple(made), outputs)


def _fillable(port: Port) -> bool:
    return port.dtype in REAL or port.dtype in NUMBERS


def _ports(report: FileReport, what: str) -> tuple[Port, ...]:
    return report.inputs if what == "inputs" else report.outputs


def _names(report: FileReport, what: str) -> list[tuple[str, ...]]:
    """What the ports of the first subgraph are called, the names that callers use first."""
    ports = _ports(report, what)
    ways = (way.inputs if what == "inputs" else way.outputs for way in report.signatures if way.subgraph == 0)
    fitting = (tuple(each.name for each in named) for named in ways if len(named) == len(ports))
    found = list(islice(dict.fromkeys(fitting), MOST_WAYS))
    plain = tuple(port.name.removeprefix(PREFIX).removesuffix(SUFFIX) for port in ports)
    return [*found, plain]


def _orders(first: FileReport, second: FileReport, what: str) -> Iterator[tuple[int, ...]]:
    """For every port of the first file its place in the second; the most telling order first, each of which fits."""
    before, after = _ports(first, what), _ports(second, what)
    places = [{name: at for at, name in enumerate(theirs)} for theirs in _names(second, what)]
    orders = (
        tuple(there[name] for name in own)
        for own in _names(first, what)
        for there in places
        if there.keys() == set(own) and len(there) == len(own) == len(after)
    )
    for order in (*dict.fromkeys(orders), tuple(range(len(before)))):
        if all(_agreed(port, after[place]) is not None for port, place in zip(before, order, strict=True)):
            yield order


def _agreed(first: Port, second: Port) -> tuple[int, ...] | None:
    """A shape that both ports can have: sides that one leaves open are the other's."""
    own, theirs = first.open_shape or first.shape, second.open_shape or second.shape
    if len(own) != len(theirs) or any(
        one >= 0 <= other and one != other for one, other in zip(own, theirs, strict=True)
    ):
        return None
    # Where both are open the first file's own, if it has one.
    stored = first.shape if len(first.shape) == len(own) else (1,) * len(own)
    sides = zip(own, theirs, stored, strict=True)
    return tuple(max(one, other) if max(one, other) >= 0 else max(1, side) for one, other, side in sides)


def _drawn(first: Port, second: Port, names: tuple[str, str], known: Sequence[Ends]) -> Drawn:
    both = whole(first), whole(second)
    found = _together(known[0], known[1], all(both))
    return Drawn(first=names[0], second=names[1], low=found.low, high=found.high, whole=any(both), why=found.why)


def _together(first: Ends, second: Ends, numbers: bool) -> Ends:
    """The ends for both: what the files say, and what they share of it where that is most of it or must be."""
    if first.told != second.told:
        return first if first.told else second
    low, high = max(first.low, second.low), min(first.high, second.high)
    wider = max(first.high - first.low, second.high - second.low)
    why = first.why if first.why == second.why else f"{first.why}, and {second.why}"
    # A number behind the end of a table is no input.
    if (numbers and low <= high) or high - low >= MOSTLY * wider:
        return Ends(low, high, why)
    return Ends(min(first.low, second.low), max(first.high, second.high), why)
