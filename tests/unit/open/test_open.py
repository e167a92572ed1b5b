"""Which browser opens a report, and what is said where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.provenance import ROOT
from jobs.open.browser import browser

REPORT = Path("/r/a b%s/report.html")
URL = "file:///r/a%20b%25s/report.html"


@pytest.mark.parametrize(
    ("environment", "platform", "installed", "command"),
    [
        ({}, "linux", {"xdg-open"}, None),
        ({"DISPLAY": ":0"}, "linux", {"xdg-open"}, ("xdg-open", str(REPORT))),
        ({"WAYLAND_DISPLAY": "w"}, "linux", {"xdg-open"}, ("xdg-open", str(REPORT))),
        ({"DISPLAY": ":0"}, "linux", set(), None),
        ({}, "linux", {"wslview", "xdg-open"}, ("wslview", str(REPORT))),
        ({}, "darwin", set(), ("open", str(REPORT))),
        ({"BROWSER": "firefox"}, "linux", {"firefox"}, ("firefox", URL)),
        ({"BROWSER": "none:firefox --new %s"}, "linux", {"firefox"}, ("firefox", "--new", URL)),
        ({"BROWSER": "none", "DISPLAY": ":0"}, "linux", {"xdg-open"}, ("xdg-open", str(REPORT))),
        ({"BROWSER": "'"}, "linux", set(), None),
    ],
)
def test_the_user_s_choice_comes_first(
    environment: dict[str, str], platform: str, installed: set[str], command: tuple[str, ...] | None
) -> None:
    assert browser(environment, platform, lambda name: name if name in installed else None, REPORT) == command


def opened(run: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if "DISPLAY" not in name and name != "BROWSER"}
    argv = [sys.executable, "-m", "jobs.open", "--run", str(run)]
    return subprocess.run(argv, cwd=ROOT, env={**kept, **variables}, capture_output=True, text=True, timeout=60)


def test_a_report_is_opened_or_its_address_is_told(tmp_path: Path) -> None:
    done = opened(tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and "make all" in done.stderr
    report = tmp_path / "report" / "report.html"
    report.parent.mkdir()
    report.write_text("x", encoding="utf-8")
    done = opened(tmp_path, PATH="/nonexistent")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"report: {report}\nno browser could be started here; open {report.as_uri()}\n"
    seen = tmp_path / "seen"
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n', encoding="utf-8")
    tool.chmod(0o755)
    done = opened(tmp_path, BROWSER=str(tool))
    assert done.stdout == f"report: {report}\n" and seen.read_text(encoding="utf-8") == report.as_uri()
    tool.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    assert "no browser could be started" in opened(tmp_path, BROWSER=str(tool)).stdout
    # Somebody else's run opens no file of the user's own.
    report.unlink()
    report.symlink_to("/etc/hostname")
    assert opened(tmp_path).returncode == 2
