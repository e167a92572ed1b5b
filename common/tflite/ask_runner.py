"""The process that asks a .tflite file: loads it, answers samples, or tells what XNNPACK takes; a line of JSON each.

    python -I common/tflite/ask_runner.py '<JSON of the request>'

Run as a file, so that nothing of the project is loaded beside the runtime. A file from anywhere may end this process,
hang it, or ask for all memory: hence the limits, and hence the process.
"""

import ctypes
import json
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

# Of <sys/prctl.h>.
PR_SET_PDEATHSIG = 1


def port(found: dict[str, Any]) -> dict[str, Any]:
    """A port as plain values."""
    scale, zero_point = found["quantization"]
    kind = found["dtype"]
    text = kind in (np.bytes_, np.object_, np.str_)
    return {
        "name": str(found["name"]),
        "dtype": "string" if text else np.dtype(kind).name,
        "shape": [int(side) for side in found["shape"]],
        "scale": float(scale),
        "zero_point": int(zero_point),
    }


def load(request: dict[str, Any]) -> Any:
    """The interpreter, with open sides as the request wants them, and its tensors allocated.

    What is measured on plain kernels must run on them, unless a custom operator is one that XNNPACK alone knows.
    """
    plain, xnnpack = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.AUTO
    try:
        return prepared(request, xnnpack if request["xnnpack"] else plain)
    except RuntimeError as error:
        if "unresolved custom op" not in str(error):
            raise
        try:
            return prepared(request, xnnpack)
        except RuntimeError:
            raise error from None


def prepared(request: dict[str, Any], kernels: Any) -> Any:
    """The interpreter with these kernels."""
    interpreter = Interpreter(request["model"], num_threads=1, experimental_op_resolver_type=kernels)
    for place, found in enumerate(interpreter.get_input_details()):
        shape = request["shapes"].get(str(place))
        if shape is not None and list(found["shape"]) != shape:
            interpreter.resize_tensor_input(found["index"], shape, strict=False)
    interpreter.allocate_tensors()
    return interpreter


def quantised(values: Any, found: dict[str, Any]) -> Any:
    """Values in the type of a port: real numbers quantised, integers as they are."""
    kind, scale = np.dtype(found["dtype"]), found["quantization"][0]
    if kind.kind == "f" or values.dtype.kind in "iub":
        return values.astype(kind)
    if scale == 0:
        return np.round(values).astype(kind)
    ends = np.iinfo(kind)
    return np.clip(np.round(values / scale) + found["quantization"][1], ends.min, ends.max).astype(kind)


def real(values: Any, found: dict[str, Any]) -> Any:
    """A port's values as float32; integers that stand for themselves stay what they are."""
    scale, zero_point = found["quantization"]
    if values.dtype.kind in "iu" and scale != 0:
        return ((values.astype(np.float32) - zero_point) * scale).astype(np.float32)
    return values.astype(np.float32) if values.dtype.kind == "f" else values


def answer(interpreter: Any, request: dict[str, Any]) -> None:
    """Every sample through the model; outputs as `output_0`, ... of the request's file, [n, ...]."""
    ports = interpreter.get_input_details()
    with np.load(request["samples"], allow_pickle=False) as found:
        samples = [found[f"input_{place}"] for place in request["order"]]
    outputs: list[list[Any]] = [[] for _ in interpreter.get_output_details()]
    room = request["most_bytes"]
    for sample in zip(*samples, strict=True):
        # A sample asks a model with state from its beginning.
        interpreter.reset_all_variables()
        for where, values in zip(ports, sample, strict=True):
            interpreter.set_tensor(where["index"], quantised(values, where))
        interpreter.invoke()
        for kept, where in zip(outputs, interpreter.get_output_details(), strict=True):
            kept.append(real(interpreter.get_tensor(where["index"]), where))
            room -= kept[-1].nbytes
        if room < 0:
            raise ValueError(f"its answers take more than {request['most_bytes'] >> 20} MiB")
    for kept, where in zip(outputs, interpreter.get_output_details(), strict=True):
        if len({each.shape for each in kept}) > 1:
            raise ValueError(
                f"the shape of output {where['name']!a} depends on the sample, so answers cannot be compared"
            )
    with open(request["output"], "wb") as stream:  # noqa: PTH123
        stacked: dict[str, Any] = {f"output_{place}": np.stack(kept) for place, kept in enumerate(outputs)}
        np.savez(stream, **stacked)


def plans(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes of the main subgraph after XNNPACK was applied, for the file with each cut."""
    for cut in request["cuts"]:
        try:
            yield {"nodes": [node(found) for found in planned(request["model"], cut)._get_ops_details()]}
        except (RuntimeError, ValueError, TypeError, AttributeError) as error:
            # Another version of the runtime may lack the option, or the table.
            yield {"why": told(error)}


def planned(model: str, cut: list[tuple[int, int]]) -> Any:
    """The interpreter with a node of its own for each operator that XNNPACK takes. Otherwise it joins neighbours, and
    what writes nothing that is read cannot be told from what it leaves."""
    given: dict[str, Any] = {"model_path": model}
    if cut:
        with open(model, "rb") as stream:  # noqa: PTH123
            content = bytearray(stream.read())
        for offset, value in cut:
            content[offset : offset + 4] = value.to_bytes(4, "little")
        given = {"model_content": bytes(content)}
    interpreter = Interpreter(
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.AUTO,
        experimental_disable_delegate_node_fusion=True,
        **given,
    )
    interpreter.allocate_tensors()
    return interpreter


def node(found: dict[str, Any]) -> dict[str, Any]:
    """A node as plain values."""
    inputs, outputs = ([int(index) for index in found[side]] for side in ("inputs", "outputs"))
    return {"name": str(found["op_name"]), "inputs": inputs, "outputs": outputs}


def told(error: Exception) -> str:
    """An error's words on one line."""
    # The runtime appends the node that failed without a space.
    return " ".join(str(error).replace("Node number", " Node number").split())[:500]


def bound(request: dict[str, Any]) -> None:
    """Whatever the file does to this process ends with it, and it ends with the one that asks."""
    for kind, most in (
        (resource.RLIMIT_AS, request["memory_bytes"]),
        (resource.RLIMIT_FSIZE, request["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    # At the first the signal tells of it, at the second the system ends it.
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu_s"], request["cpu_s"] + 1))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Load, and answer where samples are given; or what XNNPACK takes."""
    if "cuts" in request:
        yield from plans(request)
        return
    interpreter = load(request)
    if request["samples"]:
        answer(interpreter, request)
    yield {
        "inputs": [port(found) for found in interpreter.get_input_details()],
        "outputs": [port(found) for found in interpreter.get_output_details()],
    }


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    bound(asked)
    try:
        with open(asked["told"], "w", encoding="ascii") as stream:  # noqa: PTH123
            for line in main(asked):
                print(json.dumps(line), file=stream, flush=True)
    except (RuntimeError, ValueError, KeyError, TypeError, OverflowError) as error:
        sys.exit(told(error))
    except MemoryError:
        sys.exit("it asks for more memory than is allowed")
