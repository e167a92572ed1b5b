"""What a process took, as benchmarks measure it."""

import subprocess
import sys

from tests.benchmarks.spent import spent

HELD = 256 << 20


def run(code: str) -> tuple[int, int]:
    cost = spent([sys.executable, "-I", "-S", "-c", code], subprocess.DEVNULL)
    return cost.status, cost.peak_bytes


def test_memory_is_its_own_and_not_its_parents() -> None:
    held = b"x" * HELD
    assert run("pass")[1] < HELD / 2
    assert run(f"b'x' * {len(held)}")[1] > HELD


def test_how_it_ended() -> None:
    assert run("raise SystemExit(3)")[0] == 3
    assert run("import os; os.kill(os.getpid(), 9)")[0] == -9
