"""The page of a search of a file: it says what its answers are judged by, and nothing of images or training."""

from pathlib import Path

import pytest

from common.artifact import read, write_model
from common.schema.search_result import SearchResult
from jobs.search.told import told
from tests.unit.report.searched_file import MIXED, searched_file
from tests.unit.report.test_search import shown


def test_a_tolerance_is_what_may_be_taken() -> None:
    found = shown(searched_file())
    text = found.all_text
    assert f"Ship shown to keep {MIXED} The same file in other numbers: all in int8, calibrated" in text
    assert "2 operators in float32" in text
    assert "40 % of the tolerance taken" in text and "20 % of the tolerance taken on 22 samples that it had not" in text
    assert "its samples nothing in the search has seen" in text
    assert "image" not in text and "rained" not in text
    row = found.table("Finalists, as they were chosen and as they were measured again").row(MIXED)
    assert row[1] == "40 %" and row[3:6] == ["20 %", "22", "shown to keep recommended"]
    assert found.table("Every candidate").row("quantised_dynamic_wi8_afp32")[4] == "beyond it"
    assert found.table("Settings of the search").row("Accuracy budget") == ["the tolerance"]
    groups = found.table("Groups of operators of quantised_static_wi8_ai8")
    assert [row[1:] for row in groups.body] == [
        ["float32", "1 operator a/Relu;a/Conv2D"],
        ["float32", "1 operator b/MatMul"],
        ["static_wi8_ai8", "1 operator c"],
    ]


def test_a_score_is_what_may_be_lost() -> None:
    text = shown(searched_file("score")).all_text
    assert "a score 0.01 lower when it was chosen" in " ".join(told(searched_file("score"), Path("run")))
    assert "Score lost" in text and "image" not in text


@pytest.mark.parametrize("basis", ["agreement", "score"])
def test_it_is_kept_in_a_file(tmp_path: Path, basis: str) -> None:
    result = searched_file(basis)  # type: ignore[arg-type]
    write_model(tmp_path / "search.json", result)
    assert read(tmp_path / "search.json", SearchResult) == result
    lines = list(told(result, tmp_path))
    assert not any("never trained" in line for line in lines) and any(MIXED in line for line in lines)
