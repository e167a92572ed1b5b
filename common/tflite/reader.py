"""What really is in a .tflite file, read from the flatbuffer and not from the recipe.

Format: tensorflow/compiler/mlir/lite/schema/schema.fbs; the generated reader ships with ai-edge-litert.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from common.errors import EdgeproofError
from common.schema.variant import Port, Tensor

IDENTIFIER = b"TFL3"
DTYPES: dict[int, Any] = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.BOOL: np.bool_,
}
# Which input of an operator is its kernel, and along which axis its output channels lie.
KERNELS = {"CONV_2D": (1, 0), "FULLY_CONNECTED": (1, 0), "DEPTHWISE_CONV_2D": (1, 3)}


@dataclass(frozen=True)
class Kernel:
    """A constant kernel and the operator that reads it."""

    operator: str
    tensor: Tensor


@dataclass(frozen=True)
class Inspection:
    """A file's constant tensors, its kernels among them, its ports and how often each operator occurs."""

    tensors: tuple[Tensor, ...]
    kernels: tuple[Kernel, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: dict[str, int]


def inspect(content: bytes) -> Inspection:
    """Read the first subgraph of a .tflite file. Raises EdgeproofError when it is not one."""
    if content[4:8] != IDENTIFIER:
        raise EdgeproofError("not a .tflite file: the identifier TFL3 is missing")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        return _Reader(model).inspection()
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise EdgeproofError(f"damaged .tflite file: {error}") from None


class _Reader:
    def __init__(self, model: Any) -> None:
        self._model = model
        self._graph = model.subgraphs[0]
        names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
        # Old files keep small codes in the deprecated field.
        self._codes = [names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in model.operatorCodes]

    def inspection(self) -> Inspection:
        axes = dict(self._kernel_axes())
        tensors = {}
        for index in range(len(self._graph.tensors)):
            data = self._constant(index)
            if data is not None:
                tensors[index] = self._describe(index, data, axes.get(index, (None, None))[1])
        return Inspection(
            tensors=tuple(tensors.values()),
            kernels=tuple(Kernel(name, tensors[i]) for i, (name, _) in axes.items() if i in tensors),
            inputs=tuple(self._port(index) for index in self._graph.inputs),
            outputs=tuple(self._port(index) for index in self._graph.outputs),
            operators=dict(sorted(Counter(self._codes[op.opcodeIndex] for op in self._graph.operators).items())),
        )

    def _kernel_axes(self) -> Any:
        # A float16 file stores the kernel behind a DEQUANTIZE.
        sources = {
            op.outputs[0]: op.inputs[0] for op in self._graph.operators if self._codes[op.opcodeIndex] == "DEQUANTIZE"
        }
        for op in self._graph.operators:
            name = self._codes[op.opcodeIndex]
            if name in KERNELS:
                position, axis = KERNELS[name]
                index = int(op.inputs[position])
                yield int(sources.get(index, index)), (name, axis)

    def _constant(self, index: int) -> npt.NDArray[Any] | None:
        tensor = self._graph.tensors[index]
        data = self._model.buffers[tensor.buffer].data
        if data is None or len(data) == 0 or tensor.type not in DTYPES:
            return None
        return np.frombuffer(np.asarray(data, dtype=np.uint8).tobytes(), DTYPES[tensor.type])

    def _describe(self, index: int, data: npt.NDArray[Any], axis: int | None) -> Tensor:
        tensor = self._graph.tensors[index]
        shape = () if tensor.shape is None else tuple(int(side) for side in tensor.shape)
        rows = data.reshape(1, -1) if axis is None else np.moveaxis(data.reshape(shape), axis, 0)
        return Tensor(
            name=tensor.name.decode("utf-8", "replace"),
            shape=shape,
            dtype=data.dtype.name,
            elements=data.size,
            zeros=self._zeros(tensor, data),
            unique_per_channel=max(len(np.unique(row)) for row in rows),
        )

    @staticmethod
    def _zeros(tensor: Any, data: npt.NDArray[Any]) -> float:
        # What stands for zero in a quantised tensor is its zero point.
        points = None if tensor.quantization is None else tensor.quantization.zeroPoint
        zero = int(points[0]) if points is not None and len(points) else 0
        return float(np.mean(data == zero))

    def _port(self, index: int) -> Port:
        tensor = self._graph.tensors[index]
        quantization = tensor.quantization
        scaled = quantization is not None and quantization.scale is not None and len(quantization.scale) > 0
        dtype = DTYPES.get(tensor.type)
        return Port(
            name=tensor.name.decode("utf-8", "replace"),
            shape=tuple(int(side) for side in tensor.shape),
            dtype="unknown" if dtype is None else np.dtype(dtype).name,
            scale=float(quantization.scale[0]) if scaled else None,
            zero_point=int(quantization.zeroPoint[0]) if scaled else None,
        )
