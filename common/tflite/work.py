"""Multiply-accumulates of whole subgraphs, those that they call among them."""

from collections import Counter
from dataclasses import dataclass, field

from common.schema.tflite import Domain, Uncounted
from common.tflite.cost import MOST_MACS, UNUSUAL, UncountedError, macs
from common.tflite.flat import FlatFile, FlatOperator
from common.tflite.operators import CALLS, Node, domain

# What is nested deeper is no sound file, or calls itself.
DEEPEST = 32
# Subgraphs that call each other again and again make any number of operators of a few.
MOST_CALLED = 1 << 32
# Of operators that cannot be counted so many kinds are named, each with whatever calls it.
MOST_KINDS = 64
OTHERS = ("of other kinds", "more kinds than are named")
TOO_DEEP = "subgraphs call each other too deeply"
DATA = "its input decides what runs, and how often"
INSIDE = "it calls what cannot be counted"
LOST = "it calls a subgraph that does not exist"
# Where the options of what calls keep the numbers of subgraphs; CALL_ONCE prepares, and is no part of an inference.
NUMBERS: dict[str, tuple[str, ...]] = {
    "CALL": ("subgraph",),
    "CALL_ONCE": (),
    "IF": ("thenSubgraphIndex", "elseSubgraphIndex"),
    "WHILE": ("condSubgraphIndex", "bodySubgraphIndex"),
    "STABLEHLO_WHILE": ("condSubgraphIndex", "bodySubgraphIndex"),
    "STABLEHLO_COMPOSITE": ("decompositionSubgraphIndex",),
    "STABLEHLO_CASE": ("branchSubgraphIndices",),
}


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates by numeric domain, and the operators that are not among them: name and reason."""

    macs: Counter[Domain] = field(default_factory=Counter)
    uncounted: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All that can be counted."""
        return sum(self.macs.values())

    def named(self) -> tuple[Uncounted, ...]:
        """What cannot be counted, as it is written down."""
        return tuple(
            Uncounted(operator=name, reason=reason, count=min(count, MOST_CALLED))
            for (name, reason), count in self.uncounted.items()
        )


class Counting:
    """The work of every operator and subgraph of a file; each is looked at once."""

    def __init__(self, file: FlatFile) -> None:
        self._file = file
        self._known: dict[int, Work] = {}

    def graph(self, number: int) -> Work:
        """One inference of a subgraph."""
        return self._graph(number, 0)

    def operator(self, number: int, operator: FlatOperator) -> Work:
        """One run of an operator of a subgraph."""
        return self._operator(number, operator, 0)

    def reached(self, number: int) -> tuple[int, ...]:
        """A subgraph and all that it calls, in order."""
        found, waiting = {number}, [number]
        while waiting:
            for operator in self._file.graphs[waiting.pop()].operators:
                new = set(self._called(operator)) - found
                found |= new
                waiting += new
        return tuple(sorted(found))

    def _called(self, operator: FlatOperator) -> tuple[int, ...]:
        return tuple(number for number in _named(operator) if self._is_there(number))

    def _is_there(self, number: int) -> bool:
        return 0 <= number < len(self._file.graphs)

    def _graph(self, number: int, depth: int) -> Work:
        if number not in self._known:
            work = Work()
            for operator in self._file.graphs[number].operators:
                one = self._operator(number, operator, depth)
                work.macs.update(one.macs)
                for kind, count in one.uncounted.items():
                    told = kind in work.uncounted or len(work.uncounted) < MOST_KINDS
                    work.uncounted[kind if told else OTHERS] += count
            self._known[number] = work
        return self._known[number]

    def _operator(self, number: int, operator: FlatOperator, depth: int) -> Work:
        if operator.name in CALLS:
            return self._call(operator, depth)
        node = Node(self._file.graphs[number], operator)
        try:
            found = macs(node)
        except UncountedError as error:
            return _unknown(operator, str(error))
        return Work(macs=Counter({domain(node): found} if found else {}))

    def _call(self, operator: FlatOperator, depth: int) -> Work:
        if not all(map(self._is_there, _named(operator))):
            return _unknown(operator, LOST)
        if depth >= DEEPEST:
            return _unknown(operator, TOO_DEEP)
        called = [self._graph(number, depth + 1) for number in self._called(operator)]
        if any(work.total > MOST_MACS for work in called):
            return _unknown(operator, UNUSUAL)
        if not called:
            return Work() if operator.name == "CALL_ONCE" else _unknown(operator, UNUSUAL)
        if len(called) == 1 or all(not work.total and not work.uncounted for work in called):
            return called[0]
        same = operator.name in ("IF", "STABLEHLO_CASE") and all(work == called[0] for work in called)
        return called[0] if same else _unknown(operator, DATA)


def _named(operator: FlatOperator) -> list[int]:
    """The numbers of the subgraphs that an operator runs, whether these exist or not."""
    found: list[int] = []
    for name in NUMBERS.get(operator.name, ()):
        value = getattr(operator.options, name, None)
        found += [] if value is None else [int(each) for each in (value if hasattr(value, "__len__") else [value])]
    return found


def _unknown(operator: FlatOperator, reason: str) -> Work:
    return Work(uncounted=Counter({(operator.name, reason): 1}))
