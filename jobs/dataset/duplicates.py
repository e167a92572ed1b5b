"""Find images that are the same, or nearly the same. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
import numpy.typing as npt
from PIL import Image

from jobs.dataset.images import Pixels

# Pixels; what imagehash shrinks pictures to before the cosine transform.
HASHED_SIDE = 32
# Rows compared at once: 512 x 100,000 images take 400 MB of differences at most.
BLOCK_ROWS = 512
# The gradient hash may differ by this many times the bits allowed for the perceptual hash. Two
# hashes that see different things rarely agree by accident, as each does on plain pictures.
DIFFERENCE_FACTOR = 2
# Of 255: how far the mean red, green or blue of near images may lie apart. Both hashes look at
# brightness steps only and take any two plain pictures for the same; 32 lets through a copy that
# was made a fifth brighter.
COLOUR_TOLERANCE = 32


@dataclass(frozen=True)
class Fingerprint:
    """sha256 of the file's bytes (of the pixels for a generated picture), of the pixels as the
    network sees them, the perceptual and gradient hashes (64 bits each), and the mean RGB."""

    sha256: str
    pixels_sha256: str
    perceptual: int
    difference: int
    colour: tuple[int, int, int]


def fingerprint(data: bytes | None, pixels: Pixels) -> Fingerprint:
    """Fingerprint of a file's bytes (None without any) and its pixels uint8 [height, width, 3]."""
    # Both hashes look at this little anyway; shrunk once, in colour, it also has the mean.
    small = Image.fromarray(pixels).resize((HASHED_SIDE, HASHED_SIDE), Image.Resampling.BOX)
    grey = small.convert("L")
    red, green, blue = np.asarray(small.resize((1, 1), Image.Resampling.BOX)).ravel().tolist()
    of_pixels = hashlib.sha256(pixels.tobytes()).hexdigest()
    return Fingerprint(
        sha256=of_pixels if data is None else hashlib.sha256(data).hexdigest(),
        pixels_sha256=of_pixels,
        perceptual=_bits(imagehash.phash(grey)),
        difference=_bits(imagehash.dhash(grey)),
        colour=(red, green, blue),
    )


def _bits(hashed: imagehash.ImageHash) -> int:
    return int.from_bytes(np.packbits(hashed.hash).tobytes())


@dataclass(frozen=True)
class Copy:
    """An image among its exact copies: `key` is equal for copies, `sha256` and `name` order them."""

    key: str
    sha256: str
    name: str
    label: int


@dataclass(frozen=True)
class Exact:
    """Positions of the images to keep, how many copies were dropped, and the names of the copies
    of images that lie in more than one class, of which none is kept."""

    kept: tuple[int, ...]
    dropped: int
    conflicting: tuple[str, ...]


def drop_copies(images: Sequence[Copy]) -> Exact:
    """Keep one of each set of copies, the one with the smallest hash; none where the class differs,
    because a wrong label does more harm than a missing image."""
    copies: defaultdict[str, list[int]] = defaultdict(list)
    for position, image in enumerate(images):
        copies[image.key].append(position)
    kept: list[int] = []
    conflicting: list[str] = []
    for positions in copies.values():
        if len({images[position].label for position in positions}) > 1:
            conflicting += [images[position].name for position in positions]
        else:
            kept.append(min(positions, key=lambda position: (images[position].sha256, images[position].name)))
    dropped = len(images) - len(kept) - len(conflicting)
    return Exact(tuple(sorted(kept, key=lambda position: images[position].sha256)), dropped, tuple(sorted(conflicting)))


def near_groups(images: Sequence[Fingerprint], bits: int) -> npt.NDArray[np.int64]:
    """Group numbers int64 [n], counted from 0 in the order of each group's first image.

    Two images are near when their perceptual hashes differ in at most `bits` bits, their gradient
    hashes in at most twice as many and their mean colours little; a group is everything that is
    joined by near pairs.
    """
    # Not by the workers, who take fingerprints only and would load it for nothing.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    hashes = _Hashes(
        np.array([image.perceptual for image in images], np.uint64),
        np.array([image.difference for image in images], np.uint64),
        np.array([image.colour for image in images], np.int16).reshape(-1, 3),
    )
    pairs = [_near_pairs(hashes, bits, start) for start in range(0, len(images), BLOCK_ROWS)]
    rows, columns = np.concatenate([np.empty((2, 0), np.int64), *pairs], axis=1)
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(len(images), len(images)))
    _, found = connected_components(graph, directed=False)
    _, first, numbers = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers].astype(np.int64)


@dataclass(frozen=True)
class _Hashes:
    """uint64 [n], uint64 [n] and int16 [n, 3]."""

    perceptual: npt.NDArray[np.uint64]
    difference: npt.NDArray[np.uint64]
    colour: npt.NDArray[np.int16]


def _near_pairs(hashes: _Hashes, bits: int, start: int) -> npt.NDArray[np.int64]:
    """Pairs int64 [2, pairs] of the block of rows at `start` with the images from there on."""
    block = slice(start, start + BLOCK_ROWS)
    distances = np.bitwise_count(hashes.perceptual[block, None] ^ hashes.perceptual[None, start:])
    rows, columns = (places + np.int64(start) for places in np.nonzero(distances <= bits))
    gradients = np.bitwise_count(hashes.difference[rows] ^ hashes.difference[columns])
    colours = np.abs(hashes.colour[rows] - hashes.colour[columns]).max(1, initial=0)
    near = (gradients <= DIFFERENCE_FACTOR * bits) & (colours <= COLOUR_TOLERANCE)
    return np.stack([rows[near], columns[near]])
