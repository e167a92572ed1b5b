"""Small .tflite files of every sort that the reader has code for, made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from common.tflite.reader import inspect
from jobs.choose.metadata import Description, build_metadata
from jobs.choose.package import package
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor
from tests.unit.common.tflite.test_work import dense, lstm, options, signature

FLOAT = "FLOAT32"
RANDOM = np.random.default_rng(0)


def _single(code: str, inputs: list[Any], output: tuple[int, ...], *buffers: bytes) -> bytes:
    tensors = [each for each in inputs if each is not None]
    places = [-1 if each is None else next(i for i, t in enumerate(tensors) if t is each) for each in inputs]
    made = graph([*tensors, tensor("y", output, FLOAT)], [operator(0, places, [len(tensors)])], [0], [len(tensors)])
    return packed(model([made], [code], buffers))


def _recurrent() -> bytes:
    inputs = [tensor("x", (1, 6, 8), FLOAT), *lstm(8, 8)]
    buffers = []
    for each in inputs[1:]:
        if each is not None and each.quantization is not None:
            buffers.append(RANDOM.integers(-99, 99, 64, np.int8).tobytes())
            each.buffer = len(buffers)
    return _single("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, (1, 6, 8), *buffers)


def _signatures() -> bytes:
    made = model([dense(4, "prefill"), dense(1, "decode")], ["FULLY_CONNECTED"], [np.ones(24, np.float32).tobytes()])
    made.signatureDefs = [signature("p", 0, {"tokens": 0}, {"logits": 2}), signature("d", 1, {"x": 0}, {"y": 2})]
    return packed(made)


def _calls(code: str, kind: str, **values: int) -> bytes:
    ends = [tensor("a", (1, 8), FLOAT), tensor("b", (1, 3), FLOAT)]
    main = graph(ends, [options(operator(1, (0,), (1,)), kind, **values)], (0,), (1,))
    return packed(model([main, dense(1, "body"), dense(2, "other")], ["FULLY_CONNECTED", code], [bytes(96)]))


def _blocks() -> bytes:
    weights = tensor("w", (4, 64), "INT4", 1)
    weights.quantization = schema.QuantizationParametersT()
    weights.quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
    weights.quantization.details = schema.BlockwiseQuantizationT()
    weights.quantization.details.scales, weights.quantization.details.zeroPoints = 3, 4
    weights.quantization.details.blockSize = 32
    parts = [
        tensor("x", (1, 64), FLOAT), weights, tensor("y", (1, 4), FLOAT),
        tensor("s", (4, 2), "FLOAT16", 2), tensor("z", (4, 2), "INT8", 3),
    ]  # fmt: skip
    buffers = [RANDOM.bytes(128), np.ones(8, np.float16).tobytes(), bytes(range(8))]
    return packed(model([graph(parts, [operator(0, (0, 1, -1), (2,))], (0,), (2,))], ["FULLY_CONNECTED"], buffers))


def _channels() -> bytes:
    kernel = tensor("k", (1, 3, 3, 4), "INT8", 1, scales=[0.1, 0.2, 0.3, 0.4], axis=3)
    kernel.quantization.zeroPoint = [1, 2, -3, 0]
    given = [tensor("x", (1, 8, 8, 4), FLOAT), kernel, None]
    return _single("DEPTHWISE_CONV_2D", given, (1, 8, 8, 4), RANDOM.integers(-9, 9, 36, np.int8).tobytes())


def _sparse() -> bytes:
    kernel = tensor("k", (4, 4), FLOAT, 1)
    kernel.sparsity = schema.SparsityParametersT()
    kernel.sparsity.traversalOrder, kernel.sparsity.blockMap = [0, 1], []
    level, packed_level = schema.DimensionMetadataT(), schema.DimensionMetadataT()
    level.format, level.denseSize = schema.DimensionType.DENSE, 4
    packed_level.format = schema.DimensionType.SPARSE_CSR
    for name, values in (("Segments", [0, 1, 2, 3, 4]), ("Indices", [0, 3, 1, 2])):
        vector = schema.Uint8VectorT()
        vector.values = values
        setattr(packed_level, f"array{name}", vector)
        setattr(packed_level, f"array{name}Type", schema.SparseIndexVector.Uint8Vector)
    kernel.sparsity.dimMetadata = [level, packed_level]
    parts = [tensor("x", (1, 4), FLOAT), kernel, tensor("d", (4, 4), FLOAT), tensor("y", (1, 4), FLOAT)]
    steps = [operator(0, (1,), (2,)), operator(1, (0, 2, -1), (3,))]
    data = np.arange(1, 5, dtype=np.float32).tobytes()
    return packed(model([graph(parts, steps, (0,), (3,))], ["DENSIFY", "FULLY_CONNECTED"], [data]))


def _outside() -> bytes:
    values = RANDOM.random(64, np.float32)
    made = model([graph([tensor("k", (8, 8), FLOAT, 1)], [], [], [])], ["ADD"], [b"x"])
    made.buffers[1].data, made.buffers[1].offset, made.buffers[1].size = None, 4096, values.nbytes
    return packed(made).ljust(4096, b"\0") + values.tobytes()


def handmade() -> dict[str, bytes]:
    """The files by name."""
    tiny = Path("tests/devices/tiny.tflite").read_bytes()
    found = inspect(tiny)
    about = build_metadata(Description("n", "t", "1", "labels.txt"), found.inputs[0], found.outputs[0])
    table = RANDOM.random((50, 3), np.float32).tobytes()
    ids = tensor("ids", (1, 5), "INT32")
    return {
        "recurrent": _recurrent(),
        "two signatures": _signatures(),
        "blocks of 4 bits": _blocks(),
        "zero points of channels": _channels(),
        "sparse": _sparse(),
        "metadata": package(tiny, about, b"a\nb\n"),
        "called": _calls("CALL", "CallOptions", subgraph=1),
        "a loop": _calls("WHILE", "WhileOptions", condSubgraphIndex=2, bodySubgraphIndex=1),
        "tokens": _single("GATHER", [tensor("table", (50, 3), FLOAT, 1), ids], (1, 5, 3), table),
        "buffer outside": _outside(),
        "composite": _calls("STABLEHLO_COMPOSITE", "StableHLOCompositeOptions", decompositionSubgraphIndex=1),
        "branches": _calls("IF", "IfOptions", thenSubgraphIndex=1, elseSubgraphIndex=2),
        "tiny": tiny,
        "3-D": _single(
            "CONV_3D", [tensor("x", (1, 3, 5, 6, 6), FLOAT), tensor("w", (2, 3, 3, 6, 5), FLOAT)], (1, 2, 3, 4, 5)
        ),
        "custom": _single("CUSTOM:Own", [tensor("x", (1, 8), FLOAT)], (1, 8)),
        "SVDF": _single(
            "SVDF", [tensor("x", (2, 8), FLOAT), tensor("f", (6, 8), "INT8"), tensor("t", (6, 10), "INT8")], (2, 3)
        ),
        "few bits": _single(
            "FULLY_CONNECTED",
            [tensor("x", (1, 9), FLOAT), tensor("w", (3, 9), "INT2", 1, scales=[1.0])], (1, 3), bytes(7),
        ),
        "product": _single("BATCH_MATMUL", [tensor("a", (2, 5, 7), FLOAT), tensor("b", (2, 7, 3), FLOAT)], (2, 5, 3)),
        "embedding": _single("EMBEDDING_LOOKUP", [ids, tensor("table", (50, 3), FLOAT, 1)], (5, 3), table),
        "shape": _single("SHAPE", [tensor("x", (1, 4), FLOAT)], (2,)),
    }  # fmt: skip
