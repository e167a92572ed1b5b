"""The app on a phone: what refuses it, what that costs, and that it is gone afterwards."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UsageError
from common.printable import clean
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Summary
from common.schema.outcome import Failed, Unsupported
from jobs.benchmark.android import installing
from jobs.benchmark.android.installing import BYPASS, refusal
from jobs.benchmark.targets import TargetLostError
from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Apps, load
from tests.devices.standin.device import StandIn, paced
from tests.devices.standin.faults import Fault, Kind, Point
from tests.unit.benchmark.android.conftest import Bench, left_behind
from tests.unit.benchmark.android.test_app import PACKAGE, SHORT, app_runs, binary_is_whole, measure, phone
from tests.unit.benchmark.android.test_target import STARTED_S

StandIns = Callable[..., StandIn]
Benches = Callable[..., Bench]

# What pm says (AOSP's PackageManager), and what has to stand in the hint.
REFUSALS = [
    ("INSTALL_FAILED_USER_RESTRICTED: Install canceled by user", "Install via USB"),
    ("INSTALL_FAILED_ABORTED: User rejected permissions", "confirm it on the screen"),
    ("INSTALL_FAILED_INSUFFICIENT_STORAGE", "free some space"),
    ("INSTALL_FAILED_NO_MATCHING_ABIS: Failed to extract native libraries, res=-113", "another processor"),
    (
        f"INSTALL_FAILED_UPDATE_INCOMPATIBLE: Existing package {PACKAGE} signatures do not match newer version",
        f"adb uninstall {PACKAGE}",
    ),
    ("INSTALL_FAILED_VERSION_DOWNGRADE", f"adb uninstall {PACKAGE}"),
    ("INSTALL_FAILED_VERIFICATION_FAILURE", "Verify apps over USB"),
    ("INSTALL_PARSE_FAILED_NO_CERTIFICATES: Failed to collect certificates", "BENCHMARK_APK"),
    ("INSTALL_FAILED_SOMETHING_NEW", "adb install -r -d -g"),
]


@pytest.mark.parametrize(("said", "hint"), REFUSALS, ids=[said.partition(":")[0] for said, _ in REFUSALS])
def test_a_refusal_costs_the_apps_rows_only_with_the_hint_for_its_words(
    benches: Benches, stand_ins: StandIns, capsys: pytest.CaptureFixture[str], said: str, hint: str
) -> None:
    bench, device = benches(("cpu",), more="app = true"), stand_ins(phone(Apps(refusal=said)))
    result = measure(bench, device)
    assert binary_is_whole(result)
    for run in app_runs(bench):
        assert isinstance(run.outcome, Failed)
        assert said in run.outcome.reason
        assert hint in run.outcome.reason
    assert [line for line in device.phone.history if "pm install" in line].__len__() == 1
    assert capsys.readouterr().err.count("did not take the app") == 1
    assert left_behind(device) == []


def test_what_the_platform_can_never_install_is_unsupported(benches: Benches, stand_ins: StandIns) -> None:
    said = "INSTALL_FAILED_OLDER_SDK: Requires newer sdk version #23 (current version is #22)"
    result = measure(benches(("cpu",), more="app = true"), stand_ins(phone(Apps(refusal=said))))
    assert all(isinstance(row.result, Unsupported) for row in result.rows if row.cell.runner == "app")


def test_an_android_that_takes_no_old_apps_is_asked_again_with_the_bypass(
    benches: Benches, stand_ins: StandIns, capsys: pytest.CaptureFixture[str]
) -> None:
    device = stand_ins(phone(Apps(least_target_sdk=24)))
    result = measure(benches(("cpu",), more="app = true"), device)
    assert all(isinstance(row.result, Summary) for row in result.rows)
    assert f"installed with {BYPASS}" in capsys.readouterr().out


def test_without_the_bypass_an_android_that_takes_no_old_apps_gets_a_hint(
    benches: Benches, stand_ins: StandIns
) -> None:
    bench = benches(("cpu",), more="app = true")
    result = measure(bench, stand_ins(phone(Apps(least_target_sdk=24, knows_bypass=False))))
    assert binary_is_whole(result)
    for run in app_runs(bench):
        assert isinstance(run.outcome, Failed)
        assert "App package must target at least SDK version 24, but found 23" in run.outcome.reason
        assert "BENCHMARK_APK" in run.outcome.reason


def test_an_installation_that_nobody_confirms_is_announced_and_ends(
    benches: Benches, stand_ins: StandIns, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "ANNOUNCE_S", 0.3)
    bench, device = benches(("cpu",), more="app = true"), stand_ins(phone(Apps(answers=False)))
    apk = bench.folder / "own.apk"
    apk.write_bytes(b"PK\x03\x04app")
    result = bench.run(device.serial, apk=apk, app=replace(SHORT, install_s=2.0))
    assert binary_is_whole(result)
    for run in app_runs(bench):
        assert isinstance(run.outcome, Failed)
        assert "it was not installed within 2 s" in run.outcome.reason
        assert "confirm it on the screen" in run.outcome.reason
    assert "waiting up to 2 s for the installation of the app to be confirmed on the screen" in capsys.readouterr().out
    assert len([line for line in device.phone.history if "pm install" in line]) == 1
    assert left_behind(device) == []
    assert not [process for process in device.phone.processes if "pm" in process.argv]


def app_is_gone(result: Benchmark, device: StandIn) -> bool:
    return all(isinstance(row.result, Summary) for row in result.rows) and PACKAGE not in device.phone.state.packages


def test_the_app_is_gone_after_a_reconnect_in_the_middle(benches: Benches, stand_in: StandIn) -> None:
    bench = benches(("cpu",), more="app = true")
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching="am.*start.*-S", skip=1, seconds=0.5))
    result = measure(bench, stand_in)
    assert stand_in.phone.faults.fired
    assert app_is_gone(result, stand_in)
    assert left_behind(stand_in) == []


def test_the_app_that_a_run_could_not_remove_is_removed_by_the_next_one(benches: Benches, stand_in: StandIn) -> None:
    """A device that is lost in mid-run, or a run that is killed: nobody takes the app away."""
    bench = benches(("cpu",), more="app = true")
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching="am.*start.*-S", skip=1))
    apk = bench.folder / "own.apk"
    apk.write_bytes(b"PK\x03\x04app")
    with pytest.raises(TargetLostError):
        bench.run(stand_in.serial, apk=apk, app=SHORT, patience_s=1)
    assert PACKAGE in stand_in.phone.state.packages
    stand_in.heal()
    assert app_is_gone(measure(bench, stand_in), stand_in)
    assert left_behind(stand_in) == []


def test_an_app_that_was_there_before_stays(benches: Benches, stand_in: StandIn) -> None:
    bench = benches(("cpu",), more="app = true")
    stand_in.phone.state.packages[PACKAGE] = "0.9"
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching="am.*start.*-S", skip=1, seconds=0.5))
    result = measure(bench, stand_in)
    assert all(isinstance(row.result, Summary) for row in result.rows)
    assert PACKAGE in stand_in.phone.state.packages
    assert left_behind(stand_in) == []


def test_a_folder_where_nothing_may_be_executed_has_a_hint_of_its_own(bench: Bench, stand_ins: StandIns) -> None:
    pixel = load("pixel")
    device = stand_ins(replace(pixel, storage=replace(pixel.storage, noexec=True)))
    with pytest.raises(UsageError, match="can't execute: Permission denied") as refused:
        bench.run(device.serial)
    assert "noexec" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("said", "reason", "hint"),
    [
        (
            "Security exception: You need the android.permission.INSTALL_GRANT_RUNTIME_PERMISSIONS permission to use "
            "the PackageManager.INSTALL_GRANT_RUNTIME_PERMISSIONS flag\n\njava.lang.SecurityException: You need it\n",
            "Security exception: You need the android.permission.INSTALL_GRANT_RUNTIME_PERMISSIONS",
            "USB debugging (Security settings)",
        ),
        (
            "\nException occurred while executing 'install':\nandroid.os.ParcelableException: java.io.IOException: "
            "Requested internal only, but not enough space\n\tat android.util.ExceptionUtils.wrap\n",
            "android.os.ParcelableException: java.io.IOException: Requested internal only, but not enough space",
            "free some space",
        ),
        ("Error: Failed to parse APK file: /data/local/tmp/a.apk\r\n", "Error: Failed to parse APK", "BENCHMARK_APK"),
        ("\tpkg: /data/local/tmp/a.apk\r\nFailure [INSTALL_FAILED_UID_CHANGED]\r\n", "INSTALL_FAILED_UID", "by hand"),
    ],
)
def test_what_pm_says_is_the_reason_and_not_what_stands_around_it(said: str, reason: str, hint: str) -> None:
    words, remedy = refusal(said)
    assert words.startswith(reason)
    assert hint in remedy


@given(st.text())
def test_no_answer_of_pm_raises_or_breaks_a_line(text: str) -> None:
    words, hint = refusal(text)
    assert words
    assert words == clean(words)
    assert hint


def test_the_app_is_gone_with_the_run_after_one_that_was_killed(
    benches: Benches, stand_ins: StandIns, adb_server: AdbServer
) -> None:
    device = stand_ins(paced(load("pixel"), 5.0))
    bench = benches(("cpu",), more="app = true")
    apk = bench.folder / "own.apk"
    apk.write_bytes(b"PK\x03\x04app")
    environment = {**os.environ, **adb_server.address}
    argv = [sys.executable, *bench.argv(device.serial), "--apk", str(apk)]
    with subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + STARTED_S
        while PACKAGE not in device.phone.state.packages:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    assert PACKAGE in device.phone.state.packages
    assert app_is_gone(measure(bench, device), device)
    assert left_behind(device) == []
