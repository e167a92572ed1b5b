"""Candidates and cases for the choose stage's tests."""

from math import comb

from hypothesis import strategies as st

from common.proportion import wilson
from common.schema.base import Interval
from common.schema.choice import Candidate, Setting
from common.schema.evaluation import McNemar
from common.schema.experiment import Choose
from jobs.choose.recommend import Case

SHA = "0123456789abcdef" * 4
IMAGES = 300
REFERENCE_US = 1000.0
SETTING = Setting(target="host", backend="xnnpack", threads=1)


def exact_p(one: int, other: int) -> float:
    """Two-sided exact McNemar p value, by its definition: a fair coin's tails."""
    total = one + other
    tail: int = sum(comb(total, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * tail / float(2**total))


def candidate(
    name: str,
    size: int = 1000,
    speed: float | None = 1.0,
    *,
    lost: int = 0,
    won: int = 0,
    intervals: bool = True,
    other_network: bool = False,
    quantised: bool = True,
) -> Candidate:
    """A variant `speed` times as fast as the reference that gets `lost` images wrong that the reference gets
    right and `won` right that it gets wrong, of 300 of which the reference gets 270 right."""
    own = name == "baseline"
    known = speed is not None and intervals and not own
    return Candidate(
        name=name,
        model_sha256=SHA,
        size_bytes=size,
        accuracy=wilson(270 - lost + won, IMAGES),
        mcnemar=None
        if own
        else McNemar(
            reference="baseline", only_reference_right=lost, only_variant_right=won, p_value=exact_p(lost, won)
        ),
        latency_us=None if speed is None else REFERENCE_US / speed,
        ratio=Interval(value=speed, low=speed * 0.98, high=speed * 1.02) if known and speed is not None else None,
        other_network=other_network,
        quantised=quantised and not own,
    )


def case(*candidates: Candidate, margin: float = 0.02, setting: Setting | None = SETTING) -> Case:
    """A case with the default rules."""
    return Case(candidates, "baseline", Choose(margin=margin), setting)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A reference and up to seven variants; small ranges, so that ties happen."""
    speeds = st.one_of(st.none(), st.sampled_from((0.5, 0.9, 1.0, 1.1, 2.0)))
    found = [candidate("baseline", draw(st.integers(1, 5)), draw(st.one_of(st.none(), st.just(1.0))), quantised=False)]
    for index in range(draw(st.integers(0, 7))):
        found.append(
            candidate(
                f"v{index}",
                draw(st.integers(1, 5)),
                draw(speeds),
                lost=draw(st.integers(0, 20)),
                won=draw(st.integers(0, 20)),
                intervals=draw(st.booleans()),
                other_network=draw(st.booleans()),
                quantised=draw(st.booleans()),
            )
        )
    return case(*found, margin=draw(st.sampled_from((0.0, 0.01, 0.02, 1.0))))
