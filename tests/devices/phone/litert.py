"""The LiteRT interpreter behind the tool: what is in a model, and what it answers."""

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from tests.devices.phone.classic.runtime import Execution, Model, Operator, Tensor, ToolError
from tests.devices.phone.personality import Outputs

NOT_A_MODEL = "The model is not a valid Flatbuffer buffer"
# Inputs without a file are random in the tool; a fixed seed makes a test repeatable.
SEED = 5


def interpreter(content: bytes, threads: int = 1, *, delegate: bool = True) -> Any:
    """An interpreter without its tensors allocated. Raises ToolError for what is no model."""
    kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        return Interpreter(model_content=content, num_threads=threads, experimental_op_resolver_type=kind)
    except (ValueError, RuntimeError):
        raise ToolError(NOT_A_MODEL) from None


def inspect(path: str, content: bytes) -> Model:
    """Inputs and operators of a model. Raises ToolError for what is none."""
    found = interpreter(content, delegate=False)
    inputs = tuple(
        Tensor(entry["name"], tuple(int(side) for side in entry["shape"]), np.dtype(entry["dtype"]).itemsize)
        for entry in found.get_input_details()
    )
    nodes = [node for node in found._get_ops_details() if node["op_name"] != "DELEGATE"]
    names = {entry["index"]: entry["name"] for entry in found.get_tensor_details()}
    operators = tuple(
        Operator(node["op_name"], names.get(int(node["outputs"][0]), ""), 1 / len(nodes)) for node in nodes
    )
    return Model(path, content, inputs, operators, tuple(found.get_signature_list()) or ("serving_default",))


def feed(found: Any, execution: Execution) -> None:
    """Give the inputs the execution's shapes and bytes and allocate. Raises ToolError."""
    details = found.get_input_details()
    for entry, shape in zip(details, execution.shapes, strict=False):
        found.resize_tensor_input(entry["index"], shape)
    try:
        found.allocate_tensors()
    except (ValueError, RuntimeError):
        raise ToolError("Failed to allocate tensors!") from None
    generator = np.random.default_rng(SEED)
    for index, entry in enumerate(found.get_input_details()):
        kind, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        if index < len(execution.inputs):
            value = np.frombuffer(execution.inputs[index], kind).reshape(shape)
        elif kind.kind == "f":
            value = generator.random(shape).astype(kind)
        else:
            value = generator.integers(0, np.iinfo(kind).max, shape, dtype=kind)
        found.set_tensor(entry["index"], value)


def answers(model: Model, execution: Execution) -> bytes:
    """The bytes of all outputs for the execution's inputs, right or wrong as the execution says. Raises ToolError."""
    found = interpreter(model.content, execution.threads, delegate=execution.backend != "cpu")
    feed(found, execution)
    found.invoke()
    return collect(found, execution.outputs)


def collect(found: Any, outputs: Outputs) -> bytes:
    """The bytes of all outputs of the last run, spoiled if `outputs` says so."""
    tensors = [found.get_tensor(entry["index"]) for entry in found.get_output_details()]
    return b"".join(spoil(tensor, outputs).tobytes() for tensor in tensors)


def spoil(tensor: Any, outputs: Outputs) -> Any:
    """An array of outputs as the execution wants it: right, all NaN, constant, or the last axis turned around."""
    if outputs is Outputs.CONSTANT or (outputs is Outputs.NAN and tensor.dtype.kind != "f"):
        return np.full_like(tensor, tensor.flat[0])
    if outputs is Outputs.NAN:
        return np.full_like(tensor, np.nan)
    if outputs is Outputs.SHUFFLED:
        return np.ascontiguousarray(tensor[..., ::-1])
    return tensor
