"""Zeros that a training must not fill again, where tfmot does not hold them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras


class KeepZeros(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Puts the zeros back after every step."""

    def __init__(self, kernels: Iterable[tuple[Any, npt.NDArray[np.float32]]]) -> None:
        """Each variable with the values that it had; where those are zero it stays zero."""
        super().__init__()
        self._masked = [(variable, tf.constant(values != 0, variable.dtype)) for variable, values in kernels]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Multiply every kernel with the mask of what it was before the training."""
        del batch, logs
        for variable, mask in self._masked:
            variable.assign(variable * mask)
