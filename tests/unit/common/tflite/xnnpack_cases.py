"""One operator each, as XNNPACK takes it and as it does not: the smallest inputs of the rules."""

import struct
from collections.abc import Iterator

import numpy as np

from tests.unit.common.tflite.alone import (
    ATTENTION,
    EMPTY_MAP,
    F16,
    I8,
    I32,
    IMAGE,
    POOL,
    U8,
    alone,
    attention,
    beside,
    composite,
    conv,
    dense,
    held,
    port,
    shapeless,
    unpacked,
    variable,
)

# Operators of the networks of test_xnnpack.py.
CONVERTED = {
    *("AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "PAD", "REDUCE_MAX", "REDUCE_MIN", "SUM"),
    *("TRANSPOSE", "TRANSPOSE_CONV"),
}


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
    for name, given, out in (("hybrid", row, three), ("int8", int8, result)):
        for scales in ((0.1,), (0.1, 0.1, 0.1)):
            kernel4 = ((3, 8), "INT4", bytes(12), {"scales": scales, "zero": 0, "axis": 0})
            yield f"{name} dense of {len(scales)} scales in int4", dense(given, kernel4, None, out), (None,)
    odd = ((3, 7), "INT4", bytes(11), {"scales": (0.1,) * 3, "zero": 0, "axis": 0})
    yield "odd dense in int4", dense(port((1, 7)), odd, None, three), ("a row of the kernel ends within a byte",)
    halves = dense(port((1, 8), F16), held((3, 8), I8, 0.1, 0.1, 0.1), None, port((1, 3), F16))
    yield "hybrid dense in float16", halves, (None,)
    pool = alone("MAX_POOL_2D", [port(IMAGE, F16)], [port((1, 4, 4, 4), F16)], "Pool2D", **POOL)
    yield "pool in float16", pool, ("float16 input",)
    whole, many = port((1, 2, 3), I8, 0.1), held((1, 3, 2), I8, 0.1, 0.1, axis=2)
    several = alone("BATCH_MATMUL", [whole, many], [port((1, 2, 2), I8, 0.1)], "BatchMatMul")
    yield "int8 matrices of several scales", several, ("int8 matrices of which one has several scales",)
    for zero, reason in ((0, None), (2, "a zero point of 2 in the kernel")):
        size, channels = held((4,), I32, of=[1, 16, 16, 2]), held((2, 3, 3, 3), I8, 0.1, 0.1, zero=zero)
        ends = port((1, 8, 8, 3), I8, 0.1), port((1, 16, 16, 2), I8, 0.1)
        turned = alone("TRANSPOSE_CONV", [size, channels, ends[0]], [ends[1]], "TransposeConv", strideH=2, strideW=2)
        yield f"transposed convolution of zero point {zero}", turned, (reason,)
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
