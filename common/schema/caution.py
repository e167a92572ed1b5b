"""What a reader of a benchmark should know before trusting its figures: typed, with what it is about.

`jobs/report/caution_words.py` has the words.
"""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, Model, Name


class FunctionalOnly(Model):
    """The target shows that variants run, not how fast."""

    kind: Literal["functional only"] = "functional only"


class BusyMachine(Model):
    """Others used so many of the cores before the first process."""

    kind: Literal["busy machine"] = "busy machine"
    used: float
    cores: Count


class TooBusy(Model):
    """The references of a session differed too often: nothing is claimed of this backend."""

    kind: Literal["too busy"] = "too busy"
    session: Count
    backend: str
    threads: Count
    runner: str
    segments: Count
    redone: Count


class FewRounds(Model):
    """Rows have so few rounds that their intervals are wide."""

    kind: Literal["few rounds"] = "few rounds"
    rounds: Count
    fewest: Count


class StillWide(Model):
    """A session ended while `wide` of its ratios were less certain than `width`."""

    kind: Literal["still wide"] = "still wide"
    session: Count
    stopped: str
    rounds: Count
    wide: Count
    ratios: Count
    width: float


class WideSpread(Model):
    """Processes of these variants differ by more than `share`."""

    kind: Literal["wide spread"] = "wide spread"
    variants: tuple[Name, ...]
    share: float


class Disturbed(Model):
    """The scheduler kept processes of these variants, or of their references, waiting: ratios are of CPU times."""

    kind: Literal["disturbed"] = "disturbed"
    variants: tuple[Name, ...]


class FailedProcesses(Model):
    """So many processes failed beside measured ones."""

    kind: Literal["failed processes"] = "failed processes"
    count: Count


class WrongAnswers(Model):
    """A cell's answers cannot be trusted, and why."""

    kind: Literal["wrong answers"] = "wrong answers"
    variant: Name
    backend: str
    reason: str


class NotExamined(Model):
    """A cell could not be looked at, and why."""

    kind: Literal["not examined"] = "not examined"
    variant: Name
    backend: str
    problem: str


class OtherInputs(Model):
    """Cells of these variants were measured with values of the tool's own instead of the samples, and why."""

    kind: Literal["other inputs"] = "other inputs"
    variants: tuple[Name, ...]
    runner: str
    reason: str


class LookedAtByAnother(Model):
    """Answers and operators of what `runner` measured on these backends are those of the classic tool."""

    kind: Literal["looked at by another"] = "looked at by another"
    runner: str
    backends: tuple[str, ...]


class Heated(Model):
    """The device said before `segments` of `looks` that heat slows it down, `status` at most (Android's 0 to 6)."""

    kind: Literal["heated"] = "heated"
    status: Count
    segments: Count
    looks: Count


class BatterySaver(Model):
    """The battery saver was on before `segments` of `looks`."""

    kind: Literal["battery saver"] = "battery saver"
    segments: Count
    looks: Count


class LowBattery(Model):
    """The battery's level fell to `level` per cent, below `least`."""

    kind: Literal["low battery"] = "low battery"
    level: Count
    least: Count


class SlowedCores(Model):
    """Before `segments` of `looks` cores might not run as fast as they can: `share` of their highest clock at least."""

    kind: Literal["slowed cores"] = "slowed cores"
    share: float
    cores: tuple[Count, ...]
    segments: Count
    looks: Count


class ScreenOff(Model):
    """The screen was off before `segments` of `looks`."""

    kind: Literal["screen off"] = "screen off"
    segments: Count
    looks: Count


class Unfixed(Model):
    """The device did not take fixed-performance mode, with its words."""

    kind: Literal["unfixed"] = "unfixed"
    reason: str


Caution = Annotated[
    FunctionalOnly
    | BusyMachine
    | TooBusy
    | FewRounds
    | StillWide
    | WideSpread
    | Disturbed
    | FailedProcesses
    | WrongAnswers
    | NotExamined
    | OtherInputs
    | LookedAtByAnother
    | Heated
    | BatterySaver
    | LowBattery
    | SlowedCores
    | ScreenOff
    | Unfixed,
    Field(discriminator="kind"),
]
