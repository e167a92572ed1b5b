"""The operators of a file by the names that patterns choose them by: those of what they give, or of the layers of the
network that the file was converted from. Pure.

The converter names a tensor after the layers that it comes from: paths that are joined by a semicolon, with the
network's name first and a layer's after it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeVar

from common.tflite.flat import parse
from common.tflite.opened import Content
from common.tflite.operators import Node, sources, stored

Setting = TypeVar("Setting")


@dataclass(frozen=True)
class Part:
    """An operator by its place in the file. `outputs` and `constants` are the names of tensors, `names` those that
    patterns are matched with; `reads` and `gives`: it takes an input of the file, or makes an output of it."""

    graph: int
    index: int
    outputs: tuple[str, ...]
    constants: tuple[str, ...]
    names: tuple[str, ...]
    reads: bool
    gives: bool

    @property
    def owner(self) -> str:
        """The layer that it is the work of; others are fused into it."""
        return self.names[-1] if self.names else ""


def by_output(content: Content) -> tuple[Part, ...]:
    """The operators of a .tflite file, whose names are those of their outputs. Raises EdgeproofError for a file that is
    none."""
    return tuple(_parts(content, None))


def by_layer(content: Content, layers: Collection[str], before: Mapping[str, str] | None = None) -> tuple[Part, ...]:
    """The operators of a converted network, whose names are those of its `layers` that they come from, and of those in
    whose place they stand, as `before` has them. One that tells of none belongs with what made its inputs. Raises
    EdgeproofError for a file that is none."""
    earlier = before or {}
    parts = _parts(content, frozenset(layers))
    return tuple(replace(part, names=(*_earlier(part.names, earlier), *part.names)) for part in parts)


def chosen(patterns: Mapping[str, Setting], part: Part, otherwise: Setting) -> Setting:
    """The setting of the last pattern that matches one of the part's names."""
    found = [value for pattern, value in patterns.items() if _matches(pattern, part)]
    return found[-1] if found else otherwise


def unreached(patterns: Iterable[str], parts: Sequence[Part]) -> tuple[str, ...]:
    """The patterns that match no part."""
    return tuple(pattern for pattern in patterns if not any(_matches(pattern, part) for part in parts))


def segments(name: str) -> Iterator[tuple[str, ...]]:
    """The paths that a tensor is named after, without the network's name."""
    for path in name.split(";"):
        yield tuple(path.split("/")[1:])


def _matches(pattern: str, part: Part) -> bool:
    return any(fnmatchcase(name, pattern) for name in part.names)


def _parts(content: Content, layers: frozenset[str] | None) -> Iterator[Part]:
    for number, graph in enumerate(parse(content).graphs):
        made = sources(graph)
        # Of each tensor, the layers of the operator that makes it.
        known: dict[int, tuple[str, ...]] = {}
        for index, operator in enumerate(graph.operators):
            node = Node(graph, operator)
            outputs = tuple(tensor.name for tensor in node.outputs)
            constants = tuple(tensor.name for tensor in stored(graph, made, operator))
            names = outputs if layers is None else _layers(outputs, constants, layers) or _before(node, known)
            known |= dict.fromkeys(operator.outputs, names)
            reads, gives = bool({*operator.inputs} & {*graph.inputs}), bool({*operator.outputs} & {*graph.outputs})
            yield Part(number, index, outputs, constants, names, reads and number == 0, gives and number == 0)


def _earlier(names: Sequence[str], before: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(before[name] for name in names if name in before))


def _layers(outputs: Sequence[str], constants: Sequence[str], layers: frozenset[str]) -> tuple[str, ...]:
    """By its outputs, or else by its constants: two layers may share one of those."""
    for names in (outputs, constants):
        paths = (path for name in names for path in segments(name))
        found = (next((segment for segment in path if segment in layers), None) for path in paths)
        if told := tuple(dict.fromkeys(layer for layer in found if layer is not None)):
            return told
    return ()


def _before(node: Node, known: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    return next((known[index] for index in node.operator.inputs if known.get(index)), ())
