"""Two runs' files, measured in turns in one session."""

import pytest

from common.errors import UsageError
from common.run.between import Case
from common.run.judge import Evidence, Subject, judge
from common.run.rerun import files, interleaved
from common.run.speed import Target
from common.schema.convert import Convert
from common.schema.experiment import Choose
from common.schema.recipe import Recipe
from common.schema.results import Results
from tests.unit.common.run.test_between import LAST
from tests.unit.compare.runs import another, cell, results, side
from tests.unit.report import factories as f

BASE = results()
HEAD = another(BASE, LAST, "float16").model_copy(update={"targets": (f.host(fact="another processor"),)})
CASE = Case(side(BASE), side(HEAD), "0")


def session(**times: float) -> Results:
    """A run of files by name, of which the first is the reference; its rounds differ by 1 %."""
    first = next(iter(times))
    rows = [
        f.row(name, f.summary(us, None if name == first else times[first]), "xnnpack", _sha(name))
        for name, us in times.items()
    ]
    made = f.benchmark(rows).model_copy(update={"reference": first})
    recipe = Recipe(convert=Convert(format="float16"))
    subjects = tuple(Subject(f.variant(name, recipe), f.evaluation(name, 290, first)) for name in times)
    judgement = judge(Evidence(first, subjects, (Target(made),), Choose()))
    standing = f.choice().standings[0]
    standings = tuple(
        standing.model_copy(
            update={"candidate": standing.candidate.model_copy(update={"name": name, "model_sha256": _sha(name)})}
        )
        for name in times
    )
    chosen = f.choice().model_copy(update={"judgement": judgement, "standings": standings})
    measured = [f.measurement(name, f.latency(us, None), "xnnpack") for name, us in times.items()]
    variants = tuple(f.variant_result(name, 10) for name in times)
    return f.results(reference=first, measurements=measured, variants=variants, evaluations=(), choice=chosen)


def _sha(name: str) -> str:
    return f.OTHER_SHA if name.startswith("head-") else f.SHA


def test_only_what_differs_is_measured_and_the_reference() -> None:
    changed = ("float16", LAST)
    assert files(CASE) == {"base-": ("baseline", *changed), "head-": changed}
    assert files(Case(side(BASE), side(BASE), "0"))["head-"] == ()


def test_pairs_of_one_session_carry_no_spread_between_sessions() -> None:
    times = {"base-baseline": 1000.0, f"base-{LAST}": 500.0, f"head-{LAST}": 550.0, "base-float16": 900.0}
    found = interleaved(CASE, session(**times, **{"head-float16": 900.0}))
    assert found.interleaved and found.spreads == ()
    slow, same = cell(found, LAST).latency, cell(found, "float16").latency
    assert slow.verdict == "slower" and slow.ratio is not None
    assert slow.ratio.value == pytest.approx(1 / 1.1, rel=1e-3) and slow.ratio.low > 0.88
    assert same.verdict == "as fast"
    # What differs is still named, and refuses nothing: both were measured here.
    assert [change.what for change in found.setup] == ["CPU"] and not found.setup[0].refuses


def test_a_reference_that_changed_is_compared_too() -> None:
    case = Case(side(BASE), side(another(BASE, "baseline")), "0")
    assert files(case) == {"base-": ("baseline",), "head-": ("baseline",)}
    found = interleaved(case, session(**{"base-baseline": 1000.0, "head-baseline": 500.0}))
    latency = cell(found, "baseline").latency
    assert (
        latency.verdict == "faster" and latency.ratio is not None and latency.ratio.value == pytest.approx(2, rel=0.01)
    )


def test_a_session_of_other_files_is_refused() -> None:
    case = Case(side(BASE), side(another(BASE, LAST, sha="1" * 64)), "0")
    with pytest.raises(UsageError, match=f"the file of head-{LAST} that was measured in turns is fedcba9876.* 11111"):
        interleaved(case, session(**{"base-baseline": 1.0, f"base-{LAST}": 1.0, f"head-{LAST}": 1.0}))
