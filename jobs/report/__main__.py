"""Make the report of a run, of a results file, or show one that was made.

    python -m jobs.report --experiment experiments/demo.toml --dataset runs/demo/dataset \
        --training runs/demo/train --variants runs/demo/variants --evaluations runs/demo/evaluation \
        --benchmark runs/demo/benchmark/host --choice runs/demo/best --output runs/demo/report
    python -m jobs.report --results results.json --output folder
    python -m jobs.report --history history/history.json --output history
    python -m jobs.report --search runs/demo/search/search.json --output runs/demo/search
    python -m jobs.report --summary runs/demo/report
    python -m jobs.report --summary runs/demo/report --why baseline distilled_int8

Reads   <dataset>/dataset.json and its contact sheet, <training>/training.json,
        <variants>/<name>/variant.json and its .tflite, <evaluations>/<name>/evaluation.json,
        <benchmark>/benchmark.json, <choice>/choice.json, reports/templates/; or a results file and its contact sheet
Writes  <output>/report.html report.md summary.md results.csv, charts as .svg, contact_sheet.*
        <output>/results.json    last: everything that the report shows
        <output>/history.html    with --history, and nothing else
        <output>/report.html report.md, charts as .svg    with --search, and nothing else
"""

from pathlib import Path
from typing import Annotated

import typer

from common import cli


def main(
    *,
    experiment: Annotated[Path | None, cli.READ, typer.Option(help="Experiment file (TOML).")] = None,
    dataset: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the dataset stage wrote.")] = None,
    samples: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the inputs stage wrote.")] = None,
    training: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the train stage wrote.")] = None,
    variants: Annotated[Path | None, cli.READ, typer.Option(help="Folder that holds a folder per variant.")] = None,
    evaluations: Annotated[
        Path | None, cli.READ, typer.Option(help="Folder that holds an evaluation per variant.")
    ] = None,
    benchmark: Annotated[
        list[Path] | None, cli.READ, typer.Option(help="A target's benchmark; may be repeated.")
    ] = None,
    choice: Annotated[Path | None, cli.READ, typer.Option(help="Folder that the choose stage wrote.")] = None,
    results: Annotated[Path | None, cli.READ, typer.Option(help="Render this results file instead.")] = None,
    comparison: Annotated[
        Path | None, cli.READ, typer.Option(help="With --results: a compare.json of it, to be in the report.")
    ] = None,
    history: Annotated[Path | None, cli.READ, typer.Option(help="Only render this history.json, as a page.")] = None,
    search: Annotated[Path | None, cli.READ, typer.Option(help="Only render this search.json, as a page.")] = None,
    summary: Annotated[Path | None, cli.READ, typer.Option(help="Only show the report in this folder.")] = None,
    why: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="FIRST SECOND", help="With --summary: two variants layer by layer, with the reasons."),
    ] = None,
    output: Annotated[Path | None, cli.WRITE, typer.Option(help="Folder to write.")] = None,
) -> None:
    """Write the report as HTML and Markdown, and its figures as JSON and CSV."""
    from common.errors import UsageError
    from common.experiment import load
    from jobs.report import arguments, terminal

    tasks = [("--experiment", experiment), ("--results", results), ("--history", history)]
    tasks += [("--search", search), ("--summary", summary)]
    stages = {"dataset": dataset, "samples": samples, "training": training}
    stages |= {"variants": variants, "evaluations": evaluations}
    arguments.require_one([(name, bool(path)) for name, path in tasks], any((*stages.values(), benchmark, choice)))
    if comparison is not None and results is None:
        raise UsageError("--comparison goes with --results")
    if why is not None and summary is None:
        raise UsageError("--why needs a report", hint="give its folder with --summary")
    if summary is not None:
        return terminal.show(summary) if why is None else terminal.explain(summary, *why)
    output = arguments.required("--output", output)
    if history is not None:
        from jobs.report.stage import history_page

        return terminal.placed(history_page(history, output), "history")
    if search is not None:
        from jobs.report.stage import search_page

        search_page(search, output)
        return None
    if results is not None:
        from jobs.report.stage import rerender

        rerender(results, output, comparison)
        if comparison is not None:
            return terminal.placed(output / "report.html")
    elif experiment is not None:
        folders = arguments.experiment_folders(stages, benchmark or [])
        from jobs.report.stage import report

        report(load(experiment), experiment, folders, choice, output)
    return terminal.show(output)


if __name__ == "__main__":
    cli.run(main)
