"""Learning curves. Pure."""

from collections.abc import Sequence
from math import isfinite

from common.schema.training import Epoch
from common.svg.canvas import Canvas, x_axis, y_axis
from common.svg.scale import linear
from common.svg.text import FONT_SIZE

LEFT, TOP, HEIGHT, AXIS, GAP = 44.0, 24.0, 150.0, 48.0, 20.0
DASHED, SOLID = "course kind-5 dashed", "course kind-0"


def learning_curves(epochs: Sequence[Epoch], best: int, width: float, *, stacked: bool = False) -> Canvas:
    """Loss and accuracy over at least one epoch, training dashed and validation solid, side by side or `stacked`; a
    rule marks the epoch `best`. Epochs whose figures are no finite numbers are left out."""
    step = TOP + HEIGHT + AXIS
    canvas = Canvas(width, step * (2 if stacked else 1))
    epochs = [e for e in epochs if all(map(isfinite, (e.loss, e.val_loss, e.accuracy, e.val_accuracy)))]
    wide = width if stacked else (width - GAP) / 2
    loss = [(e.epoch, e.loss, e.val_loss) for e in epochs]
    accuracy = [(e.epoch, 100 * e.accuracy, 100 * e.val_accuracy) for e in epochs]
    _panel(canvas, (0.0, 0.0, wide), "loss", loss, best)
    corner = (0.0, step) if stacked else (wide + GAP, 0.0)
    _panel(canvas, (*corner, wide), "accuracy (%)", accuracy, best)
    return canvas


def _panel(
    canvas: Canvas,
    place: tuple[float, float, float],
    title: str,
    values: Sequence[tuple[int, float, float]],
    best: int,
) -> None:
    left, top, wide = place
    bottom = top + TOP + HEIGHT
    if not values:
        canvas.text(left, top + FONT_SIZE, f"{title}: no numbers", "quiet")
        return
    numbers = [float(epoch) for epoch, _, _ in values]
    x = linear(numbers, left + LEFT, left + wide - 8, room=0.02)
    y = linear([value for _, *both in values for value in both], bottom, top + TOP)
    canvas.text(left, top + FONT_SIZE, title, "quiet")
    y_axis(canvas, y, left + LEFT, left + wide - 8, most=5)
    whole = {tick: f"{tick:g}" for tick in x.ticks(6) if tick == int(tick)}
    x_axis(canvas, x, top + TOP, bottom, title="epoch", labels=whole)
    canvas.line(x.at(best), top + TOP, x.at(best), bottom, css="rule")
    for which, css in ((1, DASHED), (2, SOLID)):
        points = [(x.at(row[0]), y.at(row[which])) for row in values]
        canvas.polyline(points, css)
        if len(points) == 1:
            canvas.symbol("circle", *points[0], 3, css=css.split(maxsplit=1)[1].split()[0])
