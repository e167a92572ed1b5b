"""The finalists in a run of their own: another session than those that chose them, and images that the search never
saw."""

from collections.abc import Sequence
from pathlib import Path

from common.artifact import read
from common.errors import EdgeproofError
from common.schema.choice import Choice
from common.schema.evaluation import Evaluation
from common.schema.search_result import Confirmed

CHOICE = Path("best") / "choice.json"


def confirmed(run: Path, names: Sequence[str]) -> dict[str, Confirmed]:
    """What the run in this folder says of the finalists. Raises EdgeproofError for a run without a judgement."""
    choice = read(run / CHOICE, Choice)
    if choice.judgement is None or choice.setting is None:
        raise EdgeproofError(f"{run} has no ranked latencies", hint="measure on a device whose latencies can be ranked")
    reference = _evaluation(run, choice.reference)
    judgement, setting = choice.judgement, choice.setting
    found = {}
    for name in names:
        speed = judgement.speed(name, setting)
        found[name] = Confirmed(
            ratio=None if speed is None else speed.ratio,
            accuracy=_evaluation(run, name).accuracy,
            reference_accuracy=reference.accuracy,
            keeping=judgement.of(name).accuracy,
            recommended=choice.best == name,
            reason=next(one.reason for one in choice.standings if one.candidate.name == name),
        )
    return found


def _evaluation(run: Path, name: str) -> Evaluation:
    return read(run / "evaluation" / name / "evaluation.json", Evaluation)
