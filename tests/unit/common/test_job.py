"""What a job reads, writes and talks to follows from its own command line."""

import importlib
import inspect
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from common.cli import Use
from common.job import IMAGES, Job, describe
from common.provenance import ROOT
from jobs.launch.ingredients import Image, dockerfile
from tests.artifacts import EXPERIMENT
from tests.given import TINY, given_files


def job(stage: str, *arguments: object) -> Job:
    main = importlib.import_module(f"jobs.{stage}.__main__").main
    return describe(stage, main, [str(argument) for argument in arguments])


def written(folder: Path, text: str = EXPERIMENT) -> Path:
    path = folder / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mentions_a_path(hint: object) -> bool:
    return hint is Path or any(mentions_a_path(part) for part in get_args(hint))


@pytest.mark.parametrize("stage", sorted(IMAGES))
def test_every_path_of_a_stage_says_whether_it_is_read_or_written(stage: str) -> None:
    main = importlib.import_module(f"jobs.{stage}.__main__").main
    hints = get_type_hints(main, include_extras=True)
    for name in inspect.signature(main).parameters:
        marks = {mark for mark in get_args(hints[name]) if isinstance(mark, Use)}
        if mentions_a_path(hints[name]):
            assert len(marks & {Use.READ, Use.WRITE}) == 1, f"--{name} of jobs.{stage} is neither READ nor WRITE"
    assert dockerfile(Image(IMAGES[stage]), ROOT).is_file()
    assert (ROOT / "docker" / IMAGES[stage] / "requirements.txt").is_file()


def test_the_command_is_the_stages_own(tmp_path: Path) -> None:
    path = written(tmp_path)
    made = job("evaluate", "--experiment", path, "--variant", "v", "--dataset=d", "--output", "o")
    assert made.argv == ("python", "-m", "jobs.evaluate", "--experiment", str(path), "--variant", "v", "--dataset=d",
                         "--output", "o")  # fmt: skip
    assert (set(made.reads), made.writes) == ({path, Path("v"), Path("d")}, (Path("o"),))
    assert (made.image, made.network, made.adb) == ("files", False, False)


def test_what_finished_files_are_asked_with_is_read(tmp_path: Path) -> None:
    more = '[inputs]\nsource = "samples"\n[evaluate]\nscore = "score.py"\ntargets = "targets"'
    path = tmp_path / "given.toml"
    given_files(tmp_path, {"a": TINY}, more)
    (tmp_path / "score.py").touch()
    adopted = job("adopt", "--experiment", path, "--variant", "a", "--output", "o")
    assert set(adopted.reads) == {path, tmp_path / "a.tflite"}
    sampled = job("inputs", "--experiment", path, "--variant", "v", "--output", "o")
    assert set(sampled.reads) == {path, Path("v"), tmp_path / "samples", tmp_path / "targets"}
    evaluated = job("evaluate", "--experiment", path, "--variant", "v", "--samples", "s", "--output", "o")
    assert set(evaluated.reads) == {path, Path("v"), Path("s"), tmp_path / "score.py"}


def test_a_repeated_option_is_read_each_time() -> None:
    made = job("report", "--benchmark", "a", "--benchmark", "b", "--output", "o")
    assert {Path("a"), Path("b"), ROOT / "reports" / "templates"} == set(made.reads)


def test_a_local_source_is_read_and_a_url_needs_the_network(tmp_path: Path) -> None:
    common = ("--experiment", written(tmp_path), "--output", "o")
    assert job("dataset", *common).reads == (tmp_path / "tiny.toml",)
    local = job("dataset", *common, "--data", "my photos")
    assert (local.reads, local.network) == ((tmp_path / "tiny.toml", Path("my photos")), False)
    url = job("dataset", *common, "--data", "https://example.org/x.zip", "--data-sha256", "0" * 64)
    assert (url.reads, url.network) == ((tmp_path / "tiny.toml",), True)
    named = written(tmp_path, EXPERIMENT.replace("[data]", '[data]\nsource = "photos"'))
    assert Path("photos") in job("dataset", "--experiment", named, "--output", "o").reads


def test_model_files_that_an_experiment_names_are_read(tmp_path: Path) -> None:
    passes = 'passes = [{ pass = "distill", student = { architecture = "./student.py" } }]'
    text = EXPERIMENT.replace("[variants.float16]", f"[variants.float16]\n{passes}")
    path = written(tmp_path, text.replace("batch_norm_momentum = 0.9", 'architecture = "net.py"'))
    for name in ("student.py", "net.py"):
        (tmp_path / name).touch()
    train = job("train", "--experiment", path, "--dataset", "d", "--output", "o")
    assert {tmp_path / "net.py", tmp_path / "student.py"} <= set(train.reads)
    evaluated = job("evaluate", "--experiment", path, "--variant", "v", "--dataset", "d", "--output", "o")
    assert tmp_path / "net.py" not in evaluated.reads


@pytest.mark.parametrize(
    ("devices", "adb", "server"),
    [
        ("host", False, False),
        ("any", True, True),
        ("a b", True, True),
        ("'adb-X (2)._adb-tls-connect._tcp'", True, True),
        ("10.0.0.1:5555", True, False),
        ("[fe80::1%wlan0]:5555 10.0.0.1:5555", True, False),
        ("10.0.0.1:5555 R5CT", True, True),
    ],
)
def test_only_a_device_needs_adb_and_only_one_without_an_address_a_server(
    devices: str, adb: bool, server: bool
) -> None:
    made = job("benchmark", "--experiment", "e", "--variants", "v", "--devices", devices, "--output", "o")
    assert (made.image, made.adb, bool(made.server)) == ("adb", adb, server)
