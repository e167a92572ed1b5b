"""What a pass gives back: the model, what it did to each layer, and what the file must show of it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from common.schema.variant import LayerNote

Claim = Literal["sparsity", "groups", "clusters", "present"]


@dataclass(frozen=True)
class Expectation:
    """What a kernel must look like in the file, whatever its tensor is called there.

    `channels` and `per_channel` are the kernel's output channels and the weights of each, by which it is
    found again. `bound` is the least share of zeros, or the most values per channel. Of "groups", `group`
    consecutive input channels, at least `zeros` are zero.
    """

    layer: str
    claim: Claim
    channels: int
    per_channel: int
    bound: float
    zeros: int = 0
    group: int = 0


@dataclass(frozen=True)
class PassResult:
    """`model` is a plain Keras model that shares no layer with the one the pass was given."""

    model: Any
    notes: tuple[LayerNote, ...]
    expected: tuple[Expectation, ...] = ()


def expect(
    layer: str, claim: Claim, kernel: Any, bound: float, *, channels: int = 0, zeros: int = 0, group: int = 0
) -> Expectation:
    """An expectation of a Keras kernel, which ends with its output channels unless there are other `channels`."""
    channels = channels or int(kernel.shape[-1])
    return Expectation(layer, claim, channels, int(np.prod(kernel.shape)) // channels, bound, zeros, group)
