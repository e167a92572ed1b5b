"""Another reader of .tflite files, to hold edgeproof's against: the `tflite` package and numpy, nothing of edgeproof.

    python -m venv reader && reader/bin/pip install tflite numpy
    reader/bin/python tests/benchmarks/independent_reader.py one.tflite another.tflite

Prints a line of JSON per file, null where it cannot be read: operators with their multiply-accumulates, constants,
ports, signatures and metadata. Everything is read whole and in the plainest way. What the package lacks is null.
"""

import json
import sys
import zlib
from typing import Any

import flatbuffers
import numpy as np
import tflite  # type: ignore[import-not-found]

TYPES = {number: name for name, number in vars(tflite.TensorType).items() if not name.startswith("_")}
NAMES = {number: name for name, number in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
NUMPY = {
    "FLOAT32": "f4", "FLOAT16": "f2", "FLOAT64": "f8", "INT8": "i1", "INT16": "i2", "INT32": "i4", "INT64": "i8",
    "UINT8": "u1", "UINT16": "u2", "UINT32": "u4", "UINT64": "u8", "BOOL": "?",
}  # fmt: skip
AXES = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0, "DEPTHWISE_CONV_2D": 3}
# What calls other subgraphs, and newer operators than the package's.
NOT_CHECKED = ("CALL", "IF", "WHILE", "STABLEHLO_COMPOSITE", "STABLEHLO_WHILE", "STABLEHLO_DOT_GENERAL")


def shape(tensor: Any) -> list[int]:
    """A tensor's sides."""
    return [int(tensor.Shape(at)) for at in range(tensor.ShapeLength())]


def product(sides: list[int]) -> int:
    """Number of elements, an open side once."""
    found = 1
    for side in sides:
        found *= max(side, 1) if side < 0 else side
    return found


class Reader:
    """A file, read once."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.model = tflite.Model.GetRootAs(content, 0)

    def data(self, tensor: Any) -> Any:
        """The bytes of a constant; None for what is computed."""
        if tensor.IsVariable() or not self.model.BuffersLength():
            return None
        buffer = self.model.Buffers(tensor.Buffer())
        if getattr(buffer, "Offset", lambda: 0)() > 1:
            return np.frombuffer(self.content, "u1", buffer.Size(), buffer.Offset())
        found = buffer.DataAsNumpy()
        return None if isinstance(found, int) or not len(found) else found

    def values(self, tensor: Any) -> Any:
        """The stored values, of four bits unpacked; None where the type is not known."""
        data, kind = self.data(tensor), TYPES.get(tensor.Type())
        if data is None:
            return None
        if kind == "INT4":
            nibbles = np.stack([data & 15, data >> 4], axis=1).ravel()[: product(shape(tensor))].astype("i1")
            return np.where(nibbles > 7, nibbles - 16, nibbles)
        return np.frombuffer(data.tobytes(), NUMPY[kind]) if kind in NUMPY else None

    def constant(self, tensor: Any, axis: int | None) -> dict[str, Any] | None:
        """The figures of a constant; None for what is none or of a type that is not known."""
        found = self.values(tensor)
        if found is None:
            return None
        sides, scaled = shape(tensor), tensor.Quantization()
        count = product(sides)
        scales = [] if scaled is None or isinstance(scaled.ScaleAsNumpy(), int) else list(scaled.ScaleAsNumpy())
        points = [0] if not scales or isinstance(scaled.ZeroPointAsNumpy(), int) else list(scaled.ZeroPointAsNumpy())
        sparse = tensor.Sparsity() is not None
        along = scaled.QuantizedDimension() if len(scales) > 1 else None
        # Old files give a bias the axis of its kernel, which only matters where the points differ.
        if sparse or len(set(points)) == 1:
            nonzero = int((found != points[0]).sum())
        else:
            turned = np.moveaxis(found.reshape(sides), along or 0, 0)
            nonzero = sum(int((row != point).sum()) for row, point in zip(turned, points, strict=True))
        unique = None
        if not sparse:
            rows = [found] if axis is None else [r.ravel() for r in np.moveaxis(found.reshape(sides), axis, 0)]
            unique = max((len(np.unique(row)) for row in rows), default=0) if count else 0
        return {
            "name": (tensor.Name() or b"").decode("utf-8", "replace"),
            "shape": sides,
            "bytes": len(self.data(tensor)),
            "zeros": 1 - nonzero / count if count else 0.0,
            "unique": unique,
            "scales": len(scales),
            "low": float(min(scales)) if scales else None,
            "high": float(max(scales)) if scales else None,
            "axis": along,
        }

    def code(self, operator: Any) -> str:
        """An operator's name."""
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        # The package takes the older field for small codes; LiteRT takes the larger of both.
        at = code._tab.Offset(10)
        newer = code._tab.Get(flatbuffers.number_types.Int32Flags, at + code._tab.Pos) if at else 0
        name = NAMES.get(max(newer, code.DeprecatedBuiltinCode()), "")
        return f"CUSTOM:{(code.CustomCode() or b'').decode('utf-8', 'replace')}" if name == "CUSTOM" else name

    def macs(self, graph: Any, operator: Any) -> int | str | None:
        """Multiply-accumulates, 'unknown', or None for what is not checked."""
        name = self.code(operator)
        read = [int(operator.Inputs(at)) for at in range(operator.InputsLength())]
        given = [None if index < 0 else shape(graph.Tensors(index)) for index in read]
        outs = [shape(graph.Tensors(operator.Outputs(at))) for at in range(operator.OutputsLength())]
        if not name or name in NOT_CHECKED:
            return None
        if name.startswith("CUSTOM:") and name != "CUSTOM:Convolution2DTransposeBias":
            return "unknown"
        try:
            return self._product(name, given, outs, operator) if self._multiplies(name) else 0
        except (IndexError, TypeError):
            return "unknown"

    @staticmethod
    def _multiplies(name: str) -> bool:
        words = ("CONV_", "_CONV", "FULLY_CONNECTED", "MATMUL", "LSTM", "RNN", "SVDF", "TransposeBias")
        return any(word in name for word in words)

    @staticmethod
    def _product(name: str, given: list[Any], outs: list[Any], operator: Any) -> int | str:
        """What the definition of each operator sums up, by hand."""
        if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            n, h, w, c = outs[0] if len(outs[0]) == 4 else (None,) * 4
            _, kh, kw, depth = given[1]
            return "unknown" if n is None else abs(n) * h * w * c * kh * kw * (1 if "DEPTH" in name else depth)
        if name == "FULLY_CONNECTED":
            return product(outs[0]) * given[1][1] if outs[0] else "unknown"
        if name in ("TRANSPOSE_CONV", "CUSTOM:Convolution2DTransposeBias"):
            image = given[2] if name == "TRANSPOSE_CONV" else given[0]
            return product(image) * given[1][0] * given[1][1] * given[1][2] if image else "unknown"
        if name == "CONV_3D":
            return product(outs[0]) * product(given[1][:4]) if outs[0] else "unknown"
        if name == "CONV_3D_TRANSPOSE":
            return product(given[2]) * product(given[1][:4])
        if name == "BATCH_MATMUL":
            options = tflite.BatchMatMulOptions()
            table = operator.BuiltinOptions()
            if table is not None:
                options.Init(table.Bytes, table.Pos)
            return product(outs[0]) * int(given[0][-2 if table is not None and options.AdjX() else -1])
        steps = product(given[0][:-1])
        if name == "LSTM" and len(given) == 5:
            return steps * product(given[2])
        matrices = {"SVDF": [1, 2], "RNN": [1, 2], "UNIDIRECTIONAL_SEQUENCE_RNN": [1, 2]}
        matrices["BIDIRECTIONAL_SEQUENCE_RNN"] = [1, 2, 5, 6, 10, 11]
        matrices["LSTM"] = matrices["UNIDIRECTIONAL_SEQUENCE_LSTM"] = [*range(1, 9), 16]
        two = [*range(1, 9), 16, *range(18, 26), 33, *range(40, 48)]
        matrices["BIDIRECTIONAL_SEQUENCE_LSTM"] = two
        return steps * sum(product(given[at]) for at in matrices[name] if at < len(given) and given[at])

    def port(self, tensor: Any) -> dict[str, Any]:
        """An input or output."""
        scaled = tensor.Quantization()
        scale = None if scaled is None or isinstance(scaled.ScaleAsNumpy(), int) else float(scaled.ScaleAsNumpy()[0])
        sides = [int(tensor.ShapeSignature(at)) for at in range(tensor.ShapeSignatureLength())]
        return {
            "name": (tensor.Name() or b"").decode("utf-8", "replace"),
            "shape": shape(tensor),
            "open": sides if -1 in sides else [],
            "scale": scale,
        }

    def graph(self, graph: Any) -> dict[str, Any]:
        """A subgraph."""
        operators = [graph.Operators(at) for at in range(graph.OperatorsLength())]
        made: dict[int, int] = {}
        for operator in operators:
            if self.code(operator) in ("DEQUANTIZE", "DENSIFY"):
                source = made.get(operator.Inputs(0), operator.Inputs(0))
                if self.data(graph.Tensors(source)) is not None:
                    made[operator.Outputs(0)] = source
        axes = {}
        for operator in operators:
            if self.code(operator) in AXES and operator.InputsLength() > 1:
                axes[made.get(operator.Inputs(1), operator.Inputs(1))] = AXES[self.code(operator)]
        tensors = [graph.Tensors(at) for at in range(graph.TensorsLength())]
        constants = [self.constant(tensor, axes.get(at)) for at, tensor in enumerate(tensors)]
        return {
            "operators": [[self.code(operator), self.macs(graph, operator)] for operator in operators],
            "constants": [each for each in constants if each is not None],
            "inputs": [self.port(tensors[graph.Inputs(at)]) for at in range(graph.InputsLength())],
            "outputs": [self.port(tensors[graph.Outputs(at)]) for at in range(graph.OutputsLength())],
        }

    def file(self) -> dict[str, Any]:
        """All of it."""
        model, sizes = self.model, {}
        graphs = [model.Subgraphs(at) for at in range(model.SubgraphsLength())]
        for graph in graphs:
            for at in range(graph.TensorsLength()):
                data = self.data(graph.Tensors(at))
                if data is not None:
                    sizes[graph.Tensors(at).Buffer()] = len(data)
        ways = [model.SignatureDefs(at) for at in range(model.SignatureDefsLength())]
        return {
            "graphs": [self.graph(graph) for graph in graphs],
            "metadata": [model.Metadata(at).Name().decode() for at in range(model.MetadataLength())],
            "signatures": [[way.SignatureKey().decode(), way.SubgraphIndex()] for way in ways],
            "weight_bytes": sum(sizes.values()),
            "deflated_bytes": len(zlib.compress(self.content, 6)),
        }


def main(paths: list[str]) -> None:
    """A line per file."""
    for path in paths:
        try:
            with open(path, "rb") as stream:  # noqa: PTH123
                print(json.dumps(Reader(stream.read()).file()), flush=True)
        except Exception as error:  # The package raises whatever it meets.
            print(f"{path}: {error!r}", file=sys.stderr)
            print("null", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
