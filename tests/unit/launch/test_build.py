"""What is said about a failed build, and the file that tells make which image it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.provenance import ROOT
from jobs.launch.build import advice, failure, write_image_id


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("failed to solve: no.such/python:1: failed to do request: Head: dial tcp: no such host\n", "BASE_IMAGE"),
        ("ERROR: failed to resolve source metadata for docker.io/library/python\n", "BASE_IMAGE"),
        ("ERROR: BuildKit is enabled but the buildx component is missing or broken.\n", "buildx"),
        ("#9 1.2 ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n", "lock file"),
        ("write /var/lib: no space left on device\n", "docker system prune"),
        ("process did not complete: exit code: 3\n", "docker build ."),
        ("", "docker build ."),
    ],
)
def test_a_failed_build_says_what_to_do(output: str, told: str) -> None:
    assert told in advice(output.splitlines(keepends=True), "docker build .")


def test_the_reason_is_the_last_line_that_says_something() -> None:
    assert failure(["#1 step\n", " > ERROR: exit code 3 \n", "------\n", "\n"]) == "> ERROR: exit code 3"
    assert failure([]) == "no output"


def test_an_image_id_keeps_its_time_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "training.iid"
    write_image_id(path, "sha256:1")
    os.utime(path, (1, 1))
    write_image_id(path, "sha256:1")
    assert path.stat().st_mtime == 1
    write_image_id(path, "sha256:2")
    assert path.stat().st_mtime > 1
    assert path.read_text(encoding="utf-8") == "sha256:2"


def launch(*argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    return subprocess.run(
        [sys.executable, "-m", "jobs.launch", *argv],
        cwd=ROOT, env=clean | environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def test_without_an_engine_the_probe_says_try_later_and_a_run_says_what_to_do(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    probe = launch("probe", DOCKER_HOST=nowhere)
    run = launch("run", "--image", "adb", "--write", str(tmp_path / "out"), "--", "true", DOCKER_HOST=nowhere)
    assert (probe.returncode, run.returncode) == (75, 2)
    told = f"error: no Docker engine answers at {nowhere}: No such file or directory"
    assert probe.stderr == run.stderr == f"{told} (start Docker, or use RUNTIME=local)\n"
    assert not (tmp_path / "out").exists()


def test_wrong_use_is_refused_before_anything_happens() -> None:
    assert launch("run", "--image", "phone", "--", "true").returncode == 2
    assert launch("run", "--image", "adb").returncode == 2
