"""Ledgers and arrays that somebody else made: bounded in bytes and memory, with the bound in the message."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from common import arrays, ledger
from common.artifact import file_ref
from common.errors import UsageError
from common.ledger import read_lines
from common.provenance import ROOT
from common.run.checks import check_outputs
from jobs.benchmark.ledger import Ledger, check
from tests.unit.report import factories

DIGEST = "0" * 64
KINDS = (
    "an archive",
    "objects",
    "a huge shape",
    "a shape beyond all numbers",
    "another type",
    "another shape",
    "noise",
)
MOST_MB = 500
CELL = {"variant": "a", "model_sha256": DIGEST, "backend": "xnnpack", "threads": 1}
STAT = dict.fromkeys(("mean_us", "median_us", "min_us", "max_us", "std_us", "p5_us", "p95_us"), 1) | {"count": 1}


def session(**other: object) -> str:
    line = {"kind": "session", "session": 0, "seed": 1, "cells": [], "rounds": 1, "fingerprint": DIGEST}
    line |= {"started_at": "2026-01-01T00:00:00Z", "settings_sha256": DIGEST}
    return json.dumps(line | other, separators=(",", ":")) + "\n"


def run(samples: str = "1") -> str:
    outcome = {"kind": "measured", "init_us": 1, "first_us": 1, "warmup": STAT, "steady": STAT}
    line = {"kind": "run", "session": 0, "round": 0, "order": 0, "cell": CELL, "load_1min": None}
    line |= {"started_at": "2026-01-01T00:00:00Z", "warmup_samples_us": [], "samples_us": ["SAMPLES"]}
    line |= {"outcome": outcome | {"memory_init_kib": 1, "memory_overall_kib": 1}}
    return json.dumps(line, separators=(",", ":")).replace('"SAMPLES"', samples) + "\n"


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(lines), encoding="utf-8")
    return path


def numbers() -> Iterator[str]:
    """A line of nothing but short numbers, twice."""
    line = run(",".join("1" * (ledger.MOST_LINE_BYTES // 2 - 1000)))
    yield from (line, line)


LARGE = {
    "a line": ((session(facts=[["x" * ledger.MOST_LINE_BYTES, ""]]),), "line 1 has more than the 8 MiB allowed"),
    "sessions": ((session() * (ledger.MOST_KEPT_BYTES // len(session()) + 1),), "24 MiB beside its samples allowed"),
    "processes": ((run() * (ledger.MOST_KEPT_BYTES // len(run()) + 1),), "24 MiB beside its samples allowed"),
    "numbers": (tuple(numbers()), None),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_ledger_is_one_line_and_little_memory(kind: str, tmp_path: Path) -> None:
    lines, told = LARGE[kind]
    path = written(tmp_path / "ledger.jsonl", *lines)
    code = (
        "import sys; from pathlib import Path; from common.errors import UsageError\n"
        "from jobs.benchmark.ledger import Ledger\n"
        "try: print(len(Ledger(Path(sys.argv[1])).lines))\n"
        "except UsageError as error: print(error)\n"
        # Not ru_maxrss: a child inherits its parent's.
        "peak = next(x for x in open('/proc/self/status') if x.startswith('VmHWM:'))\n"
        "print(int(peak.split()[1]) * 1024 // 1_000_000)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    answer, peak_mb = done.stdout.splitlines()
    assert (told or "2") in answer
    assert int(peak_mb) < MOST_MB


def test_a_ledger_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "MOST_BYTES", 1 << 20)
    path = written(tmp_path / "ledger.jsonl", *[run(",".join("1" * 50_000))] * 11)
    for use in (check, Ledger, lambda path: list(read_lines(path))):
        with pytest.raises(UsageError, match="more than the 1 MiB allowed"):
            use(path)


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "ledger.jsonl", session())
    [line] = Ledger(path).lines
    mine = Ledger(path)
    monkeypatch.setattr("jobs.benchmark.ledger.MOST_BYTES", 2 * len(session()))
    with pytest.raises(UsageError, match=r"has no room for more: 8 MiB in a line and 0 MiB in all"):
        for _ in range(2):
            mine.append(line)
    assert Ledger(path).lines == mine.lines


@pytest.mark.parametrize("kind", ["pipe", "device", "link"])
def test_a_ledger_that_is_no_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to(written(tmp_path / "other", session()))
    with pytest.raises(UsageError, match="plain file"):
        Ledger(path)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_that_are_no_array_are_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "outputs.npy"
    with path.open("wb") as stream:
        match kind:
            case "an archive":
                np.savez_compressed(stream, np.zeros(10**6))
            case "objects":
                np.save(stream, np.array([{}], dtype=object), allow_pickle=True)
            case "a huge shape" | "a shape beyond all numbers":
                shape = (1 << 40, 2) if kind == "a huge shape" else (1 << 32, 1 << 32)
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(stream, header)
            case "another type":
                np.save(stream, np.zeros((4, 2)))
            case "another shape":
                np.save(stream, np.zeros((4, 3), np.float32))
            case _:
                stream.write(b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 70000)
    with pytest.raises(UsageError, match=r"outputs\.npy"):
        arrays.load(tmp_path, file_ref(path, tmp_path), np.float32, (4, 2))


def test_a_ragged_table_of_counts_is_one_line() -> None:
    evaluation = factories.evaluation("baseline", 290).model_copy(update={"confusion": ((1,), (2, 3))})
    with pytest.raises(UsageError, match="rows and columns in the confusion of baseline is 1"):
        check_outputs(evaluation, np.zeros((300, 2), np.float32))


def test_answers_are_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "outputs.npy", np.eye(4, 2, dtype=np.float32))
    found = arrays.load(tmp_path, file_ref(tmp_path / "outputs.npy", tmp_path), np.float32, (4, 2))
    assert isinstance(found, np.memmap)
    assert (np.array(found) == np.eye(4, 2)).all()
