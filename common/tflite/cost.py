"""Multiply-accumulates of an operator, from the shapes in the file.

One for every product that the operator's definition sums up; additions of a bias and activations count nothing. The
converter counts the same way, as two arithmetic operations each: TFL_ArithmeticCountOpInterface in
tensorflow/compiler/mlir/lite/ir/tfl_ops.td.
"""

from common.tflite.operators import Node
from common.tflite.tensors import elements

MATRIX_RANK = 2


def macs(node: Node) -> int:
    """Multiply-accumulates of one inference; 0 for operators that multiply no matrices or whose shapes are unusual.

    A side that the file leaves open counts once.
    """
    first, kernel = node.input(0), node.input(1)
    if first is None or kernel is None or not node.outputs:
        return 0
    image = node.input(2)
    transposed = bool(getattr(node.operator.options, "adjX", False))
    out, shape = elements(node.outputs[0].shape), kernel.shape
    found = 0
    match node.name, len(shape):
        case "CONV_2D", 4:
            # Each output sums over a window and over the input channels of its group.
            found = out * elements(shape[1:])
        case "DEPTHWISE_CONV_2D", 4:
            found = out * elements(shape[1:3])
        case "FULLY_CONNECTED", 2:
            found = out * elements(shape[1:])
        case "TRANSPOSE_CONV", 4 if image is not None:
            # Each input is multiplied with a window of every output channel.
            found = elements(image.shape) * elements(shape[:3])
        case "BATCH_MATMUL", _ if len(first.shape) >= MATRIX_RANK:
            found = out * elements(first.shape[-2:-1] if transposed else first.shape[-1:])
    return found
