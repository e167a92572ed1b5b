"""Google Benchmark's JSON, version 1 of its schema, as its reporter writes it (src/json_reporter.cc). Pure.

A process is an entry, a repetition of its cell: `compare.py` tests two such files by ranks, for which nine repetitions
are wanted. `real_time` is the process's typical latency in microseconds; `cpu_time` repeats it, since a results file
holds no processor time.
"""

from collections.abc import Iterator

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
    told: dict[str, object] = {"host_name": ", ".join(clean(target.name) for target in results.targets)}
    if own is not None:
        told |= {"date": own.finished_at.isoformat(), "executable": f"edgeproof {own.code.version}"}
    return told | {"json_schema_version": SCHEMA_VERSION}


def _entries(family: int, cell: Cell) -> Iterator[dict[str, object]]:
    for number, us in enumerate(cell.processes_us):
        yield {
            "name": cell.name,
            "family_index": family,
            "per_family_instance_index": 0,
            "run_name": cell.name,
            "run_type": "iteration",
            "repetitions": len(cell.processes_us),
            "repetition_index": number,
            "threads": cell.measurement.threads,
            "iterations": 1,
            "real_time": us,
            "cpu_time": us,
            "time_unit": "us",
        }
