"""The host target's median beside `litert-benchmark`'s on the same model, interleaved.

    python -m tests.benchmarks.host_latency runs/demo/variants/baseline/baseline.tflite [more.tflite ...]

Prints for each model the median of the per-round ratios (ours / theirs) with its interval.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common.intervals import interval
from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark
from common.schema.outcome import Measured
from jobs.benchmark.targets.host import HostTarget

ROUNDS = 10
RUNS = 200
CELL = Cell(variant="model", model_sha256="0" * 64, backend="xnnpack", threads=1)


def ours(model: Path, folder: Path) -> float:
    """Median latency in microseconds."""
    settings = Benchmark(num_runs=RUNS, min_secs=0.0)
    outcome = HostTarget().measure(model, CELL, settings, folder / "log").outcome
    if not isinstance(outcome, Measured):
        raise SystemExit(f"not measured: {outcome.reason}")
    return outcome.steady.typical_us


def theirs(model: Path, folder: Path) -> float:
    """Median latency in microseconds. `--warmup_runs` stands for our half second of warm-up."""
    result = folder / "result.json"
    argv = [str(Path(sys.executable).with_name("litert-benchmark")), "--model", str(model)]
    argv += ["--num_runs", str(RUNS), "--warmup_runs", "100", "--num_threads", "1", "--result_json", str(result)]
    subprocess.run(argv, check=True, capture_output=True)
    return 1000 * float(json.loads(result.read_text(encoding="utf-8"))["latency"]["median_ms"])


def main(model: Path) -> None:
    """Interleave both and print the ratio."""
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(ROUNDS):
            pair = (ours, theirs) if number % 2 else (theirs, ours)
            found = {side.__name__: side(model, folder) for side in pair}
            ratios.append(found["ours"] / found["theirs"])
            print(f"round {number + 1}: ours {found['ours']:.0f} us, litert-benchmark {found['theirs']:.0f} us")
    ratio = interval(ratios)
    assert ratio is not None
    print(f"{model.name}: ratio {ratio.value:.3f} (95 % interval {ratio.low:.3f} to {ratio.high:.3f}), {ROUNDS} rounds")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        main(Path(name))
