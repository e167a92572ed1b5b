"""A folder of runs that many tests look at."""

import random
from pathlib import Path

import pytest

from common.schema.history import History
from jobs.history.stage import history
from tests.unit.history.runs import Day, history_of

NEW_BUILD, NEW_FILE, SESSIONS = 8, 16, 25


def days() -> list[Day]:
    """Of one phone: a build that makes everything slower by an eighth, and later a file that is slower."""
    chance = random.Random(3)  # noqa: S311
    return [
        Day(
            slower=chance.lognormvariate(0, 0.02) * (1.125 if number >= NEW_BUILD else 1.0),
            build="AP2B" if number >= NEW_BUILD else "AP1A",
            files_slower={"v01": 1.3} if number >= NEW_FILE else {},
            bias=0.5 if number >= NEW_FILE else 0.0,
        )
        for number in range(SESSIONS)
    ]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs."""
    return history_of(tmp_path_factory.mktemp("history") / "runs", days())


@pytest.fixture(scope="session")
def made(runs: Path) -> tuple[History, Path]:
    """Their history, and the folder that it was written to."""
    return history(runs, None, runs.parent / "history")
