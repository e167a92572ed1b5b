"""The whole stage on a stand-in behind the real adb server: good days and bad ones."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.adb.errors import NotReadyError
from common.errors import EdgeproofError, TryLaterError, UsageError
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Row, RunLine, Summary
from common.schema.caution import FunctionalOnly
from common.schema.outcome import Failed, Unsupported
from jobs.benchmark.android.locks import held
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.targets import TargetLostError
from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Behaviour, Delegate, Delegates, Personality, load
from tests.devices.standin.device import StandIn, paced
from tests.devices.standin.faults import Fault, Kind, Point
from tests.unit.benchmark.android.conftest import SLACK_S, Bench, left_behind, on_the_phone

TOOL = "--graph"
# A process that imports numpy and LiteRT where others keep the machine busy.
STARTED_S = 90


def row(result: Benchmark, variant: str, backend: str) -> Row:
    return next(r for r in result.rows if (r.cell.variant, r.cell.backend) == (variant, backend))


def runs(bench: Bench) -> list[RunLine]:
    return [line for line in Ledger(bench.output / "ledger.jsonl").lines if isinstance(line, RunLine)]


def require_whole(bench: Bench, result: Benchmark) -> None:
    """No row lost, none twice, all measured."""
    assert all(isinstance(r.result, Summary) for r in result.rows), [r.result for r in result.rows]
    sessions = Ledger(bench.output / "ledger.jsonl").index.sessions.values()
    assert all(session.sound and session.rounds == 1 for session in sessions)
    assert {run.cell for run in runs(bench)} == {row.cell for row in result.rows}


def test_a_phone_is_measured_described_and_left_clean(bench: Bench, stand_in: StandIn) -> None:
    result = bench.run(stand_in.serial)
    require_whole(bench, result)
    target = result.target
    assert (target.kind, target.serial, target.functional_only) == ("android", stand_in.serial, False)
    facts = dict(target.facts)
    assert facts["Model"] == "Pixel 7"
    assert facts["Cores"] == "4 x 1803 MHz, 2 x 2850 MHz"
    assert facts["Temperatures before"].startswith("SKIN 29.4 °C")
    plain, quick = row(result, "baseline", "cpu").result, row(result, "baseline", "xnnpack").result
    assert isinstance(plain, Summary)
    assert isinstance(quick, Summary)
    assert quick.latency_us < plain.latency_us
    assert quick.delegation is not None
    assert (quick.delegation.nodes_delegated, quick.delegation.nodes_total) == (25, 25)
    assert left_behind(stand_in) == []


def test_again_there_is_nothing_to_do(bench: Bench, stand_in: StandIn) -> None:
    first = bench.run(stand_in.serial)
    ran = len(runs(bench))
    again = bench.run(stand_in.serial)
    assert again.rows == first.rows
    assert len(runs(bench)) == ran


def test_keep_leaves_the_files_and_they_are_used_again(bench: Bench, stand_in: StandIn) -> None:
    bench.run(stand_in.serial, keep=True)
    assert on_the_phone(stand_in)
    (bench.output / "ledger.jsonl").unlink()
    pushed = [command for command in stand_in.phone.history if "sync" in command]
    # Files are called after their content; what was set on the phone before is noted anew.
    stand_in.arm(Fault(Kind.VANISH, Point.PUSH, matching=r"/[0-9a-f]{16}(\.\w+)?$"))
    require_whole(bench, bench.run(stand_in.serial))
    assert not stand_in.phone.faults.fired, pushed
    assert left_behind(stand_in) == []


def test_an_old_phone_without_shell_v2_is_measured_too(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn]
) -> None:
    bench, old = benches(("cpu", "xnnpack", "gpu"), abi="armeabi-v7a"), stand_ins("old")
    result = bench.run(old.serial)
    require_whole(bench, result)
    partial = row(result, "baseline", "gpu").result
    assert isinstance(partial, Summary)
    assert partial.delegation is not None
    assert partial.delegation.extent == "partial"


def test_an_emulator_is_functional_only(bench: Bench, stand_ins: Callable[..., StandIn]) -> None:
    personality = load("pixel")
    properties = {**personality.properties, "ro.kernel.qemu": "1"}
    device = stand_ins(Personality(**{**personality.__dict__, "properties": properties}))
    result = bench.run(device.serial)
    assert result.target.functional_only
    assert FunctionalOnly() in result.warnings


def test_what_a_phone_has_not_is_unsupported(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    result = benches(("cpu", "gpu", "nnapi", "hexagon")).run(stand_in.serial)
    for backend in ("nnapi", "hexagon"):
        found = row(result, "baseline", backend).result
        assert isinstance(found, Unsupported)
        assert "nsupported on this platform" in found.reason or "Could not create" in found.reason
    assert isinstance(row(result, "baseline", "gpu").result, Summary)


@pytest.mark.parametrize("behaviour", [Behaviour.ABSENT, Behaviour.DECLINED, Behaviour.FAILING])
def test_a_gpu_that_left_it_to_the_cpu_is_never_a_gpu_figure(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn], behaviour: Behaviour
) -> None:
    personality = load("pixel")
    delegates = Delegates(gpu=Delegate(behaviour))
    device = stand_ins(Personality(**{**personality.__dict__, "delegates": delegates}))
    found = row(benches(("cpu", "gpu")).run(device.serial), "float16", "gpu").result
    assert isinstance(found, Unsupported)


def test_a_silent_fallback_in_one_round_is_counted(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.SILENT_FALLBACK, matching="use_gpu", skip=1))
    result = benches(("gpu",), rounds=2).run(stand_in.serial)
    assert sum(r.failed_rounds for r in result.rows) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(Kind.CRASH, matching=TOOL), "SIGSEGV"),
        (Fault(Kind.CRASH, matching=TOOL, after_bytes=400), "SIGSEGV"),
        (Fault(Kind.GARBAGE, matching=TOOL), "does not say|without a complete|a delegate ran"),
        (Fault(Kind.TRUNCATED, matching=TOOL, after_bytes=900), "does not say|without a complete"),
        (Fault(Kind.HANG, matching=TOOL), "not finished after 8 s"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_process_that_fails_is_a_failure_with_a_log(
    bench: Bench, stand_in: StandIn, fault: Fault, words: str
) -> None:
    stand_in.arm(fault)
    result = bench.run(stand_in.serial, slack_s=6 if fault.kind is Kind.HANG else SLACK_S)
    failed = [run.outcome for run in runs(bench) if isinstance(run.outcome, Failed)]
    assert len(failed) == sum(r.failed_rounds for r in result.rows) == 1
    assert any(word in failed[0].reason for word in words.split("|")), failed
    assert failed[0].log is not None
    assert (bench.output / failed[0].log).is_file()
    assert left_behind(stand_in) == []
    # The next run measures what failed, and what it is paired with.
    require = bench.run(stand_in.serial)
    assert all(isinstance(r.result, Summary) for r in require.rows)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.VANISH, Point.SHELL, matching=TOOL, seconds=0.5),
        Fault(Kind.VANISH, Point.SHELL, matching=TOOL, after_bytes=300, seconds=0.5),
        Fault(Kind.VANISH, Point.SHELL, matching="getprop </dev/null", seconds=0.5),
        Fault(Kind.VANISH, Point.PUSH, after_bytes=1000, seconds=0.5),
        Fault(Kind.VANISH, Point.SHELL, matching="sha256sum", seconds=0.5),
    ],
    ids=["before", "mid-shell", "survey", "mid-push", "verify"],
)
def test_a_phone_that_comes_back_costs_nothing_but_time(bench: Bench, stand_in: StandIn, fault: Fault) -> None:
    stand_in.arm(fault)
    result = bench.run(stand_in.serial)
    assert stand_in.phone.faults.fired
    require_whole(bench, result)
    assert all(r.failed_rounds == 0 for r in result.rows)
    assert left_behind(stand_in) == []


def test_a_phone_that_stays_away_ends_the_run_and_the_next_one_goes_on(bench: Bench, stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching=TOOL, skip=2))
    with pytest.raises(
        TargetLostError, match=r"did not come back within 1 s; 6 of 8 processes are missing: \w+"
    ) as lost:
        bench.run(stand_in.serial, patience_s=1)
    assert lost.value.exit_code == 1
    assert not (bench.output / "benchmark.json").exists()
    assert len(runs(bench)) == 2
    stand_in.heal()
    require_whole(bench, bench.run(stand_in.serial))
    assert len(runs(bench)) >= 8


def test_a_server_that_is_restarted_has_forgotten_the_phone(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adb").mkdir()
    with AdbServer(tmp_path / "adb") as own, StandIn(paced(load("pixel"), 5.0)) as device:
        for name in ("ADB_SERVER_SOCKET", "ANDROID_ADB_SERVER_PORT"):
            monkeypatch.setenv(name, own.environment[name])
        timer = threading.Timer(1.0, own.restart)
        timer.start()
        result = bench.run(device.serial)
        timer.join()
        require_whole(bench, result)


@pytest.mark.slow
def test_a_frozen_phone_is_noticed_and_waited_for(bench: Bench, stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.FROZEN, Point.SHELL, matching=TOOL, seconds=25))
    require_whole(bench, bench.run(stand_in.serial, patience_s=60, slack_s=1))


def test_a_full_phone_is_refused_before_anything_is_sent(bench: Bench, stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.DISK_FULL, after_bytes=2_000_000))
    with pytest.raises(EdgeproofError, match="MiB free in /data/local/tmp") as full:
        bench.run(stand_in.serial)
    assert full.value.hint == "free some space on the device"
    assert left_behind(stand_in) == []


def test_a_phone_that_is_full_in_the_middle_says_so(bench: Bench, stand_in: StandIn) -> None:
    stand_in.arm(Fault(Kind.DISK_FULL, Point.PUSH, after_bytes=1000))
    with pytest.raises(EdgeproofError, match="No space left"):
        bench.run(stand_in.serial)


@pytest.mark.parametrize(
    ("kind", "state", "hint"),
    [
        (Kind.UNAUTHORIZED, "unauthorized", "accept the key"),
        pytest.param(Kind.OFFLINE, "offline", "plug it in again", marks=pytest.mark.slow),
    ],
)
def test_a_phone_that_cannot_be_used_says_what_to_do(
    bench: Bench, stand_in: StandIn, adb_server: AdbServer, *, kind: Kind, state: str, hint: str
) -> None:
    stand_in.arm(Fault(kind))
    adb_server.wait_for(stand_in.serial, state)
    with pytest.raises(NotReadyError, match=f"is {state}") as refused:
        bench.run(stand_in.serial)
    assert refused.value.exit_code == 75
    assert hint in str(refused.value.hint)


def test_a_binary_for_another_processor_is_refused(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    with pytest.raises(UsageError, match=r"is for x86_64, the device runs arm64-v8a"):
        benches(abi="x86_64").run(stand_in.serial)


def test_the_second_run_says_who_holds_the_phone(bench: Bench, stand_in: StandIn) -> None:
    with (
        held(stand_in.serial, "runs/demo"),
        pytest.raises(TryLaterError, match=rf"in use by process {os.getpid()} of .* \(runs/demo\)"),
    ):
        bench.run(stand_in.serial)
    bench.run(stand_in.serial)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_leaves_nothing_on_the_phone(
    bench: Bench, stand_ins: Callable[..., StandIn], number: signal.Signals
) -> None:
    device = stand_ins()
    device.arm(Fault(Kind.HANG, matching=TOOL, skip=1))
    job = subprocess.Popen([sys.executable, *bench.argv(device.serial)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + STARTED_S
    while not any(f.kind is Kind.HANG for f in device.phone.faults.fired) and time.monotonic() < deadline:
        time.sleep(0.05)
    job.send_signal(number)
    if number != signal.SIGINT:
        # A process group gets it again from each make above.
        time.sleep(0.03)
        job.send_signal(number)
    _, stderr = job.communicate(timeout=STARTED_S)
    # An interpreter that is about to end has no handlers any more.
    assert job.returncode in (128 + number, -number), stderr
    assert "Traceback" not in stderr
    assert left_behind(device) == []
    device.heal()
    assert len(runs(bench)) == 1
    require_whole(bench, bench.run(device.serial))


def test_flags_that_the_tool_does_not_know_fail_the_run(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    bench = benches(("cpu", "xnnpack"), more='extra_flags = { cpu = ["--no_such_flag=1"] }')
    result = bench.run(stand_in.serial)
    found = row(result, "baseline", "cpu").result
    assert isinstance(found, Failed)
    assert found.reason == "the tool does not know --no_such_flag=1"
    assert result.settings.extra_flags == {"cpu": ("--no_such_flag=1",)}
    assert isinstance(row(result, "baseline", "xnnpack").result, Summary)
