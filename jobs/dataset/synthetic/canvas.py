"""Paint for the little scenes: noise, masks, warm colours, light.

A canvas is float32 [height, width, 3] RGB in [0, 1]; a mask or field is float32 [height, width]. In memory a canvas
is three fields, one colour after the other: what works on all colours alike then runs along rows instead of triples.
Only operations whose result IEEE 754 or integer arithmetic fixes are used (no sin, exp or pow, no
long sums), so that a seed gives the same bytes on every machine.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Canvas = npt.NDArray[np.float32]
Field = npt.NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float]

# Shapes are drawn this much larger and averaged, which gives them smooth edges.
SUPERSAMPLING = 2
# From the edge of a flame to its core; hot objects of both classes take their colours from here.
WARM_STOPS: tuple[Colour, ...] = (
    (0.24, 0.03, 0.02),
    (0.62, 0.10, 0.03),
    (0.90, 0.32, 0.05),
    (1.00, 0.60, 0.12),
    (1.00, 0.86, 0.38),
    (1.00, 0.97, 0.80),
)
RAMP_LENGTH = 256


def between(random: np.random.Generator, low: float, high: float) -> float:
    """A uniform draw as a Python float."""
    return float(random.uniform(low, high))


def grid(height: int, width: int) -> tuple[Field, Field]:
    """Row and column of every pixel's centre as shares of the frame, shaped to broadcast."""
    rows = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    columns = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width)
    return rows[:, None], columns[None, :]


def noise(random: np.random.Generator, shape: tuple[int, int], rows: int, columns: int) -> Field:
    """Smooth random field in [0, 1] with `rows` x `columns` knots."""
    # The knots are bytes because Pillow resizes those in integer arithmetic.
    knots = Image.fromarray(random.integers(0, 256, (rows, columns), dtype=np.uint8))
    return to_field(knots.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def turbulence(random: np.random.Generator, shape: tuple[int, int], rows: int, columns: int, octaves: int = 3) -> Field:
    """Noise with finer and weaker noise on top, in [0, 1]."""
    total = np.zeros(shape, np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(weight) * noise(random, shape, max(2, rows << octave), max(2, columns << octave))
        weights += weight
        weight /= 2
    return total / np.float32(weights)


def to_field(image: Image.Image) -> Field:
    """A greyscale picture as a field in [0, 1]."""
    return np.asarray(image, np.float32) / np.float32(255)


def soften(field: Field, knots: int) -> Field:
    """A field in [0, 1] blurred by averaging it down to `knots` x `knots` and spreading it out again."""
    height, width = field.shape
    image = Image.fromarray((field * np.float32(255)).astype(np.uint8))
    small = image.resize((min(knots, width), min(knots, height)), Image.Resampling.BOX)
    return to_field(small.resize((width, height), Image.Resampling.BICUBIC))


def polygons(shape: tuple[int, int], outlines: Sequence[Sequence[Point]]) -> Field:
    """Mask of filled polygons; points are (column, row) as shares of the frame."""
    height, width = shape[0] * SUPERSAMPLING, shape[1] * SUPERSAMPLING
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    for outline in outlines:
        draw.polygon([(x * width, y * height) for x, y in outline], fill=255)
    return to_field(image.reduce(SUPERSAMPLING))


def box(left: float, top: float, right: float, bottom: float) -> tuple[Point, Point, Point, Point]:
    """Outline of an upright rectangle."""
    return (left, top), (right, top), (right, bottom), (left, bottom)


def ellipse(shape: tuple[int, int], x: float, y: float, half_width: float, half_height: float) -> Field:
    """1 in the centre of an ellipse, 0 on its rim and outside, falling evenly."""
    rows, columns = grid(*shape)
    across, down = (columns - np.float32(x)) / np.float32(half_width), (rows - np.float32(y)) / np.float32(half_height)
    falling: Field = np.clip(np.float32(1) - np.sqrt(across * across + down * down), 0, 1)
    return falling


def sharpen(field: Field, slope: float) -> Field:
    """A field with its rise from 0 made `slope` times as steep and cut off at 1: a mask."""
    mask: Field = np.clip(field * np.float32(slope), 0, 1)
    return mask


def blend(canvas: Canvas, mask: Field, colour: Colour | Canvas) -> Canvas:
    """Paint `colour` (one, or a whole canvas) over the canvas where the mask is set."""
    paint = np.asarray(colour, np.float32)
    return canvas + (paint - canvas) * mask[..., None]


def colours_last(fields: npt.NDArray[np.float32]) -> Canvas:
    """Three fields, float32 [3, height, width], as a canvas: a view of the same memory."""
    return np.moveaxis(fields, 0, -1)


def vertical(shape: tuple[int, int], top: Colour, bottom: Colour) -> Canvas:
    """Canvas that fades from one colour to another, downwards."""
    rows, _ = grid(*shape)
    start, end = np.asarray(top, np.float32), np.asarray(bottom, np.float32)
    column = start + (end - start) * rows
    return colours_last(np.repeat(column.T[:, :, None], shape[1], axis=2))


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker or brighter."""
    red, green, blue = (min(1.0, max(0.0, part * factor)) for part in colour)
    return red, green, blue


def warm_ramp(random: np.random.Generator) -> npt.NDArray[np.float32]:
    """float32 [256, 3]: heat 0..255 to colour, a little different in every picture."""
    stops = np.array(WARM_STOPS, np.float32) * random.uniform(0.84, 1.08, (len(WARM_STOPS), 3)).astype(np.float32)
    place = np.linspace(0, len(WARM_STOPS) - 1, RAMP_LENGTH, dtype=np.float32)
    lower = np.minimum(place.astype(np.int64), len(WARM_STOPS) - 2)
    part = (place - lower.astype(np.float32))[:, None]
    ramp: Canvas = np.clip(stops[lower] + (stops[lower + 1] - stops[lower]) * part, 0, 1)
    return ramp


def heated(ramp: npt.NDArray[np.float32], heat: Field) -> Canvas:
    """The colour of every pixel's heat, which is cut to [0, 1]."""
    places = (np.clip(heat, 0, 1) * np.float32(RAMP_LENGTH - 1)).astype(np.intp)
    return colours_last(ramp.T.take(places, axis=1))


def warm(ramp: npt.NDArray[np.float32], heat: float) -> Colour:
    """One colour of the ramp."""
    red, green, blue = ramp[int(min(1.0, max(0.0, heat)) * (RAMP_LENGTH - 1))].tolist()
    return red, green, blue


def light(canvas: Canvas, field: Field, colour: Colour) -> Canvas:
    """Add light of a colour; bright places saturate gently."""
    added = colours_last(np.asarray(colour, np.float32)[:, None, None] * field)
    return canvas + added * (np.float32(1) - np.clip(canvas, 0, 1))
