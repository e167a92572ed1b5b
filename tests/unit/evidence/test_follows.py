"""Each stage's own check: one figure of its artifact changed, and the place is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.artifact import file_ref, read, write_model
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.schema.answers import Answers, Score
from common.schema.evidence import Finding, Followed
from common.schema.tflite import AskedRuntime, Refusal
from common.schema.variant import Variant
from jobs.benchmark.follows.check import follows as latencies
from jobs.choose.follows import follows as verdicts
from jobs.dataset.follows import follows as card
from jobs.evaluate.follows import follows as answers
from jobs.evaluate.score import of_values
from jobs.inspect.follows import follows as files
from jobs.report.follows import experiment_path
from jobs.report.follows import follows as report
from tests.unit.evidence.conftest import Packed

Follows = Callable[[Path, LoadedExperiment], tuple[list[Finding], Followed]]
Case = tuple[Follows, str, tuple[str | int, ...], Any, str]
CHECKS: tuple[Follows, ...] = (files, report, latencies, verdicts, answers, card)


@pytest.fixture
def run(with_images: Packed, tmp_path: Path) -> Path:
    """A copy of the run."""
    shutil.copytree(with_images.whole.run, tmp_path / "run")
    return tmp_path / "run"


def change(path: Path, *place: str | int, to: Any) -> None:
    """Write another value into a JSON file."""
    document = json.loads(path.read_bytes())
    inside = document
    for step in place[:-1]:
        inside = inside[step]
    assert inside[place[-1]] != to
    inside[place[-1]] = to
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def said(check: Follows, run: Path, packed: Packed) -> str:
    return "\n".join(found.text for found in check(run, packed.whole.experiment)[0])


def test_nothing_is_found_in_a_run(with_images: Packed) -> None:
    for check in CHECKS:
        found, followed = check(with_images.whole.run, with_images.whole.experiment)
        assert found == [] and followed.figures > 0


@pytest.mark.parametrize(
    "case",
    [
        (answers, "evaluation/v01/evaluation.json", ("accuracy", "low"), 0.5, ": .accuracy.low is 0.5, but"),
        (answers, "evaluation/v02/evaluation.json", ("mcnemar", "p_value"), 0.01, ": .mcnemar.p_value is 0.01"),
        (answers, "evaluation/v02/evaluation.json", ("classes",), ["a", "b"], ": .classes[0] is a, but fire follows"),
        (files, "variants/v01/variant.json", ("operators", "FULLY_CONNECTED"), 3, ".operators.FULLY_CONNECTED is 3"),
        (files, "variants/v01/variant.json", ("tensors", 0, "zeros"), 0.5, "].zeros is 0.5"),
        (files, "variants/v01/variant.json", ("deflated_bytes",), 1000, ".deflated_bytes is 1000"),
        (verdicts, "best/choice.json", ("fastest",), None, ".fastest is nothing"),
        (verdicts, "best/choice.json", ("judgement", "speeds", 0, "verdict"), "slower", ".verdict is slower"),
        (verdicts, "best/choice.json", ("recommendation", 0), "Ship it.", ".recommendation[0] is Ship it."),
        (verdicts, "best/choice.json", ("provenance", "inputs", 0, "sha256"), "0" * 64, "provenance.inputs[0].sha256"),
        (card, "dataset/dataset.json", ("train", "per_class", 0), 1, "train.per_class[0] is 1"),
        (card, "dataset/dataset.json", ("duplicates", "near_groups"), 77, "duplicates.near_groups is 77"),
        (latencies, "benchmark/one/benchmark.json", ("rows", 0, "result", "latency_us"), 1.5, ".latency_us is 1.5"),
        (latencies, "benchmark/one/benchmark.json", ("noise", 0, "floor"), 0.5, "].floor is 0.5"),
        (latencies, "benchmark/two/benchmark.json", ("warnings",), [], "the length of benchmark/two/benchmark.json"),
        (latencies, "benchmark/two/benchmark.json", ("settings", "num_runs"), 7, ".settings.num_runs is 7"),
        (report, "report/results.json", ("title",), "Other", ".title is Other, but Whole follows"),
        (report, "report/results.json", ("reproduce",), ["rm -rf /"], ".reproduce"),
        (report, "report/results.json", ("provenance", -1, "duration_s"), 1.0, "provenance of the report: duration_s"),
        (report, "report/results.json", ("provenance", -1, "seed"), 6, "provenance of the report: seed is 6"),
        (report, "report/results.json", ("warnings",), ["All is well."], ".warnings"),
    ],
)  # fmt: skip
def test_a_changed_figure_is_named(with_images: Packed, run: Path, case: Case) -> None:
    check, name, place, value, told = case
    change(run / name, *place, to=value)
    assert told in said(check, run, with_images)


def test_another_build_of_zlib_is_said_and_no_fault(with_images: Packed, run: Path) -> None:
    path = run / "variants" / "v01" / "variant.json"
    stated = read(path, Variant)
    assert stated.proof is not None
    size = {"deflated_bytes": stated.deflated_bytes + 1}
    write_model(path, stated.model_copy(update=size | {"proof": stated.proof.model_copy(update=size)}))
    found, followed = files(run, with_images.whole.experiment)
    assert found == []
    assert any("zlib" in note for note in followed.notes)


def test_what_another_machine_said_of_xnnpack_is_taken_as_it_stands_and_named(with_images: Packed, run: Path) -> None:
    path = run / "variants" / "v01" / "variant.json"
    stated = read(path, Variant)
    assert stated.proof is not None
    runtime = AskedRuntime(runtime="ai-edge-litert 9", machine="riscv64", rules=stated.proof.source.rules)
    refusals = tuple(each.model_copy(update={"taken": False}) for each in stated.proof.refusals)
    asked = stated.proof.model_copy(update={"xnnpack": runtime, "refusals": refusals})
    write_model(path, stated.model_copy(update={"proof": asked}))
    found, followed = files(run, with_images.whole.experiment)
    assert found == []
    assert any("ai-edge-litert 9" in note for note in followed.notes)
    more = Refusal(operator="NEG", reason="made up", count=1, taken=False)
    forged = asked.model_copy(update={"refusals": (*refusals, more)})
    write_model(path, stated.model_copy(update={"proof": forged}))
    assert ".proof" in said(files, run, with_images)


def test_a_label_that_the_list_does_not_have(with_images: Packed, run: Path) -> None:
    path = run / "dataset" / "test_labels.npy"
    labels = np.load(path)
    labels[3] = 1 - labels[3]
    np.save(path, labels)
    with pytest.raises(UsageError, match="was changed after its stage wrote it"):
        card(run, with_images.whole.experiment)
    ref = file_ref(path, run / "dataset").model_dump()
    change(run / "dataset" / "dataset.json", "test", "labels", to=ref)
    assert f"the label of test image 3 is {labels[3]}, but {1 - labels[3]} follows" in said(card, run, with_images)


def test_a_score_follows_from_those_of_the_samples(with_samples: Packed, tmp_path: Path) -> None:
    run, experiment = tmp_path / "run", with_samples.whole.experiment
    shutil.copytree(with_samples.whole.run, run)
    values = {name: np.linspace(0.1 * place, 1, 16) for place, name in enumerate(experiment.settings.variants, 1)}
    for name, own in values.items():
        folder = run / "evaluation" / name
        np.save(folder / "scores.npy", own)
        score = Score(function="score", source_sha256="0" * 64, value=float(own.mean()))
        if name != "baseline":
            made = of_values(own, values["baseline"], experiment.settings.seed)
            score = score.model_copy(update={"difference": made.difference, "differences": made.differences})
        kept = score.model_copy(update={"values": file_ref(folder / "scores.npy", folder)})
        path = folder / "evaluation.json"
        write_model(path, read(path, Answers).model_copy(update={"score": kept}))
    found, followed = answers(run, experiment)
    assert found == [] and followed.notes
    change(run / "evaluation" / "v01" / "evaluation.json", "score", "differences", 7, to=0.25)
    assert ".score.differences[7] is 0.25" in said(answers, run, with_samples)


def test_the_experiment_is_called_as_its_commands_call_it() -> None:
    assert experiment_path(("make all EXPERIMENT=experiments/demo.toml",), "demo") == "experiments/demo.toml"
    assert experiment_path(("make all EXPERIMENT=/tmp/evil.toml",), "demo") == "demo.toml"
    assert experiment_path(("make all 'EXPERIMENT=a b/demo.toml' X=1",), "demo") == "a b/demo.toml"
    assert experiment_path(("make all 'EXPERIMENT=",), "demo") == "demo.toml"
    assert experiment_path((), "demo") == "demo.toml"
