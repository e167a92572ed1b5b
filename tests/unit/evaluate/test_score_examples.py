"""The scores that docs/files.md shows, run as they stand there on tiny models."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.provenance import ROOT
from common.schema.answers import Answers
from common.trust import VARIABLE
from tests.given import detector, segmenter
from tests.unit.evaluate.test_answers import evaluated

MORE = '[inputs]\nsource = "samples"\n[evaluate]\nscore = "score.py"'


def example(function: str) -> str:
    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    [found] = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if f"def {function}(" in code]
    return str(found)


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, "1")
    # The functions are tried here; that there are enough resamples for an interval is a matter of test_answers.
    monkeypatch.setattr("jobs.evaluate.score.RESAMPLES_OF_ALL", 20)
    (tmp_path / "samples").mkdir()
    return tmp_path


def scores(found: dict[str, Answers]) -> dict[str, float]:
    return {name: answers.score.value for name, answers in found.items() if answers.score is not None}


def test_segmentation(samples: Path) -> None:
    (samples / "score.py").write_text(example("score"), encoding="utf-8")
    for place in range(12):
        truth = np.random.default_rng(place).integers(0, 3, (4, 4))
        arrays: dict[str, Any] = {"scores": np.eye(3)[truth][None], "target": truth}
        np.savez(samples / "samples" / f"{place:02}.npz", **arrays)
    found = scores(evaluated(samples, {"right": segmenter(), "wrong": segmenter(2.0)}, MORE))
    # Where the first class always wins, its intersection is its share of the pixels and the others' is nothing.
    assert found["right"] == 1.0
    assert 0 < found["wrong"] < 0.25


def test_detection(samples: Path) -> None:
    (samples / "score.py").write_text(example("score_all"), encoding="utf-8")
    for place in range(6):
        random = np.random.default_rng(place)
        boxes = np.concatenate([random.uniform(0, 50, (2, 2)), random.uniform(20, 40, (2, 2))], axis=1)
        kinds = np.array([1.0, 2.0])
        arrays: dict[str, Any] = {
            "boxes_in": boxes[None],
            "scores_in": random.random((1, 2)),
            "classes_in": kinds[None],
        }
        target = np.concatenate([boxes, kinds[:, None]], axis=1)
        np.savez(samples / "samples" / f"{place:02}.npz", **arrays, target=target)
    found = evaluated(samples, {"right": detector(), "near": detector(3.0), "off": detector(60.0)}, MORE)
    assert scores(found)["right"] == pytest.approx(1.0)
    assert 0.1 < scores(found)["near"] < 0.9
    assert scores(found)["off"] == pytest.approx(0.0)
    off = found["off"].score
    assert off is not None and off.differences[-1] < -0.5
