"""The flatbuffer taken apart: a .tflite file's bytes to plain values. Trusts nothing that stands in the file.

Format: tensorflow/compiler/mlir/lite/schema/schema.fbs; the generated reader ships with ai-edge-litert.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from common.schema.tflite import Quantization
from common.tflite.damage import DAMAGE, damaged
from common.tflite.kinds import IDENTIFIER, other_kind
from common.tflite.opened import Content
from common.tflite.quantisation import NONE, affine, blockwise

# Every entry of a vector of tables takes an offset of four bytes.
OFFSET_BYTES = 4
# A buffer that says so lies behind the flatbuffer: the format's way past 2 GB. 0 and 1 mean that it does not.
FIRST_OUTSIDE = 2
Bytes = npt.NDArray[np.uint8]


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


OPERATORS, TYPES = _names(schema.BuiltinOperator), _names(schema.TensorType)


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a sparse tensor: dense of `size`, or sparse with the segments and indices of CSR."""

    size: int
    segments: npt.NDArray[Any] | None
    indices: npt.NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class Sparsity:
    """`order` and `block_map` as in SparsityParameters of the schema; a level per entry of `order`."""

    order: tuple[int, ...]
    block_map: tuple[int, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class FlatTensor:
    """A tensor of a graph. `data` are the stored bytes, None where the value is computed or lies in another file; a
    `variable` one keeps its value from one inference to the next;
    `open_shape` has -1 for sides that a caller chooses, and is empty where there are none. `zero_points` int64 has one
    for all, one per scale along the quantisation's axis, or one per block, row by row."""

    name: str
    shape: tuple[int, ...]
    open_shape: tuple[int, ...]
    type: str
    quantization: Quantization | None
    zero_points: npt.NDArray[np.int64]
    buffer: int
    data: Bytes | None
    constant: bool
    variable: bool
    sparsity: Sparsity | None

    @property
    def zero_point(self) -> int:
        """The one for all, or the first."""
        return int(self.zero_points[0])


@dataclass(frozen=True, slots=True)
class FlatOperator:
    """An operator; `options` is the generated options object of its kind, or None. Inputs of -1 are left out ones."""

    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True, slots=True)
class Graph:
    """A subgraph; inputs and outputs are indices of its tensors."""

    name: str
    tensors: tuple[FlatTensor, ...]
    operators: tuple[FlatOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FlatSignature:
    """A named way into a subgraph: indices of its tensors by the names that callers use."""

    name: str
    graph: int
    inputs: dict[str, int]
    outputs: dict[str, int]


@dataclass(frozen=True, slots=True)
class FlatFile:
    """The subgraphs, of which the first is the main one, the names of the metadata, and the signatures. `faults` says
    what of single tensors could not be read."""

    graphs: tuple[Graph, ...]
    metadata: tuple[str, ...]
    signatures: tuple[FlatSignature, ...] = ()
    faults: tuple[str, ...] = ()


def parse(content: Content) -> FlatFile:
    """Take a .tflite file apart. Raises EdgeproofError when it is not one or damaged.

    Work and memory are bounded by the file's size, whatever stands in it.
    """
    if content[4:8] != IDENTIFIER:
        raise other_kind(content)
    try:
        return _Parser(content).file()
    except DAMAGE as error:
        raise damaged(error) from None


class _OverdrawnError(ValueError):
    """The file as a whole claims too much; no single tensor is to blame."""


class _Parser:
    def __init__(self, content: Content) -> None:
        self._faults: list[str] = []
        self._content = content
        self._model = schema.Model.GetRootAs(content)
        # Vectors that overlap could name more entries than there is room for.
        self._left = len(content) // OFFSET_BYTES

    def file(self) -> FlatFile:
        model = self._model
        self._codes = [self._code(code) for code in self._all(model.OperatorCodesLength(), model.OperatorCodes)]
        self._buffers = [self._buffer(buffer) for buffer in self._all(model.BuffersLength(), model.Buffers)]
        graphs = tuple(self._graph(graph) for graph in self._all(model.SubgraphsLength(), model.Subgraphs))
        if not graphs:
            raise ValueError("it has no subgraph")
        names = (self._text(entry.Name()) for entry in self._all(model.MetadataLength(), model.Metadata))
        signatures = (self._signature(entry) for entry in self._all(model.SignatureDefsLength(), model.SignatureDefs))
        return FlatFile(graphs, tuple(names), tuple(signatures), tuple(self._faults))

    def _signature(self, entry: Any) -> FlatSignature:
        inputs = self._ports(entry.InputsLength(), entry.Inputs)
        outputs = self._ports(entry.OutputsLength(), entry.Outputs)
        return FlatSignature(self._text(entry.SignatureKey()), int(entry.SubgraphIndex()), inputs, outputs)

    def _ports(self, length: int, entry: Callable[[int], Any]) -> dict[str, int]:
        return {self._text(port.Name()): int(port.TensorIndex()) for port in self._all(length, entry)}

    def _spend(self, entries: int) -> None:
        self._left -= entries
        if self._left < 0:
            raise _OverdrawnError("it names more entries than it has room for")

    def _all(self, length: int, entry: Callable[[int], Any]) -> Iterator[Any]:
        self._spend(length)
        return (entry(index) for index in range(length))

    def _numbers(self, vector: Any) -> tuple[int, ...]:
        if np.ndim(vector) == 0:
            return ()
        self._spend(len(vector))
        return tuple(int(value) for value in vector)

    def _text(self, text: bytes | None) -> str:
        self._spend(len(text or b"") // OFFSET_BYTES)
        return (text or b"").decode("utf-8", "replace")

    def _code(self, code: Any) -> tuple[str, int]:
        # Old files keep small codes in the deprecated field.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = OPERATORS.get(number, f"UNKNOWN_{number}")
        custom = self._text(code.CustomCode())
        return (f"CUSTOM:{custom}" if name == "CUSTOM" else name), int(code.Version())

    def _buffer(self, buffer: Any) -> Bytes | None:
        offset, size = buffer.Offset(), buffer.Size()
        if offset >= FIRST_OUTSIDE:
            if offset + size > len(self._content):
                raise ValueError("a buffer lies behind the end of the file")
            return np.frombuffer(self._content, np.uint8, size, offset)
        data = buffer.DataAsNumpy()
        return data if np.ndim(data) and len(data) else None

    def _graph(self, graph: Any) -> Graph:
        tensors = tuple(self._tensor(tensor, graph) for tensor in self._all(graph.TensorsLength(), graph.Tensors))
        operators = tuple(self._operator(op) for op in self._all(graph.OperatorsLength(), graph.Operators))
        inputs, outputs = self._numbers(graph.InputsAsNumpy()), self._numbers(graph.OutputsAsNumpy())
        used = [*inputs, *outputs, *(index for op in operators for index in (*op.inputs, *op.outputs))]
        if any(index >= len(tensors) or index < -1 for index in used) or -1 in (*inputs, *outputs):
            raise ValueError("an operator or a port names a tensor that does not exist")
        return Graph(self._text(graph.Name()), tensors, operators, inputs, outputs)

    def _tensor(self, tensor: Any, graph: Any) -> FlatTensor:
        index, external, name = tensor.Buffer(), tensor.ExternalBuffer(), self._text(tensor.Name())
        # A file may leave out even the empty buffer that stands for what is computed.
        if index >= max(1, len(self._buffers)):
            self._faults.append(f"tensor {name!a} names a buffer that does not exist")
            index = 0
        data = None if tensor.IsVariable() or not self._buffers else self._buffers[index]
        constant = data is not None or external > 0
        quantization, zero_points, sparsity = None, NONE, None
        try:
            quantization, zero_points = self._quantization(tensor, graph)
            sparsity = self._sparsity(tensor.Sparsity())
        except _OverdrawnError:
            raise
        except DAMAGE as error:
            self._faults.append(f"tensor {name!a} cannot be read: {error}")
            data = None
        return FlatTensor(
            name=name,
            shape=self._numbers(tensor.ShapeAsNumpy()),
            open_shape=self._numbers(tensor.ShapeSignatureAsNumpy()),
            type=TYPES.get(tensor.Type(), "UNKNOWN"),
            quantization=quantization,
            zero_points=zero_points,
            buffer=index,
            data=data,
            constant=constant,
            variable=bool(tensor.IsVariable()),
            sparsity=sparsity,
        )

    def _operator(self, op: Any) -> FlatOperator:
        name, version = "UNKNOWN", 0
        if op.OpcodeIndex() < len(self._codes):
            name, version = self._codes[op.OpcodeIndex()]
        else:
            self._faults.append(f"an operator has the code {op.OpcodeIndex()}, which does not exist")
        options = schema.BuiltinOptionsCreator(op.BuiltinOptionsType(), op.BuiltinOptions())
        if options is None:
            # Where the first union had no room left.
            options = schema.BuiltinOptions2Creator(op.BuiltinOptions2Type(), op.BuiltinOptions2())
        inputs, outputs = self._numbers(op.InputsAsNumpy()), self._numbers(op.OutputsAsNumpy())
        return FlatOperator(name, version, inputs, outputs, options)

    def _quantization(self, tensor: Any, graph: Any) -> tuple[Quantization | None, npt.NDArray[np.int64]]:
        parameters = tensor.Quantization()
        if parameters is None:
            return None, NONE
        if parameters.DetailsType() == schema.QuantizationDetails.BlockwiseQuantization:
            details, blocks = parameters.Details(), schema.BlockwiseQuantization()
            blocks.Init(details.Bytes, details.Pos)
            made = blockwise(blocks, lambda index: self._stored(graph, index))
        else:
            self._spend(parameters.ScaleLength() + parameters.ZeroPointLength())
            made = affine(parameters)
        found, points = made
        if found is not None and found.not_finite:
            self._faults.append(f"tensor {self._text(tensor.Name())!a} has a scale that is not a finite number")
        return found, points

    def _stored(self, graph: Any, index: int) -> tuple[str, Bytes | None]:
        if not 0 <= index < graph.TensorsLength() or graph.Tensors(index).Buffer() >= len(self._buffers):
            return "UNKNOWN", None
        tensor = graph.Tensors(index)
        data = self._buffers[tensor.Buffer()]
        self._spend(0 if data is None else len(data) // OFFSET_BYTES)
        return TYPES.get(tensor.Type(), "UNKNOWN"), data

    def _sparsity(self, sparsity: Any) -> Sparsity | None:
        if sparsity is None:
            return None
        levels = tuple(self._level(level) for level in self._all(sparsity.DimMetadataLength(), sparsity.DimMetadata))
        order, blocks = self._numbers(sparsity.TraversalOrderAsNumpy()), self._numbers(sparsity.BlockMapAsNumpy())
        return Sparsity(order, blocks, levels)

    @staticmethod
    def _level(level: Any) -> Level:
        if level.Format() == schema.DimensionType.DENSE:
            return Level(int(level.DenseSize()), None, None)
        segments = schema.SparseIndexVectorCreator(level.ArraySegmentsType(), level.ArraySegments())
        indices = schema.SparseIndexVectorCreator(level.ArrayIndicesType(), level.ArrayIndices())
        return Level(0, np.asarray(segments.values), np.asarray(indices.values))
