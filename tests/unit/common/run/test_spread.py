"""How much a file differs between two sessions, from those that a device has shown."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from common.ledger import read_lines
from common.run.spread import ASSUMED_ALONE, ASSUMED_BESIDE, Session, of_ledger, of_traces, spread, student
from tests.unit.report import factories as f
from tests.unit.report.rich import rich

KEY = ("cpu", 1, "binary")


def session(number: int, variant: float, reference: float = 1000.0, conditions: str = "same") -> Session:
    return Session("host", str(number), conditions, "r", {("r", *KEY): reference, ("v", *KEY): variant})


def test_one_session_shows_nothing_and_the_stated_share_stands_for_it() -> None:
    found = spread("host", [session(0, 500.0)], beside_reference=True)
    assert (found.assumed, found.share, found.sessions, found.largest) == (True, ASSUMED_BESIDE, 1, None)
    assert spread("host", [], beside_reference=False).share == ASSUMED_ALONE


def test_a_few_sessions_may_only_add_to_what_is_assumed() -> None:
    near = spread("host", [session(0, 500.0), session(1, 505.0)], beside_reference=True)
    assert near.assumed and near.share == ASSUMED_BESIDE and near.largest == pytest.approx(0.01)
    far = spread("host", [session(0, 500.0), session(1, 700.0)], beside_reference=True)
    assert far.assumed and far.share == pytest.approx(0.4)


def test_a_machine_that_is_slower_as_a_whole_does_not_spread_beside_the_reference() -> None:
    sessions = [session(n, 500.0 * factor, 1000.0 * factor) for n, factor in enumerate((1, 1.5, 1.2, 0.8, 2, 1.1))]
    beside = spread("host", sessions, beside_reference=True)
    alone = spread("host", sessions, beside_reference=False)
    assert not beside.assumed and beside.share == pytest.approx(0.0, abs=1e-9)
    assert not alone.assumed and alone.share > 1.0


def test_only_sessions_that_are_alike_count_and_each_once() -> None:
    others = [session(0, 500.0), session(1, 900.0, conditions="another tool")]
    assert spread("host", others, beside_reference=True).largest is None
    same = [session(0, 500.0), session(0, 500.0), session(1, 510.0)]
    assert spread("host", same, beside_reference=True).sessions == 2
    assert spread("phone", same, beside_reference=True).sessions == 0


@pytest.mark.parametrize("sessions", [5, 8, 20])
def test_the_interval_holds_the_difference_of_two_further_sessions(sessions: int) -> None:
    """Of 2,000 devices; 95 % are promised, the standard error is 0.5 points."""
    draw, held = np.random.default_rng(sessions), 0
    for _ in range(2000):
        logs = draw.normal(0, 0.05, sessions + 2)
        shown = [session(n, 500.0 * math.exp(value)) for n, value in enumerate(logs[:-2])]
        held += abs(logs[-1] - logs[-2]) <= math.log1p(spread("host", shown, beside_reference=True).share)
    assert 0.935 <= held / 2000 <= 0.965


@pytest.mark.parametrize("degrees", [4, 7, 30, 400])
def test_the_quantile_is_students(degrees: int) -> None:
    assert student(degrees) == pytest.approx(t.ppf(0.975, degrees), rel=1e-3)


def test_a_ledger_tells_its_sessions(tmp_path: Path) -> None:
    rows = [f.row("baseline", f.summary(100, None)), f.row("float16", f.summary(50, 100), sha256=f.OTHER_SHA)]
    f.write_benchmark(tmp_path, f.benchmark(rows))
    [found] = of_ledger("host", "baseline", tuple(read_lines(tmp_path / "ledger.jsonl")))
    assert found.reference == f.SHA
    assert found.typical_us == {(f.SHA, *KEY): 100, (f.OTHER_SHA, *KEY): 50}


def test_traces_stand_for_a_ledger_that_is_not_there() -> None:
    given = rich()
    hashes = {name: f"{number}" for number, name in enumerate(f.NAMES)}
    [found] = of_traces(given.traces, hashes, "run", "baseline")
    assert found.reference == "0" and len(found.typical_us) == 2 * len(f.NAMES)
    assert found.typical_us["0", *KEY] == pytest.approx(f.TIMES[0], rel=0.05)
