"""Google Benchmark's JSON, version 1 of its schema, as its reporter writes it (src/json_reporter.cc). Pure.

A process is an entry, a repetition of its cell: `compare.py` tests two such files by ranks, for which nine repetitions
are wanted. Their median follows as an aggregate, as the reporter writes one: Bencher keeps the last entry of a name and
github-action-benchmark compares the first, so that for them the name with `_median` is the figure. `real_time` is the
process's typical latency in microseconds; `cpu_time` repeats it, since a results file holds no processor time.
"""

from collections.abc import Iterator
from statistics import median

from common.artifact import indented
from common.printable import clean
from common.schema.results import Results
from jobs.formats.cells import Cell, cells

SCHEMA_VERSION = 1


def google_json(results: Results) -> bytes:
    """The file."""
    entries = [entry for family, cell in enumerate(cells(results)) for entry in _entries(family, cell)]
    document = {"context": _context(results), "benchmarks": entries}
    return indented(document)


def _context(results: Results) -> dict[str, object]:
    own = results.provenance[-1] if results.provenance else None
    # Bencher reads no file without this list, whatever is in it.
    told: dict[str, object] = {"caches": [], "host_name": ", ".join(clean(target.name) for target in results.targets)}
    if own is not None:
        told |= {"date": own.finished_at.isoformat(), "executable": f"edgeproof {own.code.version}"}
    return told | {"json_schema_version": SCHEMA_VERSION}


def _entries(family: int, cell: Cell) -> Iterator[dict[str, object]]:
    for number, us in enumerate(cell.processes_us):
        own = {"run_type": "iteration", "repetition_index": number, "iterations": 1}
        yield _entry(family, cell, "", us) | own
    if (several := len(cell.processes_us)) > 1:
        own = {"run_type": "aggregate", "aggregate_name": "median", "aggregate_unit": "time", "iterations": several}
        yield _entry(family, cell, "_median", median(cell.processes_us)) | own


def _entry(family: int, cell: Cell, suffix: str, us: float) -> dict[str, object]:
    return {
        "name": f"{cell.name}{suffix}",
        "family_index": family,
        "per_family_instance_index": 0,
        "run_name": cell.name,
        "repetitions": len(cell.processes_us),
        "threads": cell.measurement.threads,
        "real_time": us,
        "cpu_time": us,
        "time_unit": "us",
    }
