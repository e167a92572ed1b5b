"""What make does with the variables that a user gives, and what it says when the experiment is wrong."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from common.adb.names import joined, listed, typed
from common.dataset import read_card
from common.provenance import ROOT
from jobs.plan.pieces import serials_for_make
from tests.artifacts import EXPERIMENT
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import fake_binary

__all__ = ["adb_server", "stand_in", "stand_ins"]

LINKED = ("common", "docker", "jobs", "reports", "requirements", "graph.mk")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What `make help` lists.
VARIABLES = tuple(re.findall(r"^([A-Z0-9_]+) \?=", MAKEFILE, re.MULTILINE))
# Make needs them as names of targets; every other is text.
PATHS = ("EXPERIMENT", "RUN")
# Each is 1 or nothing: any other word is refused before a job is started.
SWITCHES = ("KEEP", "TRUST", "V", "RENEW", "RERUN")
# Make's own, which a test that `make test` started would otherwise hand on.
INHERITED = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", *VARIABLES}

# For a stand-in of the environment's Python: it runs the graph for real.
GRAPH = f'[[ "$2 $3" != "jobs.steps graph" ]] || exec {shlex.quote(sys.executable)} "$@"'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with a virtual environment that is ready, and a small experiment."""
    folder = tmp_path / "checkout"
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    script(folder / ".venv" / "bin" / "python", f'exec {shlex.quote(sys.executable)} "$@"')
    for marker in (".launcher", ".files", ".data", ".local", ".search", ".dev"):
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
    assert ".DELETE_ON_ERROR" not in MAKEFILE


def test_every_variable_of_the_help_is_made_text() -> None:
    [listed] = re.findall(r"^VARIABLES := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)
    assert listed.replace("\\\n", " ").split() == list(VARIABLES)


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("name", VARIABLES)
def test_nothing_in_a_variable_is_ever_run(copy: Path, where: str, name: str) -> None:
    value = "$(shell touch pwned)'; $(touch pwned) `touch pwned`; '"
    # The plan succeeds, so that the graph is read too and the first job is started.
    names = {"VARIANTS": "a", "RECIPES": "a", "IMAGES": "yes", "REFERENCE": "a", "TARGETS": "host", "SERIALS": "host"}
    plan = "".join(f"{word} := {text}\\n" for word, text in names.items()) + "STALE :=\\n"
    script(
        copy / ".venv" / "bin" / "python",
        f"{GRAPH}; [[ $2 == jobs.plan ]] && printf '{plan}' || {{ echo $@; exit 3; }}",
    )
    variables = {"EXPERIMENT": "tiny.toml", "RUNTIME": "auto", "DOCKER": "no-such-docker"} | {name: value}
    argv, env = given(where, variables)
    make(copy, "-n", "lock-binaries", "virtual-phone", "clean", "help", *argv, env=env)
    # All is there up to the benchmark, whose job is given most of them.
    artifacts = ("dataset/dataset", "train/training", "variants/a/variant", "evaluation/a/evaluation")
    pieces = [f"plan/{artifact}.json" for artifact in (*artifacts, "benchmark/host/benchmark")]
    for number, path in enumerate((*pieces, *(f"{artifact}.json" for artifact in artifacts))):
        (copy / "runs" / "tiny" / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / "runs" / "tiny" / path).touch()
        os.utime(copy / "runs" / "tiny" / path, (number, number))
    done = make(copy, "all", *argv, env=env)
    assert done.returncode == 2
    refused = ("EXPERIMENT", "MODELS", "RUN", "RUNTIME", *SWITCHES)
    assert ("jobs.benchmark" in done.stdout) == (name not in refused), done.stderr
    assert not (copy / "pwned").exists()


def test_a_dry_run_of_a_search_starts_nothing_and_a_list_of_files_is_not_searched(copy: Path) -> None:
    script(copy / ".venv" / "bin" / "python", "echo $@ >> told; exit 3")
    done = make(copy, "-n", "search", "EXPERIMENT=tiny.toml", "RUNTIME=local")
    assert done.returncode == 0 and "jobs.search" in done.stdout
    refused = make(copy, "search", "MODELS=a.tflite", "RUNTIME=local")
    assert refused.returncode == 2 and "MODELS is for make all" in refused.stderr
    assert not (copy / "told").exists()
    assert make(copy, "search", "EXPERIMENT=tiny.toml", "RUNTIME=local").returncode == 2
    assert "-m jobs.search.needs --experiment tiny.toml" in (copy / "told").read_text(encoding="utf-8")


def test_a_search_of_files_sets_up_no_training(copy: Path) -> None:
    (copy / ".venv" / ".local").unlink()
    (copy / "tiny.tflite").touch()
    text = 'title = "f"\nreference = "f"\n[variants.f]\nfile = "tiny.tflite"\n'
    (copy / "files.toml").write_text(text, encoding="utf-8")
    done = make(copy, "search", "EXPERIMENT=files.toml", "RUNTIME=local")
    # It came as far as the search itself, which has nothing to judge by.
    assert done.returncode == 2 and "a search of files needs samples" in done.stderr, done.stderr
    assert not (copy / ".venv" / ".local").exists()


def test_a_format_is_text_and_none_of_the_known_writes_nothing(copy: Path) -> None:
    for name in ("$(touch pwned)`touch pwned`", "../bencher", "mlflow bencher"):
        done = make(copy, "export", "EXPERIMENT=tiny.toml", f"FORMAT={name}")
        assert done.returncode == 2 and "is not one of" in done.stderr, done.stderr
    done = make(copy, "export", "EXPERIMENT=tiny.toml")
    assert done.returncode == 2
    assert "error: FORMAT='' is not one of google-benchmark bencher model-explorer mlflow\n" in done.stderr
    assert not (copy / "pwned").exists() and not (copy / "runs").exists()
    # MLflow is installed for its own format alone.
    lock = "requirements/mlflow.txt"
    assert lock in make(copy, "-n", "export", "EXPERIMENT=tiny.toml", "FORMAT=mlflow").stdout
    assert lock not in make(copy, "-n", "export", "EXPERIMENT=tiny.toml", "FORMAT=bencher").stdout


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_1_or_0_and_nothing_else_is_taken_for_off(copy: Path, name: str) -> None:
    for value in ("", "0", "1"):
        assert make(copy, "-n", "help", f"{name}={value}").returncode == 0
    for value in ("yes", "true", "1 1", "$(touch pwned)"):
        done = make(copy, "-n", "help", f"{name}={value}")
        assert done.returncode == 2 and f"{name}={value} is neither 1 nor 0" in done.stderr
    assert not (copy / "pwned").exists()


@pytest.mark.parametrize("head", ["tiny.toml", "gone", "my run"])
def test_measuring_again_needs_a_folder_that_make_can_name(copy: Path, head: str) -> None:
    (copy / "my run").mkdir()
    done = make(copy, "compare", "RERUN=1", "BASE=tiny.toml", f"HEAD={head}")
    assert done.returncode == 2 and "error: RERUN=1 writes into the folder of the run, and " in done.stderr


TIDY = """
import pathlib, signal, sys, time
def stop(number, _):
    for each in stops: signal.signal(each, lambda *_: None)
    time.sleep(0.5); pathlib.Path("tidy").touch(); sys.exit(128 + number)
stops = signal.SIGTERM, signal.SIGHUP, signal.SIGINT
for each in stops: signal.signal(each, stop)
pathlib.Path("started").touch(); time.sleep(30)
"""


@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGTERM, os.kill), (signal.SIGTERM, os.killpg), (signal.SIGHUP, os.killpg), (signal.SIGINT, os.killpg)],
)
def test_make_that_is_stopped_ends_after_its_job_has(
    copy: Path, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """SIGTERM to make alone or to its group, a closed terminal, Ctrl-C: what was begun is put in order first."""
    plan = "VARIANTS := a\nRECIPES := a\nIMAGES := yes\nREFERENCE := a\nTARGETS := host\nSERIALS := host\nSTALE :=\n"
    (copy / "plan.txt").write_text(plan, encoding="utf-8")
    (copy / "job.py").write_text(TIDY, encoding="utf-8")
    python = shlex.quote(sys.executable)
    jobs = f'jobs.plan) cat plan.txt;; jobs.steps) exec {python} "$@";; *) exec {python} job.py;;'
    script(copy / ".venv" / "bin" / "python", f"case $2 in {jobs} esac")
    piece = copy / "runs" / "tiny" / "plan" / "dataset" / "dataset.json"
    piece.parent.mkdir(parents=True)
    piece.touch()
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    with subprocess.Popen(
        ["make", "dataset", "EXPERIMENT=tiny.toml", "RUNTIME=local"],
        cwd=copy, env=environment, text=True, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while not (copy / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        send(process.pid, number)
        process.wait(20)
        assert (copy / "tidy").exists()
        assert process.stdout is not None and process.stderr is not None
        said = process.stderr.read()
    assert said.count("dataset was stopped; the same command goes on\n") == 1
    assert "make[" not in said


SERIALS = (
    "adb-XX2XXXX2-4QfPSa (2)._adb-tls-connect._tcp",
    "a $(touch pwned)`touch pwned`; touch pwned 'b' \"c\" \\#d) %e \\",
)


def test_serials_are_text_in_the_graph(copy: Path) -> None:
    names = {"VARIANTS": "a", "RECIPES": "a", "IMAGES": "yes", "REFERENCE": "a", "TARGETS": "one two", "STALE": ""}
    plan = "".join(f"{word} := {text}\n" for word, text in names.items())
    (copy / "plan.txt").write_text(plan + serials_for_make(SERIALS), encoding="utf-8")
    told = 'printf "%s\\0" "$@" > told; exit 3'
    script(copy / ".venv" / "bin" / "python", f"{GRAPH}; case $2 in jobs.plan) cat plan.txt;; *) {told};; esac")
    for number, path in enumerate(
        ("dataset/dataset", "train/training", "variants/a/variant", "evaluation/a/evaluation")
    ):
        for name in (path, f"plan/{path}", "plan/benchmark/one/benchmark", "plan/benchmark/two/benchmark"):
            file = copy / "runs" / "tiny" / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            os.utime(file, (number, number))
    done = make(copy, "benchmark", "EXPERIMENT=tiny.toml", "RUNTIME=local")
    assert done.returncode == 2, done.stdout
    words = (copy / "told").read_text(encoding="utf-8").split("\0")
    assert listed(words[words.index("--devices") + 1]) == SERIALS
    dry = make(copy, "-n", "benchmark", "EXPERIMENT=tiny.toml", "RUNTIME=local").stdout
    assert [line for line in dry.splitlines() if "jobs.benchmark" in line]
    assert not (copy / "pwned").exists()


def on_phone(copy: Path, phone: StandIn, server: AdbServer, *argv: str) -> subprocess.CompletedProcess[str]:
    env = {**server.address, "EDGEPROOF_LOCKS": str(copy / "locks")}
    return make(copy, "all", "EXPERIMENT=tiny.toml", "RUNTIME=local", f"DEVICE={phone.serial}", *argv, env=env)


def test_a_phone_that_lets_nobody_in_ends_the_run_before_it_begins(
    copy: Path, adb_server: AdbServer, stand_in: StandIn
) -> None:
    stand_in.arm(Fault(Kind.UNAUTHORIZED))
    adb_server.wait_for(stand_in.serial, "unauthorized")
    began = time.monotonic()
    done = on_phone(copy, stand_in, adb_server)
    assert (done.returncode, time.monotonic() - began < 30) == (2, True)
    hint = "accept the key of this computer on the device's screen"
    assert f"error: device {stand_in.serial} is unauthorized ({hint})" in done.stderr
    assert "devices failed with exit status 75" in done.stderr
    assert not (copy / "runs" / "tiny" / "dataset").exists()


def test_a_wrong_tool_ends_the_run_before_it_begins(copy: Path, adb_server: AdbServer, stand_in: StandIn) -> None:
    (copy / "tool").write_bytes(fake_binary("x86_64"))
    done = on_phone(copy, stand_in, adb_server, "BENCHMARK_BINARY=tool")
    assert done.returncode == 2
    assert "BENCHMARK_BINARY=tool is for x86_64, the device runs arm64-v8a" in done.stderr
    assert not (copy / "runs" / "tiny" / "dataset").exists()


def test_a_phone_is_not_looked_at_where_nothing_is_measured(copy: Path) -> None:
    # Neither when the goal is before it, nor when what was measured is up to date.
    for told, looks in (("train train/training.json -", False), ("benchmark benchmark/a/benchmark.json -", True)):
        script(
            copy / ".venv" / "bin" / "python",
            f'echo "$2 $3 $4" >> asked; {GRAPH}; '
            'case "$2 $3" in "jobs.plan "*) echo "TARGETS := a";; "jobs.steps list") '
            f'cat > /dev/null; echo "{told}";; esac',
        )
        (copy / "asked").unlink(missing_ok=True)
        make(copy, "benchmark", "EXPERIMENT=tiny.toml", "RUNTIME=local", "DEVICE=a")
        assert ("jobs.steps run devices" in (copy / "asked").read_text(encoding="utf-8")) == looks


def test_what_make_devices_prints_arrives(copy: Path) -> None:
    script(copy / ".venv" / "bin" / "python", 'printf "%s\\0" "$@" > told; exit 3')
    for variable, value in (("DEVICE", SERIALS[1]), ("DEVICES", joined(SERIALS))):
        line = f"make all EXPERIMENT=tiny.toml RUNTIME=local {typed(variable, value)}"
        environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
        subprocess.run(["bash", "-c", line], cwd=copy, env=environment, timeout=60, capture_output=True)
        words = (copy / "told").read_text(encoding="utf-8").split("\0")
        assert words[words.index(f"--{variable.lower()}") + 1] == value
    assert not (copy / "pwned").exists()


@pytest.mark.parametrize("name", ["BASE_IMAGE", "EDGEPROOF_MEMORY", "ANY_OTHER"])
def test_variables_that_are_none_of_ours_are_text_too(copy: Path, name: str) -> None:
    value = "$(shell touch pwned)$X"
    script(copy / ".venv" / "bin" / "python", f'printf %s "${name}" > value.txt; exit 3')
    assert make(copy, "all", "EXPERIMENT=tiny.toml", "RUNTIME=local", f"{name}={value}").returncode == 2
    assert (copy / "value.txt").read_text(encoding="utf-8") == value
    assert not (copy / "pwned").exists()


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


def test_help_shows_what_variables_are_and_not_how_they_are_made(copy: Path) -> None:
    said = make(copy, "help").stdout
    assert "$(" not in said
    assert re.search(r"^  RUN +the folder .* \[runs/demo\]$", said, re.MULTILINE)
    assert re.search(r"^  KEEP +1 leaves files and app on the device$", said, re.MULTILINE)
    assert "[runs/tiny]" in make(copy, "help", "EXPERIMENT=tiny.toml").stdout
    assert "[runs/models]" in make(copy, "help", "MODELS=a.tflite").stdout


def test_a_step_is_a_line_and_with_v_its_command_too(copy: Path) -> None:
    variables = ("EXPERIMENT=tiny.toml", "RUNTIME=local")
    done = make(copy, "dataset", *variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\[1/1\] dataset \S+ \d+ s\n", done.stdout)
    (copy / "runs" / "tiny" / "dataset" / "dataset.json").unlink()
    again = make(copy, "dataset", "V=1", *variables)
    assert "-m jobs.dataset --experiment tiny.toml" in again.stdout and "quarantined: 0" in again.stdout


def test_a_step_that_fails_says_why_and_make_says_one_line_more(copy: Path) -> None:
    (copy / "photos").mkdir()
    for goals in (("dataset",), ("-j2", "dataset")):
        done = make(copy, *goals, "EXPERIMENT=tiny.toml", "RUNTIME=local", "DATA=photos")
        assert done.returncode == 2
        why, failed, own = done.stderr.splitlines()
        assert why.startswith("error: ") and "photos" in why
        assert failed == "dataset failed with exit status 2; all that it printed: runs/tiny/logs/dataset.log"
        assert own.startswith("make: *** ")
        assert why in (copy / "runs" / "tiny" / "logs" / "dataset.log").read_text(encoding="utf-8")


def test_what_a_run_has_to_do_is_known_before_it_begins(copy: Path) -> None:
    """Also what hangs on a benchmark, of which a dry run of make's groups of targets says nothing."""
    run = finished(copy)
    (run / "benchmark" / "host" / "benchmark.json").unlink()
    said = make(copy, "-n", "all", "EXPERIMENT=tiny.toml", "RUNTIME=local").stdout
    stages = re.findall(r"-m jobs\.(\w+)", said.partition("graph.mk")[2])
    assert stages == ["benchmark", "choose", "report", "report"]


def test_clean_keeps_what_make_did_not_write(copy: Path) -> None:
    run = copy / "runs" / "tiny"
    for path in ("plan/report/results.json", "variants/a/variant.json", "photos/mine.jpg", ".notes"):
        (run / path).parent.mkdir(parents=True, exist_ok=True)
        (run / path).touch()
    done = make(copy, "clean", "EXPERIMENT=tiny.toml")
    assert done.returncode == 0 and "stay (2 of them)" in done.stdout
    assert sorted(path.name for path in run.iterdir()) == [".notes", "photos"]
    assert (run / "photos" / "mine.jpg").is_file()


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("value", ["", " ", "a b", "a\nb", "a%b$c;d", "é"])
def test_parts_of_paths_are_plain_or_refused(copy: Path, where: str, name: str, value: str) -> None:
    argv, env = given(where, {name: value})
    done = make(copy, "-n", "clean", *argv, env=env)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{name}={' '.join(value.split())} cannot be used: give letters, digits and any of ._/-+@," in done.stderr


def test_plain_paths_are_taken(copy: Path) -> None:
    plain = "../Some-dir/x_1.y+z@2,3"
    assert make(copy, "clean", f"RUN={plain}").stdout == f"{plain} is not there: nothing to remove\n"
    assert make(copy, "clean", f"EXPERIMENT={plain}.toml").stdout.startswith("runs/x_1.y+z@2,3 is not there")
    assert "RUN=a:b" in make(copy, "-n", "clean", "RUN=a:b").stderr


def test_a_device_is_text_that_the_plan_checks(copy: Path) -> None:
    done = make(copy, "benchmark", "EXPERIMENT=tiny.toml", "RUNTIME=local", "DEVICE='; touch pwned'")
    assert done.returncode == 2
    assert "no device '; touch pwned' is attached" in done.stderr
    assert not (copy / "pwned").exists()


@pytest.mark.parametrize("where", ["command line", "environment"])
@pytest.mark.parametrize(
    ("answer", "stage"), [("exit 0", "-m jobs.launch stage dataset"), ("exit 1", "-m jobs.dataset")]
)
def test_the_docker_command_that_is_given_decides(copy: Path, where: str, answer: str, stage: str) -> None:
    script(copy / "own docker", answer)
    argv, env = given(where, {"EXPERIMENT": "tiny.toml", "RUNTIME": "auto", "DOCKER": str(copy / "own docker")})
    assert stage in make(copy, "-n", "dataset", *argv, env=env).stdout


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
        assert "jobs.dataset" not in done.stdout
        (copy / "tiny.toml").write_text(text, encoding="utf-8")
        assert make(copy, "-n", "dataset", *variables).returncode == 0


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, by path: time and content."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in paths
    }


LOST = '{"model": {"path": "gone.tflite", "sha256": "", "size_bytes": 1}}'


@pytest.mark.parametrize("flags", [("-n",), ("-nk", "-j2"), ("--dry-run",), ("-q",)])
def test_a_dry_run_changes_nothing_and_tells_the_truth(copy: Path, flags: tuple[str, ...]) -> None:
    variables = ("EXPERIMENT=tiny.toml", "RUNTIME=local")
    before = state(copy)
    done = make(copy, *flags, "all", *variables)
    assert state(copy) == before
    assert done.returncode == (1 if flags == ("-q",) else 0), done.stderr
    if "-q" not in flags:
        assert "jobs.train" in done.stdout
        assert "jobs.report" in done.stdout
    # A finished run, by its names; then one that lost a file, and one whose settings changed.
    run = finished(copy)
    before = state(copy)
    assert "-m jobs.optimize" not in make(copy, *flags, "all", *variables).stdout
    assert state(copy) == before
    (run / "variants" / "float16" / "variant.json").write_text(LOST, encoding="utf-8")
    before = state(copy)
    done = make(copy, *flags, "all", *variables)
    assert state(copy) == before
    if "-q" not in flags:
        assert done.stdout.count("-m jobs.optimize") == 1
        assert "--variant float16" in done.stdout
    (copy / "tiny.toml").write_text((copy / "tiny.toml").read_text().replace("seed = 7", "seed = 8"), encoding="utf-8")
    before = state(copy)
    done = make(copy, *flags, "all", *variables)
    assert state(copy) == before
    if "-q" not in flags:
        assert "-m jobs.train" in done.stdout


def finished(copy: Path) -> Path:
    """A run that make takes for finished: its plan, and the JSON of every artifact."""
    run = copy / "runs" / "tiny"
    python = str(copy / ".venv" / "bin" / "python")
    argv = [python, "-m", "jobs.plan", "--experiment", "tiny.toml", "--run", str(run)]
    subprocess.run(argv, cwd=copy, check=True, capture_output=True)
    pieces = [path.relative_to(run / "plan") for path in (run / "plan").rglob("*.json")]
    order = ("dataset", "train", "variants", "evaluation", "benchmark", "best", "report")
    pieces.sort(key=lambda path: (order.index(path.parts[0]), "baseline" not in path.parts))
    for number, piece in enumerate(pieces):
        (run / piece).parent.mkdir(parents=True, exist_ok=True)
        (run / piece).write_text("{}", encoding="utf-8")
        os.utime(run / "plan" / piece, (1, 1))
        os.utime(run / piece, (100 + number, 100 + number))
    return run


def test_a_module_that_changes_makes_the_stages_anew_that_reach_it(copy: Path) -> None:
    (copy / "common").unlink()
    shutil.copytree(ROOT / "common", copy / "common")
    script(copy / ".venv" / "bin" / "python", f'PYTHONPATH={copy} exec {shlex.quote(sys.executable)} "$@"')
    finished(copy)
    variables = ("EXPERIMENT=tiny.toml", "RUNTIME=local")
    assert "-m jobs" not in make(copy, "-n", "report", *variables).stdout.partition("graph.mk")[2]
    for module, first in (("tflite/predict.py", "jobs.optimize"), ("schema/results.py", "jobs.report")):
        path = copy / "common" / module
        text = path.read_text(encoding="utf-8")
        path.write_text(text + "# changed\n", encoding="utf-8")
        said = make(copy, "-n", "report", *variables).stdout.partition("graph.mk")[2]
        assert "jobs.train" not in said
        assert said.split("-m ")[1].split()[0] == first
        path.write_text(text, encoding="utf-8")


def test_no_file_of_a_run_is_read_by_make(copy: Path) -> None:
    """A run from somebody else, made to run something when make reads it."""
    theirs = copy / "runs" / "theirs"
    evil = "$(shell touch pwned)\nVARIANTS := $(shell touch pwned)\nall: ; touch pwned\n"
    for name in ("plan/plan.mk", "plan/report/results.json", "plan/dataset/dataset.json", "Makefile", "graph.mk"):
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text(evil, encoding="utf-8")
    nowhere = {"ANDROID_ADB_SERVER_PORT": "1", "ADBUTILS_ADB_PATH": "/nonexistent/adb"}
    for targets in ('["$(shell touch pwned)"]', '["; touch pwned"]'):
        (theirs / "plan" / "report" / "results.json").write_text(f'{{"targets": {targets}}}', encoding="utf-8")
        for device in ("host", "any"):
            variables = ("EXPERIMENT=tiny.toml", "RUNTIME=local", "RUN=runs/theirs", f"DEVICE={device}")
            make(copy, "-n", "report", *variables, env=nowhere)
            make(copy, "dataset", "DATA=nowhere", *variables, env=nowhere)
    assert not (copy / "pwned").exists()
    assert not (theirs / "pwned").exists()


def test_clean_removes_a_run(copy: Path) -> None:
    run = finished(copy)
    assert make(copy, "-n", "clean", "EXPERIMENT=tiny.toml").returncode == 0
    assert run.exists()
    done = make(copy, "clean", "EXPERIMENT=tiny.toml")
    assert (done.returncode, done.stdout) == (0, "rm -rf -- runs/tiny\n")
    assert not run.exists()


@pytest.mark.parametrize(
    "variable",
    ["EXPERIMENT=experiments/", "RUN=.git", "RUN=runs", "RUN=runs/", "RUN=runs/../..", "RUN=.", "RUN=..", "RUN=/",
     "RUN=runs/tiny/plan", "RUN=runs/link", "RUN=runs/link/tiny", "RUN=runs/tiny/../../runs", "RUN=tiny.toml"],
)  # fmt: skip
def test_clean_removes_nothing_else(copy: Path, variable: str) -> None:
    run = finished(copy)
    # What could pass for a plan lies in the checkout and above it, too.
    for folder in (copy, copy.parent):
        (folder / "plan" / "report").mkdir(parents=True)
        (folder / "plan" / "report" / "results.json").touch()
    (copy / ".git").mkdir()
    link = copy / "runs" / "link"
    link.symlink_to(run if variable == "RUN=runs/link" else run.parent)
    before = state(copy.parent)
    done = make(copy, "clean", variable)
    assert done.returncode == 2
    assert "is no folder that make all has written" in done.stderr
    assert state(copy.parent) == before


def test_a_run_that_is_a_link_is_refused_by_make(copy: Path) -> None:
    (copy / "runs").mkdir()
    (copy / "home").mkdir()
    (copy / "runs" / "x").symlink_to(copy / "home")
    done = make(copy, "dataset", "EXPERIMENT=tiny.toml", "RUNTIME=local", "RUN=runs/x")
    assert done.returncode == 2
    assert "runs/x goes through a symbolic link" in done.stderr
    assert not list((copy / "home").iterdir())


def test_without_an_environment_a_dry_run_says_so(copy: Path) -> None:
    (copy / ".venv" / "bin" / "python").unlink()
    (copy / ".venv" / ".local").unlink()
    before = state(copy)
    done = make(copy, "-n", "all", "EXPERIMENT=tiny.toml", "RUNTIME=local")
    assert done.returncode == 0, done.stderr
    assert "requirements/setup .venv" in done.stdout
    assert ".venv is not set up yet" in done.stdout
    assert state(copy) == before


def test_runs_to_compare_are_text_and_the_later_one_is_the_run(copy: Path) -> None:
    nasty = "$(shell touch pwned)'; touch pwned; \"`touch pwned`"
    script(copy / ".venv" / "bin" / "python", 'printf "%s\\0" "$@" > told; echo base-a')
    for goal, more in (("compare", []), ("check", ["--check", "--budgets", nasty])):
        given_ = (f"BASE={nasty}", f"HEAD={nasty}", f"BUDGETS={nasty}")
        assert make(copy, goal, *given_, "EXPERIMENT=tiny.toml").returncode == 0
        words = (copy / "told").read_text(encoding="utf-8").split("\0")[:-1]
        assert words == ["-m", "jobs.compare", "--base", nasty, "--head", nasty, *more]
    make(copy, "check", "RUN=runs/mine")
    words = (copy / "told").read_text(encoding="utf-8").split("\0")[:-1]
    assert words == ["-m", "jobs.compare", "--head", "runs/mine", "--check"]
    assert not (copy / "pwned").exists()


def test_a_rerun_is_a_run_of_the_files_of_both(copy: Path) -> None:
    script(copy / ".venv" / "bin" / "python", 'printf "%s " "$@" >> told; echo >> told; echo base-a')
    (copy / "runs" / "mine").mkdir(parents=True)
    make(copy, "compare", "BASE=b", "RUN=runs/mine", "RERUN=1", "RUNTIME=local", "DEVICE=x y")
    gathered, planned, *_ = (copy / "told").read_text(encoding="utf-8").splitlines()
    assert gathered.strip() == "-m jobs.compare --base b --head runs/mine --gather runs/mine/rerun/given"
    assert "--run runs/mine/rerun --models runs/mine/rerun/given/base-a.tflite runs/mine/rerun/given " in planned
    assert "--reference base-a" in planned and "--device x y" in planned
    # Where no file differs, the sessions that there are stand for themselves.
    (copy / "told").unlink()
    script(copy / ".venv" / "bin" / "python", 'printf "%s " "$@" >> told; echo >> told')
    assert make(copy, "check", "BASE=b", "RUN=runs/mine", "RERUN=1").returncode == 0
    _, checked = (copy / "told").read_text(encoding="utf-8").splitlines()
    assert checked.strip() == "-m jobs.compare --base b --head runs/mine --check"


def test_a_search_has_a_page_unless_it_fails(copy: Path) -> None:
    # It says which environment the steps need, which is there.
    script(copy / ".venv" / "bin" / "python", 'printf "%s " "$@" >> told; echo >> told; echo data')
    assert make(copy, "search", "EXPERIMENT=tiny.toml", "RUNTIME=local", "BUDGET=1m").returncode == 0
    needs, searched, shown = (copy / "told").read_text(encoding="utf-8").splitlines()
    assert needs.strip() == "-m jobs.search.needs --experiment tiny.toml"
    assert searched.startswith("-m jobs.search --experiment tiny.toml --run runs/tiny --budget 1m ")
    assert shown.strip() == "-m jobs.report --search runs/tiny/search/search.json --output runs/tiny/search"
    (copy / "told").unlink()
    script(copy / ".venv" / "bin" / "python", 'printf "%s " "$@" >> told; echo >> told; exit 3')
    assert make(copy, "search", "EXPERIMENT=tiny.toml", "RUNTIME=local").returncode == 2
    assert len((copy / "told").read_text(encoding="utf-8").splitlines()) == 1
