"""The parent of a job inside its container. Run with the image's Python and nothing but its standard library:

    python -I -S guard.py <argv of the job>

Passes signals and the exit status on, says so when the job was killed for want of memory, and ends the
container when standard input ends: the launcher holds the other end, and the kernel closes that when the
launcher dies, however it dies.
"""

import os
import signal
import sys
from threading import Thread

WAITED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
KILLED = 128 + signal.SIGKILL
NOT_EXECUTABLE, NOT_FOUND = 126, 127
MIB = 1 << 20
# cgroup version 2, then 1: where the kernel counts its kills, and the limit.
CGROUPS = (
    ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory.max"),
    ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def main(argv: list[str]) -> int:
    """Run a job to its end; its exit status, or 128 + the signal that ended it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED)
    try:
        # A session of its own, so that a signal reaches the job's children too, as from a terminal.
        devnull = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        job = os.posix_spawnp(
            argv[0], argv, os.environ, file_actions=[devnull], setsid=True, setsigmask=(), setsigdef={signal.SIGPIPE}
        )
    except OSError as error:
        print(f"error: {argv[0]} cannot be run in the image: {error.strerror}", file=sys.stderr)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    Thread(target=end_with_launcher, daemon=True).start()
    status = wait(job)
    limit = out_of_memory() if status == KILLED else None
    if limit is not None:
        hint = "raise EDGEPROOF_MEMORY, or lower the batch size"
        print(f"error: killed, out of memory: the limit is {limit // MIB} MiB ({hint})", file=sys.stderr)
    return status


def end_with_launcher() -> None:
    """Wait for the end of standard input, then end every process of the container."""
    while os.read(0, 4096):
        pass
    # The init above ends with its child, and the kernel ends a PID namespace with its init.
    os._exit(KILLED)


def wait(job: int) -> int:
    """Wait for the job while passing signals on to its session."""
    while True:
        ended, status = os.waitpid(job, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        received = signal.sigwait(WAITED)
        if received != signal.SIGCHLD:
            os.killpg(job, received)


def out_of_memory() -> int | None:
    """The limit in bytes if the kernel killed a process for it, else None."""
    for counts, limit in CGROUPS:
        try:
            with open(counts) as stream:  # noqa: PTH123 - pathlib takes as long to import as the rest
                kills = [int(line.split()[1]) for line in stream if line.startswith("oom_kill ")]
            with open(limit) as stream:  # noqa: PTH123
                return int(stream.read()) if any(kills) else None
        except (OSError, ValueError):
            continue
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
