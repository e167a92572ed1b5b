"""Answers beside the reference's, and the user's own score, through the real runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.artifact import read
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.schema.answers import Answers, Tolerance
from common.schema.inputs import Samples
from common.tflite.ask import Question, answer
from common.trust import VARIABLE
from jobs.evaluate.agreement import agreement, looks_like_classes
from jobs.evaluate.answers import evaluate_answers
from jobs.evaluate.score import limited
from jobs.inputs.stage import sample
from tests.given import TINY, adding, adopted, given_files, lookup, scaled_dense
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor


def evaluated(tmp_path: Path, files: dict[str, bytes], more: str = "") -> dict[str, Answers]:
    experiment = given_files(tmp_path, files, more)
    return asked(experiment, tmp_path, files)


def asked(experiment: LoadedExperiment, tmp_path: Path, names: dict[str, bytes]) -> dict[str, Answers]:
    for name in names:
        adopted(experiment, name, tmp_path / "variants" / name)
    first = next(iter(names))
    sample(experiment, tmp_path / "variants" / first, tmp_path / "inputs")
    found = {}
    for name in names:
        reference = None if name == first else tmp_path / "evaluation" / first
        place = tmp_path / "evaluation" / name
        found[name] = evaluate_answers(experiment, tmp_path / "variants" / name, tmp_path / "inputs", reference, place)
    return found


def test_the_same_file_gives_the_same_answers(tmp_path: Path) -> None:
    found = evaluated(tmp_path, {"a": TINY, "b": TINY})
    assert found["a"].reference is None
    [row] = found["b"].agreement
    assert (row.max_abs, row.mean_abs, row.snr_db, row.not_finite) == (0.0, 0.0, None, 0)
    assert row.cosine == pytest.approx(1.0)
    assert row.top1 is not None and row.top1.value == 1.0
    assert found["b"].finite and not found["b"].constant


def test_a_changed_file_differs_by_what_was_changed(tmp_path: Path) -> None:
    found = evaluated(tmp_path, {"a": scaled_dense(), "b": scaled_dense(bias=0.5)})
    [row] = found["b"].agreement
    assert row.max_abs == pytest.approx(0.5, abs=1e-6)
    assert row.mean_abs == pytest.approx(0.5, abs=1e-6)
    assert row.top1 is None
    assert row.misses(Tolerance(max_abs=0.6)) is None
    assert "max_abs of output out is 0.5, allowed 0.4" in (row.misses(Tolerance(max_abs=0.4)) or "")


def sums(
    names: tuple[str, str, str, str], inputs: tuple[int, ...] = (0, 1), outputs: tuple[int, ...] = (2, 3)
) -> bytes:
    """Inputs [1, 3] and [2, 3], their sum, and the second one again."""
    shapes = ((1, 3), (2, 3), (2, 3), (2, 3))
    tensors = tuple(tensor(name, shape, "FLOAT32") for name, shape in zip(names, shapes, strict=True))
    operators = (operator(0, (0, 1), (2,)), operator(0, (1, 1), (3,)))
    return packed(model([graph(tensors, operators, inputs, outputs)], ["ADD"]))


@pytest.mark.parametrize(
    ("content", "inputs", "outputs"),
    [
        (sums(("a", "a", "y", "y")), ["a", "a_2"], ["y", "y_2"]),
        (sums(("a", "a", "a_2", "a")), ["a", "a_2"], ["a_2", "a"]),
        (sums(("", "", "", "")), ["", "_2"], ["", "_2"]),
        (sums(("a", "b", "y", "z"), outputs=(2, 2)), ["a", "b"], ["y", "y_2"]),
    ],
)
def test_ports_of_one_name_are_told_apart(
    tmp_path: Path, content: bytes, inputs: list[str], outputs: list[str]
) -> None:
    found = evaluated(tmp_path, {"a": content, "b": content})
    samples = read(tmp_path / "inputs" / "inputs.json", Samples)
    assert [(port.name, port.shape) for port in samples.ports] == [(inputs[0], (1, 3)), (inputs[1], (2, 3))]
    assert [(row.name, row.shape, row.max_abs) for row in found["b"].agreement] == [
        (name, (2, 3), 0.0) for name in outputs
    ]


def test_outputs_without_a_value_are_compared(tmp_path: Path) -> None:
    ends = (tensor("in", (1, 0), "FLOAT32"), tensor("out", (1, 0), "FLOAT32"))
    empty = packed(model([graph(ends, (operator(0, (0, 0), (1,)),), (0,), (1,))], ["ADD"]))
    found = evaluated(tmp_path, {"a": empty, "b": empty})
    assert [row.shape for row in found["b"].agreement] == [(1, 0)] and found["b"].agreement[0].max_abs == 0.0


def test_an_operator_that_xnnpack_alone_has_is_asked_there(tmp_path: Path) -> None:
    # SAME, strides of 2: each value becomes a square of 2 by 2.
    made = operator(0, (0, 1, 2), (3,))
    made.customOptions = np.array([1, 2, 2], np.int32).view(np.uint8)
    tensors = (
        tensor("image", (1, 4, 4, 1), "FLOAT32"),
        tensor("weights", (1, 2, 2, 1), "FLOAT32", 1),
        tensor("bias", (1,), "FLOAT32", 2),
        tensor("larger", (1, 8, 8, 1), "FLOAT32"),
    )
    constants = [np.ones(4, np.float32).tobytes(), bytes(4)]
    content = packed(model([graph(tensors, (made,), (0,), (3,))], ["CUSTOM:Convolution2DTransposeBias"], constants))
    evaluated(tmp_path, {"a": content})
    with np.load(tmp_path / "inputs" / "samples.npz") as asked, np.load(tmp_path / "evaluation/a/outputs.npz") as told:
        assert np.allclose(told["output_0"], asked["input_0"].repeat(2, axis=2).repeat(2, axis=3))


def test_an_output_whose_shape_depends_on_the_sample_is_named(tmp_path: Path) -> None:
    ends = (tensor("flags", (6,), "BOOL"), tensor("places", (0, 1), "INT64"))
    content = packed(model([graph(ends, (operator(0, (0,), (1,)),), (0,), (1,))], ["WHERE"]))
    with pytest.raises(EdgeproofError, match="the shape of output 'places' depends on the sample"):
        evaluated(tmp_path, {"a": content})


def test_all_outputs_are_compared(tmp_path: Path) -> None:
    found = evaluated(tmp_path, {"a": adding(), "b": adding()})
    assert [row.name for row in found["b"].agreement] == ["sum", "twice"]


def test_another_name_of_the_output_does_not_matter_but_another_number_does(tmp_path: Path) -> None:
    renamed = scaled_dense(names=("x", "y"))
    found = evaluated(tmp_path, {"a": scaled_dense(), "b": renamed})
    assert found["b"].agreement[0].max_abs == 0.0
    (tmp_path / "other").mkdir()
    with pytest.raises(EdgeproofError, match="b has 2 inputs, but the reference has 1"):
        evaluated(tmp_path / "other", {"a": TINY, "b": adding()})


def test_token_ids_are_answered(tmp_path: Path) -> None:
    found = evaluated(tmp_path, {"a": lookup(), "b": lookup()})
    assert found["b"].agreement[0].max_abs == 0.0


def test_answers_that_are_no_numbers_or_always_the_same_are_told(tmp_path: Path) -> None:
    dead = scaled_dense(0.0)
    nan = scaled_dense(bias=float("nan"))
    found = evaluated(tmp_path, {"a": scaled_dense(), "dead": dead, "nan": nan})
    assert found["dead"].constant and found["dead"].finite
    assert not found["nan"].finite
    assert found["nan"].agreement[0].problem == "some values are no numbers"


def test_a_file_that_ends_the_runtime_is_one_line(tmp_path: Path) -> None:
    """Ids beyond the table: the runtime may refuse them or die, and neither takes this process down."""
    (tmp_path / "a.tflite").write_bytes(lookup(2))
    np.savez(tmp_path / "samples.npz", input_0=np.full((1, 1, 5), 1 << 30, np.int32))
    with pytest.raises(EdgeproofError, match=r"a\.tflite cannot be run: "):
        answer(tmp_path / "a.tflite", Question(tmp_path / "samples.npz", [0], tmp_path / "out.npz"))


SCORE = "def score(outputs, target):\n    return -abs(float(outputs.sum()) - float(target.sum()))\n"
SCORE_ALL = "def score_all(outputs, targets):\n    return -sum(abs(o - t).sum() for o, t in zip(outputs, targets))\n"


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, "1")
    folder = tmp_path / "samples"
    folder.mkdir()
    random = np.random.default_rng(1)
    weights = np.linspace(-1, 1, 12).reshape(3, 4)
    for place in range(40):
        values = random.random(4)
        arrays: dict[str, Any] = {"in": values, "target": weights @ values}
        np.savez(folder / f"{place:02}.npz", **arrays)
    return tmp_path


MORE = '[inputs]\nsource = "samples"\n[evaluate]\nscore = "score.py"'


@pytest.mark.parametrize("text", [SCORE, SCORE_ALL])
def test_a_score_ranks_and_is_paired(samples: Path, text: str) -> None:
    (samples / "score.py").write_text(text)
    found = evaluated(samples, {"a": scaled_dense(), "same": scaled_dense(), "worse": scaled_dense(bias=0.3)}, MORE)
    own, same, worse = (found[name].score for name in ("a", "same", "worse"))
    assert own is not None and own.difference is None and own.differences == ()
    assert same is not None and same.difference == 0.0
    assert worse is not None and worse.difference is not None and worse.difference < 0
    assert len(worse.differences) >= 400
    assert list(worse.differences) == sorted(worse.differences)
    assert worse.differences[-1] < 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def score(outputs, target):\n    return 1 / 0\n", "score.py, line 2: ZeroDivisionError: division by zero"),
        ("def score(outputs, target):\n    return float('nan')\n", "score gave nan"),
        ("def other():\n    pass\n", "has no function score(outputs, target)"),
        ("this is no python", "score.py"),
    ],
)
def test_a_score_that_fails_is_one_line_with_its_line(samples: Path, text: str, said: str) -> None:
    (samples / "score.py").write_text(text)
    with pytest.raises(UsageError) as caught:
        evaluated(samples, {"a": scaled_dense()}, MORE)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_score_that_never_ends_is_ended(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = ("while True:", "    try:", "        pass", "    except Exception:", "        pass")
    text = "def score(outputs, target):\n" + "".join(f"    {line}\n" for line in body)
    (samples / "score.py").write_text(text)
    monkeypatch.setattr("jobs.evaluate.answers.limited", lambda: limited(1))
    with pytest.raises(UsageError, match="took longer than"):
        evaluated(samples, {"a": scaled_dense()}, MORE)


def test_what_a_score_prints_is_nobodys(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (samples / "score.py").write_text("def score(outputs, target):\n    print('\\x1b[2J')\n    return 1.0\n")
    evaluated(samples, {"a": scaled_dense()}, MORE)
    assert "\x1b" not in capsys.readouterr().out


def test_agreeing_on_one_class_says_nothing() -> None:
    reference = np.array([[[0.9, 0.1]], [[0.8, 0.2]]], np.float32)
    row = agreement("x", "float32", reference, reference)
    assert row.one_class and row.top1 is None
    assert "one class for every sample" in (row.misses(Tolerance(top1=0.5)) or "")


def test_a_score_is_not_run_without_trust(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    (samples / "score.py").write_text("from pathlib import Path\nPath('ran').touch()\n" + SCORE)
    monkeypatch.chdir(samples)
    with pytest.raises(UsageError, match="TRUST=1"):
        evaluated(samples, {"a": scaled_dense()}, MORE)
    assert not (samples / "ran").exists()


def test_scores_of_classes_are_known_by_their_sum() -> None:
    probabilities = np.array([[[0.2, 0.8]], [[0.5, 0.5]]], np.float32)
    assert looks_like_classes(probabilities)
    assert not looks_like_classes(probabilities * 3)
    assert not looks_like_classes(probabilities - 0.5)
    assert not looks_like_classes(probabilities[:, 0])


def test_figures_of_an_output_by_hand() -> None:
    reference = np.array([[3.0, 4.0], [0.0, 1.0]], np.float32)
    mine = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
    row = agreement("x", "float32", mine, reference)
    assert (row.max_abs, row.mean_abs) == (1.0, 0.25)
    # Energy 26 over 1.
    assert row.snr_db == pytest.approx(14.1497, abs=1e-3)
    # The second has no direction; the first has the reference's.
    assert row.cosine == pytest.approx(1.0)
    assert "its shape is [1]" in (agreement("x", "float32", mine[:, :1], reference).problem or "")
