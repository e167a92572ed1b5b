"""Run a job in a container of its own."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from common.errors import UsageError
from common.job import Job
from common.provenance import ROOT, describe_commit
from jobs.launch.adb_access import AdbAccess, find, require_server
from jobs.launch.attend import attend, signals
from jobs.launch.build import STATE, ensure_image
from jobs.launch.container import Contained, Engine, connect
from jobs.launch.ingredients import Image
from jobs.launch.mounts import binds_for, prepare
from jobs.launch.settings import container_user, job_environment, limits, wants_gpu

CODE = (ROOT / "jobs", ROOT / "common")
GUARD = ROOT / "jobs" / "launch" / "guard.py"
NAME_HEX_DIGITS = 12


def launch(job: Job) -> int:
    """Build the image if need be, run the command in a container of its own, return its exit status. One that uses
    adb is on the host's own network, where the host's adb server listens.

    Raises UsageError for paths and settings that cannot be, and when there is no engine; NotReadyError when there is no
    adb server that knows the devices.
    """
    if not job.argv:
        raise UsageError("there is no command to run", hint="give it after --")
    cwd = Path.cwd()
    caller = os.environ
    access = find(caller, ROOT) if job.adb else AdbAccess()
    binds = binds_for(CODE, (*job.reads, *access.read), (*job.writes, *access.write), cwd)
    if job.server:
        require_server(caller, job.server)
    engine, image = connect(), Image(job.image)
    limited = limits(caller, engine.facts)
    prepare(binds)
    image_id = ensure_image(engine, image, caller)
    wanted = wants_gpu(image, caller)
    if wanted and not engine.facts.nvidia:
        print("warning: the engine has no NVIDIA runtime, so this runs on the CPU", file=sys.stderr)
    columns = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    with signals() as events, _registered(engine, f"edgeproof-{image}") as name:
        contained = Contained(
            name=name,
            image_id=image_id,
            argv=("python", "-I", "-S", str(GUARD), *job.argv),
            binds=binds,
            folder=cwd,
            user=container_user(os.getuid(), os.getgid(), engine.facts),
            environment=job_environment(
                caller, image_id=image_id, commit=describe_commit(), code=str(ROOT), columns=columns
            )
            | dict(access.environment),
            limits=limited,
            network="host" if job.adb else "bridge" if job.network else "none",
            usb=access.usb,
            groups=access.groups,
            gpu=wanted and engine.facts.nvidia,
        )
        return attend(engine.start(contained), events)


@contextmanager
def _registered(engine: Engine, prefix: str) -> Iterator[str]:
    """A container name with a lock that the kernel frees when this process ends, however it ends.

    A free lock thus means a launcher that was killed. Its container ends by itself once it is started;
    one that was never started is removed here, by the next launcher.
    """
    for leftover in STATE.glob("edgeproof-*.lock"):
        _reap(engine, leftover)
    name = f"{prefix}-{uuid4().hex[:NAME_HEX_DIGITS]}"
    path = STATE / f"{name}.lock"
    with FileLock(path):
        try:
            yield name
        finally:
            path.unlink(missing_ok=True)


def _reap(engine: Engine, path: Path) -> None:
    try:
        with FileLock(path, timeout=0):
            engine.remove(path.stem)
            path.unlink(missing_ok=True)
    except (Timeout, PermissionError):
        # Alive, or another user's.
        return
