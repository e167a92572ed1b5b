"""Latency over time and energy from readings: pure functions on values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.schema.benchmark import (
    Cell,
    LedgerLine,
    SustainedLine,
    SustainedPoint,
    SustainedStart,
)
from common.schema.outcome import Failed, Measured, Outcome
from common.schema.power import Energy, NoEnergy, PowerReading
from jobs.benchmark.endurance import over, sustained, throttled_s, window_s
from jobs.benchmark.energy import energy
from jobs.benchmark.statistics import stat

CELL = Cell(variant="baseline", model_sha256="a" * 64, backend="xnnpack", threads=1)
PART_S = 10.0


def curve(values: list[float]) -> tuple[SustainedPoint, ...]:
    return tuple(SustainedPoint(at_s=(i + 0.5) * PART_S, latency_us=v) for i, v in enumerate(values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([100.0] * 60, None),
        ([100.0] * 30 + [109.0] * 30, None),
        ([100.0] * 30 + [130.0] * 30, 300.0),
        # It recovered: not for good.
        ([100.0] * 20 + [130.0] * 20 + [100.0] * 20, None),
        ([100.0] * 20 + [130.0] * 10 + [100.0] * 10 + [130.0] * 20, 400.0),
        # One slow process is no throttling, nor one quick one the end of it.
        ([100.0] * 58 + [130.0] + [100.0], None),
        ([100.0] * 30 + [130.0] * 10 + [100.0] + [130.0] * 19, 300.0),
    ],
)
def test_it_throttles_when_the_sliding_minute_stays_above(values: list[float], expected: float | None) -> None:
    found = throttled_s(curve(values), 600.0, 60.0)
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=PART_S)


@given(st.lists(st.floats(1.0, 1e6), min_size=12, max_size=90), st.floats(0.1, 10.0))
def test_units_do_not_matter_and_a_moment_lies_within(values: list[float], factor: float) -> None:
    end = len(values) * PART_S
    found = throttled_s(curve(values), end, 60.0)
    assert found is None or 0 <= found <= end
    # A power of two scales without rounding.
    assert throttled_s(curve([value * 2 for value in values]), end, 60.0) == found


def test_a_short_load_has_short_minutes() -> None:
    assert window_s(600.0) == 60.0
    assert window_s(60.0) == 20.0


def power(at_s: float, charge: int | None, **more: object) -> PowerReading:
    return PowerReading.model_validate(
        {
            "at_s": at_s,
            "charge_uah": charge,
            "counter": "kernel",
            "voltage_mv": 4000,
            "level": 80,
            "celsius": 30.0,
            "charging": False,
            "plugged": (),
            "frozen": False,
            "screen": "Awake",
            "connections": 0,
            **more,
        }
    )


def readings(seconds: float = 600.0, step: int = 1, **more: object) -> list[PowerReading]:
    """1 A from 3 Ah, 10 s apart, as a counter with such steps shows it."""
    moments = [10.0 * i for i in range(int(seconds / 10) + 1)]
    return [power(at, round(3e6 - at * 1e6 / 3600) // step * step, **more) for at in moments]


IDLE = [power(10.0 * i - 60, 3_000_000 + round((60 - 10 * i) * 1e5 / 3600)) for i in range(6)]


def test_energy_is_charge_times_voltage() -> None:
    found = energy(IDLE, readings(), 100_000)
    assert isinstance(found, Energy)
    # 1 A x 4 V x 600 s over 100,000 inferences, a tenth of it idle.
    assert found.mj == pytest.approx(24.0, rel=0.001)
    assert found.net_mj == pytest.approx(21.6, rel=0.005)
    assert found.resolution < 0.05


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"plugged": ("USB",)}, "plugged in (USB)"),
        ({"charging": True}, "not discharging"),
        ({"frozen": True}, "held"),
        ({"charge_uah": None, "counter": None}, "no charge counter"),
        ({"counter": "service"}, "two places"),
        ({"voltage_mv": None}, "no voltage"),
        ({"level": 15}, "15 % or below"),
        ({"screen": "Asleep"}, "screen"),
        ({"connections": 1}, "connection was lost"),
        ({"charge_uah": 2_999_000}, "went up"),
    ],
)
def test_one_bad_reading_in_the_middle_and_there_is_no_figure(changed: dict[str, object], words: str) -> None:
    load = readings()
    load[30] = load[30].model_copy(update=changed)
    found = energy(IDLE, load, 1000)
    assert isinstance(found, NoEnergy)
    assert words in found.reason


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (readings(step=20_000), "of its steps only"),
        (readings(step=1_000_000), "by 1 of its steps only"),
        ([r.model_copy(update={"charge_uah": 3_000_000}) for r in readings()], "did not go down"),
        (readings(seconds=100), "too short"),
        # A counter in mAh.
        ([r.model_copy(update={"charge_uah": 3000 - i}) for i, r in enumerate(readings())], "no phone takes"),
    ],
)
def test_a_counter_that_cannot_tell_gives_no_figure(load: list[PowerReading], words: str) -> None:
    found = energy([], load, 1000)
    assert isinstance(found, NoEnergy)
    assert words in found.reason


def test_a_coarse_counter_tells_the_whole_but_not_what_idling_takes() -> None:
    found = energy([power(-60.0, 3_000_000)], readings(step=5000), 1000)
    assert isinstance(found, Energy)
    assert found.net_mj is None
    assert found.no_net is not None
    assert "coarse" in found.no_net


@given(
    st.lists(st.integers(-(10**12), 10**12) | st.none(), min_size=1, max_size=30),
    st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=30),
    st.integers(0, 10**9),
)
def test_whatever_a_counter_says_a_figure_is_positive_and_fine(
    charges: list[int | None], moments: list[float], inferences: int
) -> None:
    load = [power(at, charge) for at, charge in zip(moments, charges, strict=False)]
    found = energy([], load, inferences)
    if isinstance(found, Energy):
        assert found.mj > 0
        assert found.resolution <= 0.05


def line(start: float, outcome: Outcome) -> SustainedLine:
    return SustainedLine(
        session=0, cell=CELL, attempt=0, start_s=start, end_s=start + PART_S, outcome=outcome, power=None
    )


def measured(us: float) -> Measured:
    phase = stat((us, us))
    return Measured(init_us=1.0, first_us=us, warmup=phase, steady=phase, memory_init_kib=0, memory_overall_kib=0)


START = SustainedStart(
    session=0,
    cell=CELL,
    duration_s=600.0,
    attempt=0,
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    idle=(),
    before=None,
)


def test_an_attempt_is_summarised_by_its_first_and_its_last_minute() -> None:
    lines: list[LedgerLine] = [START, *(line(i * PART_S, measured(100.0 + i)) for i in range(60))]
    # Of another attempt.
    lines.append(line(0.0, measured(5.0)).model_copy(update={"attempt": 1}))
    found = sustained(lines, START)
    assert (found.first_us, found.last_us) == (102.5, 156.5)
    assert found.throttled_s == pytest.approx(130.0, abs=2 * PART_S)
    assert len(found.points) == 60
    assert found.energy == NoEnergy(reason="this machine has no charge counter that could be read")


def test_three_failures_in_a_row_end_it_without_figures() -> None:
    failed = Failed(reason="boom", log=None)
    own = [line(0.0, measured(100.0)), *(line(i * PART_S, failed) for i in (1, 2, 3))]
    assert not over(own[:3], 600.0)
    assert over(own, 600.0)
    found = sustained([START, *own], START)
    assert (found.first_us, found.last_us, found.throttled_s) == (None, None, None)
    assert found.problem == "3 of 4 processes failed, the first after 20 s: boom"
    assert isinstance(found.energy, NoEnergy)
