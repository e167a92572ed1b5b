"""Which shape and colour says what the choice says of a variant, and in which words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.schema.choice import Verdict
from common.schema.results import Results
from common.svg.canvas import Canvas, Shape
from common.svg.text import LINE, text_width
from jobs.report.draw.labels import rows
from jobs.report.names import Setting
from jobs.report.verdicts import winner

SWATCH, BETWEEN = 16.0, 14.0


@dataclass(frozen=True)
class Kind:
    """A mark's shape and class, and the word beside it in the legend."""

    word: str
    shape: Shape
    css: str


BEST = Kind("recommended", "star", "best")
REFERENCE = Kind("reference", "square", "reference")
FIT = Kind("may be shipped", "circle", "better")
UNSHOWN = Kind("not shown to keep it", "diamond", "mark")
LOSES = Kind("shown to lose", "down", "worse")
RULED_OUT = Kind("ruled out", "cross", "crossed")
UNMEASURED = Kind("not measured", "ring", "hollow")
UNJUDGED = Kind("not judged", "circle", "mark")
ORDER = (BEST, REFERENCE, FIT, UNSHOWN, LOSES, RULED_OUT, UNMEASURED, UNJUDGED)
KINDS: dict[Verdict, Kind] = {
    "best": FIT,
    "on the front": FIT,
    "dominated": FIT,
    "shown to lose": LOSES,
    "significantly worse": LOSES,
    "beyond the margin": LOSES,
    "not shown": UNSHOWN,
    "ruled out": RULED_OUT,
    "not measured": UNMEASURED,
}


def kinds(results: Results, setting: Setting) -> dict[str, Kind]:
    """The kind of every variant in a setting."""
    verdicts = {} if results.choice is None else {s.candidate.name: s.verdict for s in results.choice.standings}
    best = winner(results, setting)
    found = {}
    for name in (variant.name for variant in results.variants):
        if name == best:
            found[name] = BEST
        elif name == results.reference:
            found[name] = REFERENCE
        else:
            found[name] = KINDS[verdicts[name]] if name in verdicts else UNJUDGED
    return found


def legend_places(used: Sequence[str], width: float) -> tuple[tuple[int, float], ...]:
    """A row and the left end in it per word of a legend."""
    return rows([SWATCH + text_width(word) + BETWEEN for word in used], width)


def legend_height(used: Sequence[str], width: float) -> float:
    """Pixels that a legend of these words takes."""
    places = legend_places(used, width)
    return (places[-1][0] + 1) * LINE + 6 if places else 0.0


def legend(canvas: Canvas, used: Sequence[Kind], top: float) -> None:
    """The shapes that were used with their words, below `top`."""
    for kind, (row, left) in zip(used, legend_places([k.word for k in used], canvas.width), strict=True):
        y = top + 12 + row * LINE
        canvas.symbol(kind.shape, left + 7, y - 4, 5, css=kind.css)
        canvas.text(left + SWATCH, y, kind.word, "quiet")
