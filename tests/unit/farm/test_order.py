"""A stage's job as tasks: one per phone, with what each needs, and what is this machine's alone."""

from pathlib import Path

import pytest

from common.errors import UsageError
from common.provenance import ROOT
from jobs.farm.identity import Identity, identity, refusal
from jobs.farm.order import THREADS, Task, order, runs_here, tasks
from jobs.farm.stage import address_of, described
from tests.artifacts import EXPERIMENT
from tests.given import TINY, given_files


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return path


def made(stage: str, *arguments: object, **environment: str) -> tuple[Task, ...]:
    return tasks(stage, described(stage, [str(argument) for argument in arguments]), environment)


def test_a_training_takes_a_processor_or_what_is_asked_for(experiment: Path) -> None:
    arguments = ("--experiment", experiment, "--dataset", "d", "--output", "o")
    [task] = made("train", *arguments)
    assert (task.cpus, task.gpus, task.resources, task.writes) == (1, 0, {}, (Path("o"),))
    [task] = made("train", *arguments, EDGEPROOF_CPUS="4", EDGEPROOF_TENSORFLOW="cuda")
    assert (task.cpus, task.gpus) == (4, 1)
    with pytest.raises(UsageError, match="EDGEPROOF_CPUS=some is not a whole number"):
        made("train", *arguments, EDGEPROOF_CPUS="some")


def test_a_benchmark_is_a_task_per_phone_and_takes_no_processor(experiment: Path) -> None:
    given = ("--experiment", experiment, "--variants", "v", "--devices", "a 'b (2)'", "--output", "out")
    first, second = made("benchmark", *given)
    assert (first.serial, first.writes, first.cpus) == ("a", (Path("out/a"),), 0)
    assert first.argv[first.argv.index("--devices") + 1] == "a"
    assert second.argv[second.argv.index("--devices") + 1] == "'b (2)'"
    assert second.resources == {"phone:b (2)": 1.0}
    assert "--named" in second.argv
    [alone] = made("benchmark", "--experiment", experiment, "--variants", "v", "--devices", "a", "--output", "out")
    assert "--named" not in alone.argv
    [look] = made("benchmark", "--look", "--experiment", experiment, "--devices", "a", "--output", "out")
    assert look.writes == ()
    with pytest.raises(UsageError, match="host cannot be measured beside devices"):
        made("benchmark", "--experiment", experiment, "--devices", "a host", "--output", "out")


def test_the_host_and_files_named_absolutely_are_this_machines(tmp_path: Path, experiment: Path) -> None:
    job = described("benchmark", ["--experiment", str(experiment), "--devices", "host", "--output", "o"])
    assert runs_here(job, tmp_path, experiment) == "host is this machine"
    given_files(tmp_path, {"a": TINY})
    relative = described("adopt", ["--experiment", str(tmp_path / "given.toml"), "--variant", "a", "--output", "o"])
    assert runs_here(relative, tmp_path, tmp_path / "given.toml") is None
    text = (tmp_path / "given.toml").read_text(encoding="utf-8")
    (tmp_path / "plan").mkdir()
    moved = tmp_path / "plan" / "models.toml"
    moved.write_text(text.replace('"a.tflite"', f'"{tmp_path / "a.tflite"}"'), encoding="utf-8")
    absolute = described("adopt", ["--experiment", str(moved), "--variant", "a", "--output", "o"])
    assert "which is this machine's" in str(runs_here(absolute, tmp_path, moved))


def test_an_order_names_every_file_and_hands_on_little(experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").touch()
    [task] = made("train", "--experiment", experiment, "--dataset", "d", "--output", "o", EDGEPROOF_CPUS="2")
    environment = {"EDGEPROOF_CPUS": "2", "EDGEPROOF_TRUST": "1", "SECRET": "x"}
    found = order(task, tmp_path, environment)
    assert {entry.name for entry in found.reads} == {f"{experiment}"[1:], f"{tmp_path}/d/x"[1:]}
    assert dict(found.environment) == {"EDGEPROOF_TRUST": "1", **dict.fromkeys(THREADS, "2")}
    assert found.argv[found.argv.index("--experiment") + 1] == "tiny.toml"
    # The same command is the same job for the node, another output is another one.
    assert order(task, tmp_path, {}).purpose == found.purpose
    [other] = made("train", "--experiment", experiment, "--dataset", "d", "--output", "p")
    assert order(other, tmp_path, {}).purpose != found.purpose


def test_looking_at_a_phone_and_measuring_on_it_are_of_one_purpose(experiment: Path, tmp_path: Path) -> None:
    shared = ("--experiment", experiment, "--devices", "a", "--output", "out")
    [look], [measure] = made("benchmark", "--look", *shared), made("benchmark", *shared)
    assert order(look, tmp_path, {}).purpose == order(measure, tmp_path, {}).purpose


@pytest.mark.parametrize("address", ["", "head", "ray://head:10001", "head:port", "auto"])
def test_an_address_is_host_and_port(address: str) -> None:
    with pytest.raises(UsageError, match="RUNTIME=ray needs RAY_ADDRESS"):
        address_of({"RAY_ADDRESS": address})


def test_another_commit_or_lock_is_refused_with_both() -> None:
    ours = identity("train", ROOT)
    assert refusal(ours, ours, "training") is None
    other = Identity("0123456789abcdef-dirty", "f" * 64 + " " + "e" * 64, ours.lock)
    said = str(refusal(ours, other, "training"))
    assert "it has commit 0123456789ab-dirty (code ffffeeee)" in said
    assert ours.commit[:12] in said
    said = str(refusal(ours, Identity(ours.commit, ours.code, "d" * 64), "training"))
    assert "packages of training from lock dddddddddddd" in said
    assert ours.lock[:12] in said


def test_the_code_is_that_of_the_stage_and_of_what_carries_it() -> None:
    train, choose = identity("train", ROOT), identity("choose", ROOT)
    assert train.code.split()[0] != choose.code.split()[0]
    assert train.code.split()[1] == choose.code.split()[1]
