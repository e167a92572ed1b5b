"""The finalists in a run of their own: another session than those that chose them, and images that the search never
saw."""

from collections.abc import Sequence
from pathlib import Path

from common.artifact import read
from common.errors import EdgeproofError
from common.schema.base import Proportion
from common.schema.choice import Choice
from common.schema.evaluation import Evaluation
from common.schema.experiment import Experiment
from common.schema.search_result import Compared, Confirmed
from jobs.search.answered import ARTIFACT, answered

CHOICE = Path("best") / "choice.json"


def confirmed(run: Path, names: Sequence[str], settings: Experiment) -> dict[str, Confirmed]:
    """What the run in this folder, of an experiment with these `settings`, says of the finalists. Raises
    EdgeproofError for a run without a judgement."""
    choice = read(run / CHOICE, Choice)
    if choice.judgement is None or choice.setting is None:
        raise EdgeproofError(f"{run} has no ranked latencies", hint="measure on a device whose latencies can be ranked")
    judgement, setting = choice.judgement, choice.setting
    reference = _accuracy(run, choice.reference, settings)
    found = {}
    for name in names:
        speed = judgement.speed(name, setting)
        found[name] = Confirmed(
            ratio=None if speed is None else speed.ratio,
            accuracy=_accuracy(run, name, settings),
            reference_accuracy=reference,
            lost=_lost(run, name, settings),
            keeping=judgement.of(name).accuracy,
            recommended=choice.best == name,
            reason=next(one.reason for one in choice.standings if one.candidate.name == name),
        )
    return found


def _accuracy(run: Path, name: str, settings: Experiment) -> Proportion | None:
    """None where nothing has labels."""
    return read(_folder(run, name) / ARTIFACT, Evaluation).accuracy if settings.has_images else None


def _lost(run: Path, name: str, settings: Experiment) -> Compared | None:
    """None where something has labels."""
    found = None if settings.has_images else answered(_folder(run, name), settings)
    return found if isinstance(found, Compared) else None


def _folder(run: Path, name: str) -> Path:
    return run / "evaluation" / name
