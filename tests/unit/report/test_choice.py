"""The front and the recommendation as the report shows them."""

import pytest

from common.errors import UsageError
from common.run.checks import check_choice
from common.schema.results import Results
from jobs.report.blocks import Card
from jobs.report.consistency import check_results
from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report import factories as f
from tests.unit.report.pages import Page, markdown_page

HOSTILE = "<script>alert(1)</script> | x"
NETWORK = "The network mattered more than the quantiser: these figures."


def pages(results: Results) -> tuple[Page, Page]:
    html, markdown, *_ = render(build(results, None))
    return Page(html.content.decode()), markdown_page(markdown.content.decode())


@pytest.mark.parametrize("index", [0, 1], ids=["html", "markdown"])
def test_every_variant_has_its_verdict_and_its_figures(index: int) -> None:
    page = pages(f.results(choice=f.choice(HOSTILE)))[index]
    table = next(t for t in page.tables if "Verdict" in t.head[-1])
    assert table.head[-1] == [
        "Variant",
        "Verdict",
        "Size (MB)",
        "Download (MB)",
        "Latency (ms)",
        "Speed-up",
        "Accuracy",
        "Won / lost",
        "Initialisation (µs)",
        "First inference (ms)",
        "Memory (MiB)",
    ]
    assert [row[1].split("reference")[0].strip() for row in table.body] == [
        "dominated",
        "Pareto-optimal",
        "not measured",
        "loses accuracy",
        "recommended",
    ]
    assert "reference" in table.body[0][1] and table.row("baseline")[4] == "1"
    assert table.row("pruned dynamic range")[4].startswith("1.34")
    # The reasons stand in the variants' own parts.
    assert HOSTILE in " ".join(page.text).replace("  ", " ")
    assert page.tags.count("script") == (1 if index == 0 else 0)


def test_the_recommendation_stands_first() -> None:
    (block,) = build(f.results(choice=f.choice(network=NETWORK)), None).sections[0].blocks
    assert isinstance(block, Card)
    assert (block.lead, block.name, block.file) == ("Ship", "pruned dynamic range", "pruned_dynamic_range.tflite")
    assert ("Network", NETWORK) in block.points


def test_without_a_choice_nothing_is_recommended() -> None:
    (block,) = build(f.results(), None).sections[0].blocks
    assert isinstance(block, Card)
    assert (block.lead, block.file, block.tiles) == ("Measured, not judged", "", ())
    assert "nothing is claimed" in block.reason


def test_a_choice_of_other_variants_is_refused() -> None:
    variants = [f.variant_result(name, 5) for name in f.NAMES[:-1]]
    results = f.results(variants=variants, choice=f.choice(), evaluations=(), measurements=())
    with pytest.raises(UsageError, match="the variant to choose 'pruned_dynamic_range' is not among"):
        check_results(results)


def test_a_choice_made_from_another_dataset_is_refused() -> None:
    choice = f.choice().model_copy(update={"provenance": f.provenance("choose", dataset=f.OTHER_SHA)})
    check_choice(choice, {"dataset": f.OTHER_SHA})
    with pytest.raises(
        UsageError, match="the dataset of the choice is fedcba987654, but the one given is 0123456789ab"
    ):
        check_choice(choice, {"dataset": f.SHA})
