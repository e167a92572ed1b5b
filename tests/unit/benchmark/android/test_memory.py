"""Memory on a device: the tool is asked for its peak in processes of its own, as an executable and as an app."""

from collections.abc import Callable
from pathlib import Path

from common.schema.benchmark import MemoryLine, RunLine, Summary
from common.schema.outcome import Measured, Memory
from jobs.benchmark.android import reading
from jobs.benchmark.android.builds import Build, listed_flags
from jobs.benchmark.android.classic import parse
from jobs.benchmark.android.command import Dialect
from jobs.benchmark.ledger import Ledger
from tests.devices.phone.classic.flags import FLAGS
from tests.devices.standin.device import StandIn
from tests.unit.benchmark.android.conftest import Bench
from tests.unit.benchmark.android.transcripts import explicit, recorded

ASKED = "--report_peak_memory_footprint=true"


def test_processes_of_their_own_are_asked_for_the_peak_and_timed_ones_are_not(
    benches: Callable[..., Bench], stand_in: StandIn, tmp_path: Path
) -> None:
    apk = tmp_path / "app.apk"
    apk.write_bytes(b"PK\x03\x04" + bytes(100))
    bench = benches(backends=("xnnpack",), more="app = true")
    result = bench.run(stand_in.serial, apk=apk)
    lines = Ledger(bench.output / "ledger.jsonl").lines
    last_run = max(at for at, line in enumerate(lines) if isinstance(line, RunLine))
    remembered = {at: line for at, line in enumerate(lines) if isinstance(line, MemoryLine)}
    # Two variants, as an executable and as an app.
    assert len(remembered) == 3 * 4
    assert min(remembered) > last_run
    assert all(isinstance(line.outcome, Memory) and line.outcome.peak_kib for line in remembered.values())
    for row in result.rows:
        assert isinstance(row.result, Summary)
        assert row.result.memory_processes == 3
        assert row.result.memory_peak_mib is not None
        assert row.result.memory_peak_mib > row.result.memory_overall_mib > 0
    for log in (bench.output / "logs").glob("*.log"):
        assert (ASKED in log.read_text(encoding="utf-8")) == ("-memory-" in log.name), log.name


def test_the_recorded_peak_is_read() -> None:
    whole = "completely executed by the delegate."
    found = parse(explicit(recorded("baseline/i_peakmem"), "XNNPACK", whole), "xnnpack")
    assert isinstance(found, Measured)
    assert (found.memory_overall_kib, found.memory_peak_kib) == (28508, 35272)


def test_a_tool_that_cannot_tell_its_peak_is_not_asked() -> None:
    told = listed_flags(recorded("f_help").stderr)
    assert Build(Path(), Dialect.CLASSIC, told).peak == (ASKED,)
    older = "\n".join(line for line in recorded("f_help").stderr.splitlines() if "report_peak_memory" not in line)
    assert Build(Path(), Dialect.CLASSIC, listed_flags(older)).peak == ()
    assert any(flag.name in ASKED for flag in FLAGS)


def test_the_app_is_followed_to_what_it_says_last() -> None:
    head = "07-01 12:00:00.000  4242  4242 I tflite"
    log = [
        f"{head}_BenchmarkModelActivity: {reading.GREETING}--graph=m",
        f"{head}: Memory footprint delta from the start of the tool (MB): init=1 overall=2",
        f"{head}: Overall peak memory footprint (MB) via periodic monitoring: 34.4",
    ]
    assert reading.read(log[:2], "--graph=m").ending is reading.Ending.RESULT
    assert reading.read(log[:2], "--graph=m", reading.PEAK).ending is reading.Ending.ERROR
    assert reading.read(log, "--graph=m", reading.PEAK).ending is reading.Ending.RESULT
