"""Speed, answers and eligibility, and a page that never contradicts itself."""

import re

import pytest

from common.proportion import wilson
from common.run.judge import Evidence, Subject, deciding_setting, judge
from common.run.speed import Target, difference, rounds_needed
from common.schema.base import Interval
from common.schema.benchmark import Benchmark, Row, Summary
from common.schema.convert import Convert
from common.schema.evaluation import McNemar
from common.schema.examination import Examination, OutputCheck
from common.schema.experiment import Choose
from common.schema.judgement import Judgement, Speed
from common.schema.outcome import Delegation, Failed, Unsupported
from common.schema.recipe import Recipe
from common.schema.variant import Promise
from jobs.report.page import build
from jobs.report.render import render
from tests.unit.choose.factories import exact_p
from tests.unit.report import factories as f

NONE = Delegation(extent="none", kernel=None, nodes_delegated=None, nodes_total=None, partitions=None)
PARTIAL = NONE.model_copy(update={"extent": "partial"})
RECIPE = Recipe(convert=Convert(format="float16"))


def ratio(low: float, high: float) -> Interval:
    return Interval(value=(low * high) ** 0.5, low=low, high=high)


@pytest.mark.parametrize(
    ("low", "high", "floor", "word"),
    [
        (1.021, 1.3, 0.02, "faster"),
        (1.021, 1.3, 0.03, "not resolved"),
        (0.7, 0.98, 0.02, "slower"),
        (0.7, 0.981, 0.02, "not resolved"),
        (0.96, 1.04, 0.02, "as fast"),
        (0.95, 1.04, 0.02, "not resolved"),
        (1.025, 1.03, 0.02, "faster"),
    ],
)
def test_the_word_for_a_ratio(low: float, high: float, floor: float, word: str) -> None:
    assert difference(ratio(low, high), None, floor) == word


def test_equivalence_is_judged_by_its_own_interval() -> None:
    assert difference(ratio(0.94, 1.06), ratio(0.96, 1.04), 0.02) == "as fast"


def test_rounds_that_resolve_go_with_the_square_of_the_width() -> None:
    assert rounds_needed(ratio(1 / 1.0618, 1.0618), 6, 0.02) == pytest.approx(24, abs=1)
    assert rounds_needed(ratio(1.01, 1.055), 6, 0.02) > 6


def binary(name: str, us: float, **changes: object) -> Row:
    made = f.row(name, f.summary(us, None if name == "baseline" else 1000.0), "gpu")
    return made.model_copy(update={"result": made.result.model_copy(update=changes)})


def judgement(*rows: Row, alive: bool = True, **changes: object) -> Judgement:
    benchmark = f.benchmark(rows).model_copy(update=changes)
    subjects = []
    for row in rows:
        name = row.cell.variant
        subjects.append(Subject(f.variant(name, RECIPE), f.evaluation(name, 290), constant=not alive))
    return judge(Evidence("baseline", tuple(subjects), (Target(benchmark),), Choose()))


def of(found: Judgement, name: str) -> Speed:
    return next(speed for speed in found.speeds if speed.variant == name)


BASELINE, FAST = binary("baseline", 1000.0), binary("float16", 500.0)


def wrong(row: Row) -> Row:
    outputs = OutputCheck(images=8, top1_agreement=wilson(1, 8), largest_difference=0.9, wrong="they are all the same")
    return row.model_copy(update={"examination": Examination(outputs=outputs)})


FAULTS = {
    "unsupported": (f.row("float16", Unsupported(reason="no"), "gpu"), "unsupported"),
    "failed": (f.row("float16", Failed(reason="killed", log=None), "gpu"), "failed"),
    "failed in most rounds": (FAST.model_copy(update={"failed_rounds": 5}), "failed"),
    "fallback": (binary("float16", 500.0, delegation=NONE), "fallback"),
    "wrong answers": (wrong(FAST), "wrong answers"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_cell_is_not_compared_and_its_variant_not_eligible(fault: str) -> None:
    row, cause = FAULTS[fault]
    found = judgement(BASELINE, row)
    speed = of(found, "float16")
    assert (speed.verdict, speed.obstacle and speed.obstacle.cause, speed.ratio) == ("not compared", cause, None)
    assert not found.of("float16").eligible and found.of("baseline").eligible


def test_a_reference_of_many_processes_may_lose_some() -> None:
    rounds = BASELINE.result.rounds if isinstance(BASELINE.result, Summary) else 0
    few = binary("baseline", 1000.0, processes=5 * rounds).model_copy(update={"failed_rounds": rounds})
    assert of(judgement(few, FAST), "float16").verdict == "faster"
    many = few.model_copy(update={"failed_rounds": 2 * rounds})
    assert of(judgement(many, FAST), "float16").verdict == "not compared"


def test_the_same_without_a_fault_is_faster_and_eligible() -> None:
    found = judgement(BASELINE, FAST)
    assert of(found, "float16").verdict == "faster" and found.of("float16").eligible
    assert found.gains[0].best == "float16"


def test_a_part_that_ran_on_the_backend_is_shown_as_a_part() -> None:
    assert of(judgement(BASELINE, binary("float16", 500.0, delegation=PARTIAL)), "float16").partial


def test_a_reference_that_fell_back_is_compared_with_nothing() -> None:
    found = judgement(binary("baseline", 1000.0, delegation=NONE), FAST)
    obstacle = of(found, "float16").obstacle
    assert obstacle is not None and obstacle.cause == "reference"
    assert not found.ranked and not found.of("baseline").eligible


def test_a_busy_machine_and_an_emulator_rank_nothing_but_speak_against_no_variant() -> None:
    for changes in ({"noise": (f.noise("gpu", too_busy=True),)}, {"target": f.host(functional_only=True)}):
        found = judgement(BASELINE, FAST, **changes)
        assert not found.ranked and of(found, "float16").verdict == "not compared"
        assert found.of("float16").eligible


def test_the_floor_is_the_sessions_own_and_assumed_in_old_benchmarks() -> None:
    slow = binary("float16", 960.0)
    old, new = judgement(BASELINE, slow), judgement(BASELINE, slow, noise=(f.noise("gpu", 0.08),))
    assert (of(old, "float16").floor, of(old, "float16").floor_assumed) == (0.02, True)
    assert (of(new, "float16").floor, of(new, "float16").floor_assumed) == (0.08, False)
    assert (of(old, "float16").verdict, of(new, "float16").verdict) == ("faster", "not resolved")


def test_constant_answers_and_broken_promises_are_never_eligible() -> None:
    assert not judgement(BASELINE, FAST, alive=False).of("float16").eligible
    broken = Promise(claim="type", subject="a", expected="int8", observed="float32", kept=False)
    variant = f.variant("float16", RECIPE).model_copy(update={"promises": (broken,)})
    target = Target(f.benchmark([BASELINE, FAST]))
    own = Subject(f.variant("baseline", RECIPE), f.evaluation("baseline", 290))
    subjects = (own, Subject(variant, f.evaluation("float16", 290)))
    found = judge(Evidence("baseline", subjects, (target,), Choose()))
    assert found.of("float16").reasons[0].text == "its file breaks a promise: type of a"


def test_rivals_are_compared_round_by_round_and_not_by_their_intervals() -> None:
    # Both vary by a tenth from round to round, together: their own ratio does not.
    def noisy(name: str, us: float) -> Row:
        made = binary(name, us)
        values = [1000.0 / us * (1 + 0.1 * (-1) ** k) for k in range(6)]
        told = [{"round": k, "value": value} for k, value in enumerate(values)]
        changed = {"ratios": told, "ratio": {"value": 1000 / us, "low": 1000 / us * 0.85, "high": 1000 / us * 1.15}}
        result = made.result.model_validate({**made.result.model_dump(), **changed}, strict=False)
        return made.model_copy(update={"result": result})

    clear = judgement(BASELINE, noisy("float16", 500.0), noisy("other", 540.0)).gains[0]
    close = judgement(BASELINE, noisy("float16", 500.0), noisy("other", 505.0)).gains[0]
    assert (clear.best, clear.rivals) == ("float16", ())
    assert (close.best, close.rivals) == ("float16", ("other",))


def counted(name: str, lost: int, won: int, images: int, recall: tuple[int, int]) -> Subject:
    def test(one: int, other: int) -> McNemar:
        p = exact_p(one, other)
        return McNemar(reference="baseline", only_reference_right=one, only_variant_right=other, p_value=p)

    made = f.evaluation(name, 290)
    fire = made.per_class[0].model_copy(update={"support": images // 2, "mcnemar": test(*recall)})
    changes = {"count": images, "mcnemar": test(lost, won), "per_class": (fire, made.per_class[1])}
    return Subject(f.variant(name, RECIPE), made.model_copy(update=changes))


def test_a_class_with_a_margin_of_its_own_decides_too() -> None:
    own = Subject(f.variant("baseline", RECIPE), f.evaluation("baseline", 290))
    subjects = (own, counted("float16", 30, 30, 4000, recall=(30, 0)))
    target = Target(f.benchmark([BASELINE, FAST]))
    for classes, word in (({}, "shown to keep"), ({"Fire": 0.01}, "shown to lose")):
        found = judge(Evidence("baseline", subjects, (target,), Choose(classes=classes))).of("float16")
        assert (found.accuracy, found.eligible) == (word, not classes)


def test_an_evaluation_without_counts_per_class_shows_nothing_of_them() -> None:
    found = f.judgement(rules=Choose(margin=0.05, classes={"Fire": 0.5})).of("float16")
    assert (found.overall.verdict, found.accuracy) == ("shown to keep", "not shown")


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.10])
def test_one_page_never_contradicts_itself(alpha: float) -> None:
    """The summary, the tables, the choice's verdicts and the figures of speed tell one story whatever alpha is."""
    judged = f.judgement(rules=Choose(alpha=alpha, margin=0.03))
    standing = f.choice().standings[0]
    standings = tuple(
        standing.model_copy(
            update={
                "candidate": standing.candidate.model_copy(
                    update={"name": v.variant, "keeping": v.accuracy, "difference": None}
                ),
                "eligible": v.eligible,
            }
        )
        for v in judged.variants
    )
    chosen = f.choice().model_copy(update={"judgement": judged, "rules": Choose(alpha=alpha), "standings": standings})
    html = render(build(f.results(choice=chosen), None))[0].content.decode()
    table = html[html.index("Accuracy on the validation images") :]
    for found in judged.variants:
        if found.variant == "baseline":
            continue
        label = found.variant.replace("_", " ")
        row = re.search(rf'<th scope="row">{label}</th>(.*?)</tr>', table, re.DOTALL)
        assert row is not None
        words = [w for w in ("shown to keep", "shown to lose", "not shown") if w in row.group(1)]
        assert words == [found.accuracy]
    assert "significant" not in html


def test_xnnpack_decides_where_it_was_measured() -> None:
    cpu, xnnpack = f.row("baseline", f.summary(100, None)), f.row("baseline", f.summary(50, None), "xnnpack")

    def backend(rows: list[Row], rules: Choose) -> str | None:
        made: Benchmark = f.benchmark(rows)
        setting = deciding_setting(made, rules)
        return None if setting is None else setting.backend

    assert backend([cpu, xnnpack], Choose()) == "xnnpack"
    assert backend([cpu, f.row("baseline", Unsupported(reason="no"), "xnnpack")], Choose()) == "cpu"
    assert backend([cpu, xnnpack], Choose(backend="cpu")) == "cpu"
    assert backend([cpu], Choose(backend="xnnpack")) is None
