"""Time and memory of `python -m jobs.inspect --no-ask` beside another reader that counts the same, in turns.

    python -m venv reader && reader/bin/pip install tflite numpy
    python -m tests.benchmarks.inspect_cost --reader reader/bin/python [--rounds 5] model.tflite ...

The other reader is `independent_reader.py`: the `tflite` package and numpy, each file read whole. Every process is a
fresh one. Prints the median processor and wall time and the most memory; `beyond` is that less what a small file takes.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.inspected import MIB, READER, SMALL
from tests.benchmarks.spent import Cost, spent


def cost(argv: Sequence[str]) -> Cost:
    """A process from its start to its end. Raises CalledProcessError where it fails."""
    found = spent(argv, subprocess.DEVNULL)
    if found.status:
        raise subprocess.CalledProcessError(found.status, argv)
    return found


def main() -> None:
    """Print a row per file and reader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--reader", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    readers = {
        "jobs.inspect": [sys.executable, "-m", "jobs.inspect", "--no-ask"],
        "tflite and numpy": [arguments.reader, str(READER)],
    }
    base = {name: min(cost([*argv, str(SMALL)]).peak_bytes for _ in range(3)) for name, argv in readers.items()}
    print("| file | reader | processor, s | clock, s | memory, MiB | beyond, times the file |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for path in arguments.files:
        runs: dict[str, list[Cost]] = {name: [] for name in readers}
        for number in range(arguments.rounds):
            # Each comes first as often.
            for name in list(readers)[:: 1 if number % 2 else -1]:
                runs[name].append(cost([*readers[name], str(path.resolve())]))
        for name, costs in runs.items():
            cpu, wall = (statistics.median(values) for values in ([c.cpu_s for c in costs], [c.wall_s for c in costs]))
            peak = max(c.peak_bytes for c in costs)
            beyond = (peak - base[name]) / path.stat().st_size
            print(f"| {path.name} | {name} | {cpu:.2f} | {wall:.2f} | {peak / MIB:.0f} | {beyond:.2f} |", flush=True)


if __name__ == "__main__":
    main()
