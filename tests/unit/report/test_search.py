"""The page of a search: what it says, that words stay words, and how it looks in a browser."""

from pathlib import Path

import pytest

from common import search_words as words
from common.artifact import write_model
from common.errors import UsageError
from common.numbers import ABSENT, DASH, TIMES
from common.schema.base import Interval
from common.schema.search_result import Outcome, SearchResult
from jobs.report.__main__ import main
from jobs.report.document import Fold
from jobs.report.draw import search as draw
from jobs.report.render import render
from jobs.report.sections.search import document
from jobs.report.stage import search_page
from jobs.search.told import told
from tests.unit.report.browser import CHROMIUM, DRIVER, Browser
from tests.unit.report.pages import Page, markdown_page
from tests.unit.report.rich import QUOTES, SCRIPT
from tests.unit.report.searched import BEST, FAILED, STUDENT, UNSEEN, searched
from tests.unit.report.svg import drawings
from tests.unit.report.test_accessible import OPEN, violations

FOUND = "runs/demo/search/found.toml"
# What the session of its own says, and what chose it.
CONFIRMED = f"3.12{TIMES} (3.02{DASH}3.20)"
RECIPE = (
    "separable convolutions merged into one (only separable_conv2d_0), BatchNormalization folded into its neighbours "
    "(only batch_normalization_0, batch_normalization_1, batch_normalization_2 and 3 more), dense kernels factorised "
    "to 85 % of their energy, fine-tuned for 8 epochs, stored as float32"
)


def shown(result: SearchResult) -> Page:
    return Page(render(document(result, FOUND))[0].content.decode())


def changed(result: SearchResult, name: str, **changes: object) -> SearchResult:
    """With changes of one outcome."""
    outcomes = tuple(one.model_copy(update=changes) if one.candidate.name == name else one for one in result.outcomes)
    return result.model_copy(update={"outcomes": outcomes})


def outcome(result: SearchResult, name: str) -> Outcome:
    return next(one for one in result.outcomes if one.candidate.name == name)


def test_a_finalist_that_is_passed_over_says_why() -> None:
    result = searched()
    other = next(one for one in result.finalists if one.confirmed is not None and not one.confirmed.recommended)
    assert other.confirmed is not None
    why = "it answers the same whatever the image"
    told = changed(result, other.candidate.name, confirmed=other.confirmed.model_copy(update={"reason": why}))
    assert f"{other.candidate.name}: {why}" in shown(told).all_text and why not in shown(result).all_text


def unrecommended() -> SearchResult:
    result = searched()
    best = outcome(result, BEST).confirmed
    assert best is not None
    return changed(result, BEST, confirmed=best.model_copy(update={"recommended": False}))


def test_the_verdict_stands_first_with_both_figures() -> None:
    text = shown(searched()).all_text
    verdict = text.index(f"Ship shown to keep {BEST} The same network: {RECIPE}.")
    assert verdict < text.index("Finalists, as they were chosen")
    for said in (
        f"3.12{TIMES} 3.02{DASH}3.20 3.33{TIMES} when chosen",
        "90.17 % 541 of 600 test images right baseline 90 %",
        f"When chosen 3.33{TIMES}, no validation image lost.",
        f"In its own session {CONFIRMED}, accuracy 90.17 % beside 90 % on the test images: shown to keep.",
        "the best of 70 candidates: who wins was lucky, too (the winner's curse).",
        f"It says 3.12{TIMES}; the 3.33{TIMES} by which it was chosen lie above its interval.",
        "Never trained 90 % of the candidates that were measured",
    ):
        assert said in text
    rows = shown(searched()).table("Finalists, as they were chosen and as they were measured again")
    both = [f"3.33{TIMES}", "0 %", CONFIRMED, "90.17 %", "90 %", "shown to keep recommended", "the same network"]
    assert rows.row(BEST) == both
    assert rows.row(STUDENT)[-2:] == ["not shown", "another network"]


def test_without_a_recommendation_the_reference_stays() -> None:
    text = shown(unrecommended()).all_text
    assert "Nothing better was found: keep baseline Of 2 finalists the session of its own recommends none" in text
    assert "winner's curse" in text and "Ship" not in text


def test_a_finalist_that_was_not_compared_has_no_figure() -> None:
    result = searched()
    best = outcome(result, BEST).confirmed
    assert best is not None
    found = shown(changed(result, BEST, confirmed=best.model_copy(update={"ratio": None})))
    assert f"Speed-up in its own session not compared 3.33{TIMES} when chosen" in found.all_text
    text = shown(changed(result, BEST, confirmed=None)).all_text
    assert f"{BEST} 3.33{TIMES}" in text


def test_the_way_is_told_step_by_step() -> None:
    found = shown(searched())
    assert found.table("Steps").row("structures") == ["thinner kernels", "31", "520", "1"]
    assert found.table("Steps").row("found")[1] == "2"
    assert "72 candidates: 40 beaten before training, 24 beaten by a finalist, 2 finalists" in found.all_text
    layers = found.table("Layers by format")
    left = "separable_conv2d_1, separable_conv2d_2 and separable_conv2d_3"
    assert layers.row("float32, not merged") == [f"3 layers {left}"]
    assert [row[0] for row in layers.body if row[0].startswith("int8")] == [
        "int8, merged", "int8, folded", "int8, not folded",
    ]  # fmt: skip
    mixed = found.table("Groups of layers of merged_static_wi8_ai8")
    assert [row[1:] for row in mixed.body] == [
        ["float32", "2 layers separable_conv2d_0 and separable_conv2d_1"],
        ["static_wi8_ai8", "2 layers separable_conv2d_2 and separable_conv2d_3"],
    ]
    rungs = found.table("What was trained")
    assert rungs.row(BEST)[1:] == ["1 % after 2 epochs", "0.5 % after 4 epochs", "0 % after 8 epochs", "finalist"]
    assert rungs.row("width50_stride2_float32")[-2:] == [ABSENT, "beaten in training"]
    assert "predicts each of 58 files from the others with rank correlation 0.97, 8.34 % off" in found.all_text
    assert f"make all EXPERIMENT={FOUND}" in found.all_text
    assert ("a", "href", "found/report/report.html") in found.attributes


def test_every_candidate_has_a_row_and_a_part_of_its_own() -> None:
    result = searched()
    found = shown(result)
    rows = found.table("Every candidate")
    assert [row[0] for row in rows.body] == [one.candidate.name for one in result.outcomes]
    assert rows.row(BEST)[0] == "finalist" and rows.row(BEST)[-1] == RECIPE
    assert rows.row(FAILED) == [
        "failed RuntimeError: no room for it",
        ABSENT,
        ABSENT,
        ABSENT,
        ABSENT,
        rows.row(FAILED)[-1],
    ]
    assert rows.row(UNSEEN)[0] == "not reached"
    parts = [block.anchor for section in document(result, FOUND).sections for block in section.blocks
             if isinstance(block, Fold)]  # fmt: skip
    links = [value for tag, name, value in found.attributes if (tag, name) == ("a", "href")]
    assert parts and {f"#{anchor}" for anchor in parts} <= set(links)


def test_parts_that_have_nothing_to_say_are_left_out() -> None:
    bare = tuple(
        one.model_copy(update={"rungs": (), "screened": None, "confirmed": None, "fate": "not reached"})
        for one in searched().outcomes
    )
    found = shown(searched(outcomes=bare, rewrites=(), mixed=None, costs=None, never_trained=0.0, found=()))
    assert "svg" not in found.tags and "Training in rungs" not in found.all_text
    assert "Layers that are rewritten" not in found.all_text and "Number formats by layer" not in found.all_text
    assert "too few candidates to say how well the cost table predicts" in found.all_text


def test_rendering_follows_from_the_artifact_alone() -> None:
    read = SearchResult.model_validate_json(searched().model_dump_json(by_alias=True))
    assert render(document(read, FOUND)) == render(document(searched(), FOUND))


def test_the_terminal_says_the_same(tmp_path: Path) -> None:
    lines = list(told(searched(), tmp_path))
    page = shown(searched()).all_text
    assert words.fates(searched()) == lines[0] and f"{lines[0]}." in page
    assert lines[3].startswith(f"{BEST} (the same network): 3.33{TIMES}, no validation image lost when it was chosen; ")
    assert lines[3].endswith(f"{CONFIRMED} in a session of its own, accuracy 90.17 % beside 90 % on the test images: "
                             "shown to keep, recommended")  # fmt: skip
    assert lines[-1] == f"how they were found: {tmp_path / 'search' / 'report.html'}"


@pytest.mark.parametrize(("chosen", "where"), [(3.2, "in"), (3.3, "above"), (2.9, "below")])
def test_how_far_the_first_figure_was_off(chosen: float, where: str) -> None:
    result = searched()
    one = outcome(result, BEST)
    assert one.screened is not None and one.confirmed is not None
    ratio = Interval(value=3.1, low=3.0, high=3.25)
    one = one.model_copy(
        update={
            "screened": one.screened.model_copy(update={"time": 1 / chosen}),
            "confirmed": one.confirmed.model_copy(update={"ratio": ratio}),
        }
    )
    assert words.curse(result, one).endswith(f"chosen lie {where} its interval.")


def test_words_from_outside_are_text() -> None:
    hostile = f" {SCRIPT} {QUOTES}"
    html, markdown, *charts = render(document(searched(hostile), f"runs/{SCRIPT}; rm -rf $HOME/found.toml"))
    text = html.content.decode()
    found = Page(text)
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert found.tags.count("script") == 1 and "\u202e" not in text and "\x1b" not in text
    assert "<script>window" not in text and "<img src=x" not in text
    # The path is one word of the command.
    assert "EXPERIMENT='runs/<script>" in found.all_text
    read = markdown_page(markdown.content.decode())
    assert "script" not in read.tags and not [name for _, name, _ in read.attributes if name.startswith("on")]
    assert charts and all(b"<script" not in chart.content for chart in charts)


def test_charts_are_whole_and_name_the_finalists() -> None:
    made, pairs = draw.candidates(searched()), draw.predictions(searched())
    assert made is not None and pairs is not None
    assert [drawing.problems() for chart in (made, pairs) for drawing in drawings(chart.svg)] == [[]] * 4
    for drawing in drawings(made.svg):
        assert {BEST, STUDENT, "baseline"} <= {word.text for word in drawing.words}
    assert "2 candidates without a latency are not drawn." in made.caption
    # A mark for each that was measured, one for the reference, and the legend's.
    assert made.svg.count("before training; ") == 70


@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_any_figure_can_be_drawn(value: float) -> None:
    result = searched()
    screened = outcome(result, BEST).screened
    assert screened is not None
    strange = screened.model_copy(update={"time": value, "predicted": value, "size_bytes": 0})
    for made in (draw.candidates(changed(result, BEST, screened=strange)),
                 draw.predictions(changed(result, BEST, screened=strange))):  # fmt: skip
        assert made is not None and "nan" not in made.svg and "inf" not in made.svg


def test_the_command_writes_the_page_with_its_charts(tmp_path: Path) -> None:
    write_model(tmp_path / "search.json", searched())
    main(search=tmp_path / "search.json", output=tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"search.json", "report.html", "report.md", "candidates.svg", "predictions.svg"}
    assert "](candidates.svg)" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert str(tmp_path / "found.toml") in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_file_that_is_no_search_is_refused(tmp_path: Path) -> None:
    (tmp_path / "search.json").write_text('{"schema_version": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match=r"search\.json"):
        search_page(tmp_path / "search.json", tmp_path)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver")
@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_asks_for_nothing_and_is_accessible(
    browser: Browser, tmp_path: Path, width: int, look: str
) -> None:
    write_model(tmp_path / "search.json", searched(" of a rather long name"))
    browser.show(search_page(tmp_path / "search.json", tmp_path), width, look=look)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    # The page itself.
    assert len(browser.requests()) == 1
    assert violations(browser) == []
    browser.run(OPEN)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert violations(browser) == []
