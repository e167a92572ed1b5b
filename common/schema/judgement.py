"""What the judge says of a run: parts of `choice.json`. Version history: 1 first."""

from typing import Literal

from common.schema.base import Count, Interval, Model, Name, Share
from common.schema.benchmark import RoundRatio, Runner

Difference = Literal["reference", "faster", "slower", "as fast", "not resolved", "not compared"]
Keeping = Literal["reference", "shown to keep", "shown to lose", "not shown", "not judged"]
# What stands for quality: right answers to labelled images, the user's own score, the distance from the reference's
# answers within a tolerance, or nothing.
Basis = Literal["accuracy", "score", "agreement", "cost"]
Cause = Literal[
    "unsupported",
    "failed",
    "not measured",
    "fallback",
    "wrong answers",
    "answers not checked",
    "functional only",
    "too busy",
    "too few rounds",
    "another processor",
    "reference",
]
Fault = Literal["accuracy", "answers", "promises", "measurement"]


# A latency with one of these is none of its backend, and never shown as a figure.
VOID: tuple[Cause, ...] = ("failed", "fallback", "wrong answers")


class Setting(Model):
    """Where latencies were measured."""

    target: str
    backend: str
    threads: int
    runner: Runner = "binary"


class Obstacle(Model):
    """Why a cell is not compared with the reference's, in one word and in words."""

    cause: Cause
    text: str


class Speed(Model):
    """A cell beside the reference's in the same setting.

    `ratio` (95 %) is the reference's latency over this one's and `ratios` are those of the rounds, as they were
    measured; both are absent where the cell is not compared, and `obstacle` says why. `floor` is the share by which a
    file differs from itself there; `floor_assumed` where no references told it. `rounds_needed` is about the number of
    rounds that would resolve a difference that is not resolved. `partial`: only a part ran on the backend.
    """

    variant: Name
    setting: Setting
    session: Count
    verdict: Difference
    ratio: Interval | None = None
    ratios: tuple[RoundRatio, ...] = ()
    floor: float | None = None
    floor_assumed: bool = False
    rounds_needed: Count | None = None
    obstacle: Obstacle | None = None
    partial: bool = False
    from_cpu: bool = False

    @property
    def is_result(self) -> bool:
        """Whether its latency is one of its backend."""
        return self.obstacle is None or self.obstacle.cause not in VOID


class Kept(Model):
    """Whether a share of right answers is kept, beside the reference on the same images; or the user's score, or the
    reference's answers, on the same samples.

    `difference` is the variant's share less the reference's, `lower` the bound that it exceeds with a confidence of
    1 - `level` (Tango 1998; the level is alpha, corrected for the number of variants by Hochberg). `p_lose` tests any
    difference (McNemar's exact test, two-sided, corrected by Holm). `images_needed`: about so many show it of a
    variant that loses nothing; None where it is shown, or unknown.
    """

    verdict: Keeping
    margin: Share
    images: Count
    difference: float = 0.0
    lower: float | None = None
    level: Share | None = None
    p_lose: Share | None = None
    images_needed: Count | None = None


class ClassKept(Model):
    """The recall of one class that has a margin of its own."""

    name: str
    kept: Kept


class Reason(Model):
    """Why a variant must not be recommended."""

    fault: Fault
    text: str


class VariantJudgement(Model):
    """A variant's accuracy, and all that keeps it from being recommended. `same_file`: it is a copy of the
    reference's. `accuracy` is the verdict on all: shown to keep only where the accuracy and every recall with a margin
    are."""

    variant: Name
    accuracy: Keeping
    overall: Kept
    classes: tuple[ClassKept, ...] = ()
    reasons: tuple[Reason, ...] = ()
    same_file: bool = False

    @property
    def eligible(self) -> bool:
        """Whether it may be recommended."""
        return not self.reasons

    @property
    def may_ship_elsewhere(self) -> bool:
        """Whether nothing but its measurement in the deciding setting speaks against it."""
        return all(reason.fault == "measurement" for reason in self.reasons)


class Gain(Model):
    """The largest gain in speed of a setting among those that are faster and may be recommended; `rivals` are those
    whose speed cannot be told from the best one's, by their own ratio in common rounds."""

    setting: Setting
    best: Name | None
    ratio: Interval | None
    rivals: tuple[Name, ...] = ()


class Judgement(Model):
    """Everything that is claimed of a run. `deciding` is the setting whose latencies decide, None where nothing was
    measured in it; `ranked` tells whether they may be ranked. `basis` says what stands for quality.
    """

    alpha: float
    margin: Share
    deciding: Setting | None
    ranked: bool
    speeds: tuple[Speed, ...]
    variants: tuple[VariantJudgement, ...]
    gains: tuple[Gain, ...]
    basis: Basis = "accuracy"

    def of(self, variant: str) -> VariantJudgement:
        """What is said of a variant."""
        return next(found for found in self.variants if found.variant == variant)

    def speed(self, variant: str, setting: Setting) -> Speed | None:
        """A cell's verdict; None where it was not asked for."""
        return next((s for s in self.speeds if (s.variant, s.setting) == (variant, setting)), None)
