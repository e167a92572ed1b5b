"""Recorded output of the real classic benchmark_model (Linux build, LiteRT source of 2026-08)."""

from pathlib import Path

from common.provenance import ROOT
from jobs.benchmark.android.classic import Printed

FOLDER = ROOT / "tests" / "data" / "benchmark_model"
NAMES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.rc"))
# Android builds say this on stderr; Linux builds do not.
REPLACING = (
    "INFO: Replacing {taken} out of {nodes} node(s) with delegate ({kernel}) node, "
    "yielding {partitions} partitions for subgraph 0.\n"
)


def recorded(name: str) -> Printed:
    """One recorded run."""
    path = FOLDER / name
    stdout, stderr, status = (_read(path, suffix) for suffix in (".stdout", ".stderr", ".rc"))
    return Printed(stdout, stderr, int(status.split()[0]), "run.log")


def csv(name: str) -> str:
    """A recorded operator profile."""
    return _read(FOLDER / name, ".csv")


def explicit(printed: Printed, name: str, verdict: str) -> Printed:
    """The run with a delegate's own sentence in it."""
    sentence = f"INFO: Explicitly applied {name} delegate, and the model graph will be {verdict}\n"
    return Printed(printed.stdout + sentence, printed.stderr, printed.status, printed.log)


def _read(path: Path, suffix: str) -> str:
    return path.with_name(path.name + suffix).read_text(encoding="utf-8")
