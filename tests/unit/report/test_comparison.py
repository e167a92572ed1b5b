"""A report that has in it what changed beside another run."""

from pathlib import Path

import pytest

from common.artifact import write_model
from common.errors import UsageError
from common.schema.results import Results
from jobs.report.page import build
from jobs.report.render import render
from jobs.report.stage import rerender
from tests.unit.compare.runs import another, compared, results, side, slower
from tests.unit.report import factories as f
from tests.unit.report.rich import SCRIPT, hostile

LAST = f.NAMES[-1]
BASE = results()
HEAD = another(slower(BASE, 2.0, LAST), LAST)


def rendered(base: Results, head: Results) -> dict[str, str]:
    document = build(head, None, compared(base, head))
    return {file.name: file.content.decode() for file in render(document) if file.name.startswith("report.")}


def test_what_changed_stands_behind_the_decision() -> None:
    for text in rendered(BASE, HEAD).values():
        # In HTML the contents name them before.
        places = [text.rindex(word) for word in ("Decision", "Beside the base", "Is the measurement sound")]
        assert places == sorted(places)
        assert "spread between sessions" in text and "2 slower" in text and "assumed" in text
    page = rendered(BASE, HEAD)["report.html"]
    table = page[page.index("Latencies, what changed first") :]
    assert table.index(f"▼ {LAST}") < table.index("= baseline")


def test_a_report_without_a_comparison_has_none() -> None:
    assert all("Beside the base" not in file.content.decode() for file in render(build(HEAD, None))[:2])


def test_words_from_outside_are_text() -> None:
    target = hostile().targets[0].model_copy(update={"facts": ((f"x{SCRIPT}", SCRIPT),)})
    found = rendered(hostile(), hostile().model_copy(update={"targets": (target,)}))
    assert "<script>window" not in found["report.html"] and "<img src=x" not in found["report.html"]
    assert "\\<script\\>window" in found["report.md"] and "\u202e" not in found["report.md"]


def test_a_comparison_of_another_run_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "results.json", HEAD)
    write_model(tmp_path / "compare.json", compared(side(BASE), side(HEAD)))
    with pytest.raises(UsageError, match=r"the head \(sha256\) of .*compare.json is"):
        rerender(tmp_path / "results.json", tmp_path / "out", tmp_path / "compare.json")
