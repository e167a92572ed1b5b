"""The process that times a model's operators on the host. Started fresh for every cell; prints one JSON object.

    python -I jobs/benchmark/targets/host_profiler.py '<JSON: model, backend, threads, secs, inputs by name>'

LiteRT's interpreter has no profiler that Python reaches, its CompiledModel has: litert/c/litert_profiler.h in the
library that the wheel brings, called here by ctypes. Both run the same kernels, and the same XNNPACK.
Imports nothing but the standard library.
"""

import ctypes
import importlib.util
import json
import random
import sys
import time
from array import array
from collections.abc import Sequence
from ctypes import byref, c_char, c_char_p, c_int, c_int32, c_size_t, c_uint64, c_void_p
from pathlib import Path
from typing import Any

WARMUP_RUNS, FEWEST_RUNS, MOST_RUNS = 5, 10, 500
CPU, WRITE, FLOAT32 = 1, 1, 1
# LiteRtRankedTensorType: element type, rank in the lowest bits, dimensions; more room than it takes.
TYPE_BYTES, RANK_BITS, DIMENSIONS_AT = 512, 0x7F, 2
# tflite/core/api/profiler.h: an operator of the graph, and one inside of a delegate.
DEFAULT, OPERATOR, DELEGATE_NODE, INSIDE = 1, 2, 4, 8
KERNELS = {"xnnpack": "delegate", "cpu": "builtin"}


class Event(ctypes.Structure):
    """ProfiledEventData of litert/c/litert_profiler_event.h. `index` is the node's in the graph or the delegate's."""

    _fields_ = (
        ("tag", c_char_p),
        ("kind", c_int),
        ("start_us", c_uint64),
        ("elapsed_us", c_uint64),
        ("memory", c_size_t * 6),
        ("index", c_uint64),
        ("subgraph", c_uint64),
        ("source", c_int),
    )


class LiteRt:
    """The library's functions; each that fails raises RuntimeError."""

    def __init__(self) -> None:
        found = importlib.util.find_spec("ai_edge_litert")
        if found is None or not found.submodule_search_locations:
            raise RuntimeError("ai_edge_litert is not installed")
        self._library = ctypes.CDLL(str(Path(found.submodule_search_locations[0]) / "libLiteRt.so"))

    def call(self, name: str, *given: Any) -> None:
        """Call a function that gives a status."""
        status = getattr(self._library, f"LiteRt{name}")(*given)
        if status:
            raise RuntimeError(f"LiteRt{name} failed with status {status}")

    def made(self, name: str, *given: Any) -> c_void_p:
        """Call a function that writes a handle to its last argument."""
        handle = c_void_p()
        self.call(name, *given, byref(handle))
        return handle


class Profiled:
    """A compiled model with its buffers and its profiler."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.litert = litert = LiteRt()
        self.environment = litert.made("CreateEnvironment", 0, None)
        self.model = litert.made("CreateModelFromFile", self.environment, str(request["model"]).encode())
        options = litert.made("CreateOptions")
        litert.call("SetOptionsHardwareAccelerators", options, CPU)
        # The library reads options as lines of TOML; they must outlive it, and so does what frees them.
        self._kept: list[Any] = [ctypes.CFUNCTYPE(None, c_void_p)(lambda _: None)]
        self._add(options, "runtime_options_string", "enable_profiling = true\n")
        kernels = KERNELS[request["backend"]]
        self._add(options, "xnnpack", f'num_threads = {int(request["threads"])}\nkernel_mode = "{kernels}"\n')
        self.compiled = litert.made("CreateCompiledModel", self.environment, self.model, options)
        self.profiler = litert.made("CompiledModelGetProfiler", self.compiled)
        self.signature = litert.made("GetModelSignature", self.model, c_size_t(0))
        self.given = request["inputs"]
        self.inputs, self.outputs = self._buffers("Input"), self._buffers("Output")

    def _add(self, options: c_void_p, name: str, text: str) -> None:
        self._kept += [ctypes.create_string_buffer(name.encode()), ctypes.create_string_buffer(text.encode())]
        payload = ctypes.cast(self._kept[-1], c_void_p)
        self.litert.call(
            "AddOpaqueOptions",
            options,
            self.litert.made("CreateOpaqueOptions", self._kept[-2], payload, self._kept[0]),
        )

    def _buffers(self, side: str) -> Any:
        count = c_size_t()
        self.litert.call(f"GetNumSignature{side}s", self.signature, byref(count))
        found = (c_void_p * count.value)()
        for index in range(count.value):
            tensor = self.litert.made(f"GetSignature{side}TensorByIndex", self.signature, c_size_t(index))
            kind = (c_char * TYPE_BYTES)()
            self.litert.call("GetRankedTensorType", tensor, kind)
            words = (c_int32 * (TYPE_BYTES // 4)).from_buffer(kind)
            # A side that the file leaves open is run as one, as by the interpreter.
            for at in range(DIMENSIONS_AT, DIMENSIONS_AT + (words[1] & RANK_BITS)):
                words[at] = max(1, words[at])
            name = f"GetCompiledModel{side}BufferRequirements"
            needs = self.litert.made(name, self.compiled, c_size_t(0), c_size_t(index))
            made = self.litert.made("CreateManagedTensorBufferFromRequirements", self.environment, kind, needs)
            if side == "Input":
                self._fill(made, words[0], self._named(index))
            found[index] = made.value
        return found

    def _named(self, index: int) -> bytes | None:
        """The bytes that are given for an input; None where it is to be drawn."""
        if not self.given:
            return None
        name = c_char_p()
        self.litert.call("GetSignatureInputName", self.signature, c_size_t(index), byref(name))
        return Path(self.given[(name.value or b"").decode("utf-8", "replace")]).read_bytes()

    def _fill(self, buffer: c_void_p, element_type: int, given: bytes | None) -> None:
        size, generator = c_size_t(), random.Random(0)  # noqa: S311
        self.litert.call("GetTensorBufferPackedSize", buffer, byref(size))
        if given is not None and len(given) != size.value:
            raise RuntimeError("a model with another shape than the file's is not profiled")
        address = c_void_p()
        self.litert.call("LockTensorBuffer", buffer, byref(address), WRITE)
        drawn = given or self._drawn(generator, element_type, size.value)
        ctypes.memmove(address, drawn, size.value)
        self.litert.call("UnlockTensorBuffer", buffer)

    @staticmethod
    def _drawn(generator: random.Random, element_type: int, size: int) -> bytes:
        # Bytes drawn as they come would be floats of any size, and no numbers among them.
        if element_type != FLOAT32:
            return generator.randbytes(size)
        return array("f", (generator.random() for _ in range(size // 4))).tobytes()

    def run(self) -> None:
        """One inference."""
        inputs, outputs = self.inputs, self.outputs
        sizes = c_size_t(len(inputs)), c_size_t(len(outputs))
        self.litert.call("RunCompiledModel", self.compiled, c_size_t(0), sizes[0], inputs, sizes[1], outputs)

    def events(self) -> list[tuple[int, str, int, int]]:
        """Kind, tag, index and microseconds of everything that one inference in the main subgraph told, in order."""
        self.litert.call("ResetProfiler", self.profiler)
        self.litert.call("StartProfiler", self.profiler)
        self.run()
        self.litert.call("StopProfiler", self.profiler)
        count = c_int()
        self.litert.call("GetNumProfilerEvents", self.profiler, byref(count))
        found = (Event * max(1, count.value))()
        self.litert.call("GetProfilerEvents", self.profiler, count, found)
        return [
            (event.kind, (event.tag or b"").decode("utf-8", "replace"), event.index, event.elapsed_us)
            for event in found[: count.value]
            if event.kind in {OPERATOR, DELEGATE_NODE, INSIDE} or (event.kind == DEFAULT and event.tag == b"Invoke")
        ]


def whole(events: Sequence[tuple[int, str, int, float]]) -> float:
    """Microseconds of a whole inference."""
    return sum(event[3] for event in events if event[0] == DEFAULT)


def measure(request: dict[str, Any]) -> dict[str, Any]:
    """Mean microseconds of every operator, and of the whole inference, over the quieter half of the runs that `secs`
    have room for: other programs of a loaded machine end up in single operators."""
    profiled = Profiled(request)
    for _ in range(WARMUP_RUNS):
        profiled.run()
    runs = [profiled.events()]
    begin = time.perf_counter()
    while len(runs) < FEWEST_RUNS or (len(runs) < MOST_RUNS and time.perf_counter() - begin < request["secs"]):
        runs.append(profiled.events())
    order = [event[:3] for event in runs[0]]
    if any([event[:3] for event in run] != order for run in runs):
        raise RuntimeError("the operators of two runs differ")
    quiet = sorted(runs, key=whole)[: (len(runs) + 1) // 2]
    means = [sum(event[3] for event in each) / len(quiet) for each in zip(*quiet, strict=True)]
    timed = [(*what, mean) for what, mean in zip(order, means, strict=True)]
    return {
        "runs": len(runs),
        "whole_us": whole(timed),
        "operators": [
            {"kind": tag, "node": None if kind == INSIDE else index, "mean_us": mean}
            for kind, tag, index, mean in timed
            if kind != DEFAULT
        ],
    }


if __name__ == "__main__":
    try:
        print(json.dumps(measure(json.loads(sys.argv[1]))))
    except (RuntimeError, OSError, AttributeError, KeyError) as error:
        sys.exit(f"ERROR: {error}")
