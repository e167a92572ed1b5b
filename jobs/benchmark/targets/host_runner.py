"""The process that is measured on the host. Started fresh for every cell; prints one JSON object.

    python -m jobs.benchmark.targets.host_runner '<JSON of Request>'

It follows Google's `benchmark_model` (tflite/tools/benchmark/benchmark_model.cc): timed warm-up, then
timed steady state, each until both its run count and its seconds are reached or `max_secs` is.
Imports only what the measurement needs, so that its own memory stays small.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KIB = 1024
STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
# Writing 5 resets the peak resident set size (Linux Documentation/filesystems/proc.rst).
RESET_PEAK = "5"
RESOLVERS = {
    "cpu": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "xnnpack": OpResolverType.AUTO,
}


def peak_kib() -> int:
    """Peak resident set size. VmHWM and not `ru_maxrss`, which a child inherits from its parent."""
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel does not tell VmHWM")


def start_peak() -> int:
    """The peak so far, brought down to the present size where the kernel lets us."""
    try:
        CLEAR_REFS.write_text(RESET_PEAK, encoding="ascii")
    except OSError:
        print("the peak memory could not be reset; memory figures may be too low", file=sys.stderr)
    return peak_kib()


def timed_runs(interpreter: Any, inputs: list[tuple[int, Any]], runs: int, secs: float, max_secs: float) -> list[float]:
    """Microseconds of each run until `runs` and `secs` are reached, or `max_secs`."""
    samples: list[float] = []
    begin = time.perf_counter()
    while (len(samples) < runs or time.perf_counter() - begin < secs) and time.perf_counter() - begin <= max_secs:
        for index, value in inputs:
            interpreter.set_tensor(index, value)
        start = time.perf_counter_ns()
        interpreter.invoke()
        samples.append((time.perf_counter_ns() - start) / 1000)
    return samples


def random_inputs(interpreter: Any) -> list[tuple[int, Any]]:
    """Uniform values for every input: [0, 1) in float, the whole range in integers."""
    random = np.random.default_rng(0)
    inputs = []
    for port in interpreter.get_input_details():
        dtype, shape = np.dtype(port["dtype"]), port["shape"]
        if dtype.kind == "f":
            value = random.random(shape).astype(dtype)
        else:
            limits = np.iinfo(dtype)
            value = random.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
        inputs.append((port["index"], value))
    return inputs


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """All figures of one process."""
    before = start_peak()
    begin = time.perf_counter_ns()
    interpreter = Interpreter(
        request["model"],
        num_threads=request["threads"],
        experimental_op_resolver_type=RESOLVERS[request["backend"]],
    )
    interpreter.allocate_tensors()
    init_us = (time.perf_counter_ns() - begin) / 1000
    memory_init = peak_kib() - before
    inputs = random_inputs(interpreter)
    gc.collect()
    gc.disable()
    limit = request["max_secs"]
    warmup = timed_runs(interpreter, inputs, request["warmup_runs"], request["warmup_min_secs"], limit)
    steady = timed_runs(interpreter, inputs, request["num_runs"], request["min_secs"], limit)
    return {
        "init_us": init_us,
        "warmup_us": warmup,
        "steady_us": steady,
        "memory_init_kib": max(0, memory_init),
        "memory_overall_kib": max(0, peak_kib() - before),
    }


if __name__ == "__main__":
    try:
        print(json.dumps(measure(json.loads(sys.argv[1]))))
    except (RuntimeError, ValueError) as error:
        # LiteRT's own words are the outcome's reason.
        sys.exit(f"ERROR: {error}")
