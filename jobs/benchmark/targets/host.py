"""This machine as a target: each cell in a fresh Python process through ai-edge-litert."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from common.artifact import new_text
from common.schema.base import Model
from common.schema.benchmark import Cell, Runner
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Outcome, Unsupported
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.feeds import Feed
from jobs.benchmark.host_facts import host_environment
from jobs.benchmark.statistics import stat
from jobs.benchmark.targets import Reading
from jobs.benchmark.targets.host_profile import profile
from jobs.benchmark.targets.processes import last_words

RUNNER = Path(__file__).with_name("host_runner.py")
# numpy starts a thread per core for linear algebra that nothing here computes; LiteRT has threads of its own.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Loading the interpreter and the model, on a slow disk.
START_SECS = 120
BACKENDS = ("cpu", "xnnpack")


class Given(Model):
    """An input in the file's order: its shape, and a file with its bytes."""

    shape: tuple[int, ...]
    path: str


class Request(Model):
    """What the runner is asked to do; without `inputs` it draws them."""

    model: str
    backend: str
    threads: int
    warmup_runs: int
    warmup_min_secs: float
    num_runs: int
    min_secs: float
    max_secs: float
    inputs: tuple[Given, ...] = ()


class Reply(Model):
    """What the runner prints."""

    init_us: float
    warmup_us: tuple[float, ...]
    steady_us: tuple[float, ...]
    steady_cpu_us: tuple[float, ...]
    memory_init_kib: int
    memory_overall_kib: int
    memory_peak_kib: int


class HostTarget:
    """Runs cells on this machine. `feeds` are the inputs of variants that are not drawn."""

    def __init__(self, feeds: Mapping[str, Feed] | None = None) -> None:
        self._feeds = feeds or {}

    def environment(self) -> Environment:
        """CPU, cores, governor, memory, system and runtime of this machine."""
        return host_environment()

    def runners(self, backend: str) -> tuple[Runner, ...]:  # noqa: ARG002
        """The interpreter alone."""
        return ("binary",)

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        """One cell in a fresh process."""
        if cell.backend not in BACKENDS:
            return Reading(Unsupported(reason=f"the host has no {cell.backend} delegate: it needs an Android device"))
        load = os.getloadavg()[0]
        request = Request(
            model=str(model.resolve()),
            backend=cell.backend,
            threads=cell.threads,
            warmup_runs=settings.warmup_runs,
            warmup_min_secs=settings.warmup_min_secs,
            num_runs=settings.num_runs,
            min_secs=settings.min_secs,
            max_secs=settings.max_secs,
            inputs=tuple(Given(shape=p.shape, path=str(p.path)) for p in self._feeds.get(cell.variant, ())),
        )
        # Isolated: neither the user's own packages nor PYTHON variables reach it.
        argv = [sys.executable, "-I", str(RUNNER), request.model_dump_json()]
        limit = 2 * settings.max_secs + START_SECS
        with new_text(log) as stderr:
            try:
                done = subprocess.run(  # noqa: S603
                    argv,
                    env={**os.environ, **ONE_THREAD},
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    text=True,
                    timeout=limit,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Reading(Failed(reason=f"not finished after {limit:.0f} s", log=_name(log)))
            stderr.seek(0)
            return replace(_reading(done.returncode, done.stdout, stderr.read(), _name(log)), load_1min=load)

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:  # noqa: ARG002
        """The operators, unless the settings say no. The evaluation has this machine's answers."""
        return None if settings.profile is False else profile(model, cell, self._feeds.get(cell.variant, ()))

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        """One process; every one knows its peak from the kernel."""
        return self.measure(model, cell, settings, log).outcome

    def unfed(self, cell: Cell) -> str | None:  # noqa: ARG002
        """None: a process here takes any input."""
        return None

    def power(self, at_s: float) -> PowerReading | None:  # noqa: ARG002
        """None: a laptop's battery tells of everything that runs on it."""
        return None

    def thermal_status(self) -> int | None:
        """Nothing: a host is not waited for."""
        return None

    def state(self) -> DeviceState | None:
        """This machine has none that counts."""
        return None


def _reading(returncode: int, stdout: str, stderr: str, log: str) -> Reading:
    if returncode != 0:
        return Reading(Failed(reason=last_words(returncode, stderr), log=log))
    try:
        reply = Reply.model_validate(json.loads(stdout), strict=False)
    except (json.JSONDecodeError, ValidationError):
        return Reading(Failed(reason="the runner ended without a result", log=log))
    outcome = Measured(
        init_us=reply.init_us,
        first_us=reply.warmup_us[0],
        warmup=stat(reply.warmup_us),
        steady=stat(reply.steady_us),
        memory_init_kib=reply.memory_init_kib,
        memory_overall_kib=reply.memory_overall_kib,
        memory_peak_kib=reply.memory_peak_kib,
        cpu_us=statistics.median(reply.steady_cpu_us),
    )
    return Reading(outcome, reply.warmup_us, reply.steady_us)


def _name(log: Path) -> str:
    return os.path.join(log.parent.name, log.name)  # noqa: PTH118
