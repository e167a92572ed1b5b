"""`compare.json`: what changed from one run (the base) to another (the head), cell by cell.

Version history: 1 first; 2 adds the sessions of a history. Both are still read.
"""

from datetime import datetime
from typing import Literal

from common.schema.base import Count, Interval, Model, Name, Sha256, Share
from common.schema.judgement import Kept, Setting

# Of a latency: `same file` where neither the file nor what ran it changed, so that no difference is one of the file.
LatencyWord = Literal["faster", "slower", "as fast", "not resolved", "same file", "lost", "won", "not compared"]
FigureWord = Literal["more", "less", "alike", "not compared"]
QualityWord = Literal["shown to keep", "shown to lose", "not shown", "same file", "not compared"]
Direction = Literal["worse", "better", "changed", "unsure", "same"]


class Side(Model):
    """A run. `results_sha256` is of its results.json; `folder`: its other artifacts were there to be read."""

    title: str
    experiment: str
    reference: Name
    results_sha256: Sha256
    commit: str | None
    finished_at: datetime | None
    folder: bool


class SetupChange(Model):
    """What else is not the same, on a target or (None) throughout. Where it `refuses`, latencies and memory of that
    target are not compared."""

    target: str | None
    what: str
    base: str
    head: str
    refuses: bool = False


class Spread(Model):
    """By what share one and the same file differs between two sessions of a target, at 95 %; as a latency of its own,
    or `beside_reference` as a share of the reference's. `assumed`: so few sessions were there that a stated figure
    stands for it, or the `largest` difference seen where that is more."""

    target: str
    beside_reference: bool
    share: float
    assumed: bool
    sessions: Count
    largest: float | None


class FromHistory(Model):
    """A history whose `sessions` on the devices of both runs, that neither run has, count for the spread as well."""

    sha256: Sha256
    sessions: Count


class LatencyChange(Model):
    """`ratio` is the base's latency over the head's (above 1: faster) with the 95 % interval that carries the spread;
    `beside_reference`: each as a share of the reference's, which is the same file in both. `judged` is the interval
    behind the verdict, wider by the number of cells that are judged together. `floor` is the share below which nothing
    is claimed. `reason` says why there is no ratio."""

    verdict: LatencyWord
    base_us: float | None
    head_us: float | None
    ratio: Interval | None = None
    judged: Interval | None = None
    beside_reference: bool = False
    floor: float | None = None
    reason: str = ""


class FigureChange(Model):
    """A size in bytes, or memory in 2**20 bytes."""

    verdict: FigureWord
    base: float | None
    head: float | None


class ToldChange(Model):
    """What devices tell in words; None where they told nothing."""

    direction: Direction
    base: str | None
    head: str | None


class QualityChange(Model):
    """Right answers, score or agreement in words, and the judge's word on the head's beside the base's: from paired
    counts on the same images where there are some (`kept`): those that only the base got right, and only the head.
    `reason` says why there are none."""

    verdict: QualityWord
    base: str | None
    head: str | None
    change: float | None = None
    kept: Kept | None = None
    only_base_right: Count | None = None
    only_head_right: Count | None = None
    reason: str = ""


class VariantChange(Model):
    """What changed of a file. `same_file` is None where a run does not tell its hash."""

    variant: Name
    same_file: bool | None
    base_sha256: Sha256 | None
    head_sha256: Sha256 | None
    size: FigureChange
    download: FigureChange
    quality: QualityChange


class CellChange(Model):
    """What changed of a variant in a setting."""

    variant: Name
    setting: Setting
    latency: LatencyChange
    memory: FigureChange
    delegation: ToldChange
    answers: ToldChange


class Comparison(Model):
    """Everything that is claimed of two runs. `interleaved`: both were measured in one session, so that latencies carry
    no spread between sessions. `margin` and `alpha` are those of the head's rules. `deciding` is the head's deciding
    setting, `best` what the head recommends. `only_base` and `only_head` name cells and variants of one run alone.
    `history` is None where none was given, or nothing of it was needed."""

    schema_version: Literal[1, 2] = 2
    version: str
    base: Side
    head: Side
    interleaved: bool
    margin: Share
    alpha: float
    deciding: Setting | None
    best: Name | None
    setup: tuple[SetupChange, ...]
    spreads: tuple[Spread, ...]
    variants: tuple[VariantChange, ...]
    cells: tuple[CellChange, ...]
    only_base: tuple[str, ...]
    only_head: tuple[str, ...]
    history: FromHistory | None = None

    @property
    def itself(self) -> bool:
        """Whether a run is compared with itself."""
        return self.base.results_sha256 == self.head.results_sha256

    def variant(self, name: str) -> VariantChange:
        """What changed of a file."""
        return next(found for found in self.variants if found.variant == name)
