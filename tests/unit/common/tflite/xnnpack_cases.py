"""One operator each, as XNNPACK takes it and as it does not, made by hand: the smallest inputs of the rules."""

import struct
from collections.abc import Iterator, Sequence
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
# Operators of the networks of test_xnnpack.py.
CONVERTED = {
    *("AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "PAD", "REDUCE_MAX", "REDUCE_MIN", "SUM"),
    *("TRANSPOSE", "TRANSPOSE_CONV"),
}
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


def cases() -> Iterator[tuple[str, bytes, tuple[str | None, ...]]]:
    """A name, a file, and for each of its operators what the rules say."""
    yield from _arithmetic()
    yield from _shapes()
    yield from _kernels()
    yield from _states()


def _arithmetic() -> Iterator[tuple[str, bytes, tuple[str | None, ...]]]:
    small, row = port((1, 4), I8, 0.1), port((1, 4))
    for name, scale, reason in (
        ("mul of a far too small output", 3e-35, "the product of the inputs' scales is 3.33e+32 times the output's"),
        ("mul below the least ratio", 700.0, "the product of the inputs' scales is 1.43e-05 times the output's"),
        ("mul", 0.1, None),
    ):
        yield name, alone("MUL", [small, small], [port((1, 4), I8, scale)], "Mul"), (reason,)
    for name, scale, reason in (
        ("add of a coarse input", 0.1 / 256, "the input's scale is 256 times the output's"),
        ("add", 0.1, None),
    ):
        yield name, alone("ADD", [small, small], [port((1, 4), I8, scale)], "Add"), (reason,)
    for name, scale, reason in (
        ("requantise at the limit", 128.0, None),
        ("beyond it", 129.0, "the input's scale is 129 times the output's"),
    ):
        yield name, alone("QUANTIZE", [port((1, 4), I8, scale)], [port((1, 4), I8, 1.0)]), (reason,)
    yield "int8 to uint8", alone("QUANTIZE", [small], [port((1, 4), U8, 0.1)]), ("int8 to uint8",)
    for alpha, reason in ((0.1, None), (0.0, "a slope of 0")):
        yield f"leaky {alpha}", alone("LEAKY_RELU", [row], [row], "LeakyRelu", alpha=alpha), (reason,)
    flat = alone("LEAKY_RELU", [small], [small], "LeakyRelu", alpha=0.001)
    yield "leaky of an int8 slope", flat, ("the slope is 0.001 in the scale of the output",)
    for beta, reason in ((1.0, None), (2.0, "a beta other than 1")):
        yield f"softmax {beta}", alone("SOFTMAX", [row], [row], "Softmax", beta=beta), (reason,)
    yield (
        "int8 softmax",
        alone("SOFTMAX", [small], [port((1, 4), I8, 1 / 256, zero=-128)], "Softmax", beta=1.0),
        ("int8 input",),
    )
    yield "fused tanh", alone("ADD", [row, row], [row], "Add", fusedActivationFunction=4), ("fused TANH or SIGN_BIT",)
    yield "seven dimensions", alone("ABS", [port((1,) * 7)], [port((1,) * 7)]), ("input of more than 6 dimensions",)
    yield "no values", alone("ABS", [port((0, 4))], [port((0, 4))]), ("input without values",)
    yield "slope that is computed", alone("PRELU", [row, port((4,))], [row]), ("input 1 is computed, not constant",)
    yield "slope", alone("PRELU", [row, held((4,))], [row]), (None,)
    yield "other operator", alone("SIGN", [row], [row]), ("XNNPACK has no such operator",)


def _shapes() -> Iterator[tuple[str, bytes, tuple[str | None, ...]]]:
    row, axis = port((1, 8)), held((), I32, of=1)
    for count, reason in ((1, "1 output, not 2 to 4"), (2, None), (8, "8 outputs, not 2 to 4")):
        outs = [port((1, 8 // count))] * count
        yield f"split in {count}", alone("SPLIT", [axis, row], outs, "Split", numSplits=count), (reason,)
    first, other = port((1, 4), U8, 0.1, zero=3), port((1, 4), U8, 0.2, zero=7)
    apart = "uint8 inputs of other scales or zero points than the output"
    for name, pieces, reason in (
        ("uint8 of other scales", [first, other], apart),
        ("uint8", [first, first], None),
        ("int8", [port((1, 4), I8, 0.1), port((1, 4), I8, 0.1)], None),
        ("six", [port((1, 4))] * 6, "6 inputs, not 2 to 5"),
    ):
        _, kind, _, quantised = pieces[0]
        out = port((1, 4 * len(pieces)), kind, *quantised["scales"], zero=quantised["zero"])
        yield f"concatenation of {name}", alone("CONCATENATION", pieces, [out], "Concatenation", axis=1), (reason,)
    for name, shape, new, reason in (
        ("flat", (8,), [-1], "to one dimension of any size"),
        ("to a known size", (8,), [8], None),
        ("to a row", (1, 8), [1, -1], None),
    ):
        yield f"reshape {name}", alone("RESHAPE", [row, held((len(new),), I32, of=new)], [port(shape)]), (reason,)
    yield (
        "reshape of a computed shape",
        alone("RESHAPE", [row, port((2,), I32)], [port((2, 4))]),
        ("input 1 is computed, not constant",),
    )
    requantised = alone("RESHAPE", [port((1, 8), I8, 0.1), held((1,), I32, of=[8])], [port((8,), I8, 0.2)])
    yield "reshape to another scale", requantised, ("output of another scale or zero point",)
    for size, reason in ((4, None), (-1, "a size of 0, or up to the end")):
        limits = [held((2,), I32, of=[0, 2]), held((2,), I32, of=[1, size])]
        yield f"slice of {size}", alone("SLICE", [row, *limits], [port((1, 4 if size > 0 else 6))]), (reason,)
    for name, stride, mask, reason in (
        ("", 1, 0, None),
        (" of stride 2", 2, 0, "strides other than 1"),
        (" that drops a side", 1, 1, "it adds or removes dimensions"),
    ):
        limits = [held((2,), I32, of=values) for values in ([0, 0], [1, 8], [1, stride])]
        out = port((8 // stride,) if mask else (1, 8 // stride))
        yield (
            f"strided slice{name}",
            alone("STRIDED_SLICE", [row, *limits], [out], "StridedSlice", shrinkAxisMask=mask),
            (reason,),
        )
    image = port(IMAGE)
    for block, channels, reason in ((2, 16, None), (1, 4, "blocks of 1")):
        out = port((1, 8 // block, 8 // block, channels))
        yield f"blocks of {block}", alone("SPACE_TO_DEPTH", [image], [out], "SpaceToDepth", blockSize=block), (reason,)
    for side, reason in ((2, None), (1, "strides larger than the window")):
        pool = {**POOL, "filterHeight": side, "filterWidth": side}
        yield f"pool of {side}", alone("MAX_POOL_2D", [image], [port((1, 4, 4, 4))], "Pool2D", **pool), (reason,)
    yield (
        "size that is computed",
        alone("RESIZE_BILINEAR", [image, port((2,), I32)], [port((1, 16, 16, 4))], "ResizeBilinear"),
        ("input 1 is computed, not constant",),
    )
    yield "mean", alone("MEAN", [image, held((2,), I32, of=[1, 2])], [port((1, 4))], "Reducer"), (None,)


def _kernels() -> Iterator[tuple[str, bytes, tuple[str | None, ...]]]:
    image, out, bias = port(IMAGE), port((1, 8, 8, 2)), held((2,))
    kernel = held((2, 3, 3, 4))
    yield "conv", conv(image, kernel, bias, out), (None,)
    yield "conv without a shape", shapeless(), ("XNNPACK has no such operator", "input without a shape")
    yield (
        "conv of a computed kernel",
        conv(image, port((2, 3, 3, 4)), bias, out),
        ("input 1 is computed, not constant",),
    )
    row, three = port((1, 8)), port((1, 3))
    yield "dense", dense(row, held((3, 8)), held((3,)), three), (None,)
    yield "dense of a computed kernel", dense(row, port((3, 8)), None, three), ("input 1 is computed, not constant",)
    int8, result = port((1, 8), I8, 0.1), port((1, 3), I8, 0.1)
    for zero, reason in ((0, None), (3, "a zero point of 3 in the kernel")):
        yield f"int8 dense of zero point {zero}", dense(int8, held((3, 8), I8, 0.1, zero=zero), None, result), (reason,)
    yield "hybrid dense", dense(row, held((3, 8), I8, 0.1, 0.1, 0.1), None, three), (None,)
    yield "uint8 kernel", dense(row, held((3, 8), U8, 0.1), None, three), ("uint8 kernel with float32 input",)
    first, second = port((1, 2, 3)), port((1, 3, 2))
    yield "matrices", alone("BATCH_MATMUL", [first, second], [port((1, 2, 2))], "BatchMatMul"), (None,)
    given, made = port((1, 4, 4, 8)), port((1, 8, 8, 2))
    deconvolution = struct.pack("<iii", 1, 2, 2) + bytes(8)
    yield (
        "deconvolution of MediaPipe",
        alone("CUSTOM:Convolution2DTransposeBias", [given, held((2, 2, 2, 8)), bias], [made], custom=deconvolution),
        (None,),
    )
    pool = struct.pack("<iiiii", 2, 2, 2, 2, 2) + bytes(8)
    small = port((1, 4, 4, 4))
    yield (
        "argmax pool of MediaPipe",
        alone("CUSTOM:MaxPoolingWithArgmax2D", [image], [small, small], custom=pool),
        (None,),
    )
    yield "unpool of MediaPipe", alone("CUSTOM:MaxUnpooling2D", [small, small], [image], custom=pool), (None,)
    yield "attention", attention(f"CUSTOM:{ATTENTION}", custom=EMPTY_MAP), (None,)
    for name, reason in ((ATTENTION, None), ("odml.rms_norm", "XNNPACK has no such operator")):
        values = {"name": name.encode(), "compositeAttributes": np.frombuffer(EMPTY_MAP, np.uint8)}
        yield f"composite {name}", composite(**values), (reason,)


def _states() -> Iterator[tuple[str, bytes, tuple[str | None, ...]]]:
    yield "variable", variable(), (None, None, None, None)
    other = "its variable has another type or shape before"
    yield "variable of two shapes", variable(read=(1, 2)), (None, None, None, other)
    unknown, nothing = "int32 output", "XNNPACK takes nothing that reads or assigns it"
    yield "int32 variable", variable(kind=I32), (nothing, unknown, "int32 input", "int32 input")
    yield "unpacked for what XNNPACK takes", unpacked("ADD"), (None, None)
    yield (
        "unpacked for what it leaves",
        unpacked("LESS"),
        ("XNNPACK leaves what reads it", "XNNPACK has no such operator"),
    )
    yield "what feeds nothing", beside(), (None, None, "XNNPACK has no such operator", None)


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
