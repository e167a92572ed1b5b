"""A stage's job as tasks for a cluster: one, or one per phone. Pure but for the files that it hashes."""

import os
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from common.adb.names import HOST, joined, listed, safe_name
from common.errors import UsageError
from common.image_lock import tensorflow_variant
from common.job import ALSO_READS, Job
from jobs.farm.manifest import entries, moved, name_of
from jobs.farm.messages import Order

# What a job gets of the driver's environment; the rest is the node's.
PASSED_ON = ("EDGEPROOF_TRUST", "EDGEPROOF_DEBUG", "COLUMNS")
CPUS_VARIABLE = "EDGEPROOF_CPUS"
# How many processors TensorFlow and the libraries below it use.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
PHONE = "phone:"


@dataclass(frozen=True)
class Task:
    """What one node is to do. `serial` is the phone that it needs, empty for none; `cpus` and `gpus` are what else."""

    stage: str
    image: str
    argv: tuple[str, ...]
    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    cpus: int
    gpus: int = 0
    serial: str = ""

    @property
    def what(self) -> str:
        """What to call it before a person."""
        return self.serial or self.stage

    @property
    def resources(self) -> dict[str, float]:
        """Ray's names of what it needs besides processors."""
        return {resource(self.serial): 1.0} if self.serial else {}


def resource(serial: str) -> str:
    """The name under which Ray knows a phone."""
    return f"{PHONE}{serial}"


def runs_here(job: Job, cwd: Path, experiment: Path) -> str | None:
    """Why a job has to run on this machine; None where any will do.

    A path that an experiment names absolutely is this machine's; of its processor, `host`, the same holds.
    """
    if job.argv[2] == "jobs.benchmark" and not job.adb:
        return f"{HOST} is this machine"
    folder = (cwd / experiment).parent
    for path in job.named:
        if path.is_absolute() and not (experiment.is_absolute() and path.is_relative_to(folder)):
            return f"the experiment names {path}, which is this machine's"
    return None


def tasks(stage: str, job: Job, environment: Mapping[str, str]) -> tuple[Task, ...]:
    """The tasks that a job is: a benchmark on devices is one per device. Raises UsageError for a number of processors
    that is none."""
    gpus = 1 if job.gpu and tensorflow_variant(environment) == "cuda" else 0
    code = ALSO_READS.get(stage, ())
    reads = tuple(path for path in job.reads if path not in code)
    whole = Task(stage, job.image, job.argv, reads, job.writes, cpus(job, environment), gpus)
    if not job.adb:
        return (whole,)
    at = job.argv.index("--devices") + 1
    serials = listed(job.argv[at])
    if HOST in serials:
        raise UsageError("the host cannot be measured beside devices: it serves them", hint="measure it by itself")
    looks = "--look" in job.argv
    named = ("--named",) if len(serials) > 1 and not looks else ()
    [output] = job.writes
    return tuple(
        replace(
            whole,
            argv=(*job.argv[:at], joined([serial]), *job.argv[at + 1 :], *named),
            # To look writes nothing.
            writes=() if looks else (output / safe_name(serial),),
            serial=serial,
        )
        for serial in serials
    )


def cpus(job: Job, environment: Mapping[str, str]) -> int:
    """Processors of a node that a job takes: as many as EDGEPROOF_CPUS says, or one."""
    text = environment.get(CPUS_VARIABLE, "")
    if not job.cpus or not text:
        return job.cpus
    if not text.isdecimal() or not int(text):
        raise UsageError(f"{CPUS_VARIABLE}={text} is not a whole number of processors", hint="give 1 or more")
    return int(text)


def order(task: Task, cwd: Path, environment: Mapping[str, str]) -> Order:
    """A task with the contents of its files. Raises UsageError for one that is missing or cannot be sent."""
    argv = moved(task.argv[1:], (*task.reads, *task.writes, *_outputs(task)), cwd)
    passed = {name: environment[name] for name in PASSED_ON if environment.get(name)}
    if environment.get(CPUS_VARIABLE) and task.cpus:
        passed |= dict.fromkeys(THREADS, str(task.cpus))
    return Order(
        argv=argv,
        folder=name_of(cwd, cwd),
        reads=entries(task.reads, cwd),
        writes=tuple(name_of(path, cwd) for path in task.writes),
        held=entries([path for path in task.writes if (cwd / path).exists()], cwd),
        environment=tuple(sorted(passed.items())),
        purpose=shlex.join((socket.gethostname(), str(os.getuid()), *_places(task, cwd))),
    )


def _outputs(task: Task) -> list[Path]:
    return [Path(value) for option, value in zip(task.argv, task.argv[1:], strict=False) if option == "--output"]


def _places(task: Task, cwd: Path) -> list[str]:
    return [task.serial, *(name_of(path, cwd) for path in _outputs(task))]
