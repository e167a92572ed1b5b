"""The host target with the real interpreter, and the protocol around it with a target that fails on order."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.artifact import read
from common.errors import EdgeproofError, UsageError
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Cell, Runner
from common.schema.caution import FailedProcesses
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Outcome
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.host_facts import busy_cores
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.stage import benchmark
from jobs.benchmark.statistics import stat
from jobs.benchmark.targets import Reading
from jobs.benchmark.targets.host import RUNNER, HostTarget
from jobs.benchmark.targets.host_runner import timed_runs
from tests.conftest import Chain

PROCESSES = 2 * (1 + 2 * (5 + 4))
QUICK = Settings(rounds=1, num_runs=5, min_secs=0.05, warmup_min_secs=0.02)


def cell(backend: str = "xnnpack") -> Cell:
    return Cell(variant="baseline", model_sha256="0" * 64, backend=backend, threads=1)


@pytest.mark.parametrize("backend", ["cpu", "xnnpack"])
def test_a_real_model_is_measured(chain: Chain, tmp_path: Path, backend: str) -> None:
    reading = HostTarget().measure(chain.model("baseline"), cell(backend), QUICK, tmp_path / "log")
    found = reading.outcome
    assert isinstance(found, Measured)
    assert found.steady.count >= 5
    assert found.steady == stat(reading.samples_us)
    assert sum(reading.samples_us) < 1e6
    assert found.first_us == reading.warmup_samples_us[0]
    assert found.memory_overall_kib >= found.memory_init_kib > 0
    said = (tmp_path / "log").read_text(encoding="utf-8")
    assert ("XNNPACK" in said) == (backend == "xnnpack")


def test_cpu_time_is_told_beside_the_clock(chain: Chain, tmp_path: Path) -> None:
    threaded = cell().model_copy(update={"threads": 2})
    for one in (cell(), threaded):
        found = HostTarget().measure(chain.model("baseline"), one, QUICK, tmp_path / "log").outcome
        assert isinstance(found, Measured)
        assert found.cpu_us is not None
        assert found.steady.min_us is not None
        assert found.cpu_us > 0.5 * found.steady.min_us


class Invoked:
    """Stands for an interpreter; a run lasts 5 ms, asleep or at work, in this thread or in another."""

    def __init__(self, run: Callable[[], None]) -> None:
        self.invoke = run


def working() -> None:
    end = time.thread_time_ns() + 5_000_000
    while time.thread_time_ns() < end:
        pass


def working_elsewhere() -> None:
    other = threading.Thread(target=working)
    other.start()
    other.join()


@pytest.mark.parametrize(
    ("run", "threads", "low_us", "high_us"),
    [
        (lambda: time.sleep(0.005), 1, 0.0, 1000.0),
        (working, 1, 5000.0, 5500.0),
        (working_elsewhere, 1, 0.0, 1500.0),
        (working_elsewhere, 2, 5000.0, 7000.0),
    ],
)
def test_cpu_time_is_what_a_run_used_and_not_what_it_lasted(
    run: Callable[[], None], threads: int, low_us: float, high_us: float
) -> None:
    wall, cpu = timed_runs(Invoked(run), [], 9, 0.0, {"threads": threads, "max_secs": 5.0})
    assert len(wall) == len(cpu) == 9
    assert sorted(wall)[4] >= 5000
    assert low_us <= sorted(cpu)[4] <= high_us


def test_a_process_starts_with_the_interpreter_alone(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-X", "importtime", str(RUNNER), "{}"]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path).stderr
    names = {line.rpartition("|")[2].strip() for line in loaded.splitlines() if line.startswith("import time:")}
    assert "ai_edge_litert.interpreter" in names
    assert not names & {"pydantic", "common", "jobs", "numpy.random", "typer"}


def test_steady_state_lasts_as_long_as_asked(chain: Chain, tmp_path: Path) -> None:
    settings = Settings(num_runs=1, min_secs=0.3, warmup_min_secs=0.0, max_secs=5)
    reading = HostTarget().measure(chain.model("baseline"), cell(), settings, tmp_path / "log")
    assert len(reading.warmup_samples_us) == 1
    assert len(reading.samples_us) > 50
    capped = Settings(num_runs=10**9, min_secs=0.0, warmup_min_secs=0.0, max_secs=0.2)
    reading = HostTarget().measure(chain.model("baseline"), cell(), capped, tmp_path / "log")
    assert 0 < len(reading.samples_us) < 10**6


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(64), b"\x1c\0\0\0TFL3" + bytes(300)])
def test_a_file_that_is_no_model_is_a_failure_with_a_reason(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    outcome = HostTarget().measure(path, cell(), QUICK, tmp_path / "log").outcome
    assert isinstance(outcome, Failed)
    assert outcome.reason
    assert "Traceback" not in outcome.reason


MEMORY = """
import sys
from pathlib import Path
held = bytearray(int(sys.argv[1]))
held[::4096] = b"x" * len(held[::4096])
from common.schema.benchmark import Cell
from common.schema.caution import FailedProcesses
from common.schema.experiment import Benchmark
from jobs.benchmark.targets.host import RUNNER, HostTarget
cell = Cell(variant="m", model_sha256="0" * 64, backend="cpu", threads=1)
settings = Benchmark(num_runs=3, min_secs=0.0, warmup_min_secs=0.0)
print(HostTarget().measure(Path(sys.argv[2]), cell, settings, Path(sys.argv[3])).outcome.memory_overall_kib)
"""


def test_memory_figures_do_not_depend_on_the_parents_size(chain: Chain, tmp_path: Path) -> None:
    def figure(held: int) -> int:
        argv = [sys.executable, "-c", MEMORY, str(held), str(chain.model("baseline")), str(tmp_path / "log")]
        return int(subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    small, big = figure(0), figure(600_000_000)
    assert small > 500
    assert abs(big - small) < 0.5 * small


SAMPLES = (100.0, 110.0, 120.0)


def scripted() -> Measured:
    phase = stat(SAMPLES)
    return Measured(init_us=5.0, first_us=100.0, warmup=phase, steady=phase, memory_init_kib=1, memory_overall_kib=2)


class ScriptedTarget:
    """A target whose processes last no time; stops with Ctrl-C after `stop` of them."""

    def __init__(self, stop: int = 10**6, fail: str = "") -> None:
        self.stop, self.fail, self.seen = stop, fail, 0

    def runners(self, backend: str) -> tuple[Runner, ...]:
        return ("binary",)

    def environment(self) -> Environment:
        return Environment(kind="host", name="scripted", fingerprint="a" * 64, functional_only=False, facts=())

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        if self.seen == self.stop:
            raise KeyboardInterrupt
        self.seen += 1
        if cell.variant in self.fail.split():
            return Reading(Failed(reason="scripted", log=log.name))
        return Reading(scripted(), SAMPLES, SAMPLES)

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        return None

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        return scripted()

    def unfed(self, cell: Cell) -> str | None:
        return None

    def power(self, at_s: float) -> PowerReading | None:
        return None

    def thermal_status(self) -> int | None:
        return None

    def state(self) -> DeviceState | None:
        return None


def run(chain: Chain, target: ScriptedTarget, output: Path) -> Benchmark:
    return benchmark(chain.experiment, chain.folder / "variants", target, output)


def test_an_interrupted_run_measures_only_the_rest(chain: Chain, tmp_path: Path) -> None:
    output = tmp_path / "host"
    with pytest.raises(KeyboardInterrupt):
        run(chain, ScriptedTarget(stop=7), output)
    assert not (output / "benchmark.json").exists()
    with (output / "ledger.jsonl").open("ab") as stream:
        stream.write(b'{"kind":"run","session":0,"rou')
    target = ScriptedTarget()
    result = run(chain, target, output)
    # Two rounds on two backends: 5 variants, and the reference at the beginning and after each of 4 segments.
    assert target.seen == PROCESSES - 7
    assert len(result.rows) == 12
    assert all(row.result.kind == "summary" and row.result.rounds == 2 for row in result.rows)
    assert read(output / "benchmark.json", Benchmark) == result
    again = ScriptedTarget()
    run(chain, again, output)
    assert again.seen == 0
    # Then three for the memory of each cell.
    assert len(Ledger(output / "ledger.jsonl").lines) == 1 + PROCESSES + 3 * 12


def test_a_failing_variant_is_a_row_and_a_warning(chain: Chain, tmp_path: Path) -> None:
    result = run(chain, ScriptedTarget(fail="float16"), tmp_path / "host")
    kinds = {row.cell.variant: row.result.kind for row in result.rows}
    assert kinds["float16"] == "failed"
    assert kinds["baseline"] == "summary"
    assert FailedProcesses(count=4) in result.warnings


def test_when_nothing_could_be_measured_there_is_no_result(chain: Chain, tmp_path: Path) -> None:
    names = " ".join(chain.variants)
    with pytest.raises(EdgeproofError, match="no variant could be measured: scripted"):
        run(chain, ScriptedTarget(fail=names), tmp_path / "host")
    assert not (tmp_path / "host" / "benchmark.json").exists()


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text(json.dumps({"kind": "run"}) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"ledger\.jsonl, line 1 is not a ledger line"):
        Ledger(path)


def test_a_damaged_ledger_does_not_cost_the_old_result(chain: Chain, tmp_path: Path) -> None:
    output = tmp_path / "host"
    run(chain, ScriptedTarget(), output)
    before = (output / "benchmark.json").read_bytes()
    with (output / "ledger.jsonl").open("ab") as stream:
        stream.write(b"garbage\n")
    with pytest.raises(UsageError, match="is not a ledger line"):
        run(chain, ScriptedTarget(), output)
    assert (output / "benchmark.json").read_bytes() == before


def test_a_busy_core_is_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            assert busy_cores(1.0) > 0.5
        finally:
            other.kill()
