"""What the report's charts have in common: two widths, names of variants, and the file beside the Markdown. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from common.numbers import clipped
from common.printable import clean
from common.provenance import ROOT
from common.schema.results import Results
from common.svg.canvas import Canvas
from jobs.report.document import Chart
from jobs.report.names import variant_labels

# Pixels. Both are shown in their own size, so that letters keep theirs.
WIDE, NARROW = 580, 328
NAME_LENGTH = 48
HINT = re.compile(r"><title>[^<]*</title></[a-z]+>")
THEME = ROOT / "reports" / "templates" / "theme.css"


def both(draw: Callable[[int], Canvas], alt: str) -> str:
    """A drawing for wide places and one for narrow ones, of which theme.css shows one. The narrow one is for a
    finger, which cannot hover: it has no hints."""
    narrow = draw(NARROW)
    narrow.parts = [HINT.sub("/>", part) for part in narrow.parts]
    return draw(WIDE).svg(alt, "wide") + narrow.svg(alt, "narrow")


def standalone(chart: Chart) -> bytes:
    """The chart as a file of its own, with the theme inside; of two drawings the wide one."""
    first, end, _ = chart.svg.partition("</svg>")
    head, bracket, body = first.partition(">")
    return f"{head}{bracket}<style>{_theme()}</style>{body}{end}\n".encode()


@cache
def _theme() -> str:
    return THEME.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Names:
    """How variants are called in a chart: short, on one line, no two alike."""

    results: Results

    @cached_property
    def all(self) -> dict[str, str]:
        """By the variant's name."""
        short = {name: clipped(clean(label), NAME_LENGTH) for name, label in variant_labels(self.results).items()}
        shown = list(short.values())
        # Two long labels may begin alike.
        return {n: t if shown.count(t) == 1 else f"{i}. {t}" for i, (n, t) in enumerate(short.items(), 1)}

    def of(self, name: str) -> str:
        """One of them; the name itself where the results have no such variant."""
        return self.all.get(name, clipped(clean(name), NAME_LENGTH))
