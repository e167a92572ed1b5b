"""`make search` of a finished file: its formats, chosen on some samples and judged on others, without any training."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.artifact import read
from common.experiment import load
from common.samples import read_arrays, read_calibrating
from common.schema.answers import Answers
from common.schema.dataset import Dataset
from common.schema.evaluation import Evaluation
from common.schema.given import FromFile
from common.schema.inputs import Samples
from common.schema.search_result import SearchResult
from common.schema.variant import Validation, Variant
from tests.e2e.conftest import Make, kill_search
from tests.given import TINY
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SAMPLES = 66
# Over soon, and long enough that latencies can be ranked.
BENCHMARK = """\
[benchmark]
backends = ["xnnpack"]
rounds = 2
most_rounds = 2
num_runs = 5
min_secs = 0.02
warmup_min_secs = 0.02
"""
EXPERIMENT = 'title = "A file"\nreference = "float"\n{}[variants.float]\nfile = "mine.tflite"\n'


def classifier() -> bytes:
    """An image [1, 32, 32, 3] to two numbers, whose file has no signature."""
    weights = np.random.default_rng(1).normal(size=(2, 32 * 32 * 3)).astype(np.float32)
    tensors = (
        tensor("image", (1, 32, 32, 3), "FLOAT32"),
        tensor("sides", (2,), "INT32", 1),
        tensor("flat", (1, 3072), "FLOAT32"),
        tensor("weights", (2, 3072), "FLOAT32", 2),
        tensor("answer", (1, 2), "FLOAT32"),
    )
    steps = (operator(0, (0, 1), (2,)), operator(1, (2, 3, -1), (4,)))
    buffers = [np.array([1, 3072], np.int32).tobytes(), weights.tobytes()]
    return packed(model([graph(tensors, steps, (0,), (4,))], ["RESHAPE", "FULLY_CONNECTED"], buffers))


def written(folder: Path, more: str, content: bytes = TINY) -> Path:
    (folder / "mine.tflite").write_bytes(content)
    (folder / "files.toml").write_text(EXPERIMENT.format(more + BENCHMARK), encoding="utf-8")
    return folder / "files.toml"


def sampled(folder: Path, count: int = SAMPLES) -> Path:
    (folder / "samples").mkdir()
    for place in range(count):
        values = np.random.default_rng(place).random((8, 8, 3)).astype(np.float32)
        np.save(folder / "samples" / f"{place:03d}.npy", values)
    return written(folder, '[inputs]\nsource = "samples"\n[evaluate]\ntolerance = { max_abs = 0.2 }\n')


def rows(arrays: list[np.ndarray]) -> set[bytes]:
    return {row.tobytes() for row in arrays[0]}


def test_a_search_that_is_killed_goes_on_and_judges_on_samples_that_it_never_saw(make: Make, tmp_path: Path) -> None:
    experiment, home = sampled(tmp_path), tmp_path / "run" / "search"
    kill_search(experiment, tmp_path / "run", "groups")
    ledger = (home / "formats" / "benchmark" / "host" / "ledger.jsonl").read_bytes()

    said = make("search", EXPERIMENT=experiment, RUN=tmp_path / "run").stdout
    assert (home / "formats" / "benchmark" / "host" / "ledger.jsonl").read_bytes() == ledger
    found = read(home / "search.json", SearchResult)
    assert [step.name for step in found.steps][:2] == ["formats", "groups"] and found.basis == "agreement"
    assert len([one for one in found.outcomes if one.candidate.structure == "quantised"]) == 6
    assert found.mixed is not None and found.mixed.base in {one.candidate.name for one in found.outcomes}
    # What was chosen on, what calibrated and what judged are three parts.
    cards = {step: read(home / step / "inputs" / "inputs.json", Samples) for step in ("formats", "found")}
    asked = {step: rows(read_arrays(home / step / "inputs", card)) for step, card in cards.items()}
    calibrating = {step: rows(read_calibrating(home / step / "inputs", card)) for step, card in cards.items()}
    assert calibrating["formats"] == calibrating["found"]
    assert len(asked["formats"] | asked["found"] | calibrating["found"]) == SAMPLES
    assert sum(map(len, (asked["formats"], asked["found"], calibrating["found"]))) == SAMPLES
    for one in found.finalists:
        assert one.confirmed is not None and one.confirmed.lost is not None
        name, samples = one.candidate.name, one.confirmed.lost.samples
        assert samples == len(asked["found"])
        assert read(home / "found" / "evaluation" / name / "evaluation.json", Answers).count == samples
        # The very bytes that were measured when it was chosen.
        kept = read(home / "found" / "variants" / name / "variant.json", Variant).model.sha256
        steps = [path for path in home.glob(f"*/variants/{name}/variant.json") if "found" not in path.parts]
        assert {read(path, Variant).model.sha256 for path in steps} == {kept}
        assert f"{name} (the same file in other numbers)" in said
    assert "never trained" not in said and not (home / "found" / "train").exists()
    page = (home / "found" / "report" / "report.html").read_text(encoding="utf-8")
    assert "Calibrated on these very samples" not in page

    stamps = {path: path.stat().st_mtime_ns for path in home.rglob("*.tflite")}
    make("search", EXPERIMENT=experiment, RUN=tmp_path / "run")
    again = read(home / "search.json", SearchResult)
    assert (again.outcomes, again.found) == (found.outcomes, found.found)
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*.tflite")} == stamps
    made = load(home / "found.toml").settings.variants
    assert all(isinstance(made[name], FromFile) for name in found.found)
    assert "Nothing to do" in make("all", EXPERIMENT=home / "found.toml", RUN=home / "found").stdout


def test_a_classifier_is_chosen_on_validation_images_and_judged_on_test_images(make: Make, tmp_path: Path) -> None:
    photos, drawn = tmp_path / "photos", np.random.default_rng(3)
    for name in ("cat", "dog"):
        (photos / name).mkdir(parents=True)
        for place in range(75):
            Image.fromarray(drawn.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(photos / name / f"{place}.png")
    shares = "[data]\nvalidation_share = 0.3\ntest_share = 0.4\n"
    search = '[choose]\nmargin = 0.5\n[search]\nformats = ["dynamic_wi8_afp32", "static_wi8_ai8"]\n'
    experiment, home = written(tmp_path, shares + search, classifier()), tmp_path / "run" / "search"
    make("search", EXPERIMENT=experiment, RUN=tmp_path / "run", DATA=photos)
    found = read(home / "search.json", SearchResult)
    card = read(home / "found" / "dataset" / "dataset.json", Dataset)
    assert found.basis == "accuracy" and card.test is not None
    dynamic, static = found.outcomes
    assert dynamic.screened is not None and isinstance(dynamic.screened.validation, Validation)
    assert dynamic.screened.validation.images == card.validation.count
    assert static.fate == "failed" and "has no signature" in str(static.problem)
    assert [one.candidate.name for one in found.finalists] == [dynamic.candidate.name]
    for one in found.finalists:
        assert one.confirmed is not None and one.confirmed.accuracy is not None
        assert one.confirmed.accuracy.total == card.test.count
        name = one.candidate.name
        assert read(home / "found" / "evaluation" / name / "evaluation.json", Evaluation).split == "test"


@pytest.mark.parametrize(
    ("count", "told"), [(0, "holds no samples"), (39, "39 different samples, and a search needs 40")]
)
def test_too_few_samples_are_one_line(make: Make, tmp_path: Path, count: int, told: str) -> None:
    refused = make("search", check=False, EXPERIMENT=sampled(tmp_path, count), RUN=tmp_path / "run")
    assert refused.returncode == 2 and refused.stdout.count(told) == 1
    assert "Traceback" not in refused.stdout
