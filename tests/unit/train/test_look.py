"""What cannot come to a good end is refused before the first step of training."""

from pathlib import Path

import pytest

from common.errors import EdgeproofError, UsageError
from common.trust import VARIABLE
from jobs.train.stage import train
from tests.artifacts import EXPERIMENT, write_dataset, write_experiment

PLAIN = EXPERIMENT[: EXPERIMENT.index("[variants.dynamic_range]")]
OWN = PLAIN.replace("batch_norm_momentum = 0.9", 'architecture = "own.py"', 1)
NETWORK = """
from tf_keras import Sequential, layers
FACTOR = 2
def build(input_shape, classes):
    return Sequential([layers.Input(input_shape), {}, layers.Dense(classes, activation="softmax")])
"""
PRUNE = 'pass = "prune", epochs = 2'


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 training images: four steps in an epoch."""
    folder = tmp_path_factory.mktemp("look")
    write_dataset(folder / "dataset", write_experiment(folder))
    return folder / "dataset"


def refused(folder: Path, dataset: Path, text: str, network: str = "") -> str:
    if network:
        (folder / "own.py").write_text(NETWORK.format(network), encoding="utf-8")
    with pytest.raises(EdgeproofError) as caught:
        train(write_experiment(folder, text), dataset, folder / "train")
    assert not (folder / "train").exists()
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize(
    ("passes", "told"),
    [
        (f'{PRUNE}, layers = {{ "dense_9" = 0.8 }}', "prune: no layer is named like 'dense_9'"),
        ('pass = "cluster", layers = { "conv*" = 4 }', "cluster: no layer is named like 'conv*'"),
        ('pass = "factorize", rank = 4, layers = ["dense_9"]', "factorize: no layer is named like 'dense_9'"),
        (f'pass = "factorize", rank = 4 }}, {{ {PRUNE}, frequency = 1, layers = {{ "dense_9_u" = 0.8 }}',
         "prune: no layer is named like 'dense_9_u'"),
        (f"{PRUNE}, frequency = 9", "prune: it would begin at step 9, and the fine-tuning has 8 steps"),
        (f"{PRUNE}, frequency = 1, begin_step = 9", "prune: it would begin at step 9"),
        (f'{PRUNE}, schedule = "polynomial", frequency = 4, end_step = 12', "would end at step 12"),
        (f'{PRUNE}, schedule = "polynomial", frequency = 8', "would end at step 0"),
        ('pass = "distill", student = { architecture = "gone.h5" }', "gone.h5 does not exist"),
        ('pass = "distill", student = { architecture = "FireDetectionNet" }', "the student FireDetectionNet has"),
        ('pass = "distill" }, { pass = "cluster", layers = { "separable*" = 4 }',
         "no layer is named like 'separable*'"),
    ],
)  # fmt: skip
def test_a_recipe_that_asks_for_what_is_not_there_is_refused(
    tmp_path: Path, dataset: Path, passes: str, told: str
) -> None:
    recipe = f'[variants.odd]\npasses = [{{ {passes} }}]\nconvert = {{ format = "float32" }}\n'
    said = refused(tmp_path, dataset, PLAIN + recipe)
    assert said.startswith("variant 'odd': ")
    assert told in said


def test_a_layer_of_another_format_that_is_not_there_is_refused(tmp_path: Path, dataset: Path) -> None:
    convert = 'format = "static_wi8_ai8", layers = { "conv2d_9" = "float32" }'
    said = refused(tmp_path, dataset, f"{PLAIN}[variants.odd]\nconvert = {{ {convert} }}\n")
    assert said.startswith("variant 'odd': convert: no layer is named like 'conv2d_9' (layers with weights: ")


@pytest.mark.slow
def test_names_that_an_earlier_pass_gives_are_known(tmp_path: Path, dataset: Path) -> None:
    steps = 'pass = "factorize", rank = 4, epochs = 1 }, { pass = "cluster", epochs = 1, layers = { "dense_u" = 0 }'
    text = PLAIN.replace("epochs = 2", "epochs = 1", 1)
    text += f'[variants.good]\npasses = [{{ {steps} }}]\nconvert = {{ format = "float32" }}\n'
    train(write_experiment(tmp_path, text), dataset, tmp_path / "train")


@pytest.mark.parametrize(
    ("network", "format_", "told"),
    [
        ("layers.Flatten(), layers.Lambda(lambda x: __import__('tensorflow').math.bessel_i0(x), name='odd')", "int8",
         "variant 'baseline': the network cannot be converted to float32: layer 'odd' (Lambda): Custom ops: BesselI0"),
        ("layers.Flatten(), layers.Lambda(lambda x: x * FACTOR)", "float32",
         "(type Lambda). name 'FACTOR' is not defined"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_become_a_file_is_refused(
    tmp_path: Path, dataset: Path, network: str, format_: str, told: str
) -> None:
    said = refused(tmp_path, dataset, OWN + f'[variants.odd]\nconvert = {{ format = "{format_}" }}\n', network)
    assert told in said


@pytest.mark.slow
def test_what_quantisation_aware_training_makes_is_tried_too(tmp_path: Path, dataset: Path) -> None:
    (tmp_path / "own.py").write_text(
        """
from tf_keras import Model, layers
def build(input_shape, classes):
    start = layers.Input(input_shape)
    x = layers.Reshape((-1, 16))(layers.Conv2D(16, 8, strides=8)(start))
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 8, name='heads')(x, x))
    return Model(start, layers.Dense(classes, activation="softmax")(x))
""",
        encoding="utf-8",
    )
    aware = '{ pass = "fold_batch_norm" }, { pass = "quantize_aware" }'
    said = refused(tmp_path, dataset, OWN + f'[variants.odd]\npasses = [{aware}]\nconvert = {{ format = "int8" }}\n')
    assert said.startswith(
        "variant 'odd': after quantize_aware, the network cannot be converted to int8: "
        "layer 'heads' (MultiHeadAttention): the converted model cannot be run: "
    )
    assert said.endswith("(change the layer, or leave quantize_aware out of this variant)")


@pytest.mark.slow
def test_training_for_int8_that_the_file_will_not_hold_is_refused(tmp_path: Path, dataset: Path) -> None:
    network = "layers.Reshape((4, 8, 32, 3)), layers.Conv3D(4, 3, name='volume'), layers.GlobalAveragePooling3D()"
    recipe = '[variants.odd]\npasses = [{ pass = "quantize_aware" }]\nconvert = { format = "int8" }\n'
    said = refused(tmp_path, dataset, OWN + recipe, network)
    assert said.startswith("variant 'odd': after quantize_aware, the recipe's promise would not be kept: ")
    assert "expected >= 10 % in int8: layer 'volume' is left in float, 99.99 % of the multiply-accumulates: " in said
    assert "tfmot does not quantise Conv3D" in said


@pytest.mark.slow
@pytest.mark.parametrize("aware", [False, True])
def test_a_converter_that_crashes_is_a_line_that_names_the_layer(tmp_path: Path, dataset: Path, aware: bool) -> None:
    network = "layers.Reshape((2, 16, 32, 3)), layers.ConvLSTM2D(4, 3, name='memory'), layers.Flatten()"
    passes, after = ('passes = [{ pass = "quantize_aware" }]\n', "after quantize_aware, ") if aware else ("", "")
    text = f'[variants.odd]\n{passes}convert = {{ format = "int8" }}\n'
    said = refused(tmp_path, dataset, OWN + text, network)
    told = "the network cannot be converted to int8: layer 'memory' (ConvLSTM2D): "
    assert said.startswith(f"variant 'odd': {after}{told}")
    assert "SIGSEGV" in said


def test_each_conversion_is_tried_once() -> None:
    from common.schema.recipe import Recipe
    from jobs.train.look import _trial

    plain = Recipe.model_validate({"convert": {"format": "int8", "calibration_images": 5}})
    pruned = Recipe.model_validate({"passes": ({"pass": "prune"},), "convert": {"format": "int8"}})
    aware = Recipe.model_validate({"passes": ({"pass": "quantize_aware"},), "convert": {"format": "int8"}})
    assert _trial("a", 0, plain) == _trial("a", 0, pruned)
    # What is trained with ranges has operators of its own, however long that takes.
    assert [settings.name for settings in _trial("a", 0, aware).passes] == ["quantize_aware"]
    longer = {"passes": ({"pass": "prune"}, {"pass": "quantize_aware", "epochs": 9, "preserve": "sparsity"})}
    other = {"passes": ({"pass": "prune"}, {"pass": "quantize_aware", "epochs": 3, "preserve": "sparsity"})}
    made = [Recipe.model_validate({**passes, "convert": {"format": "int8"}}) for passes in (longer, other)]
    assert _trial("a", 0, made[0]) == _trial("a", 0, made[1]) != _trial("a", 0, aware)
    half, float_ = (Recipe.model_validate({"convert": {"format": name}}) for name in ("float16", "float32"))
    assert _trial("a", 0, half) == _trial("a", 0, float_)


def test_an_unknown_student_is_told_with_its_variant(tmp_path: Path) -> None:
    text = PLAIN + '[variants.odd]\npasses = [{ pass = "distill", student = { architecture = "mine.tflite" } }]\n'
    with pytest.raises(UsageError, match=r"mine\.tflite: a \.tflite file cannot be trained"):
        write_experiment(tmp_path, text + 'convert = { format = "float32" }\n')
