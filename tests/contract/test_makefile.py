"""What make does with the variables that a user gives, and what it says when the experiment is wrong."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from common.dataset import read_card
from common.provenance import ROOT
from tests.artifacts import EXPERIMENT

LINKED = ("common", "docker", "jobs", "reports", "requirements")
VARIABLES = ("EXPERIMENT", "DATA", "DATA_SHA256", "DEVICE", "RUNTIME", "RUN", "PYTHON", "DOCKER")
# Make's own, which a test that `make test` started would otherwise hand on.
INHERITED = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", *VARIABLES}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with a virtual environment that is ready, and a small experiment."""
    folder = tmp_path / "checkout"
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    script(folder / ".venv" / "bin" / "python", f'exec {shlex.quote(sys.executable)} "$@"')
    for marker in (".launcher", ".local", ".dev"):
        (folder / ".venv" / marker).touch()
    text = EXPERIMENT.replace("[data]", "[data]\nsynthetic_images = 40")
    (folder / "tiny.toml").write_text(text, encoding="utf-8")
    return folder


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def make(folder: Path, *argv: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED} | dict(env or {})
    return subprocess.run(["make", *argv], cwd=folder, env=environment, text=True, capture_output=True, timeout=120)


def given(where: str, variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The variables as arguments or as the environment."""
    if where == "environment":
        return [], dict(variables)
    return [f"{name}={value}" for name, value in variables.items()], {}


def test_a_failed_recipe_deletes_nothing() -> None:
    # Of two runs at once, the one that is turned away would delete what the other has just written.
    assert ".DELETE_ON_ERROR" not in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("value", ["$(shell touch pwned)", "'; $(touch pwned) `touch pwned`; '"])
def test_nothing_in_a_variable_is_ever_run(copy: Path, where: str, name: str, value: str) -> None:
    script(copy / ".venv" / "bin" / "python", "exit 3")
    variables = {"EXPERIMENT": "tiny.toml", "RUNTIME": "auto", "DOCKER": "no-such-docker"} | {name: value}
    argv, env = given(where, variables)
    assert make(copy, "all", *argv, env=env).returncode == 2
    assert make(copy, "-n", "clean", *argv, env=env).returncode == (0 if name in NEVER_PATHS else 2)
    assert not (copy / "pwned").exists()


NEVER_PATHS = {"DATA", "DATA_SHA256", "PYTHON", "DOCKER"}


@pytest.mark.parametrize("where", ["command line", "environment"])
def test_variables_arrive_as_they_were_given(copy: Path, where: str) -> None:
    nasty = "$(X) $$ ${Y} $@ a#b 'c' \"d\" \\ `e`\n f%=;&é"
    setup = copy / "requirements"
    setup.unlink()
    setup.mkdir()
    (setup / "launcher.txt").touch()
    (copy / ".venv" / ".local").unlink()
    script(setup / "setup", 'printf %s "$PYTHON" > python.txt')
    script(copy / ".venv" / "bin" / "python", 'printf "%s\\0" "$@" > argv.txt; exit 3')
    variables = {"EXPERIMENT": "tiny.toml", "RUNTIME": "local", "DATA": nasty, "DATA_SHA256": nasty, "PYTHON": nasty}
    argv, env = given(where, variables)
    assert make(copy, "all", *argv, env=env).returncode == 2
    arguments = (copy / "argv.txt").read_text(encoding="utf-8").split("\0")
    assert arguments[arguments.index("--data") + 1] == nasty
    assert arguments[arguments.index("--data-sha256") + 1] == nasty
    assert (copy / "python.txt").read_text(encoding="utf-8") == nasty


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("name", ["EXPERIMENT", "RUN", "DEVICE"])
@pytest.mark.parametrize("value", ["", " ", "a b", "a\nb", "a%b$c;d", "é"])
def test_parts_of_paths_are_plain_or_refused(copy: Path, where: str, name: str, value: str) -> None:
    argv, env = given(where, {name: value})
    done = make(copy, "-n", "clean", *argv, env=env)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{name}={' '.join(value.split())} cannot be used: give letters, digits and any of ._/-+@," in done.stderr


def test_plain_paths_are_taken(copy: Path) -> None:
    plain = "../Some-dir/x_1.y+z@2,3"
    assert make(copy, "-n", "clean", f"RUN={plain}", "DEVICE=192.168.0.7:5555").stdout == f"rm -rf -- {plain}\n"
    assert make(copy, "-n", "clean", f"EXPERIMENT={plain}.toml").stdout == "rm -rf -- runs/x_1.y+z@2,3\n"
    assert "RUN=a:b" in make(copy, "-n", "clean", "RUN=a:b").stderr


@pytest.mark.parametrize("value", ["podman", "", "docker local", "local\nx"])
def test_a_runtime_is_one_of_three(copy: Path, value: str) -> None:
    done = make(copy, "-n", "clean", f"RUNTIME={value}")
    assert done.returncode == 2
    assert "is not one of auto, docker, local" in done.stderr


def test_a_folder_of_images_with_a_name_that_means_much_to_make(copy: Path) -> None:
    from tests.e2e.test_bad_input import photos

    source = photos(copy / "all my $(photos) 'of' $fire", fire=4, none=4)
    done = make(copy, "dataset", "EXPERIMENT=tiny.toml", "RUNTIME=local", f"DATA={source.name}", "DEVICE=10.0.0.1:5555")
    assert done.returncode == 0, done.stderr
    assert read_card(copy / "runs" / "tiny" / "dataset").source == source.name


@pytest.mark.parametrize("goals", [("optimize",), ("-k", "-j2", "all", "train"), ("-n", "all")])
def test_a_mistake_in_the_experiment_is_our_line_and_makes_own(copy: Path, goals: tuple[str, ...]) -> None:
    variables = ("EXPERIMENT=tiny.toml", "RUNTIME=local")
    text = (copy / "tiny.toml").read_text(encoding="utf-8")
    for _ in ("the first time", "after a run"):
        (copy / "tiny.toml").write_text(text.replace("seed = 7", "seed = -7"), encoding="utf-8")
        done = make(copy, *goals, *variables)
        assert done.returncode == 2
        told = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
        assert len(told) == 1, done.stderr
        assert told[0].startswith("error: experiment tiny.toml: seed: ")
        assert "No such file" not in done.stderr
        assert "No rule" not in done.stderr
        assert "jobs." not in done.stdout
        (copy / "tiny.toml").write_text(text, encoding="utf-8")
        assert make(copy, "-n", "dataset", *variables).returncode == 0
        assert (copy / "runs" / "tiny" / "plan" / "plan.mk").exists()
