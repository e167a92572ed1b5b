"""Experiment files: what is wrong is named by file and key."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UsageError
from common.experiment import load
from common.provenance import ROOT
from common.schema.recipe import Cluster, Prune
from tests.artifacts import EXPERIMENT


def write(folder: Path, text: str, name: str = "tiny.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["demo", "fire"])
def test_the_experiments_that_come_with_the_project_have_the_five_originals(name: str) -> None:
    settings = load(ROOT / "experiments" / f"{name}.toml").settings
    originals = ["baseline", "dynamic_range", "float16", "clustered_dynamic_range", "pruned_dynamic_range"]
    assert [variant for variant in settings.variants if variant in originals] == originals


def test_fire_has_the_published_hyperparameters() -> None:
    settings = load(ROOT / "experiments" / "fire.toml").settings
    train = settings.train
    assert (train.epochs, train.batch_size, train.learning_rate, train.loss) == (50, 64, 1e-4, "binary_crossentropy")
    assert not train.augmentation.flip
    cluster = settings.recipes["clustered_dynamic_range"].passes[0]
    prune = settings.recipes["pruned_dynamic_range"].passes[0]
    assert isinstance(cluster, Cluster)
    assert isinstance(prune, Prune)
    assert (cluster.clusters, cluster.initialization, cluster.learning_rate) == (8, "KMEANS_PLUS_PLUS", 1e-5)
    assert (prune.sparsity, prune.begin_step, prune.frequency, prune.learning_rate) == (0.5, 0, 100, 1e-5)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("epochs = 2", "epoch = 2", "train.epoch: is not a known key"),
        ("epochs = 2", 'epochs = "2"', "train.epochs: must be a valid integer"),
        ("epochs = 2", "epochs = 0", "train.epochs = 0 is for saved models; FireDetectionNet has to be trained"),
        ("epochs = 2", "epochs = -1", "train.epochs: must be greater than or equal to 0"),
        (
            "[model]",
            '[model]\narchitecture = "FireDetection"',
            "model.architecture: did you mean FireDetectionNet",
        ),
        ("height = 32", "height = 32.5", "data.height: must be a valid integer"),
        ('title = "Tiny"', "", "title: is missing"),
        ('pass = "prune"', 'pass = "shrink"', "shrink"),
        ("sparsity = 0.5", "sparsity = 1.5", "sparsity"),
        ("sparsity = 0.5", "sparsity = 0.5, layers = { dense = true }", "layers.dense: must be"),
        ("[variants.baseline]", "[variants.base]", "reference 'baseline' is not among the variants"),
        ("[data]", '[data]\nsource = "https://example.org/x.zip"', "a URL source needs its sha256"),
        ("rounds = 2", 'backends = ["cpu", "cpu"]', "backends must list at least one value, each once"),
        ("seed = 7", "seed = [", "is not readable TOML"),
        ('title = "Tiny"', 'title = ""', "title: must not be empty"),
        ('title = "Tiny"', "title = 2024-01-01", "title: 2024-01-01 is a date or time (write text in quotes)"),
        ("rounds = 2", "threads = [1, 07:30:00]", "benchmark.threads.1: 07:30:00 is a date or time"),
        ("rounds = 2", "threads = [1025]", "benchmark.threads.0: must be less than or equal to 1024, not 1025"),
        ("min_secs = 0.0", "min_secs = 151", "benchmark: min_secs is 151, more than the 150 of max_secs"),
        ("[data]", '[data]\nsource = ""', "data.source: must name a folder, an archive, an http(s) URL"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in EXPERIMENT
    path = write(tmp_path, EXPERIMENT.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_or_unnameable_experiment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="cannot be a folder"):
        load(write(tmp_path, EXPERIMENT, "two words.toml"))


def test_data_replaces_the_source_and_keeps_the_rest(tmp_path: Path) -> None:
    settings = load(write(tmp_path, EXPERIMENT), data="photos").settings
    assert settings.data.source == "photos"
    assert settings.data.height == 32


def test_a_file_that_is_nested_too_deeply(tmp_path: Path) -> None:
    for value in ("[" * 2000, "[" * 1000 + "]" * 1000, "[" * 300 + "]" * 300):
        with pytest.raises(UsageError, match="nested too deeply"):
            load(write(tmp_path, EXPERIMENT.replace("seed = 7", f"seed = {value}")))


def test_data_beside_a_section_that_is_none(tmp_path: Path) -> None:
    text = EXPERIMENT.replace("[data]", "[other]").replace("seed = 7", "seed = 7\ndata = 5")
    with pytest.raises(UsageError, match="data: must be a table, not 5"):
        load(write(tmp_path, text), data="photos")


@given(st.text(max_size=200))
def test_no_text_makes_loading_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(UsageError):
        load(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(EXPERIMENT, encoding="utf-8-sig")
    assert load(path).settings.title == "Tiny"


KERAS = 'title = "K"\nreference = "a"\n[variants.a]\nfrom = "a.keras"\nconvert = { format = "float32" }\n'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "convert",
            'passes = [{ pass = "prune" }]\nconvert',
            r"variants\.a: passes need tf_keras \(Keras 2\), as tfmot .* Python file",
        ),
        ('from = "a.keras"\nconvert = { format = "float32" }', 'file = "a.keras"', "is a Keras model .* write from = "),
        ('"float32"', '"int8"', "reference 'a' must be a file, or a float format, where nothing is trained"),
        ('"float32"', '"float32", integer_io = true', "integer_io goes with int8 or int16x8, not with float32"),
        ('"float32"', '"float16", layers = { "*" = "float32" }', "layers goes with litert-quantizer's formats"),
        ('"float32"', '"int4"', "variants.a.convert.format.* must be "),
        (
            '"a.keras"\nconvert = { format = "float32"',
            '"a.tflite"\nconvert = { format = "int8"',
            "must be 'dynamic_wi8",
        ),
    ],
)
def test_what_a_keras_model_cannot_become_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    load(write(tmp_path, KERAS))
    assert old in KERAS
    with pytest.raises(UsageError, match=said):
        load(write(tmp_path, KERAS.replace(old, new)))
