"""Several devices at once through the command line, and the list of devices."""

import os
import subprocess
import sys
from collections.abc import Callable

from common.adb.names import safe_name
from common.artifact import read
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Summary
from tests.devices.adb_server import AdbServer
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.unit.benchmark.android.conftest import Bench, left_behind


def job(*argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_two_phones_are_measured_side_by_side(bench: Bench, stand_ins: Callable[..., StandIn]) -> None:
    phones = [stand_ins(), stand_ins()]
    argv = bench.argv(" ".join(phone.serial for phone in phones))
    argv[argv.index("--device")] = "--devices"
    done = job(*argv)
    assert done.returncode == 0, done.stderr
    for phone in phones:
        # Two phones write into one terminal, of which each line says whose it is: the model, and which one of it.
        mine = [line for line in done.stdout.splitlines() if f" ({phone.serial})  " in line]
        assert any("  [1/" in line for line in mine) and any("rows; wrote" in line for line in mine), done.stdout
        result = read(bench.output / safe_name(phone.serial) / "benchmark.json", Benchmark)
        assert result.target.serial == phone.serial
        assert all(isinstance(row.result, Summary) for row in result.rows)
        assert left_behind(phone) == []


def test_one_of_two_that_fails_costs_the_other_nothing(bench: Bench, stand_ins: Callable[..., StandIn]) -> None:
    good, bad = stand_ins(), stand_ins()
    bad.arm(Fault(Kind.DISK_FULL, after_bytes=1_000_000))
    argv = bench.argv(f"{good.serial} {bad.serial}")
    argv[argv.index("--device")] = "--devices"
    done = job(*argv)
    assert done.returncode == 1
    assert f"note: {bad.serial} ended with exit status 1" in done.stderr
    [error] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert error.startswith(f"error: {bad.serial}: ") and "free some space on the device" in error
    assert (bench.output / safe_name(good.serial) / "benchmark.json").is_file()


def test_the_list_says_what_is_in_the_way(stand_ins: Callable[..., StandIn], adb_server: AdbServer) -> None:
    good, locked, full = stand_ins(), stand_ins(), stand_ins("old")
    locked.arm(Fault(Kind.UNAUTHORIZED))
    full.arm(Fault(Kind.DISK_FULL, after_bytes=1_000_000))
    adb_server.wait_for(locked.serial, "unauthorized")
    done = job("-m", "jobs.devices")
    assert done.returncode == 0, done.stderr
    rows = {
        phone.serial: next(x for x in done.stdout.splitlines() if phone.serial in x) for phone in (good, locked, full)
    }
    assert "Google Pixel 7" in rows[good.serial]
    assert "14 (API 34)" in rows[good.serial]
    assert "ready" in rows[good.serial]
    assert "unauthorized" in rows[locked.serial]
    assert "accept the key" in rows[locked.serial]
    assert "free some space" in rows[full.serial]


def test_no_server_can_be_started_is_one_line(tmp_path: object) -> None:
    env = {**os.environ, "ADB_SERVER_SOCKET": "tcp:127.0.0.1:1", "ADBUTILS_ADB_PATH": "/nonexistent/adb"}
    done = subprocess.run(
        [sys.executable, "-m", "jobs.devices"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 75
    assert "Traceback" not in done.stderr
    assert "no adb server answers at 127.0.0.1:1" in done.stderr
