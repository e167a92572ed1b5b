"""Sustained mode and energy on a stand-in that heats up and drains, behind the real adb server.

Ten minutes of the phone pass in seconds: the job's clock is the phone's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from common.schema.benchmark import Sustained, SustainedLine, SustainedStart
from common.schema.power import Energy, NoEnergy
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.targets import TargetLostError
from tests.devices.phone.personality import Battery, Personality, Power, Timing, load
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind, Point
from tests.unit.benchmark.android.conftest import Bench

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ASKED = 'sustained = "10m"\nsustained_variants = ["baseline"]'
# Twice as long as the phone takes to heat up.
SHORT = ASKED.replace("10m", "4m")
WARM = Power(work_ma=900, rest_ma=100, step_uah=1, slowest=1.5, warms_c=9.0, heats_s=120, cools_s=15)
CELL = ("xnnpack",)


@dataclass
class PhoneClock:
    """The phone's own time: it passes where the tool works or the job waits."""

    device: StandIn

    def now(self) -> datetime:
        """The present moment."""
        return BEGIN + timedelta(seconds=self.device.phone.body.seconds)

    def wait(self, seconds: float) -> None:
        """Let the phone rest."""
        self.device.phone.live(seconds, works=False)


def phone(power: Power = WARM, *, charging: bool = False, level: int = 80) -> Personality:
    """A pixel with a battery. Its inferences take long, so that ten minutes are not too many of them."""
    timing = Timing(latency_us=60_000.0, spread=0.02)
    return replace(load("pixel"), power=power, battery=Battery(level=level, usb_powered=charging), timing=timing)


def sustain(bench: Bench, device: StandIn) -> Sustained:
    found = bench.run(device.serial, clock=PhoneClock(device)).sustained
    assert len(found) == 1
    return found[0]


def lines(bench: Bench, kind: type) -> list[object]:
    return [line for line in Ledger(bench.output / "ledger.jsonl").lines if isinstance(line, kind)]


def test_a_phone_that_heats_up_throttles_and_tells_its_energy(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    bench, device = benches(CELL, more=ASKED), stand_ins(phone())
    found = sustain(bench, device)
    assert (found.cell.variant, found.cell.backend, found.problem) == ("baseline", "xnnpack", None)
    assert found.first_us is not None
    assert found.last_us is not None
    # The heat after 30 s of work and at the end, by the stand-in's own law.
    assert found.last_us / found.first_us == pytest.approx(1.5 / 1.11, rel=0.03)
    assert found.throttled_s is not None
    assert 30 < found.throttled_s < 120
    assert found.points[-1].celsius == pytest.approx(36.1, abs=0.2)
    first = lines(bench, SustainedStart)[0]
    assert isinstance(first, SustainedStart)
    assert [reading.at_s for reading in first.idle] == [-60, -50, -40, -30, -20, -10]
    energy = found.energy
    assert isinstance(energy, Energy), energy
    # What the stand-in spent at work between those two readings, at 4.21 V.
    seconds = energy.seconds
    truth = 0.9 * 4.21 * seconds * 1000 / energy.inferences
    assert energy.mj == pytest.approx(truth, rel=0.01)
    assert energy.net_mj == pytest.approx(truth * 8 / 9, rel=0.02)


def test_what_is_whole_is_not_sustained_again(benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]) -> None:
    bench, device = benches(CELL, more=SHORT), stand_ins(phone())
    first = sustain(bench, device)
    ran = len(lines(bench, SustainedLine))
    assert sustain(bench, device) == first
    assert len(lines(bench, SustainedLine)) == ran


def test_an_interrupted_cell_begins_anew(benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]) -> None:
    bench, device = benches(CELL, more=ASKED), stand_ins(phone())
    device.arm(Fault(Kind.VANISH, Point.SHELL, matching="--min_secs=10", skip=5))
    with pytest.raises(TargetLostError):
        bench.run(device.serial, clock=PhoneClock(device), patience_s=1)
    before = len(lines(bench, SustainedLine))
    assert 0 < before < 20
    device.heal()
    found = sustain(bench, device)
    starts = lines(bench, SustainedStart)
    assert [start.attempt for start in starts if isinstance(start, SustainedStart)] == [0, 1]
    assert len(found.points) == len(lines(bench, SustainedLine)) - before
    assert found.duration_s == 600.0


@pytest.mark.parametrize(
    ("personality", "words"),
    [
        (phone(charging=True), "plugged in (USB)"),
        (phone(replace(WARM, step_uah=20_000)), "of its steps only"),
        (phone(level=12), "15 % or below"),
    ],
    ids=["cable", "coarse", "empty"],
)
def test_where_the_figure_would_not_be_valid_there_is_none(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn], personality: Personality, words: str
) -> None:
    found = sustain(benches(CELL, more=SHORT), stand_ins(personality))
    assert isinstance(found.energy, NoEnergy)
    assert words in found.energy.reason
    assert found.throttled_s is not None


def test_a_battery_that_was_told_to_look_unplugged_is_seen_through(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    device = stand_ins(phone())
    device.phone.state.battery = replace(device.phone.state.battery, frozen=True)
    found = sustain(benches(CELL, more=SHORT), device)
    assert isinstance(found.energy, NoEnergy)
    assert "held" in found.energy.reason


def test_a_phone_that_stays_cool_does_not_throttle(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    found = sustain(benches(CELL, more=SHORT), stand_ins(phone(replace(WARM, slowest=1.0))))
    assert found.throttled_s is None
    assert isinstance(found.energy, Energy)


def test_a_lost_connection_is_told_and_costs_the_energy(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    bench, device = benches(CELL, more=ASKED), stand_ins(phone())
    device.arm(Fault(Kind.VANISH, Point.SHELL, matching="--min_secs=10", skip=5, seconds=0.5))
    found = sustain(bench, device)
    assert found.problem is not None
    assert "lost and found again" in found.problem
    assert isinstance(found.energy, NoEnergy)
    assert "connection was lost" in found.energy.reason


def test_a_coarse_gauge_is_within_what_it_says(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    found = sustain(benches(CELL, more=ASKED), stand_ins(phone(replace(WARM, step_uah=5000)))).energy
    assert isinstance(found, Energy), found
    truth = 0.9 * 4.21 * found.seconds * 1000 / found.inferences
    assert 0.01 < found.resolution <= 0.05
    assert found.mj == pytest.approx(truth, rel=found.resolution)
    assert found.net_mj is None


def test_the_second_load_begins_as_cool_as_the_first(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    bench = benches(CELL, more='sustained = "10m"\nsustained_variants = ["baseline", "float16"]')
    bench.run((device := stand_ins(phone(replace(WARM, cools_s=120)))).serial, clock=PhoneClock(device))
    first, second = lines(bench, SustainedStart)
    assert isinstance(first, SustainedStart)
    assert isinstance(second, SustainedStart)
    assert first.before is not None
    assert second.before is not None
    assert first.before.celsius is not None
    # An idle minute alone would leave it five degrees warmer.
    assert second.before.celsius == pytest.approx(first.before.celsius, abs=1.0)
    assert 200 <= second.cooled_s < 300
    assert second.idle[0].celsius == pytest.approx(first.before.celsius, abs=1.1)
