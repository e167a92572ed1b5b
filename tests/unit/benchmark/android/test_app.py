"""The benchmark as an app on a stand-in behind the real adb server: whose lines count, and how a start ends."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from common.schema.benchmark import Benchmark, RunLine, Summary
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.android.app import NO_LOGS, Patience
from jobs.benchmark.android.reading import Waits
from jobs.benchmark.ledger import Ledger
from tests.devices.phone.personality import Apps, Behaviour, Delegate, Delegates, Personality, load
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind, Point
from tests.unit.benchmark.android.conftest import Bench, left_behind

WAITS = Waits(first_word_s=3.0, error_s=1.0, figure_s=1.0, crash_s=1.0)
SHORT = Patience(install_s=60.0, look_s=0.5, waits=WAITS)
PACKAGE = "org.tensorflow.lite.benchmark"
StandIns = Callable[..., StandIn]
Benches = Callable[..., Bench]


def phone(apps: Apps, delegates: Delegates | None = None) -> Personality:
    pixel = load("pixel")
    return replace(pixel, apps=apps, delegates=delegates or pixel.delegates)


def measure(bench: Bench, device: StandIn) -> Benchmark:
    apk = bench.folder / "own.apk"
    apk.write_bytes(b"PK\x03\x04app")
    return bench.run(device.serial, apk=apk, app=SHORT)


def app_runs(bench: Bench) -> list[RunLine]:
    lines = Ledger(bench.output / "ledger.jsonl").lines
    return [line for line in lines if isinstance(line, RunLine) and line.cell.runner == "app"]


def binary_is_whole(result: Benchmark) -> bool:
    return all(isinstance(row.result, Summary) for row in result.rows if row.cell.runner != "app")


def test_a_log_that_cannot_be_cleared_gives_every_process_its_own_result(benches: Benches, stand_ins: StandIns) -> None:
    """Android 10 on some phones, `failed to clear the 'main' log`: a log has the results of the starts before."""
    bench, device = benches(("cpu",), rounds=2, more="app = true"), stand_ins(phone(Apps(clears=False)))
    measure(bench, device)
    outcomes = [run.outcome for run in app_runs(bench)]
    measured = [found for found in outcomes if isinstance(found, Measured)]
    assert len(measured) == len(outcomes)
    assert len({found.steady.mean_us for found in measured}) == len(measured) > 4


FOREIGN = (
    "I tflite Replacing 12 out of 14 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions.",
    "E tflite third_party/tensorflow/lite/core/subgraph.cc:1062 tensor.data.raw != nullptr was not true.",
    "E tflite Failed to apply XNNPACK delegate.",
    "I tflite Memory footprint delta from the start of the tool (MB): init=1 overall=2",
    "F libc Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x8 in tid 2167 (gms), pid 2167 (gms)",
    "F DEBUG pid: 2167, tid: 2167, name: gms  >>> com.google.android.gms <<<",
    "F DEBUG signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0000000000000008",
    "E AndroidRuntime FATAL EXCEPTION: main",
    "E AndroidRuntime Process: com.google.android.gms, PID: 2167",
    "I ActivityManager Process com.google.android.gms (pid 2167) has died: cch CRE",
)


def test_other_processes_end_no_run_turn_no_figure_and_fake_no_delegation(
    benches: Benches, stand_ins: StandIns
) -> None:
    bench = benches(("cpu", "xnnpack"), more="app = true")
    result = measure(bench, stand_ins(phone(Apps(beside=FOREIGN))))
    for row in result.rows:
        assert isinstance(row.result, Summary), row
        if row.cell.backend == "xnnpack":
            assert row.result.delegation is not None
            assert (row.result.delegation.extent, row.result.delegation.nodes_delegated) == ("complete", 25)


def test_errors_that_a_result_follows_are_no_end(benches: Benches, stand_ins: StandIns) -> None:
    """An app that sees no OpenCL library, a cache that is not there yet, a node that the delegate does not find."""
    said = (
        'E Can not open OpenCL library on this device - dlopen failed: library "libOpenCL.so" not found',
        "E Falling back to OpenGL",
        "E File /data/local/tmp/cache/1.bin couldn't be opened for reading: No such file or directory",
        "E CUSTOM TFLite_Detection_PostProcess: TFLite_Detection_PostProcess",
        "E tensorflow/lite/core/subgraph.cc:1169 node_index >= 0 was not true.",
    )
    result = measure(benches(("gpu",), more="app = true"), stand_ins(phone(Apps(complaint=said))))
    assert all(isinstance(row.result, Summary) for row in result.rows)


def test_a_delegate_that_cannot_be_applied_is_unsupported_as_with_the_executable(
    benches: Benches, stand_ins: StandIns
) -> None:
    bench = benches(("cpu", "gpu"), more="app = true")
    device = stand_ins(phone(Apps(), Delegates(gpu=Delegate(Behaviour.FAILING))))
    result = measure(bench, device)
    reasons = {row.result.reason for row in result.rows if isinstance(row.result, Unsupported)}
    assert reasons == {"Failed to apply GPU delegate."}
    # The tool's closing words end the start at once; nothing waits for more.
    assert all((run.took_s or 0) < WAITS.error_s for run in app_runs(bench) if run.cell.backend == "gpu")


def test_what_the_app_cannot_load_ends_at_once(benches: Benches, stand_ins: StandIns) -> None:
    bench = benches(("cpu", "hexagon"), more="app = true")
    result = measure(bench, stand_ins(phone(Apps())))
    # The activity adds the folder of its own libraries, and the tool takes no flag twice.
    for row in (row for row in result.rows if row.cell.backend == "hexagon"):
        assert isinstance(row.result, Unsupported), row.result
        assert row.result.reason.startswith("Could not create Hexagon delegate")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(Kind.CRASH, matching=PACKAGE), ("crashed", "signal 11 (SIGSEGV)", "null pointer dereference")),
        (Fault(Kind.CRASH, matching=PACKAGE, signal=6), ("crashed", "signal 6 (SIGABRT)")),
        (Fault(Kind.JAVA_CRASH, matching=PACKAGE), ("crashed", "java.lang.UnsatisfiedLinkError: dlopen failed")),
        (Fault(Kind.CRASH, matching=PACKAGE, signal=9), ("ended by the phone", "has died")),
    ],
    ids=["segmentation", "abort", "java", "killed"],
)
def test_a_crash_is_told_by_its_signal_or_exception(
    benches: Benches, stand_in: StandIn, fault: Fault, words: tuple[str, ...]
) -> None:
    bench = benches(("cpu",), more="app = true")
    stand_in.arm(fault)
    result = measure(bench, stand_in)
    [failed] = [run.outcome for run in app_runs(bench) if isinstance(run.outcome, Failed)]
    assert all(word in failed.reason for word in words), failed.reason
    assert binary_is_whole(result)


def test_an_error_that_nothing_follows_ends_after_a_short_wait(benches: Benches, stand_in: StandIn) -> None:
    """It complains of what no list knows, and stays there without working."""
    bench = benches(("cpu",), more="app = true")
    stand_in.arm(Fault(Kind.APPS, apps=Apps(complaint=("E Some new error of which nobody knows.",))))
    stand_in.arm(Fault(Kind.HANG, matching=PACKAGE, after_bytes=1))
    result = measure(bench, stand_in)
    [failed] = [run.outcome for run in app_runs(bench) if isinstance(run.outcome, Failed)]
    assert failed.reason == "the app gave up: Some new error of which nobody knows."
    assert binary_is_whole(result)


def test_a_phone_that_shows_no_logs_of_apps_costs_two_waits(benches: Benches, stand_ins: StandIns) -> None:
    bench, device = benches(("cpu", "xnnpack"), rounds=2, more="app = true"), stand_ins(phone(Apps(shown=False)))
    start = time.monotonic()
    result = measure(bench, device)
    reasons = [run.outcome.reason for run in app_runs(bench) if isinstance(run.outcome, Failed)]
    assert len(reasons) == len(app_runs(bench)) > 4
    assert all("said nothing in the log within 3 s" in reason for reason in reasons[:2])
    assert set(reasons[2:]) == {NO_LOGS}
    assert binary_is_whole(result)
    assert time.monotonic() - start < 60


def test_a_word_of_the_app_is_enough_to_go_on(benches: Benches, stand_in: StandIn) -> None:
    """One start is silent, others are not: that is no phone without logs."""
    bench = benches(("cpu",), rounds=2, more="app = true")
    stand_in.arm(Fault(Kind.APPS, apps=Apps(shown=False), seconds=2.0))
    measure(bench, stand_in)
    assert isinstance(app_runs(bench)[-1].outcome, Measured)


def test_a_phone_that_vanishes_while_its_log_is_read_costs_nothing_but_time(
    benches: Benches, stand_in: StandIn
) -> None:
    """Also where programs outlive their listener: the reader of the log is ended."""
    bench = benches(("cpu",), more="app = true")
    stand_in.arm(Fault(Kind.SURVIVORS))
    stand_in.arm(Fault(Kind.VANISH, Point.SHELL, matching="logcat.*threadtime", after_bytes=700, seconds=0.3))
    result = measure(bench, stand_in)
    assert [fault.kind for fault in stand_in.phone.faults.fired].count(Kind.VANISH) == 1
    assert all(isinstance(row.result, Summary) and not row.failed_rounds for row in result.rows)
    assert left_behind(stand_in) == []
