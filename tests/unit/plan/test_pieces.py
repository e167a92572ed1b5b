"""A change of the experiment touches the pieces of the stages that it concerns, and no other."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from common.errors import EdgeproofError, UsageError
from common.job import IMAGES
from common.provenance import ROOT
from common.schema.experiment import Data
from jobs.plan.folder import check_place, outdated, update
from jobs.plan.pieces import Made, names, pieces, source_state
from jobs.plan.places import HERE, Place
from tests.artifacts import EXPERIMENT, write_experiment
from tests.command import command
from tests.given import TINY, given_files

MADE = {stage: Made("code", "lock") for stage in IMAGES}


def plan(folder: Path, text: str, places: Sequence[Place] = (HERE,)) -> None:
    update(folder, pieces(write_experiment(folder, text), MADE, places))


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    paths = [path for path in (folder / "plan").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder / "plan")): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("title", "# a comment\ntitle", set()),
        ("sparsity = 0.5", "sparsity = 0.6", {"variants/pruned/variant.json"}),
        ("rounds = 2", "rounds = 3", {"benchmark/host/benchmark.json"}),
        ("epochs = 2", "epochs = 3", {"train/training.json"}),
        ("height = 32", "height = 48", {"dataset/dataset.json"}),
        ("[benchmark]", "[choose]\nmargin = 0.01\n[benchmark]", {"best/choice.json"}),
        ('title = "Tiny"', 'title = "Small"', {"report/results.json"}),
    ],
)
def test_only_what_changed_is_rewritten(tmp_path: Path, old: str, new: str, touched: set[str]) -> None:
    plan(tmp_path, EXPERIMENT)
    for path in (tmp_path / "plan").rglob("*"):
        os.utime(path, ns=(0, 0))
    before = files(tmp_path)
    changed = pieces(write_experiment(tmp_path, EXPERIMENT.replace(old, new, 1)), MADE)
    assert set(outdated(tmp_path, changed)) == touched
    update(tmp_path, changed)
    after = files(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == touched


# Stages of finished files, and the folders that are not called like their stage.
GIVEN, CONVERT = ("adopt", "export", "inputs", "quantize"), 'convert = { format = "dynamic_wi8_afp32" }\n'
MAKERS = dict.fromkeys(("optimize", "adopt", "export", "quantize"), "variants")
FOLDERS = {**MAKERS, "evaluate": "evaluation", "choose": "best"}


@pytest.mark.parametrize("stage", sorted(IMAGES))
def test_other_code_or_another_lock_makes_a_stages_artifacts_anew(tmp_path: Path, stage: str) -> None:
    if stage in GIVEN:
        (tmp_path / "c.keras").write_bytes(b"a plan only hashes it")
        made = "".join(
            f'[variants.{name}]\nfrom = "{file}"\n{CONVERT}' for name, file in (("b", "a.tflite"), ("c", "c.keras"))
        )
        experiment = given_files(tmp_path, {"a": TINY}, made)
    else:
        experiment = write_experiment(tmp_path)
    update(tmp_path, pieces(experiment, MADE))
    folder = FOLDERS.get(stage, stage)
    for other in (Made("other", "lock"), Made("code", "other")):
        changed = outdated(tmp_path, pieces(experiment, MADE | {stage: other}))
        assert {name.split("/")[0] for name in changed} == {folder}


def test_another_device_is_measured_chosen_for_and_reported_anew(tmp_path: Path) -> None:
    phone, other = (Place("emulator-5554", {"model": model}, {"published": "1"}) for model in ("a", "b"))
    tool = replace(phone, tools={"published": "1", "BENCHMARK_BINARY": "2"})
    seen = []
    for places in ([HERE], [phone], [other], [tool], [phone, HERE], [replace(HERE, facts={"model name": "x"})]):
        plan(tmp_path, EXPERIMENT, places)
        seen.append({name: content for name, (_, content) in files(tmp_path).items()})
    changed = [{name for name in new if new[name] != old.get(name)} for old, new in pairwise(seen)]
    there, here = "benchmark/emulator-5554/benchmark.json", "benchmark/host/benchmark.json"
    decided = {"best/choice.json", "report/results.json"}
    assert changed == [decided | {there}, {there}, {there}, decided | {there}, decided | {here}]


def test_a_variant_that_is_gone_loses_its_piece_and_another_place_keeps_its_own(tmp_path: Path) -> None:
    plan(tmp_path, EXPERIMENT, [Place("emulator-5554", {}, {})])
    assert "variants/float16/variant.json" in files(tmp_path)
    plan(tmp_path, EXPERIMENT.replace('[variants.float16]\nconvert = { format = "float16" }\n', ""))
    assert "variants/float16/variant.json" not in files(tmp_path)
    assert "benchmark/emulator-5554/benchmark.json" in files(tmp_path)


def test_names_are_plain_text_for_make(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    lines = names(experiment, [Place("10.0.0.1:5555", {}, {})], ["train/training.json"]).splitlines()
    assert "REFERENCE := baseline" in lines
    assert "SERIALS := 10.0.0.1:5555" in lines
    assert "STALE := train/training.json" in lines
    for nasty in ("$(shell touch pwned)", "a b", "a'b", "a\nb", "", "a#b"):
        with pytest.raises(EdgeproofError, match="cannot be a name"):
            names(experiment, [HERE], [nasty])


def test_the_graph_is_told_what_is_exported_and_what_needs_samples(tmp_path: Path) -> None:
    convert = {"b": ("a.tflite", "static_wi8_ai8"), "c": ("c.keras", "float16"), "d": ("c.keras", "int8")}
    made = [f'[variants.{n}]\nfrom = "{file}"\nconvert = {{ format = "{f}" }}\n' for n, (file, f) in convert.items()]
    lines = names(given_files(tmp_path, {"a": TINY}, "".join(made)), [HERE], []).splitlines()
    assert {"FILES := a", "FROM := b", "EXPORTED := c d", "CALIBRATED := b d"} <= set(lines)


def test_a_changed_folder_of_images_is_noticed(tmp_path: Path) -> None:
    photos = tmp_path / "my photos" / "a"
    photos.mkdir(parents=True)
    (photos / "1.jpg").write_bytes(b"x")
    data = Data(source=str(tmp_path / "my photos"))
    first = source_state(data)
    assert source_state(data) == first
    (photos / "2\n.jpg").write_bytes(b"y")
    assert source_state(data) != first


def test_a_changed_model_file_trains_again(tmp_path: Path) -> None:
    text = EXPERIMENT.replace("batch_norm_momentum = 0.9", 'architecture = "nets/$(shell touch pwned).py"')
    (tmp_path / "nets").mkdir()
    model = tmp_path / "nets" / "$(shell touch pwned).py"
    model.write_text("def build(): ...", encoding="utf-8")
    plan(tmp_path, text)
    before = files(tmp_path)
    model.write_text("def build(): 1", encoding="utf-8")
    plan(tmp_path, text)
    after = files(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"train/training.json"}


def test_a_changed_student_makes_its_variant_again(tmp_path: Path) -> None:
    passes = 'passes = [{ pass = "distill", student = { architecture = "./net.py" } }]'
    text = EXPERIMENT.replace("[variants.float16]", f"[variants.float16]\n{passes}")
    (tmp_path / "net.py").write_text("1", encoding="utf-8")
    plan(tmp_path, text)
    before = files(tmp_path)
    (tmp_path / "net.py").write_text("2", encoding="utf-8")
    plan(tmp_path, text)
    after = files(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"variants/float16/variant.json"}


def test_a_model_file_that_is_missing_stops_the_plan(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.h5 does not exist"):
        plan(tmp_path, EXPERIMENT.replace("batch_norm_momentum = 0.9", 'architecture = "none.h5"'))


def planned(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return command("plan", "--experiment", folder / "tiny.toml", *arguments, "--run", folder)


def test_a_missing_source_leaves_the_plan_of_a_good_run(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    assert planned(tmp_path).returncode == 0
    before = files(tmp_path)
    done = planned(tmp_path, "--data", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'nowhere' does not exist" in done.stderr
    assert files(tmp_path) == before


def test_a_local_source_never_reaches_make(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    nasty = tmp_path / "photos; $(shell touch pwned) `x`"
    nasty.mkdir()
    done = planned(tmp_path, "--data", str(nasty))
    assert done.returncode == 0, done.stderr
    assert "pwned" not in done.stdout


def test_a_dry_plan_says_the_same_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    dry = planned(tmp_path, "--dry")
    assert not (tmp_path / "plan").exists()
    assert dry.stdout == planned(tmp_path).stdout
    assert "STALE := \n" in planned(tmp_path, "--dry").stdout


def test_another_data_source_is_said_once_with_how_to_keep_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "my photos").mkdir()
    old = str(tmp_path / "my photos")
    assert planned(tmp_path, "--data", old).stderr == ""
    assert planned(tmp_path, "--data", old).stderr == ""
    changed = f"note: the data source changes from '{old}' to synthetic-flames: everything is made anew"
    assert planned(tmp_path).stderr == f"{changed} (DATA='{old}' keeps it)\n"
    assert planned(tmp_path).stderr == ""
    url = ("--data", "https://user:secret@example.org/x.zip?key=secret", "--data-sha256", "0" * 64)
    assert "from synthetic-flames to https://example.org/x.zip: " in planned(tmp_path, *url).stderr
    said = planned(tmp_path).stderr
    assert f"(DATA=https://example.org/x.zip DATA_SHA256={'0' * 64} keeps it)" in said
    assert "secret" not in said


def test_a_hash_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    done = planned(tmp_path, "--data-sha256", "0" * 64)
    assert done.returncode == 2
    assert "--data-sha256 was given without --data" in done.stderr
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize("name", ["", "plan", "train", "variants/float16", "plan/variants", "best"])
def test_a_run_that_goes_through_a_link_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "home").mkdir()
    run = tmp_path / "run"
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).symlink_to(tmp_path / "home")
    with pytest.raises(UsageError, match="goes through a symbolic link"):
        check_place(run, pieces(write_experiment(tmp_path), MADE))


@pytest.mark.parametrize(("run", "told"), [(".", "holds this checkout"), ("..", "holds this checkout"),
                                           (".git", "not for runs"), (".git/x", "not for runs"),
                                           ("jobs/x", "not for runs"), ("runs/../common", "not for runs")])  # fmt: skip
def test_no_run_is_written_into_the_checkout_itself(run: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(UsageError, match=told):
        check_place(Path(run), {})
    check_place(Path("runs/demo"), {})
