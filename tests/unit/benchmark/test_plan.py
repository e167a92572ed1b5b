"""Order, resumption and pairing: properties of the plan, whatever the matrix."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from common.schema.benchmark import Cell, LedgerLine, RunLine, SessionLine
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Outcome, Unsupported
from jobs.benchmark.plan import Wanted, remaining, resumable, slots, unmeasured, want
from jobs.benchmark.rows import rows
from jobs.benchmark.statistics import stat

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def wanted(names: str = "ab", rounds: int = 3, seed: int = 1, shas: dict[str, str] | None = None) -> Wanted:
    models = {name: (shas or {}).get(name, "0" * 64) for name in names}
    return want(models, Settings(rounds=rounds), reference=names[0], seed=seed, fingerprint="f" * 64)


def session(plan: Wanted, number: int = 0, cells: tuple[Cell, ...] | None = None) -> SessionLine:
    return SessionLine(
        session=number,
        seed=plan.seed,
        cells=plan.cells if cells is None else cells,
        rounds=plan.rounds,
        fingerprint=plan.fingerprint,
        settings_sha256=plan.settings_sha256,
        started_at=NOW,
    )


def measured(us: float) -> Measured:
    return Measured(
        init_us=1.0, first_us=us, warmup=stat([us]), steady=stat([us]), memory_init_kib=1, memory_overall_kib=2
    )


Outcomes = dict[int, Outcome]


def lines_of(line: SessionLine, outcomes: Outcomes | None = None, upto: int | None = None) -> list[LedgerLine]:
    runs = [
        RunLine(
            session=line.session,
            round=slot.round,
            order=slot.order,
            cell=slot.cell,
            started_at=NOW,
            load_1min=None,
            outcome=(outcomes or {}).get(slot.order, measured(100.0 + slot.round)),
            warmup_samples_us=(1.0,),
            samples_us=(1.0,),
        )
        for slot in slots(line)[:upto]
    ]
    return [line, *runs]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99), st.integers(0, 9))
def test_every_round_holds_every_cell_once(variants: int, rounds: int, seed: int, number: int) -> None:
    plan = wanted("abcdef"[:variants], rounds, seed)
    planned = slots(session(plan, number))
    assert [slot.order for slot in planned] == list(range(len(plan.cells) * rounds))
    for turn in range(rounds):
        assert {slot.cell for slot in planned if slot.round == turn} == set(plan.cells)
    assert [slot.round for slot in planned] == sorted(slot.round for slot in planned)
    assert planned == slots(session(plan, number))


def test_rounds_and_seeds_have_orders_of_their_own() -> None:
    plan = wanted("abcdef")
    first, second = ([slot.cell for slot in slots(session(plan)) if slot.round == turn] for turn in (0, 1))
    assert first != second
    assert slots(session(plan)) != slots(session(wanted("abcdef", seed=2)))


@given(st.integers(0, 12))
def test_an_interrupted_session_goes_on_where_it_stopped(done: int) -> None:
    plan = wanted()
    line = session(plan)
    ledger = lines_of(line, upto=done)
    left = remaining(line, ledger)
    assert len(left) == 12 - done
    assert resumable(ledger, plan) == (line if left else None)
    assert not set(left) & set(slots(line)[:done])


def test_nothing_is_measured_twice_and_a_changed_variant_brings_its_reference() -> None:
    plan = wanted("abc")
    ledger = lines_of(session(plan))
    assert unmeasured(ledger, plan) == ()
    changed = wanted("abc", shas={"c": "c" * 64})
    assert resumable(ledger, changed) is None
    cells = unmeasured(ledger, changed)
    assert {(cell.variant, cell.model_sha256[0]) for cell in cells} == {("a", "0"), ("c", "c")}


def test_other_settings_or_another_machine_share_nothing() -> None:
    ledger = lines_of(session(wanted()))
    assert len(unmeasured(ledger, wanted(rounds=4))) == 4
    other = want({"a": "0" * 64}, Settings(rounds=3), reference="a", seed=1, fingerprint="e" * 64)
    assert len(unmeasured(ledger, other)) == 2
    assert resumable(lines_of(session(wanted()), upto=3), other) is None


def test_a_failed_cell_is_tried_again_next_time() -> None:
    plan = wanted("a")
    ledger = lines_of(session(plan), {0: Failed(reason="crash", log=None)})
    assert unmeasured(ledger, plan)


def test_ratios_pair_rounds_of_one_session_only() -> None:
    plan = wanted("ab")
    first = session(plan)
    old = lines_of(first, {slot.order: measured(1000.0) for slot in slots(first)})
    changed = wanted("ab", shas={"b": "b" * 64})
    second = session(changed, 1)
    outcomes: Outcomes = {
        slot.order: measured((200.0 if slot.cell.variant == "a" else 100.0) * (1 + slot.round))
        for slot in slots(second)
    }
    made = rows([*old, *lines_of(second, outcomes)], changed)
    for row in made:
        assert row.session == 1
        assert row.result.kind == "summary"
        if row.cell.variant == "b":
            assert row.result.ratio is not None
            assert (row.result.ratio.value, row.result.ratio.low, row.result.ratio.high) == (2.0, 2.0, 2.0)
            assert row.result.paired_rounds == 3
        else:
            assert row.result.ratio is None


def test_a_round_whose_partner_failed_is_not_paired() -> None:
    plan = wanted("ab", rounds=2)
    line = session(plan)
    bad = next(slot.order for slot in slots(line) if slot.cell.variant == "a" and slot.cell.backend == "cpu")
    made = rows(lines_of(line, {bad: Failed(reason="crash", log="logs/x")}), plan)
    by_name = {(row.cell.variant, row.cell.backend): row for row in made}
    other = by_name["b", "cpu"].result
    assert other.kind == "summary"
    assert other.paired_rounds == 1
    assert other.ratio is None
    assert by_name["a", "cpu"].failed_rounds == 1


def test_a_cell_that_never_ran_is_no_number() -> None:
    plan = wanted("a", rounds=2)
    line = session(plan)
    outcomes: Outcomes = {slot.order: Unsupported(reason="no such delegate") for slot in slots(line)}
    assert all(row.result == Unsupported(reason="no such delegate") for row in rows(lines_of(line, outcomes), plan))
