"""The seam between the tool's texts and what computes: recorded and drawn numbers, or the LiteRT interpreter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.devices.phone.personality import Delegates, Outputs


class ToolError(Exception):
    """The run ends with these lines on stderr and exit status 1."""

    def __init__(self, *lines: str) -> None:
        """`lines` without the `ERROR: ` before each."""
        super().__init__("; ".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Tensor:
    """A tensor of the model: its name, its shape, the bytes of one element."""

    name: str
    shape: tuple[int, ...]
    item_bytes: int

    @property
    def size_bytes(self) -> int:
        """Bytes of all elements."""
        total = self.item_bytes
        for side in self.shape:
            total *= side
        return total


@dataclass(frozen=True)
class Operator:
    """A node of the graph: its kind, its name, its share of the running time."""

    kind: str
    name: str
    share: float


@dataclass(frozen=True)
class Model:
    """What the tool knows after loading. `operators` in the order of execution."""

    path: str
    content: bytes
    inputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    signatures: tuple[str, ...] = ("serving_default",)


@dataclass(frozen=True)
class Execution:
    """How a model runs: by which backend (cpu, xnnpack, gpu, nnapi, hexagon), on how many threads, with which
    shapes of its inputs (none: the model's own), and what becomes of its outputs."""

    backend: str
    threads: int
    shapes: tuple[tuple[int, ...], ...]
    inputs: tuple[bytes, ...]
    outputs: Outputs


@dataclass(frozen=True)
class Memory:
    """Megabytes since the tool's start: after the preparation, at the end, and the highest."""

    init_mb: float
    overall_mb: float
    peak_mb: float


class Session(Protocol):
    """A prepared model. `init_us` is how long that took."""

    init_us: int

    def invoke(self) -> int:
        """Run once and return how long it took, in microseconds."""

    def outputs(self) -> bytes:
        """The bytes of all outputs of the last run, one after the other."""

    def memory(self) -> Memory:
        """What it took so far."""


class Runtime(Protocol):
    """The world as the tool sees it."""

    delegates: Delegates

    def read(self, path: str) -> bytes:
        """Content of a file. Raises OSError."""

    def write(self, path: str, content: bytes) -> None:
        """Write a file. Raises OSError."""

    def model(self, path: str, content: bytes) -> Model:
        """Look into a model. Raises ToolError for what is none."""

    def prepare(self, model: Model, execution: Execution) -> Session:
        """Build what runs. Raises ToolError."""

    def out(self, text: str) -> None:
        """Write to stdout."""

    def err(self, text: str) -> None:
        """Write to stderr."""


def shape_of(text: str) -> tuple[int, ...]:
    """`1,128,128,3` as numbers. Raises ToolError."""
    try:
        return tuple(int(side) for side in text.split(","))
    except ValueError:
        raise ToolError(f"Failed to parse input shape {text}") from None


def average(values: Sequence[float]) -> float:
    """Mean of at least one value."""
    return sum(values) / len(values)
