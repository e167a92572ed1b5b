"""Rows of a chart: a name and a figure, and below them a strip of the plot that all rows share. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.svg.canvas import Canvas, x_axis
from common.svg.scale import Scale
from common.svg.text import FONT_SIZE, STRONG, fitted, text_width

# Pixels: a name's line, and the room between two rows.
NAME, BETWEEN = 18.0, 6.0
INSET = 8.0
AXIS = 44.0


@dataclass(frozen=True)
class Strip:
    """A row's words; `css` and `tone` are the classes of its name and its figure."""

    name: str
    figure: str
    css: str = ""
    tone: str = "quiet"


@dataclass(frozen=True)
class Strips:
    """Rows of `height` pixels besides their names, from `top` on."""

    rows: tuple[Strip, ...]
    width: int
    height: float
    top: float = 0.0

    @property
    def step(self) -> float:
        """From a row to the next."""
        return NAME + self.height + BETWEEN

    @property
    def bottom(self) -> float:
        """The end of the last row."""
        return self.top + self.step * len(self.rows)

    def strip(self, place: int) -> float:
        """The upper edge of a row's strip."""
        return self.top + place * self.step + NAME

    def ends(self) -> tuple[float, float]:
        """Left and right end of the plot."""
        return INSET, self.width - INSET

    def names(self, canvas: Canvas) -> None:
        """Every row's name on the left, its figure on the right."""
        for place, row in enumerate(self.rows):
            y = self.strip(place) - (NAME - FONT_SIZE)
            figure = fitted(row.figure, 0.7 * self.width)
            room = self.width - text_width(figure) - 10
            canvas.text(0, y, fitted(row.name, room / STRONG if row.css else room), row.css)
            canvas.text(self.width, y, figure, row.tone, "end")

    def rules(self, canvas: Canvas, at: Sequence[float], css: str) -> None:
        """Upright rules in every strip, none through the names."""
        middles = [(x, self.strip(place) + self.height / 2) for place in range(len(self.rows)) for x in at]
        canvas.ticks(middles, self.height, css)

    def axis(self, canvas: Canvas, scale: Scale, title: str, labels: dict[float, str] | None = None) -> None:
        """The common axis below all, and its rules in the strips."""
        ticks = scale.ticks(6) if labels is None else tuple(labels)
        self.rules(canvas, [scale.at(value) for value in ticks], "grid")
        x_axis(canvas, scale, self.bottom, self.bottom, title=title, labels=labels)
