"""Where labels of points go, so that none hides another or a mark. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.svg.canvas import Anchor, Canvas
from common.svg.text import FONT_SIZE, LINE, text_width

GAP = 4.0
# Pixels between the places that are tried around a point, and how many rings of them there are.
RING, RINGS = 15.0, 12
ASCENT = 0.78 * FONT_SIZE
DESCENT = 0.24 * FONT_SIZE


@dataclass(frozen=True)
class Box:
    """A rectangle of a drawing."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether the two have a point in common."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def wider(self, room: float) -> "Box":
        """With some room on both sides."""
        return Box(self.left - room, self.top, self.right + room, self.bottom)

    def holds(self, other: "Box") -> bool:
        """Whether the other lies within."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.top <= other.top and other.bottom <= self.bottom


@dataclass(frozen=True)
class Wanted:
    """A label for the mark of a radius at a point."""

    x: float
    y: float
    radius: float
    text: str
    strong: bool = False


@dataclass(frozen=True)
class Label:
    """Where a label stands; `far` where a line must lead to its point."""

    x: float
    y: float
    anchor: Anchor
    box: Box
    far: bool


def text_box(x: float, y: float, text: str, anchor: Anchor, *, strong: bool = False) -> Box:
    """What a line of text covers whose base line is at `y`."""
    width = text_width(text, strong=strong)
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return Box(left, y - ASCENT, left + width, y + DESCENT)


def mark_box(x: float, y: float, radius: float) -> Box:
    """What a mark covers."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def line_box(first: tuple[float, float], second: tuple[float, float]) -> Box:
    """What an upright or level line covers."""
    (x1, y1), (x2, y2) = first, second
    return Box(min(x1, x2) - 1, min(y1, y2) - 1, max(x1, x2) + 1, max(y1, y2) + 1)


def label(
    wanted: Sequence[Wanted], marks: Sequence[Box], area: Box, lines: Sequence[Box] = ()
) -> tuple[Label | None, ...]:
    """A place inside `area` per label, the first ones first; None where there is no room any more. Labels and marks
    are never met, `lines` where it can be avoided."""
    placed: list[Label | None] = []
    for one in wanted:
        taken = [found.box.wider(GAP) for found in placed if found is not None]
        places = [place for place in _places(one) if area.holds(place.box) and not _hit(place.box, taken)]
        free = [place for place in places if not _hit(place.box, marks)]
        placed.append(next((place for place in free if not _hit(place.box, lines)), next(iter(free), None)))
    return tuple(placed)


def called(canvas: Canvas, wanted: Sequence[Wanted], marks: Sequence[Box], area: Box, lines: Sequence[Box]) -> None:
    """Write the labels that have room, with a line to the mark where it is far."""
    for one, found in zip(wanted, label(wanted, marks, area, lines), strict=True):
        if found is None:
            continue
        if found.far:
            side = LINE / 2 if found.y > one.y else 0
            canvas.line(one.x, one.y, found.x, found.y - side, css="leader")
        canvas.text(found.x, found.y, one.text, "strong" if one.strong else "", found.anchor)


def _hit(box: Box, others: Sequence[Box]) -> bool:
    return any(box.meets(other) for other in others)


def _places(wanted: Wanted) -> Iterator[Label]:
    middle = wanted.y + FONT_SIZE / 3
    for ring in range(RINGS):
        far = ring * RING
        beside = wanted.radius + GAP
        heights = (middle,) if ring == 0 else (middle - far, middle + far)
        sides: tuple[tuple[float, Anchor], ...] = ((wanted.x + beside, "start"), (wanted.x - beside, "end"))
        for y in heights:
            for x, anchor in (*sides, (wanted.x, "middle")):
                yield Label(x, y, anchor, text_box(x, y, wanted.text, anchor, strong=wanted.strong), far=ring > 1)


def rows(widths: Sequence[float], width: float) -> tuple[tuple[int, float], ...]:
    """A row and the left end in it for things of these widths that follow each other like words."""
    places: list[tuple[int, float]] = []
    row, left = 0, 0.0
    for one in widths:
        if left > 0 and left + one > width:
            row, left = row + 1, 0.0
        places.append((row, left))
        left += one
    return tuple(places)
