"""The published table comes out of the renderer digit by digit."""

from pathlib import Path

import pytest

from common.artifact import read
from common.schema.results import Results
from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report.pages import Page, ReadTable, markdown_page

FILE = Path(__file__).parents[2] / "data" / "published_results.json"
BACKENDS = ("CPU", "GPU", "NNAPI")
# Size, three inference times, three run-time memories, as they were published.
PUBLISHED = {
    "Baseline": "8.5 6719.84 5175.1 9382 11.4 49.4 11.46",
    "Dynamic range quantization": "2.14 8375 5075 8307 5.7 43.34 5.75",
    "Float16 quantization": "4.26 7563 5173 6553 15.69 45.34 16.05",
    "Clustering and dynamic range quantization": "2.14 8897 5214 8491 5.98 43.35 5.9",
    "Pruning and dynamic range quantization": "2.14 8032 5057.1 7483 5.88 43.32 6.02",
}


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    html, markdown, *_ = render(build(read(FILE, Results), None))
    return {"html": Page(html.content.decode()), "markdown": markdown_page(markdown.content.decode())}


def published(page: Page) -> ReadTable:
    """The table that was published; it stands behind those of every setting."""
    return page.tables[len(BACKENDS)]


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_every_figure_stands_in_its_cell(pages: dict[str, Page], kind: str) -> None:
    table = published(pages[kind])
    assert [[cells[0], *cells[1:]] for cells in table.body] == [
        [name, *figures.split()] for name, figures in PUBLISHED.items()
    ]


def test_html_headings_name_backends_and_units(pages: dict[str, Page]) -> None:
    upper, lower = published(pages["html"]).head
    assert upper == ["Variant", "Size (MB)", *["Inference time (µs)"] * 3, *["Run-time memory (MB)"] * 3]
    assert lower == [*BACKENDS, *BACKENDS]


def test_markdown_headings_name_backends_and_units(pages: dict[str, Page]) -> None:
    times = [f"Inference time (µs): {backend}" for backend in BACKENDS]
    memories = [f"Run-time memory (MB): {backend}" for backend in BACKENDS]
    assert published(pages["markdown"]).head == [["Variant", "Size (MB)", *times, *memories]]


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_what_is_missing_is_left_out_and_said(pages: dict[str, Page], kind: str) -> None:
    page = pages[kind]
    text = " ".join(page.text)
    # A table per backend, the published one, and two of every variant alone.
    assert len(page.tables) == len(BACKENDS) + 1 + 2 * len(PUBLISHED)
    assert "leaves it out: spread over rounds and intervals, accuracy" in text
    assert "Without a spread nobody can tell which" in text
    assert "Measured with 4 threads." in text
    assert "ROC" not in text
