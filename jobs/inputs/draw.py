"""Samples drawn at random for inputs, the same for the same seed."""

from collections.abc import Sequence

import numpy as np

from common.errors import UsageError
from jobs.inputs.files import Found
from jobs.inputs.ports import Wanted

# Of all samples together; fewer are drawn where the inputs are large.
MOST_BYTES = 256 << 20
FLOAT_BYTES = 4


def drawn(ports: Sequence[Wanted], count: int, seed: int) -> Found:
    """`count` samples, or as many as have room: uniform real numbers (float32) or whole ones (the port's type)."""
    size = sum(FLOAT_BYTES * int(np.prod(port.shape)) for port in ports)
    count = max(1, min(count, MOST_BYTES // max(1, size)))
    arrays = []
    for place, port in enumerate(ports):
        random = np.random.default_rng([seed, place])
        shape = (count, *port.shape)
        if not port.whole:
            values = random.random(shape, dtype=np.float32)
            arrays.append((np.float32(port.low) + values * np.float32(port.high - port.low)).astype(np.float32))
        elif port.dtype == "bool":
            arrays.append(random.integers(0, 2, shape).astype(bool))
        else:
            arrays.append(random.integers(*_whole(port), shape).astype(port.dtype))
    return Found((), tuple(arrays))


def _whole(port: Wanted) -> tuple[int, int]:
    ends = np.iinfo(port.dtype)
    low, high = max(int(port.low), int(ends.min)), min(int(port.high), int(ends.max) + 1)
    if low >= high:
        raise UsageError(f"inputs.range of {port.name} holds no {port.dtype}", hint="give [low, high) in its type")
    return low, high
