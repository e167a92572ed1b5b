"""What DuckDB is let do, and what is kept of too much."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from common.run.spread import Session
from jobs.history.facts import Fact
from jobs.history.read import Past, Process
from jobs.history.table import Tables
from tests.unit.report import factories as f

KEY = (f.SHA, "cpu", 1, "binary")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def past(number: int, target: str = "host", **facts: str) -> Past:
    session = Session(target, f"began {number}", "same", f.SHA, {KEY: 100.0 + number})
    return Past(
        run=f"run {number}",
        experiment="demo",
        machine=f.host(target),
        session=session,
        at=BEGIN + timedelta(days=number),
        ledger=True,
        processor="p",
        facts=tuple(Fact("build", name, value) for name, value in facts.items()),
        processes=(Process("baseline", KEY, 100.0 + number, 0.5),),
    )


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path / "out" / "history.parquet")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY sessions TO '{}/sessions.csv'",
        "ATTACH '{}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
    ],
)
def test_not_even_a_statement_reaches_outside(tables: Tables, tmp_path: Path, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        tables._open.execute(statement.format(tmp_path))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_newest_are_kept_of_each_target_and_of_all(tables: Tables) -> None:
    for number in range(6):
        tables.add(past(number))
    for number in range(2):
        tables.add(past(number, "phone"))
    tables.add(past(3))
    # Four of the host and two of the phone would be left; all of them may have five figures.
    assert tables.keep(4, 5) == 3
    assert [one.place for one in tables.places()] == [0, 1, 2, 3, 4]
    assert [row.us for row in tables.figures()] == [101.0, 102.0, 103.0, 104.0, 105.0]


def test_a_fact_that_is_not_told_for_a_while_is_compared_with_its_last_value(tables: Tables) -> None:
    for number, facts in enumerate(({"Build": "a"}, {}, {"Build": "a"}, {}, {"Build": "b"}, {"Build": "b"})):
        tables.add(past(number, **facts))
    tables.keep(10, 10)
    assert [(row.place, row.before, row.after) for row in tables.marks()] == [(4, "a", "b")]
