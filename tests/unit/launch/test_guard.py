"""The guard that stands between the init and the job, as a real process."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.launch import guard

ARGV = [sys.executable, "-I", "-S", guard.__file__]
STOPS_ON_CTRL_C = (
    "import time\ntry: print('started', flush=True); time.sleep(60)\n"
    "except KeyboardInterrupt: print('tidy', flush=True); raise SystemExit(5)\n"
)


def start(*argv: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*ARGV, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 42", 42), ("kill -TERM $$", 143)])
def test_the_status_is_passed_on(script: str, status: int) -> None:
    with start("sh", "-c", script) as process:
        assert process.wait(10) == status


def test_the_streams_of_the_job_are_its_own() -> None:
    with start("sh", "-c", "echo out; echo err >&2; cat") as process:
        # Input kept open: `cat` ends because the job reads nothing, not because the input ended.
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.stdout.read(), process.stderr.read()) == ("out\n", "err\n")


@pytest.mark.parametrize(("name", "status", "told"), [("no-such-command", 127, "No such file"), ("/", 126, "denied")])
def test_a_command_that_cannot_run_is_one_line(name: str, status: int, told: str) -> None:
    with start(name) as process:
        assert process.wait(10) == status
        assert process.stderr is not None
        error = process.stderr.read()
    assert error.startswith(f"error: {name} cannot be run in the image: ")
    assert told in error
    assert error.count("\n") == 1


def test_a_signal_reaches_the_job_and_its_children() -> None:
    script = f'{sys.executable} -c "{STOPS_ON_CTRL_C}"; echo child $?'
    with start("sh", "-c", f"trap : INT; {script}; exit 3") as process:
        assert wait_for_line(process) == "started\n"
        process.send_signal(signal.SIGINT)
        assert wait_for_line(process) == "tidy\n"
        assert wait_for_line(process) == "child 5\n"
        assert process.wait(10) == 3


def test_the_end_of_its_input_ends_it_whatever_the_job_does() -> None:
    with start("sh", "-c", "trap '' INT TERM HUP; echo $$; exec sleep 60") as process:
        job = int(wait_for_line(process))
        assert process.stdin is not None
        began = time.monotonic()
        process.stdin.close()
        assert process.wait(10) == 137
        assert time.monotonic() - began < 5
        # In a container the kernel ends the job with the init; here the test must.
        subprocess.run(["kill", "-KILL", str(job)], check=True)


@pytest.mark.parametrize(
    ("counts", "limit", "found"),
    [
        ("low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n", "67108864\n", 64 << 20),
        ("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "67108864\n", 64 << 20),
        ("low 0\noom 4\noom_kill 0\n", "67108864\n", None),
        ("oom_kill 1\n", "max\n", None),
        ("", "", None),
    ],
)
def test_the_kernel_counts_its_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: str, limit: str, found: int | None
) -> None:
    (tmp_path / "events").write_text(counts, encoding="utf-8")
    (tmp_path / "max").write_text(limit, encoding="utf-8")
    paths = ((str(tmp_path / "none"), str(tmp_path / "max")), (str(tmp_path / "events"), str(tmp_path / "max")))
    monkeypatch.setattr(guard, "CGROUPS", paths)
    assert guard.out_of_memory() == found
