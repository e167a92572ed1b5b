"""What Android devices tell, in the report: delegation, answers, operators, the app."""

import pytest

from common.proportion import wilson
from common.provenance import ROOT
from common.schema.base import Interval
from common.schema.examination import Operator, OutputCheck
from common.schema.outcome import Delegation, Unsupported
from common.schema.results import Results
from jobs.report.export import results_csv
from jobs.report.sections import master
from jobs.report.sections.devices import answers, operators
from jobs.report.sections.latency import measured, overview
from jobs.report.sections.unjudged import measured as said
from tests.unit.report.factories import NAMES, host, latency, measurement, results

PARTIAL = Delegation(extent="partial", kernel="TfLiteGpuDelegateV2", nodes_delegated=24, nodes_total=25, partitions=2)
SOFTMAX = Operator(kind="SOFTMAX", count=1, mean_us=9.0, share=0.1, delegated=False)
CONV = Operator(kind="Convolution (NHWC, F32)", count=4, mean_us=81.0, share=0.9, delegated=True)
PHONE = "Google Pixel 7 (ABC)"


def check(wrong: str | None) -> OutputCheck:
    return OutputCheck(
        images=32, top1_agreement=wilson(32 if wrong is None else 8, 32), largest_difference=0.02, wrong=wrong
    )


def phone(wrong: str | None = None) -> Results:
    """Two variants on a phone's GPU, one of them as an app too, and one without NNAPI."""
    told = {"delegation": PARTIAL, "answers": check(wrong), "operators": (CONV, SOFTMAX)}
    good = latency(1000.0, None).model_copy(update=told)
    fast = latency(500.0, None if wrong else 1000.0).model_copy(update=told)
    ratio = Interval(value=1.4, low=1.3, high=1.5)
    app = latency(700.0, None).model_copy(update={"app_ratio": ratio})
    items = [
        measurement(NAMES[0], good, "gpu", target=PHONE),
        measurement(NAMES[1], fast, "gpu", target=PHONE),
        measurement(NAMES[1], app, "gpu", target=PHONE).model_copy(update={"runner": "app"}),
        measurement(NAMES[0], Unsupported(reason="NNAPI acceleration is unsupported"), "nnapi", target=PHONE),
    ]
    environment = host(PHONE).model_copy(update={"kind": "android", "serial": "ABC"})
    return results(measurements=items, targets=[environment])


def texts(found: Results) -> str:
    own = (table for variant in found.variants for part in (measured, operators) for table in part(found, variant.name))
    tables = (*overview(found), *master.tables(found), *own)
    return "\n".join(
        f"{table.caption} {[column.label for column in table.columns]} {[(r.header, r.cells) for r in table.rows]}"
        for table in tables
    )


def test_delegation_answers_and_the_app_have_columns() -> None:
    shown = texts(phone())
    for words in (
        "24 of 25 nodes, 2 partitions, TfLiteGpuDelegateV2",
        "'Delegation'",
        "'Output check'",
        "App / binary",
        "GPU app",
        "NNAPI acceleration is unsupported",
        "Convolution (NHWC, F32) (4 x, 90 %)",
        "SOFTMAX (1 x, 10 %)",
    ):
        assert words in shown, words


def test_a_host_has_none_of_these_and_does_not_miss_them() -> None:
    shown = texts(results())
    for words in ("Delegation", "delegation", "Output check", "App / binary", "Operators"):
        assert words not in shown


def test_a_fast_wrong_model_is_no_figure_and_never_the_fastest() -> None:
    found = phone("the answers are the same for every image")
    assert "wrong answers" in texts(found)
    assert "the answers are the same for every image" in texts(found)
    assert f"{NAMES[1].replace('_', ' ')} (500" not in str(tuple(said(found)))
    (table,) = measured(found, NAMES[1])
    assert table.rows[0].cells[0].text == "wrong answers"


def test_the_csv_tells_it_too() -> None:
    text = results_csv(phone("no")).decode()
    header, *rows = text.splitlines()
    told = "delegation,nodes_delegated,nodes_total,app_ratio,answers_agreement,answers_largest_difference,answers_wrong"
    assert f",{told}," in header
    assert any(",partial,24,25,,0.25,0.02,no" in line for line in rows)


@pytest.mark.parametrize(("wrong", "shown"), [(None, "2 % off, 4 samples"), ("off", "wrong off; 30 % off, 4 samples")])
def test_answers_to_samples_are_told_by_their_error(wrong: str | None, shown: str) -> None:
    error = 0.02 if wrong is None else 0.3
    told = {"largest_difference": 0.5, "relative_error": error, "allowed_error": 0.1, "wrong": wrong}
    cell = answers(OutputCheck(images=4, top1_agreement=None, **told))  # type: ignore[arg-type]
    assert shown in f"{cell.text} {cell.note}"


def test_results_of_the_first_version_are_still_read() -> None:
    text = (ROOT / "tests" / "data" / "published_results.json").read_text(encoding="utf-8")
    assert Results.model_validate_json(text).schema_version == 1
