"""Sessions, processes and facts as tables of DuckDB in memory, and the questions to them.

Nothing from a run is ever part of a statement: all come in as columns of arrays, and the statements are constants. The
database reads and writes nothing outside of the folder that it exports to, loads no extension, and takes no setting.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from common.artifact import atomic
from common.run.spread import HUGE, TINY
from jobs.history.read import Past
from jobs.history.rows import FigureRow, FileRow, MarkRow, Place, SeriesRow

SAFE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "threads": "2",
    "memory_limit": "1GiB",
}
CREATE = """
CREATE TABLE sessions (id BIGINT, run VARCHAR, experiment VARCHAR, target VARCHAR, began VARCHAR, at_us BIGINT,
  processor VARCHAR, reference VARCHAR);
CREATE TABLE figures (id BIGINT, model VARCHAR, backend VARCHAR, threads BIGINT, runner VARCHAR, us DOUBLE);
CREATE TABLE processes (id BIGINT, variant VARCHAR, model VARCHAR, backend VARCHAR, threads BIGINT, runner VARCHAR,
  us DOUBLE, load DOUBLE);
CREATE TABLE facts (id BIGINT, scope VARCHAR, kind VARCHAR, what VARCHAR, value VARCHAR);
"""
COLUMNS = {
    "sessions": "id run experiment target began at_us processor reference",
    "figures": "id model backend threads runner us",
    "processes": "id variant model backend threads runner us load",
    "facts": "id scope kind what value",
}
Row = tuple[Any, ...]
# Columns of a series that are no lists.
NAMES = 7
# Rows are inserted by the thousands, which takes a hundredth of the time of one at a time.
MOST_PENDING = 100_000
# A session that the ledgers of several runs hold is one. Of too many the newest are kept.
KNOWN = """
CREATE TABLE known AS SELECT * FROM sessions WHERE id IN (SELECT id FROM figures)
  QUALIFY row_number() OVER (PARTITION BY target, began ORDER BY id) = 1
"""
KEPT = """
CREATE TABLE kept AS SELECT *, row_number() OVER (ORDER BY at_us, target, began) - 1 AS place FROM (
  SELECT * FROM (SELECT * FROM known QUALIFY
    row_number() OVER (PARTITION BY target ORDER BY at_us DESC, began DESC) <= $most_sessions)
  JOIN (SELECT id, count(*) AS size FROM figures GROUP BY id) USING (id)
  QUALIFY sum(size) OVER (ORDER BY at_us DESC, began DESC, target) <= $most_figures)
"""
CELLS = """
CREATE TABLE cells AS
  SELECT place, target, processor, experiment, run, at_us, variant, model, backend, threads, runner, us,
    low_us, high_us, processes, us / reference_us AS beside
  FROM kept JOIN figures USING (id) JOIN (
    SELECT id, variant, model, backend, threads, runner, min(us) AS low_us, max(us) AS high_us, count(*) AS processes
    FROM processes GROUP BY ALL) USING (id, model, backend, threads, runner)
  LEFT JOIN (SELECT id, backend, threads, runner, model AS reference, us AS reference_us FROM figures)
    USING (id, backend, threads, runner, reference)
"""
PLACES = "SELECT id, place, (SELECT median(load) FROM processes p WHERE p.id = k.id) FROM kept k ORDER BY place"
COUNTS = "SELECT (SELECT count(*) FROM known) - (SELECT count(*) FROM kept)"
FIGURES = """
SELECT place, list(variant ORDER BY variant), model, backend, threads, runner, us, min(low_us), max(high_us),
  sum(processes)::BIGINT
FROM cells GROUP BY place, model, backend, threads, runner, us ORDER BY place, min(variant), backend, threads, runner
"""
MARKS = """
SELECT place, target, kind, scope, what, before, value FROM (
  SELECT *, lag(value) OVER (PARTITION BY target, scope, kind, what ORDER BY place) AS before
  FROM kept JOIN facts USING (id)) WHERE before <> value ORDER BY place, kind, what, scope
"""
# By the backend, since an NPU has files of its own.
FILES = """
SELECT DISTINCT place, target, experiment, variant, before, model FROM (
  SELECT *, lag(model) OVER (PARTITION BY target, experiment, variant, backend, threads, runner ORDER BY place)
    AS before FROM cells) WHERE before <> model ORDER BY ALL
"""
SERIES = """
SELECT target, processor, experiment, variant, backend, threads, runner, list(place ORDER BY place),
  list(us ORDER BY place), list(CASE WHEN model = reference THEN NULL ELSE beside END ORDER BY place),
  list(model ORDER BY place), list(reference ORDER BY place)
FROM cells JOIN (SELECT place, reference FROM kept) USING (place)
GROUP BY target, processor, experiment, variant, backend, threads, runner ORDER BY ALL
"""
EXPORT = """
SELECT run, experiment, target, make_timestamp(at_us) AS began, variant, backend, threads, runner,
  model AS model_sha256, us AS latency_us, low_us, high_us, processes, beside AS beside_reference
FROM cells ORDER BY place, variant, backend, threads, runner
"""


class Tables:
    """The tables. `export` is the file that they may be written to."""

    def __init__(self, export: Path) -> None:
        self._export, self._added = export.absolute(), 0
        self._pending: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        self._open = duckdb.connect(":memory:", config=SAFE)
        self._open.execute("SET allowed_directories = ?", [[str(self._export.parent)]])
        self._open.execute("SET enable_external_access = false")
        self._open.execute("SET lock_configuration = true")
        self._open.execute(CREATE)

    def add(self, past: Past) -> int:
        """Add a session; gives its number."""
        number, session = self._added, past.session
        self._added += 1
        at_us = int(past.at.timestamp() * 1_000_000)
        row = (past.run, past.experiment, session.target, session.began, at_us, past.processor, session.reference)
        self._pending["sessions"].append((number, *row))
        self._pending["figures"] += ((number, *key, us) for key, us in session.typical_us.items() if TINY < us < HUGE)
        self._pending["processes"] += ((number, one.variant, *one.key, one.us, one.load) for one in past.processes)
        scopes = (past.experiment if fact.kind == "settings" else "" for fact in past.facts)
        self._pending["facts"] += (
            (number, scope, fact.kind, fact.what, fact.value) for scope, fact in zip(scopes, past.facts, strict=True)
        )
        if len(self._pending["processes"]) > MOST_PENDING:
            self._insert()
        return number

    def keep(self, most_sessions: int, most_figures: int) -> int:
        """Keep the newest sessions of each target, each once, and of all the newest that have no more figures; gives
        how many are left out for being older."""
        self._insert()
        self._open.execute(KNOWN)
        self._open.execute(KEPT, {"most_sessions": most_sessions, "most_figures": most_figures})
        self._open.execute(CELLS)
        [[older]] = self._open.execute(COUNTS).fetchall()
        return int(older)

    def places(self) -> Iterator[Place]:
        """The sessions that are kept, in the order of time."""
        return (Place(*row) for row in self._open.execute(PLACES).fetchall())

    def figures(self) -> Iterator[FigureRow]:
        """Every file of every session."""
        return (FigureRow(place, tuple(names), *rest) for place, names, *rest in self._rows(FIGURES))

    def marks(self) -> Iterator[MarkRow]:
        """Every fact that changed."""
        return (MarkRow(*row) for row in self._rows(MARKS))

    def files(self) -> Iterator[FileRow]:
        """Every file that changed."""
        return (FileRow(*row) for row in self._rows(FILES))

    def series(self) -> Iterator[SeriesRow]:
        """Every series."""
        return (SeriesRow(*row[:NAMES], *map(tuple, row[NAMES:])) for row in self._rows(SERIES))

    def export(self) -> None:
        """Write a row per session and cell as Parquet."""
        with atomic(self._export) as temporary:
            self._open.sql(EXPORT).write_parquet(str(temporary))

    def close(self) -> None:
        """Give the memory back."""
        self._open.close()

    def _rows(self, question: str) -> list[Row]:
        return self._open.execute(question).fetchall()

    def _insert(self) -> None:
        for table, columns in COLUMNS.items():
            if rows := self._pending[table]:
                arrays = (np.array(column, dtype=object) for column in zip(*rows, strict=True))
                self._open.register("added", dict(zip(columns.split(), arrays, strict=True)))
                # The table's name is a constant of this module.
                self._open.execute(f"INSERT INTO {table} BY NAME SELECT * FROM added")  # noqa: S608
                self._open.unregister("added")
                rows.clear()
