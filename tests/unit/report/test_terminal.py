"""The summary for a terminal fits into 100 columns."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from common.artifact import write_model
from common.schema.outcome import Unsupported
from common.schema.results import Results
from jobs.report.terminal import WIDTH, legend, recommended, show, tables
from tests.unit.report import factories as f


def _shown(results: Results) -> str:
    console = Console(width=WIDTH, file=io.StringIO(), highlight=False)
    for table in tables(results):
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_long_names_and_many_settings_cut_no_figure() -> None:
    names = ["baseline", "v" * 64]
    cells = [
        f.measurement(name, f.latency(1234567.89, 2345678.9), backend, threads=threads)
        for name in names
        for backend in ("cpu", "xnnpack", "gpu", "something_very_long")
        for threads in ("1", "16")
    ]
    variants = [f.variant_result(name, 1_234_560_000) for name in names]
    evaluations = [f.evaluation(name, 290) for name in names]
    shown = _shown(f.results(variants=variants, measurements=cells, evaluations=evaluations))
    assert max(len(line) for line in shown.splitlines()) <= WIDTH
    assert shown.count("1234567.89") == len(cells) and shown.count("1.90") == len(cells)
    assert shown.count("1234.56") >= 2 and shown.count("16 threads") == 4


@pytest.mark.parametrize("text", ["[red]x[/red]", "\x1b[31mred"])
def test_text_from_outside_is_not_markup(text: str) -> None:
    shown = _shown(f.results(measurements=(f.measurement("baseline", Unsupported(reason="x"), text[:12]),)))
    assert "\x1b" not in shown
    assert "[31mred" in shown or "[red]x" in shown


def test_without_measurements_sizes_and_accuracies_are_shown() -> None:
    shown = _shown(f.results(measurements=()))
    assert "8.5" in shown and "96.67 %" in shown


def test_the_last_two_lines_are_the_recommendation_and_where_the_report_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = f.choice(network="The network mattered more.")
    first = "Recommended: pruned, the smallest \x1b[31m: 25 % of its size, 1.34\u00d7 as fast."
    write_model(tmp_path / "results.json", f.results(choice=made.model_copy(update={"recommendation": (first, "b")})))
    show(tmp_path)
    told = capsys.readouterr().out
    *_, signs, recommended, report = told.splitlines()
    assert recommended == "Recommended: pruned, the smallest \ufffd[31m."
    assert report == f"report: {tmp_path / 'report.html'}"
    assert "mattered" not in told and signs == legend(f.results(choice=made))


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Recommended: a, the smallest: 3 % of b's size.", "Recommended: a, the smallest."),
        (
            "Recommended by size and latency alone, since nothing judges: a, the smallest: 3 % of b's size.",
            "Recommended by size and latency alone, since nothing judges: a, the smallest.",
        ),
        ("Nothing can be recommended: no variant is fit.", "Nothing can be recommended: no variant is fit."),
        ("Something else.", "Something else."),
    ],
)
def test_a_recommendation_is_one_sentence_without_its_figures(sentence: str, shown: str) -> None:
    assert recommended(f.choice().model_copy(update={"recommendation": (sentence,)})) == shown


def test_the_winner_is_marked_and_only_signs_that_stand_there_are_explained() -> None:
    judged = f.choice().model_copy(update={"judgement": f.judgement()})
    shown = _shown(f.results(choice=judged))
    [winner] = [line for line in shown.splitlines() if line.startswith("  \N{RIGHTWARDS ARROW} ")]
    assert winner.split()[1] == "pruned" and judged.best == "pruned_dynamic_range"
    signs = legend(f.results(choice=judged))
    assert signs == "\u25b2 faster  \u25bc worse  \u2248 as fast  \u2713 accuracy kept  ? not shown"
    assert all(sign in shown for sign in signs if not sign.isalpha())
    assert "\N{RIGHTWARDS ARROW}" not in _shown(f.results()) and legend(f.results()) == ""
    alone = judged.judgement
    assert alone is not None
    reference = alone.model_copy(update={"variants": alone.variants[:1], "speeds": ()})
    assert legend(f.results(choice=judged.model_copy(update={"judgement": reference}))) == ""
