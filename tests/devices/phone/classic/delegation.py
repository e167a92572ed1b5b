"""Which delegate runs, on how many nodes, and what the tool says about it."""

from dataclasses import dataclass, field

from tests.devices.phone.classic.flags import Flags
from tests.devices.phone.classic.runtime import ToolError
from tests.devices.phone.personality import Behaviour, Delegate, Delegates, Outputs

# As the tool calls them, and the kernel that stands in the graph.
NAMES = {
    "xnnpack": ("XNNPACK", "TfLiteXNNPackDelegate"),
    "gpu": ("GPU", "TfLiteGpuDelegateV2"),
    "nnapi": ("NNAPI", "TfLiteNnapiDelegate"),
    "hexagon": ("Hexagon", "TfLiteHexagonDelegate"),
}
ABSENT = {
    "gpu": "GPU acceleration is unsupported on this platform.",
    "nnapi": "NNAPI acceleration is unsupported on this platform.",
    "hexagon": "Could not create Hexagon delegate: platform may not support delegate or required libraries are missing",
}
CREATED = {
    "xnnpack": "Created TensorFlow Lite XNNPACK delegate for CPU.",
    "gpu": "Created TensorFlow Lite delegate for GPU.",
    "nnapi": "Created TensorFlow Lite delegate for NNAPI.",
    "hexagon": "Hexagon delegate is loaded.",
}


@dataclass
class Delegation:
    """What will run and the lines, each with its prefix, that stdout and stderr get."""

    backend: str = "cpu"
    outputs: Outputs = Outputs.RIGHT
    delegated: int = 0
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)


def delegate(flags: Flags, delegates: Delegates, nodes: int) -> Delegation:
    """Apply what was asked for, else XNNPACK unless that was refused. Raises ToolError."""
    done = Delegation()
    for backend in ("gpu", "hexagon", "nnapi"):
        if flags.on(f"use_{backend}"):
            _apply(done, backend, getattr(delegates, backend), nodes, explicit=True)
    if done.backend == "cpu" and not ("use_xnnpack" in flags.given and not flags.on("use_xnnpack")):
        _apply(done, "xnnpack", delegates.xnnpack, nodes, explicit="use_xnnpack" in flags.given)
    if flags.on("require_full_delegation") and not (explicit_full(done) and done.delegated == nodes):
        raise ToolError("Disallowed CPU fallback detected.")
    return done


def explicit_full(done: Delegation) -> bool:
    """Whether a delegate that was asked for runs everything."""
    return any("completely executed" in line for line in done.out)


def _apply(done: Delegation, backend: str, how: Delegate, nodes: int, *, explicit: bool) -> None:
    name, kernel = NAMES[backend]
    if how.behaviour is Behaviour.ABSENT:
        done.out += [f"WARN: {ABSENT[backend]}"] if backend in ABSENT else []
        return
    if explicit:
        done.out.append(f"INFO: {name} delegate created.")
    done.err.append(f"INFO: {CREATED[backend]}")
    if how.behaviour is Behaviour.FAILING:
        raise ToolError(f"Failed to apply {name} delegate.")
    taken = {Behaviour.FULL: nodes, Behaviour.DECLINED: 0}.get(how.behaviour, int(nodes * how.share))
    partitions = 1 if taken == nodes else 2
    if backend == "gpu" and taken < nodes:
        done.err += _gpu_split(taken, nodes)
    if taken:
        done.err.append(
            f"INFO: Replacing {taken} out of {nodes} node(s) with delegate ({kernel}) node, "
            f"yielding {partitions} partitions for subgraph 0."
        )
        done.backend, done.outputs, done.delegated = backend, how.outputs, taken
    if explicit:
        done.out.append(f"INFO: {_verdict(name, taken, nodes, partitions)}")


def _gpu_split(taken: int, nodes: int) -> list[str]:
    if not taken:
        return [f"ERROR: No operations will run on the GPU, and all {nodes} operations will run on the CPU."]
    rest = nodes - taken
    return [
        "ERROR: Following operations are not supported by GPU delegate:",
        "RESHAPE: OP is supported, but tensor type/shape isn't compatible.",
        f"{taken} operations will run on the GPU, and the remaining {rest} operations will run on the CPU.",
    ]


def _verdict(name: str, taken: int, nodes: int, partitions: int) -> str:
    if not taken:
        return f"Though {name} delegate is explicitly applied, the model graph will not be executed by the delegate."
    how = "completely executed by the delegate."
    if taken < nodes:
        how = f"partially executed by the delegate w/ {partitions} delegate kernels."
    return f"Explicitly applied {name} delegate, and the model graph will be {how}"
