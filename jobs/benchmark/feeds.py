"""What a model is measured with where samples are given: the first of them, in its own numbers, as files.

The same bytes go to every process on this machine and on a device: an input of token ids must not be filled with
any number that comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.artifact import read
from common.ports import input_names, places
from common.samples import CARD, read_arrays
from common.schema.inputs import Samples
from common.schema.tflite import Port
from common.schema.variant import Variant
from common.tflite.predict import quantise


@dataclass(frozen=True)
class FeedPort:
    """An input: its tensor's name, the name that callers use, the shape to run it with, and a file of its bytes."""

    tensor: str
    name: str
    shape: tuple[int, ...]
    path: Path


# The inputs of a variant in the file's order; of a variant without one, they are drawn.
Feed = tuple[FeedPort, ...]


@dataclass(frozen=True)
class Sampled:
    """The samples that a variant is asked: its inputs in the file's order, the shape of one request and the values of
    all of them [n, *shape] for each."""

    ports: tuple[Port, ...]
    shapes: tuple[tuple[int, ...], ...]
    arrays: tuple[Any, ...]


@dataclass(frozen=True)
class Material:
    """What a target feeds models with, by variant (`feeds`), and what it asks them: `images` uint8 [n, h, w, 3], which
    become `pixels` (0 to 1 where there are none), or `samples`. `sizes` is what the models take, in bytes by their
    sha256 or name."""

    images: npt.NDArray[np.uint8] | None = None
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    pixels: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    samples: Mapping[str, Sampled] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def asks(self, variant: str) -> bool:
        """Whether there is something to ask a variant."""
        return self.images is not None or variant in self.samples


def feeds(samples: Path | None, variants: Path, names: Sequence[str], folder: Path) -> Mapping[str, Feed]:
    """The first sample for each variant, written below `folder`; nothing where there are no samples."""
    if samples is None:
        return {}
    card = read(samples / CARD, Samples)
    first = [array[0] for array in read_arrays(samples, card)]
    return {name: _feed(read(variants / name / "variant.json", Variant), card, first, folder / name) for name in names}


def sampled(samples: Path, variants: Path, names: Sequence[str], count: int) -> Mapping[str, Sampled]:
    """The first `count` samples for each variant."""
    card = read(samples / CARD, Samples)
    arrays = [array[:count] for array in read_arrays(samples, card)]
    return {name: _sampled(read(variants / name / "variant.json", Variant), card, arrays) for name in names}


def _sampled(variant: Variant, card: Samples, arrays: Sequence[Any]) -> Sampled:
    order = places(variant, card.ports)
    return Sampled(
        variant.inputs, tuple(card.ports[place].shape for place in order), tuple(arrays[place] for place in order)
    )


def _feed(variant: Variant, card: Samples, first: Sequence[Any], folder: Path) -> Feed:
    folder.mkdir(parents=True)
    made = []
    for name, port, place in zip(input_names(variant), variant.inputs, places(variant, card.ports), strict=True):
        path = folder / f"{place}.bin"
        path.write_bytes(stored(first[place], port).tobytes())
        made.append(FeedPort(port.name, name, card.ports[place].shape, path))
    return tuple(made)


def stored(values: Any, port: Any) -> Any:
    """Values as the file stores them: real ones in the type of the port and with its scale, whole ones as they are."""
    kind = np.dtype(port.dtype)
    if kind.kind == "f" or values.dtype.kind in "iub":
        return np.ascontiguousarray(values, dtype=kind)
    details = {"dtype": kind, "quantization": (port.scale or 0.0, port.zero_point or 0)}
    return np.ascontiguousarray(quantise(values, details))
