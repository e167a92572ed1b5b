"""The state of a phone while it is measured: read, kept, warned of, changed for the run and put back."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.adb.server import Device, Server
from common.adb.shell import each_ended, script_of
from common.errors import UsageError
from common.experiment import load
from common.provenance import ROOT
from common.schema.benchmark import Benchmark
from common.schema.caution import BatterySaver, Caution, Heated, LowBattery, ScreenOff, SlowedCores, Unfixed
from common.schema.experiment import Benchmark as Settings
from common.schema.power import Clock, DeviceState, StateLine
from jobs.benchmark.android import affinity, state
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.wanted import want
from jobs.report.caution_words import words
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.unit.benchmark.android.conftest import Bench, on_the_phone
from tests.unit.benchmark.android.test_target import STARTED_S, TOOL, require_whole, runs

STAY_ON = "global/stay_on_while_plugged_in"


def states(bench: Bench) -> list[StateLine]:
    return [line for line in Ledger(bench.output / "ledger.jsonl").lines if isinstance(line, StateLine)]


def told(result: Benchmark, kind: type[Caution]) -> list[str]:
    return [words(caution) for caution in result.warnings if isinstance(caution, kind)]


def test_the_state_is_read_before_every_segment_and_after_the_last(bench: Bench, stand_in: StandIn) -> None:
    bench.run(stand_in.serial)
    found = states(bench)
    segments = {(run.round, run.segment, run.attempt) for run in runs(bench)}
    assert {(line.round, line.segment, line.attempt) for line in found if not line.ended} == segments
    assert [line.ended for line in found] == [False] * len(segments) + [True]
    one = found[0].state
    assert (one.level, one.celsius, one.charging, one.plugged) == (87, 27.1, True, ("USB",))
    assert (one.saver, one.screen, one.thermal_status) == (False, "Awake", 0)
    assert one.clocks[5] == Clock(core=5, khz=2_850_000, limit_khz=2_850_000, most_khz=2_850_000)
    assert len(one.clocks) == 6


def test_it_takes_one_exchange(stand_in: StandIn) -> None:
    device = Device(Server(), stand_in.serial)
    device.run(["true"])
    before = len(stand_in.phone.history)
    state.ask(device, 8)
    assert len(stand_in.phone.history) == before + 1
    # An old adbd takes 4 KiB.
    assert len(stand_in.phone.history[-1]) < 4096


def test_an_old_phone_tells_what_it_can(stand_ins: Callable[..., StandIn]) -> None:
    old = stand_ins("old")
    found = state.ask(Device(Server(), old.serial), 4)
    assert found.thermal_status is None
    assert found.saver is False
    assert [clock.most_khz for clock in found.clocks] == [1_209_600] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Battery Saver is currently: ON\n", True),
        ("    Battery saver is currently: OFF\n", False),
        ("  mLowPowerModeEnabled=true\n", True),
        ("Battery saver state machine:\n  Enabled=true\n  mFullEnabled=false\n", True),
        ("  mWakefulness=Awake\n", None),
    ],
)
def test_every_androids_words_for_the_battery_saver(text: str, expected: bool | None) -> None:
    assert state.saver(text) is expected


def test_a_phone_that_tells_nothing_is_unknown() -> None:
    assert state.read("", "", "", "") == DeviceState()


@pytest.mark.parametrize("output", ["", "x", "\n", "a\n__EDGEPROOF_n_0=0\nb\n__EDGEPROOF_n_1=7\n"])
def test_programs_that_ran_one_after_the_other_are_told_apart(output: str) -> None:
    found = each_ended(output, "n", 2)
    assert len(found) == 2
    assert [one.status for one in found] == ([0, 7] if "=7" in output else [128, 128])
    assert script_of([["a b", "$(c)"]]).text.startswith("{ 'a b' '$(c)' </dev/null")


def test_a_service_that_hangs_costs_no_run(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "LIMIT_S", 0.5)
    stand_in.arm(Fault(Kind.SLOW, matching="dumpsys power", times=None, seconds=2))
    require_whole(bench, bench.run(stand_in.serial))
    assert all(line.state == DeviceState() for line in states(bench))
    assert "is slow" not in capfd.readouterr().err


def test_a_phone_too_slow_for_its_settings_is_measured_without(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.adb.server.Device.run.__defaults__", (1.0, None, 8 << 20))
    stand_in.arm(Fault(Kind.SLOW, matching="settings get", times=None, seconds=3))
    require_whole(bench, bench.run(stand_in.serial))
    assert "the screen may go off: settings get global" in capfd.readouterr().err
    assert STAY_ON not in stand_in.phone.state.settings


def test_a_bad_state_is_a_caution_with_the_next_step(bench: Bench, stand_in: StandIn) -> None:
    phone = stand_in.phone
    phone.state.battery = replace(phone.state.battery, level=12, usb_powered=False)
    phone.state.settings["global/low_power"] = "1"
    phone.processor.limit(1_200_000)
    phone.heat(2, 10.0)
    result = bench.run(stand_in.serial)
    looks = len(states(bench))
    assert Heated(status=2, segments=looks, looks=looks) in result.warnings
    assert "(moderate)" in told(result, Heated)[0]
    assert told(result, BatterySaver)[0].endswith("switch it off and measure again.")
    assert told(result, LowBattery) == [
        "The battery was at 12 %, below 20 %, where phones slow down; charge it and measure again."
    ]
    slowed = told(result, SlowedCores)[0]
    assert "cores 0, 1, 2, 3, 4 and 5" in slowed
    assert "42% of it at least" in slowed


def test_a_good_state_is_none(bench: Bench, stand_in: StandIn) -> None:
    kinds = (Heated, BatterySaver, LowBattery, SlowedCores, ScreenOff, Unfixed)
    assert not any(told(bench.run(stand_in.serial), kind) for kind in kinds)


def test_severe_heat_is_a_pause_before_the_first_segment_too(
    bench: Bench, stand_in: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.benchmark.heat.STEP_S", 1)
    monkeypatch.setattr("jobs.benchmark.heat.LONGEST_S", 1)
    stand_in.phone.heat(3, 20.0)
    result = bench.run(stand_in.serial)
    assert "hot (thermal status 3" in capsys.readouterr().out.split("[1/")[0]
    assert "(severe)" in told(result, Heated)[0]


@pytest.mark.parametrize("before", [None, "0", "3"])
def test_the_screen_is_kept_on_and_put_back_exactly(bench: Bench, stand_in: StandIn, before: str | None) -> None:
    settings = stand_in.phone.state.settings
    if before is not None:
        settings[STAY_ON] = before
    stand_in.phone.state.awake = False
    result = bench.run(stand_in.serial)
    assert (settings.get(STAY_ON), stand_in.phone.state.awake) == (before, True)
    assert "svc power stayon true" in " ".join(stand_in.phone.history)
    assert not told(result, ScreenOff)
    assert on_the_phone(stand_in) == []


def test_a_screen_that_goes_off_all_the_same_is_a_caution(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.programs = {**stand_in.phone.programs, "svc": lambda _: 1}
    stand_in.phone.state.awake = False
    assert "plug the device in" in told(bench.run(stand_in.serial), ScreenOff)[0]


def test_it_is_put_back_after_a_failure(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.state.settings[STAY_ON] = "2"
    bench.binary.write_bytes(b"\x7fELF nothing")
    with pytest.raises(UsageError):
        bench.run(stand_in.serial)
    assert stand_in.phone.state.settings[STAY_ON] == "2"


def start(bench: Bench, device: StandIn) -> "subprocess.Popen[str]":
    """A run whose second process hangs."""
    device.arm(Fault(Kind.HANG, matching=TOOL, skip=1))
    job = subprocess.Popen([sys.executable, *bench.argv(device.serial)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + STARTED_S
    while not device.phone.faults.fired and time.monotonic() < deadline:
        time.sleep(0.05)
    assert device.phone.state.settings[STAY_ON] == "7"
    return job


def test_it_is_put_back_after_ctrl_c(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.state.settings[STAY_ON] = "2"
    job = start(bench, stand_in)
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=STARTED_S)
    assert stand_in.phone.state.settings[STAY_ON] == "2"


def test_after_a_kill_the_next_run_puts_back_what_was_before_the_first(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.state.settings[STAY_ON] = "2"
    job = start(bench, stand_in)
    os.kill(job.pid, signal.SIGKILL)
    job.communicate(timeout=STARTED_S)
    assert stand_in.phone.state.settings[STAY_ON] == "7"
    stand_in.heal()
    require_whole(bench, bench.run(stand_in.serial))
    assert stand_in.phone.state.settings[STAY_ON] == "2"


@pytest.mark.parametrize("record", ["{}x", '{"stay_on": "7; reboot"}', '{"stay_on": 3}', "\x00" * 100])
def test_a_record_that_is_not_ours_is_not_believed(bench: Bench, stand_in: StandIn, record: str) -> None:
    stand_in.phone.state.settings[STAY_ON] = "1"
    bench.run(stand_in.serial, keep=True)
    folder = next(name for name in stand_in.phone.files.nodes if re.fullmatch(r".*/edgeproof-[0-9a-f]{16}", name))
    stand_in.phone.files.write(f"{folder}/before.json", record.encode())
    bench.run(stand_in.serial)
    assert stand_in.phone.state.settings[STAY_ON] == "1"
    assert not any("reboot" in line for line in stand_in.phone.history)


def test_kept_files_keep_no_settings(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.state.settings[STAY_ON] = "0"
    bench.run(stand_in.serial, keep=True)
    assert stand_in.phone.state.settings[STAY_ON] == "0"
    assert not any(name.endswith("before.json") for name in stand_in.phone.files.nodes)


def test_a_phone_that_does_not_tell_what_was_set_is_left_as_it_is(bench: Bench, stand_in: StandIn) -> None:
    stand_in.phone.programs = {name: made for name, made in stand_in.phone.programs.items() if name != "settings"}
    bench.run(stand_in.serial)
    assert STAY_ON not in stand_in.phone.state.settings


def test_settings_that_cannot_be_put_back_are_named(
    bench: Bench, stand_in: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in.phone.state.settings[STAY_ON] = "0"
    stand_in.arm(Fault(Kind.VANISH, matching=TOOL, skip=2))
    with pytest.raises(Exception, match="did not come back"):
        bench.run(stand_in.serial, patience_s=1)
    assert f"shell settings put global {STAY_ON.partition('/')[2]} 0" in capfd.readouterr().err


def test_fixed_performance_mode_is_asked_for_told_and_taken_back(
    benches: Callable[..., Bench], stand_in: StandIn
) -> None:
    bench = benches(more="fixed_performance = true")
    result = bench.run(stand_in.serial)
    assert dict(result.target.facts)["Fixed-performance mode"] == "on (exit status 0)"
    assert "Fixed-performance mode" in result.target.passing
    assert stand_in.phone.state.settings["fixed_performance"] == "false"
    assert any("mode-enabled true" in line for line in stand_in.phone.history)
    assert not told(result, Unfixed)


def test_after_a_restart_it_is_asked_for_again(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.REBOOT, matching=TOOL, skip=1, seconds=0.2, boot_s=0.2))
    bench = benches(more="fixed_performance = true")
    require_whole(bench, bench.run(stand_in.serial))
    assert sum("mode-enabled true" in line for line in stand_in.phone.history) == 2


def test_a_phone_that_refuses_it_is_measured_with_a_caution(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    stand_in.phone.state.has_power_hal = False
    result = benches(more="fixed_performance = true").run(stand_in.serial)
    assert "Failed to set FIXED_PERFORMANCE mode (exit status 255)" in told(result, Unfixed)[0]


@pytest.mark.parametrize(("cores", "mask"), [("big", "30"), ("little", "f"), ("1,4-5", "32")])
def test_the_tool_is_pinned(benches: Callable[..., Bench], stand_in: StandIn, cores: str, mask: str) -> None:
    bench = benches(more=f'cores = "{cores}"')
    require_whole(bench, bench.run(stand_in.serial))
    started = [line for line in stand_in.phone.history if TOOL in line]
    assert started
    assert all(line.startswith(f"taskset {mask} /data/local/tmp/") for line in started)


@pytest.mark.parametrize(
    ("cores", "words_"),
    [("6", "has 6 cores, and no 6"), ("5-4", "does not pin to them"), ("4", "does not pin to them")],
)
def test_cores_that_are_not_there_are_refused(
    benches: Callable[..., Bench], stand_in: StandIn, cores: str, words_: str
) -> None:
    if cores == "4":
        stand_in.arm(Fault(Kind.HOTPLUG, cores=(4,)))
    with pytest.raises(UsageError, match=words_):
        benches(more=f'cores = "{cores}"').run(stand_in.serial)


def test_big_needs_clocks_that_are_told() -> None:
    with pytest.raises(UsageError, match="does not tell"):
        affinity.chosen("big", (None, None))
    assert affinity.chosen("little", (1, 2, 1, None)) == (0, 2)


def test_an_app_is_not_pinned(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        'title = "a"\n[benchmark]\napp = true\ncores = "big"\n[variants.baseline]\nconvert = { format = "float32" }\n'
    )
    with pytest.raises(UsageError, match="nothing pins an app"):
        load(file)


def test_settings_that_are_not_asked_for_leave_ledgers_valid() -> None:
    def digest(settings: Settings) -> str:
        return want({"a": "0" * 64}, settings, reference="a", seed=1, fingerprint="f" * 64).settings_sha256

    # As in the ledgers of version 3 before there were these settings.
    assert digest(Settings()) == "dbd645714d87df5b306df49fe684b99ed4e86fd8b9bcf2804a13bf016d341d36"
    plain = digest(Settings())
    assert digest(Settings(fixed_performance=False, cores=None)) == plain
    assert len({plain, digest(Settings(fixed_performance=True)), digest(Settings(cores="big"))}) == 3
