"""The composite action: its form, and what its script makes of what a caller gives."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from common.provenance import ROOT
from jobs.plan.models import Given, experiment
from tests.contract.test_makefile import INHERITED, TIDY, VARIABLES, copy, script
from tests.given import TINY

__all__ = ["copy"]
FILE = ROOT / "action.yml"
SCRIPT = (ROOT / ".github" / "action.sh").read_text(encoding="utf-8")
ACTION = YAML(typ="safe").load(FILE)
NASTY = ("a b.tflite", "$(touch pwned) `touch pwned` $HOME.tflite", 'it\'s "quoted" \\ & %41.tflite', "-x;y.tflite")


def test_the_form_is_the_published_one(tmp_path: Path) -> None:
    tool = [str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", "vendor.github-actions"]
    done = subprocess.run([*tool, str(FILE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    (tmp_path / "action.yml").write_text(FILE.read_text(encoding="utf-8").replace("shell: bash", ""), encoding="utf-8")
    assert subprocess.run([*tool, str(tmp_path / "action.yml")], capture_output=True, timeout=60).returncode == 1


def test_inputs_reach_the_shell_through_the_environment_alone() -> None:
    [step] = ACTION["runs"]["steps"]
    assert "${{" not in step["run"] and "uses" not in step
    given = {f"GIVEN_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    assert step["env"] == given
    assert set(re.findall(r"GIVEN_[A-Z0-9_]+", SCRIPT)) == set(given)
    told = {name: f"${{{{ steps.{step['id']}.outputs.{name} }}}}" for name in ACTION["outputs"]}
    assert {name: output["value"] for name, output in ACTION["outputs"].items()} == told
    [written] = re.findall(r"printf '%s=%s\\n' (.*?) *\\?\n", SCRIPT)
    assert set(re.findall(r"(?:^| )([a-z]+) ", written)) == set(told)


@dataclass
class Caller:
    """A checkout of the action whose Python tells what it was asked, and somebody's workspace beside it."""

    action: Path
    workspace: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, inputs: Mapping[str, str]) -> dict[str, str]:
        defaults = {name: str(each["default"]) for name, each in ACTION["inputs"].items()}
        given = {f"GIVEN_{n.upper().replace('-', '_')}": v for n, v in {**defaults, **inputs}.items()}
        files = {name: str(self.action / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        own = {name: value for name, value in os.environ.items() if name not in INHERITED}
        return {**own, "GITHUB_WORKSPACE": str(self.workspace), **files, **given, **self.env}

    @property
    def argv(self) -> list[str]:
        return [str(self.action / ".github" / "action.sh")]

    def __call__(self, **inputs: str) -> "subprocess.CompletedProcess[str]":
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        return subprocess.run(
            self.argv, env=self.environment(named), cwd=self.workspace, text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def planned(self) -> dict[str, str]:
        """The options that the plan was called with."""
        words = (self.action / "told").read_text(encoding="utf-8").split("\0")[:-1]
        return dict(zip(words[2::2], words[3::2], strict=False))


@pytest.fixture
def caller(copy: Path) -> Caller:
    workspace = copy.parent / "workspace"
    (workspace / "models").mkdir(parents=True)
    for name in (*NASTY, "models/one.tflite", "models/two.tflite"):
        (workspace / name).write_bytes(TINY)
    (workspace / "mine.toml").write_text("", encoding="utf-8")
    (copy / ".github").mkdir()
    shutil.copy(ROOT / ".github" / "action.sh", copy / ".github")
    script(copy / ".venv" / "bin" / "python", 'printf "%s\\0" "$@" > told; echo "error: enough" >&2; exit 3')
    return Caller(copy, workspace)


def test_any_name_of_a_file_arrives_and_none_is_run(caller: Caller) -> None:
    done = caller(models="\r\n".join(f"  {name} " for name in (*NASTY, "models/*.tflite")))
    assert done.returncode == 2 and "::error title=edgeproof::enough" in done.stdout
    written = tomllib.loads(experiment(Given(models=caller.planned()["--models"])).decode())
    found = [variant["file"] for variant in written["variants"].values()]
    wanted = (*NASTY, "models/one.tflite", "models/two.tflite")
    assert found == [str(caller.workspace / name) for name in wanted]
    assert not list(caller.action.parent.rglob("pwned"))
    assert (caller.action / "GITHUB_STEP_SUMMARY").read_text(encoding="utf-8").startswith("No report")


def test_what_is_given_is_told_and_the_callers_own_variables_are_not(caller: Caller) -> None:
    caller.env = {name: f"leaked {name}" for name in VARIABLES} | {"MAKEFLAGS": "-n", "PYTHONPATH": "leaked"}
    given = {"reference": "models/two.tflite", "inputs": "models", "data": "https://example.org/$x.zip"}
    done = caller(**given, models="models", data_sha256="0" * 64, device="one two\n10.0.0.1:5555\n")
    assert "leaked" not in done.stdout
    told = caller.planned()
    assert shlex.split(told["--devices"]) == ["one two", "10.0.0.1:5555"] and told["--device"] == "host"
    assert told["--data"] == given["data"] and told["--inputs"] == str(caller.workspace / "models")
    assert told["--reference"] == str(caller.workspace / "models" / "two.tflite")
    assert told["--run"] == str(caller.workspace / "runs" / "edgeproof") and told["--binary"] == ""
    assert told["--budget"] == ""
    caller(experiment="mine.toml", device=" phone 1 ", run="out/a", budget="9m")
    told = caller.planned()
    assert told["--experiment"] == str(caller.workspace / "mine.toml") and told["--models"] == ""
    assert (told["--device"], told["--run"]) == ("phone 1", str(caller.workspace / "out" / "a"))
    # An experiment has its own; the one that is given is of a rerun.
    assert told["--budget"] == "" and "leaked" not in "".join(told.values())
    caller(models="models", budget="90s")
    assert caller.planned()["--budget"] == "90s"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "give models or an experiment"),
        ({"models": "models", "experiment": "mine.toml"}, "models and experiment exclude each other: give one of them"),
        ({"models": "models\ngone.tflite"}, "models: gone.tflite is not there (give a file, folder or pattern a line"),
        ({"models": "models/one.tflite models/two.tflite"}, "models: models/one.tflite models/two.tflite is not there"),
        ({"experiment": "gone.toml"}, "experiment: gone.toml is not there (paths are those of the workspace)"),
        ({"experiment": "a b.tflite"}, "a b.tflite cannot be used (give letters, digits and any of ._/-+@, without"),
        ({"models": "models", "run": "my run"}, "run: my run cannot be used (give letters, digits"),
        ({"models": "models", "run": "$(touch pwned)"}, "run: $(touch pwned) cannot be used"),
        ({"models": "models", "run": "../out"}, "run: ../out is no folder inside the workspace (give a relative path)"),
        ({"models": "models", "run": "/opt/out"}, "run: /opt/out is no folder inside the workspace"),
        ({"models": "models", "run": ""}, "run:  is no folder inside the workspace"),
        ({"models": "models", "run": "."}, "run: . is the workspace itself (give a folder in it)"),
        ({"models": "models", "run": "./"}, "run: ./ is the workspace itself"),
        ({"models": "models", "run": "a\nb"}, "run: give one line"),
        ({"models": "models", "rerun": "maybe"}, "rerun: maybe is neither true nor false"),
        ({"models": "models", "rerun": "true\ntrue"}, "rerun: give one line"),
        ({"models": "models", "fail_on": "warning"}, "fail-on: warning is none of broken, cannot-say and never"),
        ({"models": "models", "budgets": "gone.toml"}, "budgets: gone.toml is not there"),
        ({"models": "models", "data": "photos%0A::x"}, "data: photos%250A::x is not there"),
        ({"models": "models", "inputs": "a\x1b[31m"}, "inputs: a?[31m is not there"),
    ],
)
def test_what_cannot_be_used_is_one_line_before_anything_is_made(
    caller: Caller, inputs: dict[str, str], said: str
) -> None:
    done = caller(**inputs)
    assert done.returncode == 2
    [line] = done.stdout.splitlines()
    assert line.startswith("::error title=edgeproof::") and said in line
    assert not (caller.action / "told").exists() and not list(caller.action.parent.rglob("pwned"))


def test_a_wrong_runtime_is_makes_own_line_on_the_jobs_page(caller: Caller) -> None:
    done = caller(models="models", runtime="$(touch pwned)")
    assert done.returncode == 2 and "is not one of auto, docker, local" in done.stdout
    [line] = [line for line in done.stdout.splitlines() if line.startswith("::error")]
    assert "RUNTIME=$(touch pwned)" in line
    assert not (caller.action / "told").exists() and not list(caller.action.parent.rglob("pwned"))


def test_a_workspace_that_make_cannot_name_is_said(caller: Caller) -> None:
    caller.workspace = caller.workspace.rename(caller.workspace.parent / "my workspace")
    done = caller(models="models")
    assert done.returncode == 2
    assert f"the workspace: {caller.workspace} cannot be used" in done.stdout


def test_no_name_of_a_file_is_a_command_to_the_runner(caller: Caller) -> None:
    """What make prints stands between a word that nobody can guess and the same word again."""
    script(caller.action / ".venv" / "bin" / "python", 'echo "::set-output name=verdict::kept" >&2; exit 3')
    done = caller(models="models")
    begin, *between, end, _ = done.stdout.splitlines()
    assert re.fullmatch(r"::stop-commands::[0-9a-f]{32}", begin)
    assert end == f"::{begin.removeprefix('::stop-commands::')}::"
    assert "::set-output name=verdict::kept" in between
    assert "verdict=\n" in (caller.action / "GITHUB_OUTPUT").read_text(encoding="utf-8")


def test_what_outlives_make_keeps_no_step_waiting(caller: Caller) -> None:
    script(caller.action / ".venv" / "bin" / "python", 'sleep 30 >&2 & echo "error: enough" >&2; exit 3')
    began = time.monotonic()
    environment = caller.environment({"models": "models"})
    done = subprocess.run(caller.argv, env=environment, cwd=caller.workspace, stdout=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 2 and time.monotonic() - began < 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_that_is_cancelled_ends_after_the_phone_is_tidy(caller: Caller, number: signal.Signals) -> None:
    """The runner signals the step's shell alone."""
    plan = "VARIANTS := a\nRECIPES := a\nIMAGES := yes\nREFERENCE := a\nTARGETS := host\nSERIALS := host\nSTALE :=\n"
    (caller.action / "plan.txt").write_text(plan, encoding="utf-8")
    (caller.action / "job.py").write_text(TIDY, encoding="utf-8")
    python = shlex.quote(sys.executable)
    jobs = f'jobs.plan) cat plan.txt;; jobs.steps) exec {python} "$@";; *) exec {python} job.py;;'
    script(caller.action / ".venv" / "bin" / "python", f"case $2 in {jobs} esac")
    piece = caller.workspace / "runs" / "edgeproof" / "plan" / "dataset" / "dataset.json"
    piece.parent.mkdir(parents=True)
    piece.touch()
    env = caller.environment({"experiment": "mine.toml"})
    with subprocess.Popen(
        caller.argv, env=env, cwd=caller.workspace, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while not (caller.action / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, number)
        assert process.wait(20) != 0
        assert (caller.action / "tidy").exists()
