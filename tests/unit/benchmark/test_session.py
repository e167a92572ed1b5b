"""What is run again, where a killed benchmark goes on, and when it ends."""

from collections.abc import Callable
from datetime import timedelta
from math import log
from pathlib import Path

import pytest

from common.schema.benchmark import Cell, RunLine, Summary
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Outcome
from jobs.benchmark.ledger import Index, Ledger
from jobs.benchmark.noise import noise
from jobs.benchmark.pairs import Bracket, ratios
from jobs.benchmark.protocol import Bench, run
from jobs.benchmark.rounds import facts, next_step
from jobs.benchmark.rows import rows
from jobs.benchmark.wanted import Wanted
from tests.unit.benchmark.scripted import BEGIN, Scripted, measure, measured, wanted

Script = Callable[[Cell, int], Outcome]
ONE = Settings(backends=("cpu",), rounds=3, most_rounds=3)


def drifting(cell: Cell, seen: int) -> Outcome:
    """Everything gets slower, with a jump now and then; the CPU backend is disturbed at times."""
    us = (100.0 if cell.variant == "a" else 70.0) * (1 + 0.01 * seen) * (1.3 if seen % 17 > 13 else 1.0)
    return measured(us, us / (1.2 if cell.backend == "cpu" and seen % 5 == 0 else 1.0))


def summary(ledger: Ledger, plan: Wanted, variant: str) -> Summary:
    found = next(row.result for row in rows(ledger.index, plan) if row.cell.variant == variant)
    assert isinstance(found, Summary)
    return found


def places(ledger: Ledger) -> list[tuple[int, int, int, str, int, str]]:
    return [
        (line.round, line.segment, line.attempt, line.place, line.retry, f"{line.cell.variant} {line.cell.backend}")
        for line in ledger.lines
        if isinstance(line, RunLine)
    ]


def test_killed_after_any_line_it_goes_on_exactly_there(tmp_path: Path) -> None:
    plan = wanted("abcd", Settings(rounds=3, most_rounds=5))
    whole = measure(Scripted(drifting), plan, tmp_path)
    attempts = {place[2] for place in places(whole)}
    retries = {place[4] for place in places(whole)}
    assert attempts == {0, 1, 2} and retries == {0, 1}
    for kept in range(1, len(whole.lines) + 1):
        ledger = Ledger()
        for line in whole.lines[:kept]:
            ledger.append(line)
        target = Scripted(drifting, seen=kept - 1)
        measure(target, plan, tmp_path, ledger)
        assert ledger.lines == whole.lines, kept


def test_the_state_is_the_ledgers_alone(tmp_path: Path) -> None:
    plan = wanted("abcd")
    path = tmp_path / "ledger.jsonl"
    with pytest.raises(KeyboardInterrupt):
        measure(Scripted(drifting, stop=20), plan, tmp_path, Ledger(path))
    first, second = Ledger(path).index.sessions[0], Ledger(path).index.sessions[0]
    assert next_step(first, plan.limits) == next_step(second, plan.limits)
    measure(Scripted(drifting, seen=20), plan, tmp_path, Ledger(path))
    assert Ledger(path).lines == measure(Scripted(drifting), plan, tmp_path).lines


def test_a_ledger_with_a_line_cut_out_is_not_gone_on_with(tmp_path: Path) -> None:
    plan = wanted("abcd")
    whole = measure(Scripted(drifting), plan, tmp_path)
    ledger = Ledger()
    for number, line in enumerate(whole.lines):
        if number != 9:
            ledger.append(line)
    assert not ledger.index.sessions[0].sound
    measure(Scripted(drifting), plan, tmp_path, ledger)
    assert ledger.index.sessions[1].sound
    assert all(row.session == 1 for row in rows(ledger.index, plan))


def burst(at: int) -> Script:
    return lambda _cell, seen: measured(150.0 if seen == at else 100.0)


def test_a_segment_is_measured_again_where_its_references_differ(tmp_path: Path) -> None:
    plan = wanted("abcdef", ONE)
    calm = measure(Scripted(burst(-1)), plan, tmp_path)
    at = next(number for number, place in enumerate(places(calm)) if place[1] == 1 and place[3] == "after")
    ledger = measure(Scripted(burst(at)), plan, tmp_path)
    again = [place for place in places(ledger) if place[2]]
    assert {place[:3] for place in again} == {(0, 1, 1)}
    assert len(places(ledger)) == len(places(calm)) + len(again)
    found = noise(ledger.index.sessions[0])[0]
    assert (found.segments, found.redone, found.too_busy) == (12, 1, False)
    assert found.floor == 0.02
    for name in "bcdef":
        assert [ratio.value for ratio in summary(ledger, plan, name).ratios] == pytest.approx([1.0] * 3)


def test_a_variants_own_value_never_makes_it_run_again(tmp_path: Path) -> None:
    plan = wanted("abcdef", ONE)
    wild = Scripted(lambda cell, seen: measured(100.0 if cell.variant == "a" else 50.0 + 37 * (seen % 9)))
    assert {place[2] + place[4] for place in places(measure(wild, plan, tmp_path))} == {0}


def test_where_it_is_always_loud_the_last_attempt_is_kept_and_it_is_called_too_busy(tmp_path: Path) -> None:
    plan = wanted("abcdef", Settings(backends=("cpu",), rounds=3))
    loud = Scripted(lambda _cell, seen: measured(100.0 * 1.25 ** (seen * seen % 7)))
    session = measure(loud, plan, tmp_path).index.sessions[0]
    found = noise(session)[0]
    assert found.too_busy
    assert found.redone > 0.5 * found.segments
    assert all(len(brackets) == session.rounds for cell, brackets in session.brackets.items() if cell.variant != "a")
    assert (session.rounds, facts(session, plan.limits).stopped) == (3, "too busy")


def test_a_disturbed_process_runs_again_and_then_cpu_times_count(tmp_path: Path) -> None:
    plan = wanted("abcdef", ONE)

    def once(cell: Cell, seen: int) -> Outcome:
        return measured(300.0 if cell.variant == "b" and seen < 9 and not told else 100.0, 100.0)

    told: list[int] = []

    def first_only(cell: Cell, seen: int) -> Outcome:
        outcome = once(cell, seen)
        if cell.variant == "b":
            told.append(seen)
        return outcome

    ledger = measure(Scripted(first_only), plan, tmp_path)
    assert [place[4] for place in places(ledger) if place[4]] in ([], [1])
    assert summary(ledger, plan, "b").disturbed_rounds == 0

    always = Scripted(lambda cell, _seen: measured(300.0 if cell.variant == "b" else 100.0, 100.0))
    ledger = measure(always, plan, tmp_path)
    assert max(place[4] for place in places(ledger)) == 2
    disturbed = summary(ledger, plan, "b")
    assert (disturbed.disturbed_rounds, disturbed.from_cpu, disturbed.latency_us) == (3, True, 300.0)
    assert [ratio.value for ratio in disturbed.ratios] == pytest.approx([1.0] * 3)
    assert (summary(ledger, plan, "c").disturbed_rounds, summary(ledger, plan, "c").from_cpu) == (0, False)


def test_where_running_again_does_not_help_it_is_given_up(tmp_path: Path) -> None:
    plan = wanted("abcdef", ONE)
    ledger = measure(Scripted(lambda _c, _s: measured(200.0, 100.0)), plan, tmp_path)
    retries = sum(place[4] > 0 for place in places(ledger))
    assert retries == 2 * 8
    assert all(summary(ledger, plan, name).from_cpu for name in "bcdef")


def test_several_threads_and_places_without_cpu_times_are_never_disturbed(tmp_path: Path) -> None:
    threads = wanted("ab", Settings(threads=(2,), rounds=3, most_rounds=3))
    ledger = measure(Scripted(lambda _c, _s: measured(200.0, 100.0)), threads, tmp_path)
    assert not any(place[4] for place in places(ledger))
    assert not summary(ledger, threads, "b").from_cpu


def line_at(seconds: float, us: float, variant: str = "a") -> RunLine:
    return RunLine(
        session=0,
        round=0,
        order=0,
        cell=Cell(variant=variant, model_sha256="0" * 64, backend="cpu", threads=1),
        started_at=BEGIN + timedelta(seconds=seconds),
        load_1min=None,
        outcome=measured(us),
        warmup_samples_us=(),
        samples_us=(),
    )


@pytest.mark.parametrize(("moment", "reference"), [(0, 100), (10, 400), (5, 200), (-3, 100), (99, 400)])
def test_the_reference_is_interpolated_in_time(moment: float, reference: float) -> None:
    bracket = Bracket(line_at(moment, 50.0, "b"), line_at(0, 100.0), line_at(10, 400.0))
    assert bracket.log_ratio(cpu=False) == pytest.approx(log(reference / 50.0))
    (found,) = ratios([bracket])
    assert found.value == pytest.approx(reference / 50.0)


def test_steady_drift_cancels(tmp_path: Path) -> None:
    plan = wanted("abcdef")
    heating = Scripted(lambda cell, seen: measured((200.0 if cell.variant == "a" else 100.0) * 1.004**seen))
    ledger = measure(heating, plan, tmp_path)
    for name in "bcdef":
        assert [ratio.value for ratio in summary(ledger, plan, name).ratios] == pytest.approx([2.0] * 3)


def test_the_floor_is_what_a_file_differs_from_itself(tmp_path: Path) -> None:
    plan = wanted("abcdef", ONE)
    places_ = places(measure(Scripted(burst(-1)), plan, tmp_path))
    second = {number for number, place in enumerate(places_) if place[1] == 1 and place[3] == "after"}
    odd = Scripted(lambda _cell, seen: measured(107.0 if seen in second else 100.0))
    (found,) = noise(measure(odd, plan, tmp_path).index.sessions[0])
    assert found.floor == pytest.approx(0.07, abs=0.001)
    assert (found.pairs, found.redone) == (9, 0)


def test_references_alone_have_no_floor(tmp_path: Path) -> None:
    plan = wanted("a", Settings(backends=("cpu",), rounds=1, most_rounds=1))
    session = measure(Scripted(burst(-1)), plan, tmp_path).index.sessions[0]
    assert len(session.runs) == 1
    assert noise(session)[0].floor is None


def noisy(cell: Cell, seen: int) -> Outcome:
    return measured(100.0 * (1 if cell.variant == "a" else 1 + 0.03 * (seen * 7 % 5)))


def test_rounds_are_added_until_the_intervals_are_narrow(tmp_path: Path) -> None:
    calm = measure(Scripted(burst(-1)), wanted("abcd", Settings()), tmp_path).index.sessions[0]
    assert (calm.rounds, facts(calm, wanted("abcd", Settings()).limits).stopped) == (6, "narrow")
    plan = wanted("abcd", Settings())
    session = measure(Scripted(noisy), plan, tmp_path).index.sessions[0]
    assert 6 < session.rounds <= 15
    told = facts(session, plan.limits)
    assert told.stopped == ("most rounds" if session.rounds == 15 else "narrow")
    assert (told.wide > 0.1 * told.ratios) == (session.rounds == 15)


def test_the_budget_ends_a_session(tmp_path: Path) -> None:
    plan = wanted("abcd", Settings(rounds=3, budget="2m"))
    target = Scripted(lambda cell, seen: measured(100.0 * (1 if cell.variant == "a" else 1 + 0.3 * (seen * 7 % 5))))
    session = measure(target, plan, tmp_path).index.sessions[0]
    assert facts(session, plan.limits).stopped == "budget"
    # 14 processes of 2 s in a round.
    assert (session.rounds, session.took_s) == (4, 116)
    # The fewest rounds are measured whatever the budget is.
    plan = wanted("abcd", Settings(rounds=3, budget="1s"))
    assert measure(Scripted(noisy), plan, tmp_path).index.sessions[0].rounds == 3


def test_a_hot_place_gets_a_pause_before_a_segment(tmp_path: Path) -> None:
    plan = wanted("abcdef", ONE)
    hot = Scripted(burst(-1))
    hot.status = 3
    measure(hot, plan, tmp_path)
    # Six steps before every segment.
    assert hot.slept == [10] * 6 * 12
    light = Scripted(burst(-1))
    light.status = 1
    measure(light, plan, tmp_path)
    assert light.slept == []


def test_an_index_grows_as_it_is_read(tmp_path: Path) -> None:
    ledger = measure(Scripted(drifting), wanted("abcd"), tmp_path)
    index = Index()
    for line in ledger.lines:
        index.add(line)
    assert index.sessions[0].brackets == ledger.index.sessions[0].brackets


def test_the_progress_tells_a_tiny_models_time_with_its_decimals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, plan = Scripted(lambda *_: measured(3.456)), wanted("ab", ONE)
    models = {cell.variant: tmp_path / cell.variant for cell in plan.cells}
    run(Bench(target, models, Settings(), tmp_path / "logs", clock=target), Ledger(), plan)
    assert "  a cpu x1  3.46 µs" in capsys.readouterr().out
