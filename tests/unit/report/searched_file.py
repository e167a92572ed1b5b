"""A finished search of a file, whose answers a tolerance or a score judges."""

from common.schema.base import Interval
from common.schema.costs import HeldOut
from common.schema.given import STATIC
from common.schema.judgement import Basis, Setting
from common.schema.search import Search
from common.schema.search_result import (
    Candidate,
    Compared,
    Confirmed,
    Fate,
    Mixed,
    Outcome,
    Screened,
    SearchResult,
    Step,
)
from jobs.search import space
from jobs.search.files import EVERY
from tests.unit.report import factories as f

MIXED = "mixed_static_wi8_ai8"


def searched_file(basis: Basis = "agreement") -> SearchResult:
    """Every format, two groups of operators, and a mixed file that is found."""
    formats = space.quantised("../../mine.tflite", None, EVERY)
    base = next(one for one in formats if one.recipe.convert.format == STATIC[0])
    mixed = space.left_in_float(base, "mixed", ("a/Relu;a/Conv2D", "b/MatMul"))
    lost = {"agreement": (0.4, 1.7), "score": (0.01, 0.3)}[basis]
    found = [_outcome(one, "lost accuracy", lost[1], None) for one in formats[:-1]]
    found.append(Outcome(candidate=formats[-1], fate="failed", problem="mine.tflite has no signature"))
    confirmed = Confirmed(
        ratio=Interval(value=2.1, low=2.0, high=2.2),
        lost=Compared(samples=22, lost=lost[0] / 2),
        keeping="shown to keep",
        recommended=True,
    )
    found.append(_outcome(mixed, "finalist", lost[0], confirmed))
    return SearchResult(
        provenance=f.provenance("search"),
        settings=Search(formats=EVERY),
        reference="float",
        beside=Screened(time=1.0, size_bytes=4000, validation=Compared(samples=22, lost=0.0)),
        setting=Setting(target="Pixel", backend="xnnpack", threads=1),
        margin=1.0 if basis == "agreement" else 0.02,
        basis=basis,
        took_s=40.0,
        steps=(Step(name="formats", what="the file in every format", candidates=("a",), took_s=40.0),),
        rewrites=(),
        mixed=Mixed(
            format=STATIC[0], base=base.name, in_float=(("a/Relu;a/Conv2D",), ("b/MatMul",)), not_in_float=(("c",),)
        ),
        outcomes=tuple(found),
        costs=HeldOut(spearman=0.9, median_error=0.1, n=7),
        never_trained=1.0,
        found=(MIXED,),
    )


def _outcome(one: Candidate, fate: Fate, lost: float, confirmed: Confirmed | None) -> Outcome:
    screened = Screened(time=0.5, size_bytes=1200, validation=Compared(samples=22, lost=lost))
    return Outcome(candidate=one, fate=fate, screened=screened, confirmed=confirmed)
