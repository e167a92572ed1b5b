"""What MODELS stands for."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import UsageError
from common.experiment import parsed
from common.schema.given import GivenFile
from jobs.plan.models import Given, experiment
from jobs.plan.pieces import Made, names, pieces
from tests.given import TINY

STAGES = ("dataset", "train", "optimize", "adopt", "quantize", "inputs", "evaluate", "benchmark", "choose", "report")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.tflite", "b.tflite", "with space.tflite", "notes.txt"):
        (tmp_path / name).write_bytes(TINY)
    return tmp_path


def variants(models: str, reference: str = "") -> tuple[str, list[str]]:
    loaded = parsed(experiment(Given(models, reference)), Path("runs/models/plan/models.toml"))
    assert all(isinstance(making, GivenFile) for making in loaded.settings.variants.values())
    return loaded.settings.reference, list(loaded.settings.variants)


def test_files_folders_and_patterns(folder: Path) -> None:
    assert variants("b.tflite a.tflite") == ("b", ["b", "a"])
    assert variants(".") == ("a", ["a", "b", "with_space"])
    assert variants("[ab].tflite") == ("a", ["a", "b"])
    assert variants("'with space.tflite' a.tflite a.tflite") == ("with_space", ["with_space", "a"])
    assert variants(str(folder / "notes.txt")) == ("notes.txt", ["notes.txt"])


@pytest.mark.parametrize(("data", "asked"), [("", 4), ("photos", 32)])
def test_a_device_is_asked_whether_it_answers_as_this_machine_does(folder: Path, data: str, asked: int) -> None:
    (folder / "photos").mkdir()
    loaded = parsed(experiment(Given("a.tflite", data=data)), Path("runs/models/plan/models.toml"))
    assert loaded.settings.benchmark.outputs_images == asked


@pytest.mark.parametrize(("budget", "told"), [("", (60, 15)), ("90s", (90, 100)), ("5m", (300, 100))])
def test_how_long_a_session_goes_on(folder: Path, budget: str, told: tuple[float, int]) -> None:
    loaded = parsed(experiment(Given("a.tflite", budget=budget)), Path("runs/models/plan/models.toml"))
    settings = loaded.settings.benchmark
    assert (settings.budget_s, settings.most_rounds) == told


@pytest.mark.parametrize("budget", ["5", "5x", "0s", "48h", '60s"\n[x]'])
def test_a_budget_that_is_no_time(folder: Path, budget: str) -> None:
    with pytest.raises(UsageError, match="is no time of at most 24h"):
        experiment(Given("a.tflite", budget=budget))


@pytest.mark.parametrize("reference", ["b", "b.tflite", "./b.tflite"])
def test_another_reference(folder: Path, reference: str) -> None:
    assert variants("*.tflite", reference)[0] == "b"


@pytest.mark.parametrize(
    ("models", "reference", "said"),
    [
        ("nothing.tflite", "", "model file nothing.tflite does not exist"),
        ("empty", "", "folder empty holds no .tflite files"),
        ("a.tflite sub/a.tflite", "", "two files that would both be called a: a.tflite and sub/a.tflite"),
        ("a.tflite", "b", "REFERENCE=b is none of MODELS"),
        ("'a.tflite", "", "cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_one_line(folder: Path, models: str, reference: str, said: str) -> None:
    (folder / "empty").mkdir()
    (folder / "sub").mkdir()
    (folder / "sub" / "a.tflite").write_bytes(TINY)
    with pytest.raises(UsageError) as caught:
        experiment(Given(models, reference))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_file_name_is_text_in_the_experiment(folder: Path, name: str) -> None:
    path = folder / "names" / f"{name}.tflite"
    path.parent.mkdir(exist_ok=True)
    try:
        path.write_bytes(TINY)
    except OSError:
        return
    import shlex

    table = tomllib.loads(experiment(Given(shlex.quote(str(path)))).decode())
    [(variant, made)] = table["variants"].items()
    assert made["file"] == str(path)
    assert variant.isascii()


def test_nothing_is_trained_and_no_data_is_made(folder: Path) -> None:
    loaded = parsed(experiment(Given("a.tflite b.tflite")), folder / "models.toml")
    made = pieces(loaded, {stage: Made(stage, "lock") for stage in STAGES})
    assert "inputs/inputs.json" in made
    assert not {"dataset/dataset.json", "train/training.json"} & made.keys()
    text = names(loaded, (), [])
    assert "FILES := a b\n" in text and "RECIPES := \n" in text and "IMAGES := \n" in text


def test_a_file_that_changes_changes_its_own_piece_alone(folder: Path) -> None:
    loaded = parsed(experiment(Given("a.tflite b.tflite")), folder / "models.toml")
    stages = {stage: Made(stage, "lock") for stage in STAGES}
    before = pieces(loaded, stages)
    (folder / "b.tflite").write_bytes(TINY + b"\0")
    after = pieces(loaded, stages)
    assert [name for name in before if before[name] != after[name]] == ["variants/b/variant.json"]


def test_images_with_labels(folder: Path) -> None:
    (folder / "photos").mkdir()
    loaded = parsed(experiment(Given("a.tflite", data="photos")), folder / "models.toml")
    assert loaded.settings.has_images
    assert "IMAGES := yes" in names(loaded, (), [])
