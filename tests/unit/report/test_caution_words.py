"""Every kind of caution has words, and those of earlier versions are shown as they are."""

import json

import pytest
from pydantic import TypeAdapter

from common.schema import caution as kinds
from common.schema.caution import Caution
from jobs.report.caution_words import words

CASES: list[tuple[Caution, str]] = [
    (kinds.FunctionalOnly(), "never ranked"),
    (kinds.BusyMachine(used=1.5, cores=2), "1.5 of 2 cores"),
    (
        kinds.TooBusy(session=0, backend="cpu", threads=1, runner="app", segments=24, redone=20),
        "cpu x1 in the app: 20 repetitions of 24 segments",
    ),
    (kinds.FewRounds(rounds=3, fewest=6), "Fewer than 6 rounds"),
    (
        kinds.StillWide(session=0, stopped="budget", rounds=8, wide=4, ratios=12, width=0.03),
        "4 of 12 ratios are less certain than 3% after 8 rounds (the budget ended)",
    ),
    (kinds.WideSpread(variants=("a", "b"), share=0.2), "more than 20% (a and b)"),
    (kinds.Disturbed(variants=("a",)), "(a): these ratios are of CPU times"),
    (kinds.FailedProcesses(count=4), "4 process(es) failed"),
    (kinds.WrongAnswers(variant="a", backend="gpu", reason="NaN"), "a on gpu gives wrong answers: NaN"),
    (kinds.NotExamined(variant="a", backend="gpu", problem="no profile"), "could not be looked at: no profile"),
]


@pytest.mark.parametrize(("caution", "said"), CASES, ids=lambda value: getattr(value, "kind", ""))
def test_words(caution: Caution, said: str) -> None:
    assert said in words(caution)
    stored: TypeAdapter[Caution | str] = TypeAdapter(Caution | str)
    assert stored.validate_json(stored.dump_json(caution)) == caution


def test_sentences_of_earlier_versions_are_kept() -> None:
    stored: TypeAdapter[Caution | str] = TypeAdapter(Caution | str)
    assert words(stored.validate_json(json.dumps("Fewer than 5 rounds."))) == "Fewer than 5 rounds."


def test_no_kind_is_forgotten() -> None:
    assert len(CASES) == 10
    assert len({type(caution) for caution, _ in CASES}) == len(CASES)
