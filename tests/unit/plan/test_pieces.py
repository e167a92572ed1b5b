"""A change of the experiment touches the pieces of the stages that it concerns, and no other."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from common.errors import UsageError
from common.experiment import load
from common.provenance import ROOT
from common.schema.experiment import Data
from jobs.plan.pieces import source_state, write_plan
from tests.artifacts import EXPERIMENT, write_experiment


def plan(folder: Path, text: str) -> None:
    write_plan(write_experiment(folder, text), folder / "plan")


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    paths = [path for path in (folder / "plan").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder / "plan")): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("title", "# a comment\ntitle", set()),
        ("sparsity = 0.5", "sparsity = 0.6", {"variants/pruned.json"}),
        ("rounds = 2", "rounds = 3", {"benchmark.json"}),
        ("epochs = 2", "epochs = 3", {"train.json"}),
        ("height = 32", "height = 48", {"dataset.json"}),
        ("[benchmark]", "[choose]\nmargin = 0.01\n[benchmark]", {"choose.json"}),
        ('title = "Tiny"', 'title = "Small"', {"report.json"}),
    ],
)
def test_only_what_changed_is_rewritten(tmp_path: Path, old: str, new: str, touched: set[str]) -> None:
    plan(tmp_path, EXPERIMENT)
    for path in (tmp_path / "plan").rglob("*"):
        os.utime(path, ns=(0, 0))
    before = files(tmp_path)
    plan(tmp_path, EXPERIMENT.replace(old, new, 1))
    after = files(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == touched


def test_another_device_is_chosen_for_and_reported_anew(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, EXPERIMENT)
    seen = []
    for devices in (["host"], ["emulator-5554"], ["emulator-5554", "host"]):
        write_plan(experiment, tmp_path / "plan", devices)
        seen.append({name: content for name, (_, content) in files(tmp_path).items()})
    changed = [{name for name in new if new[name] != old[name]} for old, new in pairwise(seen)]
    assert changed == [{"choose.json", "report.json", "plan.mk"}, {"choose.json", "report.json", "plan.mk"}]


def test_a_variant_that_is_gone_loses_its_piece(tmp_path: Path) -> None:
    plan(tmp_path, EXPERIMENT)
    assert "variants/float16.json" in files(tmp_path)
    plan(tmp_path, EXPERIMENT.replace('[variants.float16]\nconvert = { format = "float16" }\n', ""))
    assert "variants/float16.json" not in files(tmp_path)
    assert "float16" not in (tmp_path / "plan" / "plan.mk").read_text(encoding="utf-8")


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
    assert before["model"][1] == str(model).encode()
    assert b"MODEL_FILE := yes" in before["plan.mk"][1]
    assert b"pwned" not in before["plan.mk"][1]
    model.write_text("def build(): 1", encoding="utf-8")
    plan(tmp_path, text)
    after = files(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"train.json"}


def test_a_changed_student_makes_its_variant_again(tmp_path: Path) -> None:
    passes = 'passes = [{ pass = "distill", student = { architecture = "./net.py" } }]'
    text = EXPERIMENT.replace("[variants.float16]", f"[variants.float16]\n{passes}")
    (tmp_path / "net.py").write_text("1", encoding="utf-8")
    plan(tmp_path, text)
    before = files(tmp_path)
    assert before["students/float16"][1] == str(tmp_path / "net.py").encode()
    assert b"STUDENTS := float16\n" in before["plan.mk"][1]
    (tmp_path / "net.py").write_text("2", encoding="utf-8")
    plan(tmp_path, text)
    after = files(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"variants/float16.json"}


def test_a_model_file_that_is_missing_stops_the_plan(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.h5 does not exist"):
        plan(tmp_path, EXPERIMENT.replace("batch_norm_momentum = 0.9", 'architecture = "none.h5"'))


def test_a_local_source_reaches_make_only_through_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    nasty = "photos; $(shell touch pwned) `x`"
    monkeypatch.chdir(tmp_path)
    (tmp_path / nasty).mkdir()
    write_plan(load(path, data=nasty), tmp_path / "plan")
    assert (tmp_path / "plan" / "source").read_text(encoding="utf-8") == nasty
    assert "pwned" not in (tmp_path / "plan" / "plan.mk").read_text(encoding="utf-8")


def test_a_missing_source_leaves_the_plan_of_a_good_run(tmp_path: Path) -> None:
    plan(tmp_path, EXPERIMENT)
    before = files(tmp_path)
    with pytest.raises(UsageError, match="'nowhere' does not exist"):
        write_plan(load(tmp_path / "tiny.toml", data="nowhere"), tmp_path / "plan")
    assert files(tmp_path) == before
    with pytest.raises(UsageError, match="'nowhere' does not exist"):
        write_plan(load(tmp_path / "tiny.toml", data="nowhere"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "jobs.plan", "--experiment", str(folder / "tiny.toml"), *arguments]
    return subprocess.run([*argv, "--output", str(folder / "plan")], cwd=ROOT, capture_output=True, text=True)


def test_another_data_source_is_said_once_with_how_to_keep_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "my photos").mkdir()
    old = str(tmp_path / "my photos")
    assert command(tmp_path, "--data", old).stdout == ""
    assert command(tmp_path, "--data", old).stdout == ""
    changed = f"note: the data source changes from '{old}' to synthetic-flames: everything is made anew"
    assert command(tmp_path).stdout == f"{changed} (DATA='{old}' keeps it)\n"
    assert command(tmp_path).stdout == ""
    url = ("--data", "https://user:secret@example.org/x.zip?key=secret", "--data-sha256", "0" * 64)
    assert "from synthetic-flames to https://example.org/x.zip: " in command(tmp_path, *url).stdout
    said = command(tmp_path).stdout
    assert f"(DATA=https://example.org/x.zip DATA_SHA256={'0' * 64} keeps it)" in said
    assert "secret" not in said


def test_a_hash_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    done = command(tmp_path, "--data-sha256", "0" * 64)
    assert done.returncode == 2
    assert "--data-sha256 was given without --data" in done.stderr
    assert not (tmp_path / "plan").exists()
