"""Files of one operator, or of a few, made by hand for the rules on XNNPACK."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

F32, F16, I8, U8, I32 = "FLOAT32", "FLOAT16", "INT8", "UINT8", "INT32"
SIZES = {F32: 4, F16: 2, I8: 1, U8: 1, I32: 4, "INT64": 8}
IMAGE = (1, 8, 8, 4)
CONV = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
POOL = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
ATTENTION = "odml.scaled_dot_product_attention"
# A map of flexbuffers without entries.
EMPTY_MAP = bytes((0, 1, 0, 36, 1))
Piece = tuple[Any, ...]


def port(shape: Sequence[int], kind: str = F32, *scales: float, zero: int = 0, axis: int = 0) -> Piece:
    """A tensor that is computed."""
    return (tuple(shape), kind, None, {"scales": scales, "zero": zero, "axis": axis})


def held(shape: Sequence[int], kind: str = F32, *scales: float, zero: int = 0, axis: int = 0, of: Any = None) -> Piece:
    """A constant; ones unless `of` gives its values."""
    count = int(np.prod(shape))
    data = (
        np.asarray(of, {I32: np.int32, "INT64": np.int64}[kind]).tobytes()
        if of is not None
        else b"\1" * count * SIZES[kind]
    )
    return (tuple(shape), kind, data, {"scales": scales, "zero": zero, "axis": axis})


def alone(
    code: str, inputs: Sequence[Piece | None], outputs: Sequence[Piece], options: str = "", **values: Any
) -> bytes:
    """A file of one operator; None is an input that is left out."""
    tensors, buffers, read = [], [], []
    for at, piece in enumerate([*inputs, *outputs]):
        if piece is None:
            read.append(-1)
            continue
        shape, kind, data, quantised = piece
        buffers += [data] if data is not None else []
        tensors.append(tensor(f"t{at}", shape, kind, len(buffers) if data is not None else 0, **quantised))
        read.append(len(tensors) - 1)
    ins, outs = read[: len(inputs)], read[len(inputs) :]
    computed = [index for index, piece in zip(ins, inputs, strict=True) if piece is not None and piece[2] is None]
    step = operator(0, ins, outs, options, **values)
    return packed(model([graph(tensors, [step], computed, outs)], [code], buffers))


def variable(shape: Sequence[int] = (1, 4), kind: str = F32, read: Sequence[int] = (1, 4)) -> bytes:
    """A value [1, 4] that is added to a variable, and what it was before."""
    tensors = [
        tensor("x", (1, 4), kind),
        tensor("handle", (), "RESOURCE"),
        tensor("old", read, kind),
        tensor("new", shape, kind),
    ]
    steps = [
        operator(0, (), (1,), "VarHandle", container=b"", sharedName=b"v"),
        operator(1, (1,), (2,), "ReadVariable"),
        operator(2, (0, 0), (3,), "Add"),
        operator(3, (1, 3), (), "AssignVariable"),
    ]
    names = ["VAR_HANDLE", "READ_VARIABLE", "ADD", "ASSIGN_VARIABLE"]
    return packed(model([graph(tensors, steps, (0,), (2,))], names))


def conv(given: Piece, kernel: Piece, bias: Piece | None, out: Piece, **values: Any) -> bytes:
    """A CONV_2D."""
    return alone("CONV_2D", [given, kernel, bias], [out], "Conv2D", **{**CONV, **values})


def dense(given: Piece, kernel: Piece, bias: Piece | None, out: Piece, **values: Any) -> bytes:
    """A FULLY_CONNECTED."""
    return alone("FULLY_CONNECTED", [given, kernel, bias], [out], "FullyConnected", **values)


def attention(code: str, **values: Any) -> bytes:
    """Scaled dot product attention without a mask."""
    whole = [port((1, 2, 1, 4))] * 3
    return alone(code, whole, [port((1, 2, 1, 4))], "" if "custom" in values else "StableHLOComposite", **values)


def composite(**values: Any) -> bytes:
    """Attention as a composite, whose own subgraph is a mere addition."""
    parts = [tensor(name, (1, 2, 1, 4), F32) for name in ("query", "key", "value", "y")]
    step = operator(0, (0, 1, 2), (3,), "StableHLOComposite", decompositionSubgraphIndex=1, **values)
    graphs = [graph(parts, [each], (0, 1, 2), (3,)) for each in (step, operator(1, (0, 1), (3,), "Add"))]
    return packed(model(graphs, ["STABLEHLO_COMPOSITE", "ADD"]))


def unpacked(reader: str) -> bytes:
    """A float16 constant that is unpacked and then read by an operator of no options."""
    tensors = [
        tensor("packed", (1, 4), F16, 1),
        tensor("unpacked", (1, 4), F32),
        tensor("x", (1, 4), F32),
        tensor("y", (1, 4), "BOOL" if reader == "LESS" else F32),
    ]
    steps = [operator(0, (0,), (1,)), operator(1, (1, 2), (3,))]
    return packed(model([graph(tensors, steps, (2,), (3,))], ["DEQUANTIZE", reader], [bytes(8)]))


def beside() -> bytes:
    """What is taken and feeds nothing, what is left and feeds nothing, and what is an output."""
    tensors = [tensor("x", (1, 4), F32), *(tensor(name, (1, 4), F32) for name in "abcd")]
    steps = [operator(0, (0,), (1,)), operator(0, (1,), (2,)), operator(1, (1, 0), (3,)), operator(0, (0,), (4,))]
    return packed(model([graph(tensors, steps, (0,), (4,))], ["RELU", "ATAN2"]))


def shapeless() -> bytes:
    """A convolution of an image whose size is computed."""
    tensors = [
        tensor("x", IMAGE, F32),
        tensor("size", (2,), I32),
        tensor("resized", (), F32),
        tensor("kernel", (2, 3, 3, 4), F32, 1),
        tensor("bias", (2,), F32, 2),
        tensor("y", (), F32),
    ]
    steps = [operator(0, (0, 1), (2,), "ResizeNearestNeighbor"), operator(1, (2, 3, 4), (5,), "Conv2D", **CONV)]
    buffers = [bytes(4 * 72), bytes(8)]
    return packed(model([graph(tensors, steps, (0, 1), (5,))], ["RESIZE_NEAREST_NEIGHBOR", "CONV_2D"], buffers))


def elementwise(name: str, kind: str, inputs: int) -> bytes:
    """An operator on rows of a type, with the scales that its kernel asks for."""
    fixed = {"LOGISTIC": (1 / 256, -128, 0), "TANH": (1 / 128, 0, 128)}
    row = port((1, 4), kind, 0.1) if kind in (I8, U8) else port((1, 4), kind)
    out = row
    if name in fixed and kind in (I8, U8):
        scale, signed, unsigned = fixed[name]
        out = port((1, 4), kind, scale, zero=signed if kind == I8 else unsigned)
    read = [row, held((4,), kind, *row[3]["scales"])] if name == "PRELU" else [row] * inputs
    options = {"LEAKY_RELU": "LeakyRelu", "GELU": "Gelu", "ADD": "Add", "MUL": "Mul", "SUB": "Sub", "DIV": "Div"}
    return alone(name, read, [out], options.get(name, ""), **({"alpha": 0.1} if name == "LEAKY_RELU" else {}))
