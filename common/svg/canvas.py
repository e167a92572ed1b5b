"""Marks and letters of a drawing as SVG text. Pure.

Nothing has a colour of its own: marks have classes, and a stylesheet the colours. Every text is cleaned and escaped
here. A coordinate never leaves the drawing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin, sqrt
from typing import Literal

from markupsafe import escape

from common.printable import clean
from common.svg.scale import Scale, written
from common.svg.text import FONT_SIZE, LINE, fitted, text_width

Shape = Literal["circle", "square", "diamond", "star", "up", "down", "cross", "ring"]
Anchor = Literal["start", "middle", "end"]
TICK = 4
# A title beyond it is no hint any more.
TITLE_LENGTH = 600
TICK_GAP = 8.0


def number(value: float) -> str:
    """A coordinate with one decimal at most."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def attribute(text: str) -> str:
    """A text as it stands in an attribute or an element."""
    return str(escape(clean(text)))


@dataclass
class Canvas:
    """A drawing of `width` by `height` pixels, (0, 0) its upper left corner."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, css: str, title: str = "") -> None:
        """A straight line."""
        ends = f'x1="{self._x(x1)}" y1="{self._y(y1)}" x2="{self._x(x2)}" y2="{self._y(y2)}"'
        self._mark("line", ends, css, title)

    def segments(self, lines: Sequence[tuple[float, float, float, float]], css: str) -> None:
        """Many upright or level lines, each from a point to another, as one mark."""
        path = "".join(
            f"M{self._x(x1)} {self._y(y1)}" + (f"V{self._y(y2)}" if x1 == x2 else f"H{self._x(x2)}")
            for x1, y1, x2, y2 in lines
        )
        if path:
            self._mark("path", f'd="{path}"', css, "")

    def rect(self, x: float, y: float, width: float, height: float, *, css: str, title: str = "") -> None:
        """A rectangle, cut at the drawing's edges."""
        left, right = max(0.0, x), min(self.width, x + width)
        top, bottom = max(0.0, y), min(self.height, y + height)
        size = f'width="{number(max(0.0, right - left))}" height="{number(max(0.0, bottom - top))}"'
        self._mark("rect", f'x="{self._x(left)}" y="{self._y(top)}" {size}', css, title)

    def polyline(self, points: Sequence[tuple[float, float]], css: str) -> None:
        """Points joined by straight lines."""
        if len(points) > 1:
            self._mark("polyline", f'points="{self._points(points)}"', css, "")

    def dots(self, points: Sequence[tuple[float, float]], css: str) -> None:
        """Many small dots as one mark: strokes of no length with round ends."""
        if points:
            path = "".join(f"M{round(float(self._x(x)))} {round(float(self._y(y)))}h0" for x, y in points)
            self._mark("path", f'd="{path}"', f"dots {css}", "")

    def ticks(self, points: Sequence[tuple[float, float]], height: float, css: str) -> None:
        """Many upright strokes of `height` around their points as one mark."""
        if points:
            path = "".join(f"M{self._x(x)} {self._y(y - height / 2)}v{number(height)}" for x, y in points)
            self._mark("path", f'd="{path}"', css, "")

    def symbol(self, shape: Shape, x: float, y: float, radius: float, *, css: str, title: str = "") -> None:
        """A shape whose area is about that of a circle of this radius."""
        if shape in {"circle", "ring"}:
            self._mark("circle", f'cx="{self._x(x)}" cy="{self._y(y)}" r="{number(radius)}"', css, title)
        elif shape == "cross":
            r = radius * 0.8
            path = f"M{self._x(x - r)} {self._y(y - r)}L{self._x(x + r)} {self._y(y + r)}"
            path += f"M{self._x(x - r)} {self._y(y + r)}L{self._x(x + r)} {self._y(y - r)}"
            self._mark("path", f'd="{path}"', css, title)
        else:
            corners = [(x + radius * a, y + radius * b) for a, b in CORNERS[shape]]
            self._mark("polygon", f'points="{self._points(corners)}"', css, title)

    def text(self, x: float, y: float, text: str, css: str = "", anchor: Anchor = "start") -> None:
        """A line of text with its base line at `y`."""
        names = " ".join(filter(None, ("" if anchor == "start" else anchor, css)))
        called = f' class="{names}"' if names else ""
        self.parts.append(f'<text x="{self._x(x)}" y="{self._y(y)}"{called}>{attribute(text)}</text>')

    def svg(self, alt: str, css: str = "") -> str:
        """The whole drawing as one element that a page or a file can hold; `alt` says what it shows."""
        size = f"{number(self.width)} {number(self.height)}"
        called = " ".join(filter(None, ("chart", css)))
        begin = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{called}" viewBox="0 0 {size}" '
            f'width="{number(self.width)}" height="{number(self.height)}" role="img" aria-label="{attribute(alt)}">'
        )
        return f"{begin}{''.join(self.parts)}</svg>"

    def _mark(self, name: str, attributes: str, css: str, title: str) -> None:
        called = f' class="{css}"' if css else ""
        if title:
            told = attribute(title[:TITLE_LENGTH])
            self.parts.append(f"<{name} {attributes}{called}><title>{told}</title></{name}>")
        else:
            self.parts.append(f"<{name} {attributes}{called}/>")

    def _points(self, points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self._x(x)},{self._y(y)}" for x, y in points)

    def _x(self, x: float) -> str:
        return number(min(self.width, max(0.0, x)))

    def _y(self, y: float) -> str:
        return number(min(self.height, max(0.0, y)))


def _star() -> tuple[tuple[float, float], ...]:
    radii = (1.35, 0.6)
    return tuple((radii[i % 2] * sin(i * pi / 5), -radii[i % 2] * cos(i * pi / 5)) for i in range(10))


_SIDE = sqrt(pi) / 2
CORNERS: dict[Shape, tuple[tuple[float, float], ...]] = {
    "square": ((-_SIDE, -_SIDE), (_SIDE, -_SIDE), (_SIDE, _SIDE), (-_SIDE, _SIDE)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "down": ((-1.3, -0.9), (1.3, -0.9), (0, 1.3)),
    "up": ((-1.3, 0.9), (1.3, 0.9), (0, -1.3)),
    "star": _star(),
}


def x_axis(
    canvas: Canvas,
    scale: Scale,
    top: float,
    bottom: float,
    *,
    title: str,
    labels: dict[float, str] | None = None,
    most: int = 6,
) -> None:
    """Ticks below the plot with a fine rule up to `top`, and the title below them; labels that have no room are left
    out. `labels` replace the ticks."""
    ticks = scale.ticks(most) if labels is None else tuple(labels)
    texts = written(ticks) if labels is None else tuple(labels.values())
    used = -TICK_GAP
    canvas.segments([(scale.at(value), top, scale.at(value), bottom + TICK) for value in ticks], "grid")
    for value, text in zip(ticks, texts, strict=True):
        x = scale.at(value)
        width = text_width(text)
        at = min(canvas.width - width / 2, max(width / 2, x))
        if at - width / 2 >= used + TICK_GAP:
            canvas.text(at, bottom + TICK + FONT_SIZE, text, "quiet", "middle")
            used = at + width / 2
    canvas.line(scale.start, bottom, scale.end, bottom, css="axis")
    room = 2 * min((scale.start + scale.end) / 2, canvas.width - (scale.start + scale.end) / 2)
    canvas.text((scale.start + scale.end) / 2, bottom + TICK + FONT_SIZE + LINE, fitted(title, room), "quiet", "middle")


def y_axis(canvas: Canvas, scale: Scale, left: float, right: float, most: int = 6) -> None:
    """Ticks left of the plot with a fine rule to `right`. The title belongs above the plot, where it can be read."""
    ticks = scale.ticks(most)
    used = None
    canvas.segments([(left - TICK, scale.at(value), right, scale.at(value)) for value in ticks], "grid")
    for value, text in zip(ticks, written(ticks), strict=True):
        y = scale.at(value)
        if used is None or abs(used - y) >= LINE:
            canvas.text(left - TICK - 3, y + FONT_SIZE / 3, fitted(text, left - TICK - 3), "quiet", "end")
            used = y
    canvas.line(left, scale.start, left, scale.end, css="axis")
