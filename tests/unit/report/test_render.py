"""Pages: escaped, self-contained, the same every time."""

import base64
import hashlib
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image

from common.markdown import escape
from common.schema.outcome import Failed
from common.schema.results import Results
from jobs.report.document import File
from jobs.report.page import build
from jobs.report.render import fenced, render
from tests.unit.report import factories as f
from tests.unit.report.pages import Page, markdown_page

SCRIPT = "<script>alert(1)</script>|x"
NEWLINES = "a\n\n# b\n| c |\n<img src=x onerror=alert(1)>.jpg"
BACKTICKS = "``` `CPU` ``` [x](https://evil.example) https://evil.example **b**"


def _sheet() -> File:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 80, 20)).save(buffer, "JPEG")
    return File("contact_sheet.jpg", buffer.getvalue())


def _hostile() -> Results:
    classes = (SCRIPT, "b*_`c`_*")
    return f.results(
        title=f"Demo {SCRIPT}",
        warnings=(NEWLINES, "\u202eevil\x1b[31m"),
        dataset=f.dataset(classes, source=BACKTICKS, quarantine=[(NEWLINES, SCRIPT), ("- x", "1. y")]),
        training=f.training(classes),
        evaluations=(f.evaluation("baseline", 290, classes=classes),),
        targets=(f.host(fact=BACKTICKS),),
        measurements=(*f.measurements(), f.measurement("baseline", Failed(reason=SCRIPT, log=None), f"x{SCRIPT}")),
        reproduce=("make all 'EXPERIMENT=a`b`'", "```", "</code></pre><script>alert(2)</script>"),
    )


@pytest.fixture(scope="module")
def hostile() -> tuple[str, str]:
    html, markdown, *_ = render(build(_hostile(), _sheet()))
    return html.content.decode(), markdown.content.decode()


def test_nothing_from_outside_becomes_html(hostile: tuple[str, str]) -> None:
    page = Page(hostile[0])
    assert not {"link", "iframe", "object", "form"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert {src[:11] for tag, name, src in page.attributes if name == "src"} == {"data:image/"}
    assert [row[0] for row in page.table("Images per class").body] == [SCRIPT, "b*_`c`_*", "All"]


def test_nothing_from_outside_becomes_markdown(hostile: tuple[str, str]) -> None:
    page = markdown_page(hostile[1])
    assert not {"script", "a", "em"} & set(page.tags)
    pictures = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert "contact_sheet.jpg" in pictures and all(name.endswith((".svg", ".jpg")) for name in pictures)
    assert page.tags.count("h1") == 1
    assert {len(row) for table in page.tables for row in table.body if "Taken for" in table.head[0][1]} == {3}
    texts = " ".join(page.text)
    assert SCRIPT in texts and " ".join(NEWLINES.split()) in texts and BACKTICKS in texts
    assert "</code></pre><script>alert(2)</script>" in texts


def test_hidden_characters_are_made_visible(hostile: tuple[str, str]) -> None:
    for text in hostile:
        assert "\u202e" not in text and "\x1b" not in text
        assert "\ufffdevil\ufffd" in text


@given(st.text(max_size=60))
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    shown = " ".join(escape(text).split())
    tokens = MarkdownIt("commonmark").enable("table").parse(f"| a |\n| --- |\n| {shown} |\n")
    inline = [token for token in tokens if token.type == "inline"][-1]
    if shown:
        kinds = {child.type for child in inline.children or ()}
        assert kinds <= {"text", "text_special"}, kinds


@given(st.text(alphabet="-+*#>1.)=~`_ ab", min_size=1, max_size=12))
def test_an_item_of_a_list_stays_one_paragraph(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"- {escape(text)}\n")
    kinds = [token.type for token in tokens if token.type.endswith("_open")]
    assert kinds in (["bullet_list_open", "list_item_open", "paragraph_open"], ["bullet_list_open", "list_item_open"])


def test_a_fence_is_longer_than_any_in_its_lines() -> None:
    (token,) = MarkdownIt("commonmark").parse(str(fenced(("a", "````", "b"))))
    assert token.content == "a\n````\nb\n"


def test_the_page_needs_nothing_from_outside(hostile: tuple[str, str]) -> None:
    page = Page(hostile[0])
    targets = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action", "poster"}]
    assert all(target.startswith(("data:image/", "#")) for target in targets)
    policy = next(value for tag, name, value in page.attributes if value.startswith("default-src"))
    (style,) = re.findall("<style>(.*?)</style>", hostile[0], re.DOTALL)
    (script,) = re.findall("<script>(.*?)</script>", hostile[0], re.DOTALL)
    for kind, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "url(" not in style and "@import" not in style
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch|XMLHttp|import\(", script)
    assert len(script) < 9000


def test_every_link_of_the_contents_leads_somewhere(hostile: tuple[str, str]) -> None:
    page = Page(hostile[0])
    anchors = {value for _, name, value in page.attributes if name == "id"}
    links = [value[1:] for _, name, value in page.attributes if name == "href"]
    assert len(links) > 5 and set(links) <= anchors


def test_pictures_have_texts_and_tables_have_captions(hostile: tuple[str, str]) -> None:
    page = Page(hostile[0])
    assert all(value for tag, name, value in page.attributes if name == "alt")
    assert page.tags.count("img") == sum(name == "alt" for _, name, _ in page.attributes)
    assert all(table.caption for table in page.tables)


def test_the_same_results_give_the_same_bytes() -> None:
    first = render(build(f.results(), _sheet()))
    again = Results.model_validate_json(f.results().model_dump_json())
    assert render(build(again, _sheet())) == first
    names = {file.name for file in first}
    assert names >= {"report.html", "report.md", "contact_sheet.jpg"}
    assert all(name.endswith(".svg") for name in names - {"report.html", "report.md", "contact_sheet.jpg"})


@pytest.mark.parametrize("count", [1, 30])
def test_any_number_of_variants(count: int) -> None:
    names = ["baseline", *(f"variant_{i}" for i in range(1, count))]
    results = f.results(
        variants=[f.variant_result(name, 2_139_824) for name in names],
        measurements=[f.measurement(name, f.latency(100 + i, 100 if i else None)) for i, name in enumerate(names)],
        evaluations=[f.evaluation(name, 290) for name in names],
        training=None,
    )
    html, *_ = render(build(results, None))
    assert [row[0] for row in Page(html.content.decode()).tables[0].body] == [n.replace("_", " ") for n in names]


def test_labels_that_two_variants_share_are_told_apart() -> None:
    alike = [f.variant_result(n, 5).model_copy(update={"label": "same"}) for n in f.NAMES]
    html, *_ = render(build(f.results(variants=alike, training=None, measurements=(), evaluations=()), None))
    assert [row[0] for row in Page(html.content.decode()).tables[0].body] == list(f.NAMES)


def test_templates_hold_no_arithmetic_and_no_scripts() -> None:
    folder = Path(__file__).parents[3] / "reports" / "templates"
    for template in folder.glob("*.j2"):
        for expression in re.findall(r"{[{%](.*?)[}%]}", template.read_text(encoding="utf-8"), re.DOTALL):
            assert not re.search(r"\s[-+*/]\s|round|sum\b", re.sub(r'"[^"]*"', "", expression)), expression
        assert template.read_text(encoding="utf-8").count("<script") == (template.name == "report.html.j2")
        # An inline style would need a looser policy.
        assert " style=" not in template.read_text(encoding="utf-8")


def test_a_chapter_whose_charts_are_only_in_the_page_has_no_heading_in_the_markdown() -> None:
    results = f.results(targets=(f.host(functional_only=True),))
    html, markdown, *_ = render(build(results, None))
    assert 'id="tradeoff"' in html.content.decode()
    chapters = re.split(r"^## ", markdown.content.decode(), flags=re.MULTILINE)[1:]
    assert chapters and all("".join(chapter.splitlines()[1:]).strip() for chapter in chapters)
    assert not any(chapter.startswith("Trade-off") for chapter in chapters)
