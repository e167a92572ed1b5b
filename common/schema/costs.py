"""What operators of known shapes take on one target: the cost table, what it predicts, and how well."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, Model, Sha256, Share
from common.schema.examination import LayerTime
from common.schema.tflite import Domain

Microseconds = Annotated[float, Field(ge=0)]
Samples = Annotated[tuple[Microseconds, ...], Field(min_length=1)]


class Side(Model):
    """What a kernel reads or writes. A `constant` stands in the file, maybe behind what unpacks it. `stored` is the
    share of values that a sparse one has, in sixteenths; None for a dense one. `values` are those of a small constant
    of whole numbers, which say what is done (an axis, a permutation)."""

    shape: tuple[int, ...]
    type: str
    constant: bool = False
    stored: Annotated[int, Field(ge=0, le=16)] | None = None
    values: tuple[int, ...] = ()

    def __str__(self) -> str:
        words = ["x".join(map(str, self.shape)) or "scalar", self.type]
        words += ["const"] if self.constant else []
        words += [] if self.stored is None else [f"sparse{self.stored}"]
        return ":".join([*words, *(["/".join(map(str, self.values))] if self.values else [])])


class Kernel(Model):
    """An operator of one shape. `macs` are its multiply-accumulates, those of the values that a sparse one stores;
    None where they cannot be counted. `bytes` are what it reads and writes."""

    operator: str
    domain: Domain
    inputs: tuple[Side | None, ...]
    outputs: tuple[Side, ...]
    options: tuple[tuple[str, int], ...] = ()
    macs: Count | None
    bytes: Count

    @cached_property
    def key(self) -> str:
        """The same for all that take the same time."""
        read = " ".join("-" if side is None else str(side) for side in self.inputs)
        options = " ".join(f"{name}={value}" for name, value in self.options)
        return f"{self.operator} {self.domain} ({read}) -> ({' '.join(map(str, self.outputs))}) [{options}]"


class Observation(Model):
    """A file as it was measured: its bytes, its nodes' times of one profile, and its latency without a profile: the CPU
    time of one thread where that is known, since the wall clock of a busy machine tells of other programs."""

    name: str
    content: bytes
    layers: tuple[LayerTime, ...]
    latency_us: Annotated[float, Field(gt=0)]


class Timed(Model):
    """A kernel and what it took: a sample for each time that it was seen, in ascending order."""

    kernel: Kernel
    samples_us: Samples


class Target(Model):
    """What times belong to: those of another target are not mixed with them. `fingerprint` is of the machine's facts
    (`Environment`), `tool` names the program that measures and its version."""

    device: str
    fingerprint: Sha256
    backend: str
    threads: Annotated[int, Field(ge=1)]
    tool: str


class CostTable(Model):
    """Times by kernel, ordered by its key."""

    schema_version: Literal[1] = 1
    target: Target
    entries: tuple[Timed, ...] = ()


class Prediction(Model):
    """Latency of a file in microseconds; None where nothing is known. `known_share` is the share of its kernels' time
    that was measured."""

    us: float | None
    known_share: Share


class HeldOut(Model):
    """How well a table predicts `n` files that it was not made of: rank correlation (Spearman) and the median of
    |predicted - measured| / measured. None where there are too few to say, or all are alike."""

    spearman: Annotated[float, Field(ge=-1, le=1)] | None
    median_error: Microseconds | None
    n: Count
