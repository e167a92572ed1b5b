"""The summary fits a pull request whatever the run is."""

import re

import pytest

from common.schema.outcome import Unsupported
from common.schema.results import Results
from common.summary import MOST_BYTES, MOST_LINES, Summary, Table, markdown
from jobs.report.summary import summary_md
from tests.large_results import enlarge
from tests.unit.report import factories as f
from tests.unit.report.rich import hostile, rich


def large(results: Results, variants: int) -> Results:
    """Many variants on three devices; of settings in which only some were measured none."""
    whole = tuple(item for item in results.measurements if item.backend != "gpu")
    return enlarge(results.model_copy(update={"measurements": whole}), variants)


def within(text: bytes) -> str:
    assert len(text) <= MOST_BYTES and text.count(b"\n") <= MOST_LINES
    return text.decode()


def test_the_verdict_comes_first_and_the_full_table_is_folded() -> None:
    told = within(summary_md(rich()))
    marker, verdict, blank, head, *_ = told.splitlines()
    assert marker == "<!-- edgeproof summary of demo -->"
    assert verdict.startswith("**Ship: pruned dynamic range (tentative).** Its speed is shown")
    assert blank == "" and head.startswith("| Variant | Verdict |")
    shown, _, folded = told.partition("<details>")
    rows = [row.split(" | ")[0] for row in shown.splitlines()[5:8]]
    assert rows == ["| pruned dynamic range", "| baseline, reference", "| float16"]
    assert all(variant.label in folded for variant in rich().variants) and folded.count("\n| ") == 7
    assert "![" not in told


def test_why_a_file_has_no_latency_is_told() -> None:
    refused = Unsupported(reason="this device starts no Arm program")
    emulator = f.host("emulator", functional_only=True)
    measured = [f.measurement(name, refused, target="emulator") for name in f.NAMES]
    told = within(summary_md(f.results(measurements=measured, targets=(emulator,), choice=None)))
    assert "- baseline: unsupported: this device starts no Arm program" in told
    assert "- emulator is functional only" in told


@pytest.mark.parametrize("variants", [20, 300])
def test_it_has_bounds_at_any_size(variants: int) -> None:
    told = within(summary_md(large(rich(), variants)))
    assert "in 12 settings; everything else is in report.html" in told and told.endswith("</details>\n")
    rows = told.partition("<details>")[2].count("\n| ") - 2
    left = re.search(r"and (\d+) more rows", told)
    assert rows == 20 if left is None else int(left[1]) == variants - rows + 1
    assert (left is None) == (variants == 20)


@pytest.mark.parametrize("results", [hostile(), large(hostile(), 40), f.results(), f.results(measurements=())])
def test_what_comes_from_outside_is_text(results: Results) -> None:
    told = within(summary_md(results))
    assert not re.search(r"(?<!\\)<(?!!-- edgeproof|/?details>|/?summary>)", told)
    assert "\u202e" not in told and "\x1b" not in told


def test_long_words_of_many_bytes_stay_within() -> None:
    long = "\N{CJK UNIFIED IDEOGRAPH-4E00}|" * 3000
    rows = tuple((long,) * 50 for _ in range(500))
    table = Table((long,) * 50, rows)
    told = within(markdown(Summary("x", long, long, table, (long,) * 99, long, table)))
    assert "more rows and 34 more columns" in told and "- and 95 more" in told
