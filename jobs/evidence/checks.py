"""The checks of a bundle that the stages make themselves: each in a process of its own, two at a time, bounded."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from common.provenance import ROOT
from common.schema.evidence import Finding, Followed

# What each derives again; those that take longest begin.
CHECKS = {
    "inspect": "the files",
    "report": "the report",
    "benchmark": "the latencies",
    "choose": "the verdicts",
    "evaluate": "the answers",
    "dataset": "the data card",
}
LIMIT_S = 600.0
# Of address space: libraries for arrays map a GiB, a ledger's text takes some ten times its size.
MEMORY_BYTES = 6 << 30
# numpy starts a thread per core for linear algebra that nothing here computes. Nothing is written, not even byte code.
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
REASON_LENGTH = 300


@dataclass(frozen=True)
class Checked:
    """How a check ended; `followed` is None where it did not come to its end."""

    name: str
    found: tuple[Finding, ...]
    followed: Followed | None


def checked(run: Path, experiment: Path) -> Iterator[Checked]:
    """Every check of an unpacked bundle, in their order."""
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        yield from pool.map(lambda name: _check(name, run, experiment), CHECKS)


def _check(name: str, run: Path, experiment: Path) -> Checked:
    argv = [sys.executable, "-m", f"jobs.{name}.follows", "--run", str(run), "--experiment", str(experiment)]
    process = subprocess.Popen(  # noqa: S603
        argv, cwd=ROOT, env={**os.environ, **QUIET}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if hasattr(resource, "prlimit"):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
    try:
        stdout, stderr = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Checked(name, (_broken(name, f"not finished after {LIMIT_S:.0f} s"),), None)
    found, followed = _read(stdout)
    if process.returncode or followed is None:
        lines = [line for line in stderr.splitlines() if line.strip()]
        why = lines[-1].removeprefix("error: ") if lines else f"exit status {process.returncode}"
        found = (*found, _broken(name, why.replace(str(run), "bundle")[:REASON_LENGTH]))
    return Checked(name, found, followed)


def _broken(name: str, why: str) -> Finding:
    return Finding(where=f"the check of {CHECKS[name]}", stated="to be made", derived=f"an error ({why})")


def _read(stdout: str) -> tuple[tuple[Finding, ...], Followed | None]:
    found: list[Finding] = []
    for line in stdout.splitlines():
        try:
            found.append(Finding.model_validate_json(line))
        except ValidationError:
            try:
                return tuple(found), Followed.model_validate_json(line)
            except ValidationError:
                break
    return tuple(found), None
