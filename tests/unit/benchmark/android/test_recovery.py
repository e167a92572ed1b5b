"""Losses of all kinds: twice in one, slow answers, a reboot, cores that are off, a frozen phone."""

import re
import time
from collections.abc import Callable

import pytest

from common.adb.cores import agree, filled, listed, with_cores_of
from common.adb.errors import TimeLimitError, TransportError
from common.adb.server import Device, Server
from common.adb.survey import survey
from jobs.benchmark.android import arrival
from jobs.benchmark.android.recovery import Recovery
from jobs.benchmark.targets import TargetLostError
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind, Point
from tests.unit.benchmark.android.conftest import PATIENCE_S, Bench, left_behind
from tests.unit.benchmark.android.test_target import TOOL, require_whole, runs

WAITING = re.compile(r"waiting, (\d+) s left")


def recovery(device: StandIn, patience_s: float = PATIENCE_S) -> Recovery:
    return Recovery(Server(), device.serial, patience_s, lambda: None)


def test_a_second_loss_while_recovering_is_the_same_loss(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching=TOOL, seconds=0.3))
    # Five times while it is looked at again: more often than a process may be begun.
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching="getprop </dev/null", skip=1, times=5, seconds=0.3))
    result = bench.run(stand_in.serial)
    require_whole(bench, result)
    assert [f.kind for f in stand_in.phone.faults.fired] == [Kind.VANISH] * 6
    assert all(r.failed_rounds == 0 for r in result.rows)
    told = capfd.readouterr().err
    assert told.count("vanished") == 1, told
    assert "is back after" in told


def test_the_wait_is_bounded_from_the_first_loss_on(stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching="getprop|echo", times=None, seconds=0.2))
    began = time.monotonic()
    with pytest.raises(TargetLostError, match="did not come back within 3 s"):
        recovery(stand_in, 3.0).persist(lambda: survey(Device(Server(), stand_in.serial)))
    assert time.monotonic() - began < 3 + 3


def test_a_slow_answer_is_asked_for_again(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.benchmark.android.files.BASE_LIMIT_S", 3.0)
    stand_in.arm(Fault(Kind.SLOW, matching="sha256sum", skip=1, seconds=10))
    result = bench.run(stand_in.serial)
    require_whole(bench, result)
    assert all(r.failed_rounds == 0 for r in result.rows)
    told = capfd.readouterr().err
    assert re.search(rf"{stand_in.serial} is slow \(sha256sum \S+ was not finished within 3 s\); waiting", told), told


def test_answers_that_stay_slow_end_the_run_with_command_and_serial(stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.SLOW, matching="uname", times=None, seconds=5))
    made = recovery(stand_in, 2.0)
    with pytest.raises(TargetLostError) as lost:
        made.persist(lambda: made.device.run(["uname", "-r"], 0.5))
    said = f"{stand_in.serial} is slow (uname -r was not finished within 0 s), again and again for 2 s"
    assert lost.value.message == said
    assert "restart the device" in str(lost.value.hint)


@pytest.mark.parametrize("again", [Kind.VANISH, Kind.REBOOT])
def test_after_a_reboot_the_next_process_waits_until_the_phone_has_settled(
    bench: Bench, stand_in: StandIn, again: Kind, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.arm(Fault(again, Point.SHELL, matching=TOOL, skip=2, seconds=0.3, boot_s=3.0))
    require_whole(bench, bench.run(stand_in.serial))
    started = [i for i, line in enumerate(stand_in.phone.history) if TOOL in line]
    between = stand_in.phone.history[started[2] + 1 : started[3]]
    # A cable that was pulled costs no rest.
    assert any("/proc/stat" in line for line in between) is (again is Kind.REBOOT)
    asked = sum("sys.boot_completed" in line for line in between)
    assert asked >= 3 if again is Kind.REBOOT else asked == 1
    assert ("is starting; waiting" in capfd.readouterr().err) is (again is Kind.REBOOT)
    assert left_behind(stand_in) == []


def test_a_phone_that_was_just_started_is_waited_for_at_the_start(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.stop()
    stand_in.phone.boot(2.0)
    require_whole(bench, bench.run(stand_in.serial))
    first = next(i for i, line in enumerate(stand_in.phone.history) if "--help" in line)
    assert sum("sys.boot_completed" in line for line in stand_in.phone.history[:first]) >= 3


def test_what_settled_means() -> None:
    idle = arrival.ticks("cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1\n")
    assert idle == (100, 0, 0, 900, 0, 0, 0, 0)
    assert arrival.busy_share(idle, (190, 0, 0, 1010, 0, 0, 0, 0)) == pytest.approx(0.45)
    assert arrival.busy_share(idle, (110, 0, 0, 980, 10, 0, 0, 0)) == pytest.approx(0.1)
    assert arrival.busy_share(idle, ()) is None
    assert arrival.busy_share(idle, (90, 0, 0, 800, 0, 0, 0, 0)) is None
    assert arrival.ticks("Permission denied") == ()


@pytest.mark.parametrize("off", [(1,), (4, 5), (0, 1, 2, 3, 5)])
def test_cores_that_are_off_make_no_other_phone_of_it(bench: Bench, stand_in: StandIn, off: tuple[int, ...]) -> None:
    first = bench.run(stand_in.serial)
    ran = len(runs(bench))
    stand_in.arm(Fault(Kind.HOTPLUG, cores=off))
    again = bench.run(stand_in.serial)
    assert again.target.fingerprint == first.target.fingerprint
    assert len(runs(bench)) == ran
    assert dict(again.target.facts)["Cores"] == "4 x 1803 MHz, 2 x 2850 MHz"


def test_cores_that_come_on_later_make_no_other_phone_of_it_either(bench: Bench, stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.HOTPLUG, cores=(4, 5)))
    first = bench.run(stand_in.serial)
    assert dict(first.target.facts)["Cores"] == "4 x 1803 MHz, 2 x ? MHz"
    ran = len(runs(bench))
    stand_in.heal()
    assert bench.run(stand_in.serial).target.fingerprint == first.target.fingerprint
    assert len(runs(bench)) == ran


def test_cores_that_go_off_while_it_is_away_do_not_end_the_run(bench: Bench, stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching=TOOL, seconds=0.3))
    stand_in.arm(Fault(Kind.HOTPLUG, Point.SHELL, matching=TOOL, cores=(4, 5)))
    require_whole(bench, bench.run(stand_in.serial))


def test_another_phone_at_the_address_is_still_told(stand_in: StandIn) -> None:
    made = recovery(stand_in)
    made.known = survey(made.device)
    stand_in.phone.state.properties["ro.build.fingerprint"] = "another"
    with pytest.raises(TargetLostError, match="is another device now"):
        made.persist(lose(stand_in))


def lose(device: StandIn) -> Callable[[], None]:
    def call() -> None:
        raise TransportError("away", serial=device.serial)

    return call


def test_the_words_of_earlier_cores_are_kept() -> None:
    assert listed("4 x 1803 MHz, 2 x ? MHz") == [1803, 1803, 1803, 1803, None, None]
    assert listed("not told") == []
    assert agree((1, None), (1, 2))
    assert not agree((1, 3), (1, 2))
    assert filled({0: 5, 1: None, 2: None}, {0: "0 1\n"}) == {0: 5, 1: 5, 2: None}
    here = (("Model", "A"), ("Cores", "2 x 9 MHz"))
    for before, expected in (
        ([], "2 x 9 MHz"),
        ([(("Model", "A"), ("Cores", "2 x ? MHz"))], "2 x ? MHz"),
        ([(("Model", "B"), ("Cores", "2 x ? MHz"))], "2 x 9 MHz"),
        ([(("Model", "A"), ("Cores", "2 x 8 MHz"))], "2 x 9 MHz"),
        ([(("Model", "A"), ("Cores", "2 x ? MHz")), (("Model", "A"), ("Cores", "2 x 9 MHz"))], "2 x 9 MHz"),
    ):
        assert dict(with_cores_of(here, before))["Cores"] == expected


class Clocked:
    """What was printed, each line with the second it came at."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.lines: list[tuple[float, str]] = []

    def tell(self, text: str, _stream: object = None) -> None:
        self.lines.append((time.monotonic() - self.began, text))


def test_a_frozen_phone_is_announced_within_five_seconds(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.adb.watch.GIVEN_UP_S", 6.0)
    told = Clocked()
    monkeypatch.setattr("jobs.benchmark.android.recovery.tell", told.tell)
    monkeypatch.setattr("jobs.benchmark.android.recovery.COUNT_EVERY_S", 3.0)
    made = recovery(stand_in, 9.0)
    made.device.run(["true"])
    told.began = time.monotonic()
    stand_in.arm(Fault(Kind.FROZEN))
    with pytest.raises(TargetLostError, match="does not answer and did not come back within 9 s"):
        made.persist(lambda: made.device.run(["sleep", "60"], 60))
    ended = time.monotonic() - told.began
    assert told.lines[0][0] < 5
    lefts = [int(found[1]) for _, line in told.lines if (found := WAITING.search(line))]
    assert lefts[0] >= 4
    assert len(lefts) >= 2
    assert lefts == sorted(lefts, reverse=True)
    assert ended < 9 + 6


def test_a_phone_frozen_from_the_start_is_announced_and_nothing_is_said_to_be_left(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.adb.watch.GIVEN_UP_S", 4.0)
    stand_in.arm(Fault(Kind.FROZEN))
    began = time.monotonic()
    with pytest.raises(TargetLostError, match="did not come back within 6 s"):
        bench.run(stand_in.serial, patience_s=6)
    assert time.monotonic() - began < 6 + 15
    told = capfd.readouterr().err
    assert "does not answer; waiting" in told
    assert "was left on the device" not in told
    stand_in.heal()


def test_a_phone_that_freezes_for_a_moment_costs_nothing(stand_in: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    made = recovery(stand_in)
    made.device.run(["true"])
    stand_in.arm(Fault(Kind.FROZEN, seconds=6))
    assert made.persist(lambda: made.device.run(["true"])).status == 0
    told = capfd.readouterr().err
    assert "does not answer; waiting" in told


def test_a_phone_that_is_only_busy_is_never_called_silent(stand_in: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    made = recovery(stand_in)
    assert made.device.run(["sleep", "5"], 20).status == 0
    with pytest.raises(TimeLimitError, match="sleep 20 was not finished within 3 s"):
        made.device.run(["sleep", "20"], 3)
    assert "does not answer" not in capfd.readouterr().err


def test_files_that_a_lost_phone_keeps_are_named(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching=TOOL))
    with pytest.raises(TargetLostError, match="processes are missing"):
        bench.run(stand_in.serial, patience_s=1)
    assert "was left on the device" in capfd.readouterr().err
