"""A search of a finished file: what it needs, what it looks through, and how answers are weighed."""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from common.errors import UsageError
from common.experiment import LoadedExperiment, load
from common.proportion import wilson
from common.schema.answers import BEYOND, Answers, OutputAgreement, Tolerance
from common.schema.base import FileRef
from common.schema.evaluation import McNemar
from common.schema.given import FromFile
from common.schema.search import Search
from common.schema.search_result import Compared, loss
from common.schema.variant import Validation
from jobs.search import space
from jobs.search.answered import basis, compared, counted
from jobs.search.fates import Ways, outcomes
from jobs.search.files import EVERY, Files, formats
from jobs.search.runs import SCREENING, Runs
from tests.given import TINY
from tests.unit.report import factories as f

REFERENCE = '[variants.float]\nfile = "mine.tflite"\npixels = [-1.0, 1.0]\n'
TOLERANT = '[inputs]\nsource = "samples"\n[evaluate]\ntolerance = { max_abs = 0.1 }\n'


def experiment(folder: Path, more: str = TOLERANT, content: bytes = TINY) -> LoadedExperiment:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.tflite").write_bytes(content)
    path = folder / "files.toml"
    path.write_text(f'title = "Files"\nreference = "float"\n{more}{REFERENCE}', encoding="utf-8")
    return load(path)


def quantised(content: bytes) -> bytes:
    from common.schema.given import FileConvert
    from common.tflite.parts import by_output
    from common.tflite.quantizer import Quantization, quantized

    wanted = Quantization(FileConvert(format="weight_only_wi8_afp32"), by_output(content))
    return quantized("tiny", content, wanted, None)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "a search of files needs samples, or images with labels"),
        ('[inputs]\nsource = "samples"\n', "needs something to judge by"),
        ('[data]\nsource = "photos"\nvalidation_share = 0.2\ntest_share = 0.0\n', "test images that it never sees"),
        (TOLERANT + '[search]\nformats = ["int8", "float16"]\n', "formats has none for files: dynamic_wi8_afp32, "),
    ],
)
def test_what_cannot_be_searched_is_refused(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Files.require(experiment(tmp_path, more))


def test_a_file_that_is_quantised_already_is_refused(tmp_path: Path) -> None:
    Files.require(experiment(tmp_path))
    with pytest.raises(UsageError, match=r"mine\.tflite has no kernel of real numbers left to quantise"):
        Files.require(experiment(tmp_path, content=quantised(TINY)))


def test_a_reference_is_a_network_or_a_finished_file(tmp_path: Path) -> None:
    made = experiment(tmp_path).settings
    source = FromFile.model_validate({"from": "a.tflite", "convert": {"format": "weight_only_wi8_afp32"}})
    other = LoadedExperiment("a", "0" * 64, made.model_copy(update={"variants": {"float": source}}), tmp_path)
    with pytest.raises(UsageError, match="a recipe for a trained network, or a finished file, as the reference"):
        Files.require(other)


def test_a_file_is_looked_at_in_every_format_unless_some_are_named() -> None:
    assert formats(Search()) == EVERY
    assert formats(Search(formats=("int8", "static_wi8_ai8"))) == ("static_wi8_ai8",)
    found = space.quantised("a.tflite", (-1.0, 1.0), EVERY)
    assert [one.name for one in found] == [f"quantised_{number}" for number in EVERY]
    assert all(one.same_network and not one.trains and one.recipe.pixels == (-1.0, 1.0) for one in found)  # type: ignore[union-attr]
    left = space.left_in_float(found[-1], "float_0", ("a/Relu;a/Conv2D",))
    assert isinstance(left.recipe, FromFile) and left.recipe.convert.layers == {"a/Relu;a/Conv2D": "float32"}
    assert left.recipe.source == "a.tflite" and left.name == "float_0_static_wi8_ai16"


def test_steps_choose_on_some_samples_and_what_is_found_is_judged_on_others(tmp_path: Path) -> None:
    more = '[inputs]\nsource = "samples"\n[evaluate]\nscore = "score.py"\ntargets = "targets"\n'
    made = experiment(tmp_path / "mine", more)
    runs = Runs(["make"], made, (tmp_path / "mine" / "files.toml").read_bytes(), tmp_path / "run")
    one = space.quantised(runs.led_home("mine.tflite"), None, ("static_wi8_ai8",))[0]
    one = space.left_in_float(one, "float_0", ("a.b/c[1];d",))
    for name, benchmark in (("step", SCREENING), ("found", None)):
        text = runs.text({one.name: one.recipe}, name, benchmark)
        (tmp_path / "run" / "search").mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / "search" / f"{name}.toml").write_bytes(text)
        written = load(tmp_path / "run" / "search" / f"{name}.toml")
        settings = written.settings
        assert settings.variants[one.name] == one.recipe and not settings.has_images
        assert settings.evaluate.part == ("choose" if benchmark else "judge")
        for path, wanted in (
            (settings.inputs.source, "samples"),
            (settings.evaluate.score, "score.py"),
            (settings.evaluate.targets, "targets"),
            (tomllib.loads(text.decode())["variants"]["float"]["file"], "mine.tflite"),
            (one.recipe.source, "mine.tflite"),  # type: ignore[union-attr]
        ):
            assert (written.folder / str(path)).resolve() == tmp_path / "mine" / wanted


@pytest.mark.parametrize("name", ["a" * 5000, "a." * 400, "\x01" * 2000, "[" * 400, 'quo"te\n', "long/" * 50])
def test_whatever_an_operator_is_called_an_experiment_names_it(tmp_path: Path, name: str) -> None:
    made = experiment(tmp_path / "mine")
    runs = Runs(["make"], made, (tmp_path / "mine" / "files.toml").read_bytes(), tmp_path)
    one = space.left_in_float(space.quantised("mine.tflite", None, EVERY)[0], "float_0", (name,))
    path = tmp_path / "step.toml"
    path.write_bytes(runs.text({one.name: one.recipe}, "a step", SCREENING))
    assert load(path).settings.variants[one.name] == one.recipe
    (pattern,) = one.recipe.convert.layers
    assert fnmatchcase(name, pattern)


def test_labels_go_before_a_score_and_a_score_before_a_tolerance(tmp_path: Path) -> None:
    assert basis(experiment(tmp_path).settings) == "agreement"
    scored = '[inputs]\nsource = "s"\n[evaluate]\nscore = "a.py"\ntolerance = { cosine = 0.9 }\n'
    assert basis(experiment(tmp_path, scored).settings) == "score"
    assert basis(experiment(tmp_path, '[data]\nsource = "photos"\n').settings) == "accuracy"
    assert basis(experiment(tmp_path, "").settings) == "cost"


def test_right_answers_are_counted_beside_the_references() -> None:
    plain = f.evaluation("float", 290).model_copy(update={"count": 50, "accuracy": wilson(40, 50), "mcnemar": None})
    assert counted(plain) == Validation(images=50, right=40, lost=0, won=0)
    beside = McNemar(reference="float", only_reference_right=5, only_variant_right=2, p_value=0.5)
    other = plain.model_copy(update={"accuracy": wilson(37, 50), "mcnemar": beside})
    assert counted(other) == Validation(images=50, right=40, lost=5, won=2)
    assert loss(counted(other), counted(plain)) == 0.06


def row(**figures: Any) -> OutputAgreement:
    return OutputAgreement(name="out", shape=(2,), dtype="float32", **figures)


def answers(*rows: OutputAgreement, reference: str | None = "float", finite: bool = True) -> Answers:
    ref = FileRef(path="outputs.npz", sha256="0" * 64, size_bytes=1)
    return Answers(
        provenance=f.provenance("evaluate"), variant="a", model_sha256="0" * 64, reference=reference, count=30,
        drawn=False, agreement=rows, score=None, finite=finite, constant=False, outputs=ref,
    )  # fmt: skip


def test_the_worst_output_takes_most_of_a_tolerance() -> None:
    tolerance = Tolerance(max_abs=0.1)
    assert compared(answers(row(max_abs=0.02), row(max_abs=0.05)), tolerance) == Compared(samples=30, lost=0.5)
    assert compared(answers(reference=None), tolerance).lost == 0
    assert compared(answers(row(max_abs=0.0), finite=False), tolerance).lost == BEYOND
    broken = OutputAgreement(name="out", shape=(), dtype="", problem="the file has no such output")
    assert compared(answers(broken), tolerance).lost == BEYOND


FIGURES = st.fixed_dictionaries(
    {
        "max_abs": st.floats(0, 2),
        "mean_abs": st.floats(0, 2),
        "snr_db": st.floats(-20, 60),
        "cosine": st.floats(-1, 1),
        "top1": st.integers(0, 20).map(lambda right: wilson(right, 20)),
    }
)


@drawn(FIGURES, st.sampled_from(["max_abs", "mean_abs", "snr_db", "cosine", "top1"]), st.floats(0, 1))
def test_more_than_all_is_taken_where_a_bound_does_not_hold(figures: dict[str, Any], name: str, bound: float) -> None:
    found, tolerance = row(**figures), Tolerance(**{name: bound})
    value = figures[name].value if name == "top1" else figures[name]
    if not np.isclose(value, bound, atol=1e-9):
        assert (found.taken(tolerance) > 1) == (found.misses(tolerance) is not None)


def test_nothing_of_a_file_is_beaten_before_training() -> None:
    every = space.quantised("a.tflite", None, EVERY[:3])
    ways = Ways({}, {every[0].name: "no signature"}, {}, frozenset(), (), {}, 0)
    assert [one.fate for one in outcomes(every, ways)] == ["failed", "not reached", "not reached"]
