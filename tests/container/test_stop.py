"""Ctrl-C, a terminated launcher and a killed one: the container ends, and none is left behind."""

import os
import signal
import subprocess
import time

import pytest

from tests.container.conftest import BUILD_TIMEOUT_S, Launcher, containers, docker, wait_until_gone

pytestmark = [pytest.mark.container, pytest.mark.timeout(BUILD_TIMEOUT_S), pytest.mark.usefixtures("adb_image")]
TIDY = "import time\ntry: print('started', flush=True); time.sleep(99)\nexcept KeyboardInterrupt: print('tidy')"
STUBBORN = "trap '' INT TERM HUP; echo started; while :; do sleep 1; done"
SLOWLY = (
    "import signal, sys, time\n"
    "def stop(*_): time.sleep(1); print('tidy'); sys.exit()\n"
    "signal.signal(signal.SIGTERM, stop); signal.signal(signal.SIGHUP, stop)\n"
    "print('started', flush=True); time.sleep(99)"
)
# The engine removes a container some tenths of a second after its end.
SOON_S = 5.0


def start(launcher: Launcher, *argv: str) -> "subprocess.Popen[str]":
    process = launcher.start(["run", "--image", "adb", "--", *argv])
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def locks(launcher: Launcher) -> set[str]:
    return {path.name for path in (launcher.root / ".cache" / "launch").glob("edgeproof-*.lock")}


def test_ctrl_c_lets_the_job_tidy_up(launcher: Launcher, token: str) -> None:
    process = start(launcher, "python", "-c", f"{TIDY} # {token}")
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < SOON_S
    assert (process.returncode, output, errors) == (130, "tidy\n", "SIGINT: stopping the job\n")
    assert containers(token) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_that_comes_from_all_of_its_group_lets_the_job_tidy_up(
    launcher: Launcher, token: str, number: signal.Signals
) -> None:
    """As of make's group: the launcher gets it from whoever stops it, and again from each that hands it on."""
    process = start(launcher, "python", "-c", f"{SLOWLY} # {token}")
    for _ in range(3):
        os.kill(process.pid, number)
        time.sleep(0.1)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (128 + number, "tidy\n", f"{number.name}: stopping the job\n")
    assert containers(token) == []


def test_a_terminated_launcher_ends_its_job(launcher: Launcher, token: str) -> None:
    process = start(launcher, "sh", "-c", f"echo started; exec sleep 99 # {token}")
    process.terminate()
    assert process.wait(20) == 143
    assert containers(token) == []


def test_a_second_ctrl_c_kills_a_job_that_does_not_listen(launcher: Launcher, token: str) -> None:
    process = start(launcher, "sh", "-c", f"{STUBBORN} # {token}")
    os.kill(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == "SIGINT: stopping the job\n"
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    assert time.monotonic() - began < SOON_S
    assert containers(token) == []


@pytest.mark.parametrize("script", ["echo started; exec sleep 99", STUBBORN], ids=["plain", "stubborn"])
def test_no_container_outlives_a_killed_launcher(launcher: Launcher, token: str, script: str) -> None:
    process = start(launcher, "sh", "-c", f"{script} # {token}")
    assert len(containers(token)) == 1
    process.kill()
    process.wait(5)
    wait_until_gone(token, SOON_S)


def test_a_launcher_killed_while_it_starts_leaves_nothing(launcher: Launcher, token: str) -> None:
    for delay_s in (0.3, 0.4, 0.5, 0.6, 0.8):
        process = launcher.start(["run", "--image", "adb", "--", "sleep", "99", token])
        time.sleep(delay_s)
        process.kill()
        process.communicate(timeout=5)
    # What was created and never started is left to the next launcher.
    assert launcher.job("true").returncode == 0
    wait_until_gone(token, SOON_S)


def test_the_next_launcher_removes_what_was_created_and_never_started(launcher: Launcher, token: str) -> None:
    image = launcher.call("build", "adb").stdout.strip()
    # A container with the lock of a launcher that has died, and one that is none of this launcher's.
    orphan, foreign = f"edgeproof-adb-{token}", f"other-{token}"
    docker("create", "--name", orphan, image, "true", token)
    docker("create", "--name", foreign, image, "true", token)
    (launcher.root / ".cache" / "launch" / f"{orphan}.lock").touch()
    try:
        assert launcher.job("true").returncode == 0
        assert docker("ps", "--all", "--format", "{{.Names}}", "--filter", f"name={token}").split() == [foreign]
        assert f"{orphan}.lock" not in locks(launcher)
    finally:
        docker("rm", "--force", foreign)


def test_the_next_launcher_leaves_those_that_run(launcher: Launcher, token: str) -> None:
    process = start(launcher, "sh", "-c", f"echo started; exec sleep 99 # {token}")
    assert launcher.job("true").returncode == 0
    assert len(containers(token)) == 1
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=20)
    assert containers(token) == []


def test_a_reader_that_has_gone_ends_the_job(launcher: Launcher, token: str) -> None:
    process = launcher.start(["run", "--image", "adb", "--", "sh", "-c", f"echo started; yes # {token}"])
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    # An engine that deadlocks gives up after a minute, with another error than this.
    assert process.wait(120) == 1
    assert process.stderr is not None
    told = process.stderr.read()
    assert "Traceback" not in told
    assert "not delivered" not in told
    assert containers(token) == []
