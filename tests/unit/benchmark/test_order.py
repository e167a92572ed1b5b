"""The order of a session: properties whatever the matrix."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.schema.benchmark import SessionLine
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark.order import Layout, Slot, group
from tests.unit.benchmark.scripted import BEGIN, Scripted, measure, measured, wanted

NAMES = "abcdefghijklmnopqrst"


def layout(variants: int, seed: int = 1, threads: tuple[int, ...] = (1,)) -> Layout:
    plan = wanted(NAMES[:variants], Settings(threads=threads), seed=seed)
    return Layout(
        SessionLine(
            session=0,
            seed=plan.seed,
            cells=plan.cells,
            rounds=3,
            fingerprint=plan.fingerprint,
            settings_sha256=plan.settings_sha256,
            started_at=BEGIN,
            reference=plan.reference,
        )
    )


@pytest.mark.parametrize(("variants", "segments"), [(1, 1), (2, 2), (3, 2), (4, 4), (19, 4), (20, 4)])
def test_segments(variants: int, segments: int) -> None:
    assert layout(variants).segments == segments


def test_many_cells_of_a_backend_make_more_segments() -> None:
    assert layout(20, threads=(1, 2)).segments == 8


@given(st.integers(1, 20), st.integers(0, 99), st.integers(0, 5))
def test_a_round_holds_every_cell_once_between_two_references_of_its_group(
    variants: int, seed: int, number: int
) -> None:
    plan = layout(variants, seed)
    slots = (*plan.round(number), *plan.round(number + 1))
    inside = [slot for slot in slots if slot.round == number and slot.place == "within"]
    assert Counter(slot.cell for slot in inside) == Counter(plan.cells)
    references = Counter(slot.cell for slot in slots if slot.round == number and slot.place == "after")
    if plan.cells:
        assert references == Counter(dict.fromkeys(plan.references.values(), plan.segments))
    assert plan.round(number) == layout(variants, seed).round(number)


def test_rounds_and_seeds_have_orders_of_their_own() -> None:
    def cells(slots: tuple[Slot, ...]) -> list[str]:
        return [f"{slot.cell.variant} {slot.cell.backend}" for slot in slots if slot.place == "within"]

    orders = [cells(layout(8, seed).round(number)) for seed in (1, 2) for number in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4


def test_the_ledger_alternates_references_and_segments(tmp_path: Path) -> None:
    plan = wanted("abcdef")
    target = Scripted(lambda _cell, _seen: measured(100.0))
    session = measure(target, plan, tmp_path).index.sessions[0]
    # Before the first segment, and after each of 4 in 3 rounds, on 2 backends.
    assert len(session.kept[session.layout.references["cpu", 1, "binary"]]) == 1 + 3 * 4
    assert len(session.runs) == 2 * (1 + 3 * 4) + 3 * 10
    for brackets in session.brackets.values():
        for bracket in brackets:
            assert bracket.before.order < bracket.own.order < bracket.after.order
            assert group(bracket.before.cell) == group(bracket.own.cell) == group(bracket.after.cell)
            # A segment of 2 or 3 cells and the references of 2 backends on both sides.
            assert bracket.after.order - bracket.before.order <= 3 + 3
