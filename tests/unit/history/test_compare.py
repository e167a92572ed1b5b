"""What a comparison takes of a history."""

import json
from pathlib import Path

import pytest

from common.artifact import write_model
from common.errors import UsageError
from common.run.past import further
from common.schema.environment import Environment
from common.schema.history import History
from jobs.compare import stage
from jobs.compare.read import results_file, side
from tests.unit.history.conftest import SESSIONS
from tests.unit.history.runs import reported

Made = tuple[History, Path]


@pytest.fixture
def pair(runs: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two runs of a session each, with their reports."""
    return reported(runs, "day-010", tmp_path), reported(runs, "day-012", tmp_path)


def test_its_sessions_show_the_spread_that_two_runs_can_only_assume(made: Made, pair: tuple[Path, Path]) -> None:
    alone, _ = stage.compare(*pair, None, None)
    assert all(one.assumed and one.sessions == 2 for one in alone.spreads) and alone.history is None
    for given in (made[1], made[1] / "history.json"):
        found, folder = stage.compare(*pair, None, None, history=given)
        # The two that are compared are in the history too, and count once.
        for own, shown in zip(found.spreads, made[0].devices[0].spreads, strict=True):
            assert own.model_copy(update={"share": 0.0}) == shown.model_copy(update={"share": 0.0})
            # Cells may be summed in another order.
            assert own.share == pytest.approx(shown.share, rel=1e-9) and not own.assumed
        assert found.history is not None and found.history.sessions == SESSIONS - 2
    text = (folder / "compare.md").read_text(encoding="utf-8")
    assert "as both runs and 23 further sessions of a history" in text and "shown by 9 sessions" in text
    assert json.loads((folder / "compare.json").read_text(encoding="utf-8"))["schema_version"] == 2


def test_a_check_takes_them_too(made: Made, pair: tuple[Path, Path]) -> None:
    _, folder = stage.check(*pair, None, None, None, history=made[1])
    assert "further sessions of a history" in (folder / "compare.md").read_text(encoding="utf-8")


def test_sessions_of_another_processor_or_name_count_for_nothing(made: Made, pair: tuple[Path, Path]) -> None:
    base, head = (side(results_file(path)) for path in pair)
    assert len(tuple(further(made[0], base, head))) == SESSIONS - 2

    def other(**changes: object) -> Environment:
        return head.results.targets[0].model_copy(update=changes)

    for target in (other(name="Phone (two)"), other(facts=(("System on chip", "Tensor G4"),)), other(facts=())):
        changed = head.results.model_copy(update={"targets": (target,)})
        assert not tuple(further(made[0], base, type(head)(changed, head.sha256)))
    untold = tuple(past.model_copy(update={"processor_sha256": None}) for past in made[0].sessions)
    unknown = head.results.model_copy(update={"targets": (other(facts=()),)})
    assert not tuple(further(made[0].model_copy(update={"sessions": untold}), base, type(head)(unknown, head.sha256)))


def test_what_is_no_history_is_said(made: Made, pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        stage.compare(*pair, None, None, history=tmp_path)
    for wrong in ({"sessions": made[0].sessions[:1]}, {"marks": ()}):
        write_model(tmp_path / "history.json", made[0].model_copy(update=wrong))
        with pytest.raises(UsageError, match="names sessions or marks that it does not have"):
            stage.compare(*pair, None, None, history=tmp_path)
