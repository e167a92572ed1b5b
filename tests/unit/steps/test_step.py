"""A step as make runs it: a real process, into a file and in a terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from common.provenance import ROOT

STEPS = """\
dataset dataset/dataset.json 1.0
optimize variants/a/variant.json 60.0
optimize variants/b/variant.json 60.0
report report/results.json 9.0
"""
ARTIFACTS = {"optimize": "variants/a/variant.json", "report": "report/results.json"}
CHATTER = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
QUIET = f"import sys; print('progress'); print('{CHATTER}', file=sys.stderr); print('note: told')"


def argv(run: Path, code: str, stage: str = "optimize", artifact: str = "variants/a/variant.json") -> list[str]:
    step = [sys.executable, "-m", "jobs.steps", "run", stage, artifact, "--run", str(run)]
    return [*step, "--", sys.executable, "-c", code]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("V", "MAKEFLAGS")}
    return {**kept, "STEPS": STEPS, "START": str(int(time.time())), "TERM": "xterm", **more}


def run(folder: Path, code: str, stage: str = "optimize", **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        argv(folder, code, stage, ARTIFACTS[stage]),
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
    )


def on_a_terminal(command: list[str], **more: str) -> str:
    """What a terminal of 60 columns gets."""
    above, below = pty.openpty()
    size = ["stty", "cols", "60"]
    subprocess.run(size, stdin=below, check=True)
    with subprocess.Popen(command, cwd=ROOT, env=environment(**more), stdout=below, stderr=below) as process:
        os.close(below)
        shown = b""
        while True:
            try:
                found = os.read(above, 1 << 16)
            except OSError:
                break
            if not found:
                break
            shown += found
        os.close(above)
    assert process.returncode == 0, shown
    return shown.decode()


def test_into_a_file_a_step_is_one_line_and_what_a_person_must_see(tmp_path: Path) -> None:
    done = run(tmp_path, QUIET)
    assert done.returncode == 0
    assert re.fullmatch(r"\[2/3\] optimize 1/2 a · \d s · about 2 min left\nnote: told\n", done.stdout), done.stdout
    assert done.stderr == ""
    assert "progress" in (tmp_path / "logs" / "optimize-a.log").read_text(encoding="utf-8")
    assert CHATTER in (tmp_path / "logs" / "optimize-a.log").read_text(encoding="utf-8")


def test_with_v_everything_is_shown_and_the_command_too(tmp_path: Path) -> None:
    done = run(tmp_path, QUIET, V="1")
    assert done.stdout.startswith("[2/3] optimize 1/2 a") and "progress" in done.stdout and " -c " in done.stdout
    assert done.stderr == f"{CHATTER}\n"
    assert not (tmp_path / "logs").exists()


def test_on_a_terminal_the_line_is_rewritten_in_place(tmp_path: Path) -> None:
    shown = on_a_terminal(argv(tmp_path, QUIET + "; print('x' * 200, flush=True)"))
    assert "note: told\r\n" in shown
    lines = re.split(r"\r\x1b\[K|\r\n", shown)
    assert max(len(line) for line in lines) < 60
    assert any(line.endswith("…") for line in lines)
    assert shown.endswith("\r\n") and shown.rstrip().endswith(" s")
    # Elsewhere, and where steps run side by side, there is no control character.
    for more in ({"TERM": "dumb"}, {"MAKEFLAGS": " -j2 --jobserver-auth=3,4"}):
        plain = on_a_terminal(argv(tmp_path, QUIET), **more)
        assert "\x1b" not in plain and plain.count("optimize 1/2 a") == 1


def test_the_report_s_tables_are_shown_as_they_are(tmp_path: Path) -> None:
    assert run(tmp_path, "print('  a  table')", "report").stdout.endswith("\n  a  table\n")
    assert on_a_terminal(argv(tmp_path, "print('  a  table')", "report", ARTIFACTS["report"])).endswith(
        "\r\n  a  table\r\n"
    )


def test_a_failure_says_why_and_where_the_rest_is(tmp_path: Path) -> None:
    done = run(tmp_path, "import sys; print('error: no space', file=sys.stderr); sys.exit(75)")
    assert done.returncode == 75
    log = tmp_path / "logs" / "optimize-a.log"
    told = f"error: no space\noptimize of a failed with exit status 75; all that it printed: {log}\n"
    assert done.stderr == told


def test_a_failure_without_a_word_shows_what_was_held_back(tmp_path: Path) -> None:
    done = run(tmp_path, f"import os, sys; print('{CHATTER}', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)")
    assert done.returncode == 128 + signal.SIGKILL
    assert done.stderr.startswith(f"{CHATTER}\noptimize of a was ended by SIGKILL; ")


def test_a_command_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    command = [*argv(tmp_path, "")[:-3], "/nonexistent/python"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "error: /nonexistent/python: No such file or directory\n"


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "logs").symlink_to(tmp_path / "home")
    assert run(tmp_path / "one", QUIET).returncode == 0
    assert not list((tmp_path / "home").iterdir())
    (tmp_path / "two" / "logs").mkdir(parents=True)
    (tmp_path / "home" / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "two" / "logs" / "optimize-a.log").symlink_to(tmp_path / "home" / "mine")
    assert run(tmp_path / "two", QUIET).returncode == 0
    assert (tmp_path / "home" / "mine").read_text(encoding="utf-8") == "mine"


def test_a_server_that_a_step_leaves_behind_does_not_hold_it_up(tmp_path: Path) -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '30']).pid); print('note: done')"
    started = time.monotonic()
    done = run(tmp_path, code)
    assert time.monotonic() - started < 15
    os.kill(int((tmp_path / "logs" / "optimize-a.log").read_text(encoding="utf-8").splitlines()[1]), signal.SIGKILL)
    assert done.stdout.endswith("note: done\n")


def test_a_terminal_that_is_closed_stops_the_step(tmp_path: Path) -> None:
    """The kernel tells the first process of the terminal alone, which is make where no shell is between."""
    code = (
        "import pathlib, signal, sys, time\n"
        "def stop(*_): pathlib.Path(sys.argv[1]).touch(); sys.exit(129)\n"
        "signal.signal(signal.SIGHUP, stop); print('note: ready', flush=True); time.sleep(30)"
    )
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*argv(tmp_path, code), str(tmp_path / "tidy")], cwd=ROOT, env=environment() | {"TERM": "xterm"},
        start_new_session=True, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"ready" not in shown:
            shown += os.read(ours, 1 << 12)
        os.close(ours)
        assert process.wait(10) == 129
    assert (tmp_path / "tidy").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_step_that_is_stopped_waits_for_its_command(tmp_path: Path, number: signal.Signals) -> None:
    """As from a terminal, whose Ctrl-C reaches both; SIGTERM, which make sends, is handed on."""
    code = (
        "import signal, sys, time\n"
        "def stop(*_): time.sleep(0.3); print('note: put in order', flush=True); sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop); signal.signal(signal.SIGTERM, stop); signal.signal(signal.SIGHUP, stop)\n"
        "print('note: ready', flush=True); time.sleep(30)"
    )
    with subprocess.Popen(
        argv(tmp_path, code), cwd=ROOT, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        assert any(line == "note: ready\n" for line in process.stdout)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert "note: put in order" in process.stdout.read()
        assert process.stderr.read() == "optimize was stopped; the same command goes on\n"
    assert process.returncode == 130
