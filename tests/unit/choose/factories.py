"""Candidates and cases for the choose stage's tests."""

from dataclasses import dataclass
from math import comb

from hypothesis import strategies as st

from common.proportion import wilson
from common.run.judge import Evidence, Subject, judge
from common.run.speed import Target
from common.schema.benchmark import Row
from common.schema.convert import Convert
from common.schema.evaluation import Evaluation, McNemar
from common.schema.experiment import Choose
from common.schema.outcome import Unsupported
from common.schema.recipe import Recipe
from common.schema.variant import Variant
from jobs.choose.candidates import candidate as judged
from jobs.choose.recommend import Case
from tests.unit.report import factories as f

IMAGES = 3000
RIGHT = 2700
REFERENCE_US = 1000.0


def exact_p(one: int, other: int) -> float:
    """Two-sided exact McNemar p value, by its definition: a fair coin's tails."""
    total = one + other
    tail: int = sum(comb(total, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * tail / float(2**total))


@dataclass(frozen=True)
class Entry:
    """A variant with its evaluation and its row."""

    variant: Variant
    evaluation: Evaluation
    row: Row
    other_network: bool


def candidate(
    name: str,
    size: int = 1000,
    speed: float | None = 1.0,
    *,
    lost: int = 0,
    won: int = 0,
    rounds: int = 5,
    other_network: bool = False,
    quantised: bool = True,
) -> Entry:
    """A variant `speed` times as fast as the reference (unsupported for None) that gets `lost` images wrong that the
    reference gets right and `won` right that it gets wrong, of 3,000 of which the reference gets 2,700 right."""
    own = name == "baseline"
    recipe = Recipe(convert=Convert(format="float16" if quantised and not own else "float32"))
    variant = f.variant(name, recipe).model_copy(update={"model": f.file(f"{name}.tflite", size=size)})
    test = McNemar(reference="baseline", only_reference_right=lost, only_variant_right=won, p_value=exact_p(lost, won))
    changes = {"accuracy": wilson(RIGHT - lost + won, IMAGES), "count": IMAGES, "mcnemar": None if own else test}
    result = (
        Unsupported(reason="it cannot run")
        if speed is None
        else f.summary(REFERENCE_US / speed, None if own else REFERENCE_US, rounds)
    )
    evaluation = f.evaluation(name, 290).model_copy(update=changes)
    return Entry(variant, evaluation, f.row(name, result, "xnnpack"), other_network)


def case(*entries: Entry, margin: float = 0.02, functional_only: bool = False) -> Case:
    """A case that the judge has judged."""
    rules = Choose(margin=margin)
    benchmark = f.benchmark([entry.row for entry in entries], f.host(functional_only=functional_only))
    subjects = tuple(Subject(entry.variant, entry.evaluation) for entry in entries)
    judgement = judge(Evidence("baseline", subjects, (Target(benchmark),), rules))
    found = tuple(
        judged(subject, judgement, (benchmark,)).model_copy(update={"other_network": entry.other_network})
        for subject, entry in zip(subjects, entries, strict=True)
    )
    return Case(found, "baseline", rules, judgement)


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
                lost=draw(st.integers(0, 90)),
                won=draw(st.integers(0, 30)),
                rounds=draw(st.sampled_from((1, 2, 6))),
                other_network=draw(st.booleans()),
                quantised=draw(st.booleans()),
            )
        )
    return case(*found, margin=draw(st.sampled_from((0.0, 0.01, 0.02, 1.0))), functional_only=draw(st.booleans()))
