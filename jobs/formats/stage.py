"""Read a results file, write it for another tool, say where it is."""

from pathlib import Path

from common.artifact import no_link, read, read_hashed, write_bytes
from common.errors import UsageError
from common.numbers import count
from common.printable import tell
from common.schema.results import Results
from jobs.formats.bencher import bencher_json
from jobs.formats.google import google_json
from jobs.formats.model_explorer import node_data
from jobs.formats.runs import export
from jobs.formats.tracking import track


def google_benchmark(results: Path, output: Path) -> None:
    """Write Google Benchmark's JSON."""
    _write(output, google_json(read(results, Results)))


def bencher(results: Path, output: Path) -> None:
    """Write Bencher Metric Format."""
    _write(output, bencher_json(read(results, Results)))


def model_explorer(results: Path, output: Path) -> None:
    """Write a file for every cell whose nodes were timed. Raises UsageError where there is none."""
    found = node_data(read(results, Results))
    if not found:
        hint = "set [benchmark] profile = true in the experiment and run make again"
        raise UsageError(f"{results} has no times of single nodes", hint=hint)
    for each in found:
        _write(output / each.file, each.content)
        tell(f"note: {each.note}")


def mlflow(results: Path, run: Path | None) -> None:
    """Write runs into the MLflow store."""
    found, digest = read_hashed(results, Results)
    done = track(export(found), results, digest, run)
    kept = f", {done.kept} were there" if done.kept else ""
    tell(f"{done.store}, experiment {done.experiment}: {count(done.written, 'run')} written{kept}")


def _write(path: Path, content: bytes) -> None:
    for folder in (path.parent, path.parent.parent):
        no_link(folder, "remove it, or give another --output")
    write_bytes(path, content)
    tell(str(path))
