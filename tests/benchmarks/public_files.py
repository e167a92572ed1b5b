"""Public .tflite files of other projects through every stage: each is measured, or refused in one line.

    python -m tests.benchmarks.public_files <folder> [--all] [--jobs 1]

<folder> holds the files of `public_files.toml`, under any name: they are known by their sha256. `--all` takes every
other .tflite file there as well. Prints a row per file; ends with 1 where a stage ended in a traceback, by a signal,
not at all, with more memory than `most_mib`, or with a refusal that is no single line.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from common.artifact import read
from common.schema.benchmark import Benchmark, Summary
from common.schema.variant import Variant

LIST = Path(__file__).with_suffix(".toml")
# Of one stage. The largest answers take seconds.
LIMIT_S = 300.0
# Of the largest process of a stage: Python with its packages and LiteRT, and the file mapped, unpacked and packed anew.
BASE_MIB, PER_FILE = 400, 8
EXPERIMENT = """title = "Public file"
reference = "file"
[inputs]
samples = 4
[benchmark]
rounds = 1
most_rounds = 1
num_runs = 5
min_secs = 0.0
warmup_min_secs = 0.0
max_secs = 20.0
[variants.file]
file = "file.tflite"
"""
TOLD = ("--samples", "inputs", "--variants", "variants", "--evaluations", "evaluation", "--benchmark", "benchmark")
STAGES: tuple[tuple[str, ...], ...] = (
    ("adopt", "--variant", "file", "--output", "variants/file"),
    ("inputs", "--variant", "variants/file", "--output", "inputs"),
    ("evaluate", "--variant", "variants/file", "--samples", "inputs", "--output", "evaluation/file"),
    ("benchmark", "--variants", "variants", "--samples", "inputs", "--output", "benchmark"),
    ("choose", *TOLD, "--output", "best"),
    ("report", *TOLD, "--choice", "best", "--output", "report"),
)


@dataclass(frozen=True)
class Public:
    """A file: its kind in a few words, and where it is from."""

    name: str
    kind: str
    path: Path


@dataclass(frozen=True)
class Ended:
    """How a stage ended; `status` is None where it was stopped."""

    status: int | None
    said: str
    peak_mib: float


def most_mib(path: Path) -> float:
    """The memory that no process of a stage may go beyond."""
    return BASE_MIB + PER_FILE * path.stat().st_size / (1 << 20)


def run(stage: Sequence[str], folder: Path) -> Ended:
    """One stage as a process, ended with all of its own after LIMIT_S."""
    argv = [sys.executable, "-m", f"jobs.{stage[0]}", "--experiment", "public.toml", *stage[1:]]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    log = folder / f"{stage[0]}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            argv, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=stream, start_new_session=True
        )
        end = time.monotonic() + LIMIT_S
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                os.killpg(process.pid, signal.SIGKILL)
                os.wait4(process.pid, 0)
                return Ended(None, f"not finished after {LIMIT_S:.0f} s", 0.0)
            time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    return Ended(process.returncode, said, usage.ru_maxrss / 1024)


def fault(ended: Ended, path: Path) -> str | None:
    """What a stage must never do, in words."""
    if ended.status is None:
        return ended.said
    if "Traceback" in ended.said:
        return ended.said.splitlines()[-1]
    if ended.status < 0:
        return f"ended by {signal.Signals(-ended.status).name}"
    if ended.peak_mib > most_mib(path):
        return f"took {ended.peak_mib:.0f} MiB, more than {most_mib(path):.0f}"
    lines = [line for line in ended.said.splitlines() if line.strip()]
    if ended.status != 0 and (len(lines) != 1 or not lines[0].startswith("error: ")):
        return f"refused in other than one line: {lines[-1] if lines else 'nothing was said'}"
    return None


def attempt(public: Public, folder: Path) -> tuple[str, str]:
    """A file through all stages: 'measured', 'refused' or 'fault', and the figures or the reason."""
    (folder / "file.tflite").symlink_to(public.path.resolve())
    (folder / "public.toml").write_text(EXPERIMENT, encoding="utf-8")
    peak = 0.0
    for stage in STAGES:
        ended = run(stage, folder)
        peak = max(peak, ended.peak_mib)
        wrong = fault(ended, public.path)
        if wrong is not None:
            return "fault", f"{stage[0]}: {wrong}"
        if ended.status != 0:
            return "refused", f"{stage[0]}: {ended.said.removeprefix('error: ')}"
    rows = read(folder / "benchmark" / "benchmark.json", Benchmark).rows
    notes = {note for row in rows if row.examination for note in row.examination.problems}
    told = [
        f"{row.cell.backend} "
        + (f"{row.result.latency_us:.0f} us" if isinstance(row.result, Summary) else f"failed: {row.result.reason}")
        for row in rows
    ]
    kept = "measured" if any(isinstance(row.result, Summary) for row in rows) else "refused"
    return kept, "; ".join((", ".join(told), *sorted(notes), f"{peak:.0f} MiB"))


def row(public: Public) -> tuple[str, str]:
    """The outcome of a file, and its row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outcome, told = attempt(public, folder)
        made = folder / "variants" / "file" / "variant.json"
        operators = "-"
        if made.is_file():
            found = sorted(read(made, Variant).operators.items(), key=lambda item: -item[1])
            operators = ", ".join(f"{count} {kind}" for kind, count in found[:3])
    cells = (public.name, public.kind, operators, outcome, told.replace("file.tflite", public.name))
    return outcome, "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def found(folder: Path, every: bool) -> list[Public]:
    """The listed files that the folder holds, and every other one where wanted."""
    paths = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.rglob("*.tflite"))}
    listed = []
    for entry in tomllib.loads(LIST.read_text(encoding="utf-8"))["file"] if LIST.is_file() else ():
        path = paths.pop(entry["sha256"], None)
        if path is None:
            print(f"{entry['name']} is not there: {entry['source']}", file=sys.stderr)
        else:
            listed.append(Public(entry["name"], entry["kind"], path))
    return listed + ([Public(path.name, "-", path) for path in paths.values()] if every else [])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    print("| file | kind | operators | outcome | |\n| --- | --- | --- | --- | --- |")
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for outcome, line in pool.map(row, found(arguments.folder, arguments.all)):
            outcomes[outcome] += 1
            print(line, flush=True)
    print(", ".join(f"{times} {outcome}" for outcome, times in sorted(outcomes.items())))
    sys.exit(1 if outcomes["fault"] or not outcomes else 0)


if __name__ == "__main__":
    main()
