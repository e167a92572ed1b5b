"""The process that is measured on the host. Started fresh for every cell; prints one JSON object.

    python -I jobs/benchmark/targets/host_runner.py '<JSON of Request>'

It follows Google's `benchmark_model` (tflite/tools/benchmark/benchmark_model.cc): timed warm-up, then
timed steady state, each until both its run count and its seconds are reached or `max_secs` is.
Imports only what the measurement needs, so that it starts in little time and its own memory stays small: it is run
as a file, since a module of a package brings along what the package imports.
"""

import gc
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KIB = 1024
STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")
# Writing 5 resets the peak resident set size (Linux Documentation/filesystems/proc.rst).
RESET_PEAK = "5"
CLOCK_READINGS = 101
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


def clock_cost(clock: Callable[[], int]) -> int:
    """Nanoseconds of CPU time that reading the clocks adds to a run: the median of some readings of nothing."""
    spent = []
    for _ in range(CLOCK_READINGS):
        used = clock()
        time.perf_counter_ns()
        time.perf_counter_ns()
        spent.append(clock() - used)
    return sorted(spent)[CLOCK_READINGS // 2]


def timed_runs(
    interpreter: Any, inputs: list[tuple[int, Any]], runs: int, secs: float, request: dict[str, Any]
) -> tuple[list[float], list[float]]:
    """Microseconds of each run by the wall and of CPU time, until `runs` and `secs` are reached, or `max_secs`."""
    max_secs = request["max_secs"]
    # LiteRT runs a single thread as the one that calls it.
    clock = time.thread_time_ns if request["threads"] == 1 else time.process_time_ns
    own = clock_cost(clock)
    wall: list[float] = []
    cpu: list[float] = []
    begin = time.perf_counter()
    while (len(wall) < runs or time.perf_counter() - begin < secs) and time.perf_counter() - begin <= max_secs:
        for index, value in inputs:
            interpreter.set_tensor(index, value)
        # A system call, so it stands outside of what the wall clock measures.
        used = clock()
        start = time.perf_counter_ns()
        interpreter.invoke()
        wall.append((time.perf_counter_ns() - start) / 1000)
        cpu.append(max(0, clock() - used - own) / 1000)
    return wall, cpu


def random_inputs(interpreter: Any) -> list[tuple[int, Any]]:
    """Uniform values for every input: from 0 to 1 in float, the whole range in integers."""
    # numpy's own generators take longer to import than all the rest of this file.
    generator = random.Random(0)  # noqa: S311
    inputs = []
    for port in interpreter.get_input_details():
        dtype, shape = np.dtype(port["dtype"]), port["shape"]
        count = int(np.prod(shape))
        if dtype.kind in "fb":
            drawn = np.frombuffer(generator.randbytes(4 * count), np.uint32) / 2.0**32
            value = (drawn if dtype.kind == "f" else drawn >= 0.5).astype(dtype)  # noqa: PLR2004
        else:
            value = np.frombuffer(generator.randbytes(dtype.itemsize * count), dtype)
        inputs.append((port["index"], value.reshape(shape)))
    return inputs


def given_inputs(interpreter: Any, given: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    """The values of every input from the request's files, in the file's own numbers."""
    ports = interpreter.get_input_details()
    return [
        (port["index"], np.fromfile(one["path"], np.dtype(port["dtype"])).reshape(one["shape"]))
        for port, one in zip(ports, given, strict=True)
    ]


def resize(interpreter: Any, given: list[dict[str, Any]]) -> None:
    """Open sides as the request has them."""
    for port, one in zip(interpreter.get_input_details(), given, strict=False):
        if list(port["shape"]) != one["shape"]:
            interpreter.resize_tensor_input(port["index"], one["shape"], strict=False)


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """All figures of one process."""
    before = start_peak()
    begin = time.perf_counter_ns()
    interpreter = Interpreter(
        request["model"],
        num_threads=request["threads"],
        experimental_op_resolver_type=RESOLVERS[request["backend"]],
    )
    given = request["inputs"]
    resize(interpreter, given)
    interpreter.allocate_tensors()
    init_us = (time.perf_counter_ns() - begin) / 1000
    memory_init = peak_kib() - before
    inputs = given_inputs(interpreter, given) if given else random_inputs(interpreter)
    gc.collect()
    gc.disable()
    warmup, _ = timed_runs(interpreter, inputs, request["warmup_runs"], request["warmup_min_secs"], request)
    steady, cpu = timed_runs(interpreter, inputs, request["num_runs"], request["min_secs"], request)
    peak = peak_kib()
    return {
        "init_us": init_us,
        "warmup_us": warmup,
        "steady_us": steady,
        "steady_cpu_us": cpu,
        "memory_init_kib": max(0, memory_init),
        "memory_overall_kib": max(0, peak - before),
        "memory_peak_kib": peak,
    }


if __name__ == "__main__":
    try:
        print(json.dumps(measure(json.loads(sys.argv[1]))))
    except (RuntimeError, ValueError) as error:
        # LiteRT's own words are the outcome's reason, in one line.
        sys.exit("ERROR: " + " ".join(str(error).split()))
