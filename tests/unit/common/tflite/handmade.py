"""Small .tflite files made by hand, for what no converter writes on request."""

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES, OPERATORS = vars(schema.TensorType), vars(schema.BuiltinOperator)


def tensor(
    name: str,
    shape: Sequence[int],
    kind: str,
    buffer: int = 0,
    *,
    scales: Sequence[float] = (),
    axis: int = 0,
    zero: int = 0,
) -> Any:
    """A tensor; buffer 0 means that it is computed. `zero` is the zero point of all scales."""
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name.encode(), list(shape), TYPES[kind], buffer
    if scales:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = list(scales), [zero] * len(scales)
        made.quantization.quantizedDimension = axis
    return made


def operator(code: int, inputs: Sequence[int], outputs: Sequence[int], options: str = "", **values: Any) -> Any:
    """An operator by the index of its code, with the values of its options ("Conv2D" for Conv2DOptions); a custom
    operator has `custom` alone."""
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = code, list(inputs), list(outputs)
    if "custom" in values:
        made.customOptions = np.frombuffer(values["custom"], np.uint8)
    elif options:
        filled = getattr(schema, f"{options}OptionsT")()
        for name, value in values.items():
            setattr(filled, name, value)
        union = "2" if hasattr(schema.BuiltinOptions2, f"{options}Options") else ""
        setattr(made, f"builtinOptions{union}", filled)
        number = getattr(getattr(schema, f"BuiltinOptions{union}"), f"{options}Options")
        setattr(made, f"builtinOptions{union}Type", number)
    return made


def graph(tensors: Sequence[Any], operators: Sequence[Any], inputs: Sequence[int], outputs: Sequence[int]) -> Any:
    """A subgraph."""
    made = schema.SubGraphT()
    made.tensors, made.operators = list(tensors), list(operators)
    made.inputs, made.outputs = list(inputs), list(outputs)
    return made


def model(graphs: Sequence[Any], codes: Sequence[str], buffers: Sequence[bytes] = ()) -> Any:
    """A file of subgraphs, operator codes (`CUSTOM:name` for a custom one) and the buffers from 1 on."""
    made = schema.ModelT()
    made.version, made.subgraphs = 3, list(graphs)
    made.operatorCodes, made.buffers = [_code(name) for name in codes], [schema.BufferT()]
    for data in buffers:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data, np.uint8)
        made.buffers.append(buffer)
    return made


def signature(name: str, number: int, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> Any:
    """A named way into subgraph `number`: tensors by the names that callers use."""
    made = schema.SignatureDefT()
    made.signatureKey, made.subgraphIndex, made.inputs, made.outputs = name.encode(), number, [], []
    for ports, names in ((made.inputs, inputs), (made.outputs, outputs)):
        for port, index in names.items():
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = port.encode(), index
            ports.append(entry)
    return made


def packed(made: Any) -> bytes:
    """The bytes of a file."""
    builder = flatbuffers.Builder()
    builder.Finish(made.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def dense(kernel: Any, data: bytes) -> bytes:
    """A file of one FULLY_CONNECTED with this kernel (of buffer 1)."""
    rows, columns = kernel.shape
    ends = (tensor("in", (1, columns), "FLOAT32"), tensor("out", (1, rows), "FLOAT32"))
    parts = graph((ends[0], kernel, ends[1]), (operator(0, (0, 1, -1), (2,)),), (0,), (2,))
    return packed(model([parts], ["FULLY_CONNECTED"], [data]))


def _code(name: str) -> Any:
    code = schema.OperatorCodeT()
    builtin, _, custom = name.partition(":")
    code.builtinCode, code.deprecatedBuiltinCode, code.version = OPERATORS[builtin], min(OPERATORS[builtin], 127), 1
    code.customCode = custom.encode() if custom else None
    return code
