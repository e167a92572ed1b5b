"""How long a large bundle takes to be packed and verified.

    python -m tests.benchmarks.verify_bundle

Twenty files of 8 MB on three pretended phones with four backends each, six rounds; every log is read again, every file
inspected, every row and verdict derived, the report rendered. Real files, a real data set and the real stages made the
run (`tests/whole_run.py`).
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import typer

from common.provenance import ROOT
from jobs.evidence.pack import pack
from tests.whole_run import whole_run

TIMES = 5
DEVICES, BACKENDS = ("one", "two", "three"), ("cpu", "xnnpack", "gpu", "nnapi")


def main(variants: int = 20, rounds: int = 6, hidden: int = 2600, times: int = TIMES) -> None:
    """Print how large the bundle is, and how long it takes."""
    with tempfile.TemporaryDirectory(prefix="edgeproof-large-") as name:
        folder = Path(name)
        whole = whole_run(folder, variants=variants, devices=DEVICES, backends=BACKENDS, rounds=rounds, hidden=hidden)
        bundle = folder / "run.tar"
        began = time.monotonic()
        packed = pack(whole.run, whole.experiment, whole.path, bundle)
        print(f"{packed.files:,} files, {packed.size_bytes / 1e6:.0f} MB; packed in {time.monotonic() - began:.1f} s")
        took = []
        for _ in range(times):
            before, began = _spent_s(), time.monotonic()
            argv = [sys.executable, "-m", "jobs.evidence", "verify", str(bundle)]
            done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
            took.append((time.monotonic() - began, _spent_s() - before))
        print(done.stdout.strip())
        wall, spent = (median(each) for each in zip(*took, strict=True))
        load = f"load {os.getloadavg()[0]:.1f}"
        print(f"verified in {wall:.1f} s, {spent:.1f} s of processor time; median of {times}; {load}")


def _spent_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    typer.run(main)
