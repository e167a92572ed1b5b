"""Pairs of runs for the tests of comparing: the second is the first with something changed."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from common.artifact import write_model
from common.run.between import Case, between
from common.run.keeping import PairedTest
from common.run.setup import Side
from common.run.spread import Session
from common.schema.base import Interval
from common.schema.choice import Choice
from common.schema.comparison import CellChange, Comparison
from common.schema.results import Latency, Measurement, Results
from tests.unit.report import factories as f

OTHER = f.OTHER_SHA


def results(**changes: object) -> Results:
    """A judged run of five variants on two backends of the host."""
    return f.results(**{"choice": f.choice(), **changes})


def another(given: Results, *names: str, sha: str = OTHER) -> Results:
    """The same with other files of these variants."""
    choice = given.choice
    assert choice is not None
    standings = tuple(
        standing.model_copy(update={"candidate": standing.candidate.model_copy(update={"model_sha256": sha})})
        if standing.candidate.name in names
        else standing
        for standing in choice.standings
    )
    evaluations = tuple(
        evaluation.model_copy(update={"model_sha256": sha}) if evaluation.variant in names else evaluation
        for evaluation in given.evaluations
    )
    chosen = choice.model_copy(update={"standings": standings})
    return given.model_copy(update={"choice": chosen, "evaluations": evaluations})


def slower(given: Results, factor: float, *names: str, backend: str | None = None) -> Results:
    """The same with these variants slower by a factor."""

    def meant(item: Measurement) -> bool:
        return item.variant in names and backend in (None, item.backend)

    measured = tuple(_scaled(item, factor) if meant(item) else item for item in given.measurements)
    choice = given.choice
    assert choice is not None and choice.judgement is not None
    speeds = tuple(
        speed.model_copy(update={"ratio": scaled(speed.ratio, 1 / factor)})
        if speed.variant in names and backend in (None, speed.setting.backend) and speed.ratio is not None
        else speed
        for speed in choice.judgement.speeds
    )
    judged: dict[str, object] = {"judgement": choice.judgement.model_copy(update={"speeds": speeds})}
    return given.model_copy(update={"measurements": measured, "choice": choice.model_copy(update=judged)})


def scaled(interval: Interval, factor: float) -> Interval:
    """An interval in another unit."""
    ends = {name: getattr(interval, name) * factor for name in ("value", "low", "high")}
    return interval.model_copy(update=ends)


def _scaled(item: Measurement, factor: float) -> Measurement:
    found = item.result
    assert isinstance(found, Latency) and found.interval is not None
    changes: dict[str, object] = {"latency_us": found.latency_us * factor, "interval": scaled(found.interval, factor)}
    return item.model_copy(update={"result": found.model_copy(update=changes)})


def with_choice(given: Results, **changes: object) -> Results:
    """The same with parts of the choice replaced."""
    choice = given.choice
    assert isinstance(choice, Choice)
    return given.model_copy(update={"choice": choice.model_copy(update=changes)})


def side(given: Results, sessions: Sequence[Session] = (), **settings: Mapping[str, str]) -> Side:
    """A run as it is compared."""
    digest = sha256(given.model_dump_json().encode()).hexdigest()
    return Side(given, digest, settings, tuple(sessions), bool(settings))


def compared(base: Side | Results, head: Side | Results, tests: Mapping[str, PairedTest] | None = None) -> Comparison:
    """What is said of two runs."""
    sides = [one if isinstance(one, Side) else side(one) for one in (base, head)]
    return between(Case(sides[0], sides[1], "0", tests or {}))


def cell(comparison: Comparison, name: str, backend: str = "xnnpack") -> CellChange:
    """What is said of a cell."""
    return next(c for c in comparison.cells if (c.variant, c.setting.backend) == (name, backend))


def write(folder: Path, given: Results) -> Path:
    """A run's folder with a report alone."""
    (folder / "report").mkdir(parents=True, exist_ok=True)
    write_model(folder / "report" / "results.json", given)
    return folder
