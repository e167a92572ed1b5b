"""Multiply-accumulates of an operator, from the shapes in the file.

One for every product that the operator's definition sums up; additions of a bias, activations and products of single
elements count nothing. The converter counts the same way, as two arithmetic operations each:
TFL_ArithmeticCountOpInterface in tensorflow/compiler/mlir/lite/ir/tfl_ops.td.
"""

from collections.abc import Callable

from common.tflite.flat import FlatTensor
from common.tflite.operators import WEIGHTS, Node, weights
from common.tflite.tensors import elements

MATRIX_RANK, IMAGE_RANK, VOLUME_RANK = 2, 4, 5
# More is no shape of a sound file, and the sum of many must still be a number of 64 bits.
MOST_MACS = 1 << 46
NO_SHAPE = "a shape is not in the file"
NO_KERNEL = "it has no kernel"
UNUSUAL = "its shapes are unusual"
OPAQUE = "only its author knows what it computes"
# Builtin operators whose definition is not in the file, or not here.
UNKNOWN = ("DELEGATE", "STABLEHLO_CUSTOM_CALL", "STABLEHLO_CONVOLUTION")
# Of a recurrent operator the last side of the input is what each step reads.
RECURRENT = (
    *("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN", "SVDF"),
    *("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"),
)


class UncountedError(Exception):
    """The multiply-accumulates of an operator cannot be told; the text says why."""


def macs(node: Node) -> int:
    """Multiply-accumulates of one inference; 0 for operators that multiply no matrices. A side that the file leaves
    open counts once. Raises UncountedError where the file does not tell."""
    if node.name in COUNTS:
        found = COUNTS[node.name](node)
        if not 0 < found <= MOST_MACS:
            raise UncountedError(UNUSUAL)
        return found
    if node.name.startswith(("CUSTOM", "UNKNOWN")) or node.name in UNKNOWN:
        raise UncountedError(OPAQUE)
    return 0


def _shape(tensor: FlatTensor | None, *ranks: int) -> tuple[int, ...]:
    """A shape of one of these ranks. Raises UncountedError where it has another."""
    if tensor is None:
        raise UncountedError(NO_KERNEL)
    if not tensor.shape:
        raise UncountedError(NO_SHAPE)
    if ranks and len(tensor.shape) not in ranks:
        raise UncountedError(UNUSUAL)
    return tensor.shape


def _out(node: Node, *ranks: int) -> tuple[int, ...]:
    return _shape(node.outputs[0] if node.outputs else None, *ranks)


def _conv(node: Node) -> int:
    # Each output sums over a window and over the input channels of its group.
    return elements(_out(node, IMAGE_RANK)) * elements(_shape(node.input(1), IMAGE_RANK)[1:])


def _depthwise(node: Node) -> int:
    return elements(_out(node, IMAGE_RANK)) * elements(_shape(node.input(1), IMAGE_RANK)[1:3])


def _dense(node: Node) -> int:
    return elements(_out(node)) * elements(_shape(node.input(1), MATRIX_RANK)[1:])


def _transposed(node: Node) -> int:
    # Each input is multiplied with a window of every output channel.
    return elements(_shape(node.input(2), IMAGE_RANK)) * elements(_shape(node.input(1), IMAGE_RANK)[:3])


def _mediapipe_transposed(node: Node) -> int:
    return elements(_shape(node.input(0), IMAGE_RANK)) * elements(_shape(node.input(1), IMAGE_RANK)[:3])


def _conv_3d(node: Node) -> int:
    # A kernel is [depth, height, width, in, out].
    return elements(_out(node, VOLUME_RANK)) * elements(_shape(node.input(1), VOLUME_RANK)[:4])


def _transposed_3d(node: Node) -> int:
    # A kernel is [depth, height, width, out, in].
    return elements(_shape(node.input(2), VOLUME_RANK)) * elements(_shape(node.input(1), VOLUME_RANK)[:4])


def _product(node: Node) -> int:
    first = _shape(node.input(0))
    _shape(node.input(1))
    if len(first) < MATRIX_RANK:
        raise UncountedError(UNUSUAL)
    transposed = bool(getattr(node.operator.options, "adjX", False))
    return elements(_out(node)) * elements(first[-2:-1] if transposed else first[-1:])


def _dot(node: Node) -> int:
    summed = getattr(node.operator.options, "lhsContractingDimensions", None)
    first = _shape(node.input(0))
    if summed is None or any(not 0 <= side < len(first) for side in summed):
        raise UncountedError(UNUSUAL)
    return elements(_out(node)) * elements(tuple(first[side] for side in summed))


def _recurrent(node: Node) -> int:
    steps, matrices = _shape(node.input(0))[:-1], weights(node)
    if not matrices:
        raise UncountedError(NO_KERNEL)
    return elements(steps) * sum(elements(_shape(matrix)) for matrix in matrices)


COUNTS: dict[str, Callable[[Node], int]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "TRANSPOSE_CONV": _transposed,
    "CONV_3D": _conv_3d,
    "CONV_3D_TRANSPOSE": _transposed_3d,
    "BATCH_MATMUL": _product,
    "STABLEHLO_DOT_GENERAL": _dot,
    "CUSTOM:Convolution2DTransposeBias": _mediapipe_transposed,
    **dict.fromkeys(RECURRENT, _recurrent),
}


def lacks_kernel(node: Node) -> bool:
    """Whether an operator that multiplies weights has left out all of them."""
    return node.name in WEIGHTS and not weights(node)
