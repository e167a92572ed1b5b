"""A finished search of some dozens of candidates, of the real space; and the same with hostile words wherever words
come from outside."""

import random

from common.proportion import wilson
from common.schema.base import Interval
from common.schema.costs import HeldOut
from common.schema.judgement import Setting
from common.schema.search import Search
from common.schema.search_result import (
    Candidate,
    Confirmed,
    Fate,
    Mixed,
    Outcome,
    Rewrites,
    Rung,
    Screened,
    SearchResult,
    Step,
)
from common.schema.variant import Validation
from jobs.search import space
from tests.unit.report import factories as f

IMAGES = 200
SEPARABLE = tuple(f"separable_conv2d_{n}" for n in range(4))
NORMALISED = tuple(f"batch_normalization_{n}" for n in range(6))
SETTINGS = Search(sparsities=(0.8,), formats=("float32", "int8"))
BEST, STUDENT, FAILED, UNSEEN = "energy85_float32", "width25_stride2_int8", "merged_3_int8", "width100_stride1_int8"
TRAINED = {
    BEST: 3,
    STUDENT: 3,
    "width50_stride2_float32": 2,
    "energy70_rank4_int8": 1,
    "sparse80_float32": 3,
    "drawn03_int8": 3,
}
FATES: dict[str, Fate] = {BEST: "finalist", STUDENT: "finalist", FAILED: "failed", UNSEEN: "not reached"}
WON: tuple[Fate, ...] = ("finalist", "beaten by a finalist")


def searched(words: str = "", **changes: object) -> SearchResult:
    """A search that found a form of the same network, which is recommended, and a student. `words` stand in every
    text from outside."""
    candidates = _candidates(words)
    drawn = random.Random(7)  # noqa: S311
    outcomes = tuple(_outcome(one, drawn, words) for one in candidates)
    made = SearchResult(
        provenance=f.provenance("search"),
        settings=SETTINGS,
        reference="baseline",
        beside=Screened(time=1.0, size_bytes=2_206_688, validation=validation(0)),
        setting=Setting(target=f"Pixel{words}", backend="xnnpack", threads=1),
        margin=0.02,
        took_s=1712.4,
        steps=_steps(candidates, words),
        rewrites=(
            Rewrites(
                format="float32", merged=_named(SEPARABLE[:1], words), not_merged=_named(SEPARABLE[1:], words),
                folded=_named(NORMALISED, words), not_folded=(),
            ),
            Rewrites(
                format="int8", merged=_named(SEPARABLE, words), not_merged=(),
                folded=_named(NORMALISED[1:], words), not_folded=_named(NORMALISED[:1], words),
            ),
        ),
        mixed=Mixed(
            format="static_wi8_ai8", base="merged_static_wi8_ai8", in_float=(_named(SEPARABLE[:2], words),),
            not_in_float=(_named(SEPARABLE[2:], words),),
        ),
        outcomes=outcomes,
        costs=HeldOut(spearman=0.9712, median_error=0.0834, n=58),
        never_trained=0.9,
        found=(BEST, STUDENT),
    )  # fmt: skip
    return made.model_copy(update=changes)


def validation(lost: int, won: int = 0) -> Validation:
    """Answers of a file, beside a network that has 180 of 200 right."""
    return Validation(images=IMAGES, right=180, lost=lost, won=won)


def _named(names: tuple[str, ...], words: str) -> tuple[str, ...]:
    return tuple(f"{name}{words}" for name in names)


def _candidates(words: str) -> tuple[Candidate, ...]:
    formats = SETTINGS.formats
    separable, normalised = _named(SEPARABLE, words), _named(NORMALISED, words)
    base = {form: space.Base(space.chosen_rewrite(separable[:1], normalised).passes) for form in formats}
    rewrites = (space.PLAIN, space.FOLDED, space.MERGED, *space.single_rewrites(separable, normalised))
    found = [one.candidate(form) for one in rewrites for form in formats]
    ranks = [{f"conv{layer}{words}": 4 * (layer + 1) for layer in range(number % 5 + 1)} for number in range(16)]
    drawn = [
        space.drawn(number, SETTINGS, base[formats[number % 2]], one, formats[number % 2])
        for number, one in enumerate(ranks)
    ]
    every = (*found, *space.enumerated(SETTINGS, base, formats), *(one for one in drawn if one is not None))
    return tuple(one for one in every if one.name != "plain_float32")


def _outcome(one: Candidate, drawn: random.Random, words: str) -> Outcome:
    time = drawn.lognormvariate({"rewrite": 0.0, "student": -1.4}.get(one.kind, -0.5), 0.4)
    size = int(2_206_688 * drawn.uniform(0.7, 1) * (0.27 if one.recipe.convert.format == "int8" else 1))
    size = int(size * {"rewrite": 1, "student": 0.08}.get(one.kind, drawn.uniform(0.2, 0.9)))
    time = 0.3 if one.name == BEST else time
    predicted = time * drawn.lognormvariate(0.0, 0.1) if one.kind != "rewrite" else None
    lost = 3 if one.kind == "rewrite" else drawn.randint(2, 90)
    fate = _fate(one, lost)
    if fate in ("failed", "not reached"):
        problem = f"RuntimeError: no room for it{words}" if fate == "failed" else None
        return Outcome(candidate=one, fate=fate, problem=problem)
    screened = Screened(time=time, size_bytes=size, validation=validation(lost), predicted=predicted)
    rungs = tuple(
        Rung(epochs=2 * 2**number, validation=validation(_after(lost, number, fate), won=1))
        for number in range(TRAINED.get(one.name, 0))
    )
    return Outcome(candidate=one, fate=fate, screened=screened, rungs=rungs, confirmed=_confirmed(one))


def _after(lost: int, number: int, fate: Fate) -> int:
    """A loss that training wins back, most of it for those that came through."""
    left = lost >> (number + 1)
    return min(left, 3 - number) if fate in WON else left + 6


def _fate(one: Candidate, lost: int) -> Fate:
    if one.name in FATES:
        return FATES[one.name]
    rungs = TRAINED.get(one.name, 0)
    if one.trains:
        return "beaten before training" if not rungs else "lost accuracy" if rungs == 3 else "beaten in training"
    return "beaten by a finalist" if lost <= 4 else "lost accuracy"


def _confirmed(one: Candidate) -> Confirmed | None:
    reference = wilson(540, 600)
    if one.name == BEST:
        ratio = Interval(value=3.12, low=3.02, high=3.2)
        return Confirmed(
            ratio=ratio, accuracy=wilson(541, 600), reference_accuracy=reference, keeping="shown to keep",
            recommended=True,
        )  # fmt: skip
    if one.name == STUDENT:
        ratio = Interval(value=4.6, low=4.4, high=4.9)
        return Confirmed(
            ratio=ratio, accuracy=wilson(529, 600), reference_accuracy=reference, keeping="not shown",
            recommended=False,
        )  # fmt: skip
    return None


def _steps(candidates: tuple[Candidate, ...], words: str) -> tuple[Step, ...]:
    by_kind = {kind: tuple(one.name for one in candidates if one.kind == kind) for kind in ("rewrite", "drawn")}
    others = tuple(one.name for one in candidates if one.kind not in by_kind)
    trained = [tuple(name for name, rungs in TRAINED.items() if rungs > number) for number in range(3)]
    return (
        Step(name="rewrites", what=f"every layer rewritten{words}", candidates=by_kind["rewrite"], took_s=412.04),
        Step(name="structures", what="thinner kernels", candidates=others, took_s=520.5, left_out=1),
        Step(name="drawn-1", what="a rank of its own", candidates=by_kind["drawn"], took_s=230.0),
        *(
            Step(name=f"trained-{n + 1}", what="trained", candidates=names, took_s=180.0)
            for n, names in enumerate(trained)
        ),
    )
