"""The summary for a terminal fits into 100 columns."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from common.artifact import write_model
from common.schema.outcome import Unsupported
from common.schema.results import Results
from jobs.report.terminal import WIDTH, show, tables
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


def test_the_recommendation_is_among_the_last_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(tmp_path / "results.json", f.results(choice=f.choice(network="The network mattered \x1b[31m more.")))
    show(tmp_path)
    *_, recommended, network, report = capsys.readouterr().out.splitlines()
    assert recommended == "Recommended: pruned dynamic range, the smallest."
    assert network == "The network mattered \ufffd[31m more."
    assert report.startswith("report: ")
