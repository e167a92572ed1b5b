"""The page of a history: what it says, that words stay words, and how it looks in a browser."""

from datetime import timedelta
from pathlib import Path

import pytest

from common.artifact import write_model
from common.errors import UsageError
from common.schema.comparison import Spread
from common.schema.history import (
    Device,
    Figure,
    History,
    LeftOut,
    Mark,
    Method,
    PastSession,
    Point,
    Series,
    Shift,
)
from jobs.report.draw.past import MOST_MARKS, chart
from jobs.report.render import page
from jobs.report.sections.past import MOST, document
from jobs.report.stage import history_page
from tests.unit.report import factories as f
from tests.unit.report.browser import CHROMIUM, DRIVER, Browser
from tests.unit.report.pages import Page
from tests.unit.report.rich import QUOTES, SCRIPT
from tests.unit.report.svg import drawings
from tests.unit.report.test_accessible import OPEN, violations

CHANGE = 6


def past(number: int, words: str = "") -> PastSession:
    figures = tuple(
        Figure(
            variants=(name,), model_sha256=f.SHA, backend=f"cpu{words}", threads=1, runner="binary",
            us=100.0, low_us=99.0, high_us=101.0, processes=5,
        )
        for name in f.NAMES
    )  # fmt: skip
    return PastSession(
        run=f"night-{number}{words}", experiment="demo", target=f"Pixel{words}", at=f.WHEN + timedelta(days=number),
        began=str(number), conditions="same", processor_sha256=f.SHA, reference_sha256=f.SHA, ledger=number > 0,
        load=0.5, figures=figures,
    )  # fmt: skip


def series(variant: str, sessions: int, factor: float, words: str = "") -> Series:
    values = [1000.0 * (1 + 0.01 * (n % 3)) * (factor if n >= CHANGE else 1.0) for n in range(sessions)]
    shift = Shift(
        session=CHANGE, before=1010.0, after=1010.0 * factor, sessions_before=CHANGE,
        sessions_after=max(1, sessions - CHANGE), p=0.0004, marks=(0,),
    )  # fmt: skip
    return Series(
        target=f"Pixel{words}", processor_sha256=f.SHA, experiment="demo", variant=variant, backend=f"cpu{words}",
        threads=1, runner="binary", measure="latency", tested=sessions > CHANGE,
        points=tuple(Point(session=n, value=value, new_file=n == 3) for n, value in enumerate(values)),
        shifts=(shift,) if factor != 1.0 and sessions > CHANGE else (),
    )  # fmt: skip


def history(sessions: int = 14, words: str = "", **changes: object) -> History:
    """A device of which one series gets longer with a new build, and one shorter."""
    target = f"Pixel{words}"
    spread = Spread(target=target, beside_reference=False, share=0.04, assumed=False, sessions=sessions, largest=0.05)
    marks = [
        Mark(session=CHANGE, target=target, kind="build", what=f"Build{words}", before=f"AP1A{words}", after="AP2B"),
        Mark(
            session=8, target=target, kind="file", what="the file of float16", before="a", after="b", variant="float16"
        ),
    ]
    factors = dict(zip(f.NAMES, (1.12, 1.0, 0.8, 1.0, 1.0), strict=True))
    made = History(
        version="0",
        versions={"duckdb": "2"},
        folder=f"runs{words}",
        device=None,
        sessions=tuple(past(number, words) for number in range(sessions)),
        devices=(
            Device(
                target=target, serial="R5", processor=f"Tensor{words}", processor_sha256=f.SHA, sessions=sessions,
                first_at=f.WHEN, last_at=f.WHEN + timedelta(days=sessions), spreads=(spread,),
            ),
        ),
        marks=tuple(mark for mark in marks if mark.session < sessions),
        series=tuple(series(name, sessions, factor, words) for name, factor in factors.items()),
        testing=Method(test="Pettitt's test", level=0.05, series=5, sessions_needed=10, floor=0.02),
        older=2,
        left_out=(LeftOut(run=f"broken{words}", reason=f"its ledger was changed{words}"),),
    )  # fmt: skip
    return made.model_copy(update=changes)


def shown(given: History) -> Page:
    return Page(page(document(given)).decode())


def test_what_changed_stands_first_with_what_changed_at_the_same_time() -> None:
    found = shown(history())
    longer, shorter = found.table("Changes that are shown, the newest first").body
    assert longer[:3] == ["2026-01-08 03:04", "1 latency 12 % longer baseline, cpu", "Build: AP1A → AP2B"]
    assert shorter[1].startswith("1 latency 20 % shorter")
    assert "14 sessions of 14 runs in runs on 1 device, 2 older ones left out" in found.all_text
    assert "Pixel, a latency alone: 4 % between two sessions, shown by 14 sessions." in found.all_text
    assert found.table("Changes of the device, tools and settings").body == [
        ["A", "2026-01-08 03:04", "Build: AP1A → AP2B"]
    ]
    rows = found.table("Latencies, what changed first")
    assert [row[1].split()[0] for row in rows.body] == ["longer", "shorter", "no", "no", "no"]
    assert rows.row("float16")[2:] == ["14", "1.00 ms", "808 µs", "800 µs", "1.02 ms"]
    sessions = found.table("Every session, the newest first")
    assert sessions.body[-1][1] == "night-0 from its results file" and len(sessions.body) == 14
    assert "broken: its ledger was changed" in found.all_text and "Pettitt's test" in found.all_text


def test_too_few_sessions_are_said_to_be_too_few() -> None:
    testing = history().testing.model_copy(update={"series": 0, "sessions_needed": 12})
    found = shown(history(4, testing=testing))
    assert "There are too few sessions to show a change." in found.all_text
    assert "A change can be shown in series of 12 sessions or more: none has them." in found.all_text
    assert {row[1] for row in found.table("Latencies, what changed first").body} == {"too few sessions"}
    assert "svg" not in shown(history(1)).tags


def test_words_from_outside_are_text() -> None:
    words = f" {SCRIPT} {QUOTES}"
    text = page(document(history(words=words))).decode()
    found = Page(text)
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert found.tags.count("script") == 1 and "\u202e" not in text and "\x1b" not in text
    assert "<script>window" not in text and "<img src=x" not in text


def test_charts_are_whole_and_bounded() -> None:
    given = history(60)
    many = tuple(given.marks[0].model_copy(update={"session": n, "after": str(n)}) for n in range(60))
    lots = tuple(series(f"v{n}", 60, 1.0) for n in range(MOST + 40))
    made = chart(history(60, marks=many, series=lots), "Pixel", 0)
    assert made is not None
    assert [drawing.problems() for drawing in drawings(made.svg)] == [[], []]
    assert made.svg.count('class="rule"') == 2 * MOST_MARKS
    found = shown(history(60, marks=many, series=lots))
    assert len(found.table("Latencies, what changed first").body) == MOST and "And 40 more rows." in found.all_text


@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_any_figure_can_be_drawn(value: float) -> None:
    strange = series("baseline", 14, 1.1)
    points = (strange.points[0].model_copy(update={"value": value}), *strange.points[1:])
    made = chart(history(series=(strange.model_copy(update={"points": points}),)), "Pixel", 0)
    assert made is not None and "nan" not in made.svg and "inf" not in made.svg


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    write_model(tmp_path / "history.json", history().model_copy(update={"sessions": ()}))
    with pytest.raises(UsageError, match="names sessions or marks that it does not have"):
        history_page(tmp_path / "history.json", tmp_path)
    assert not (tmp_path / "history.html").exists()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver")
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_asks_for_nothing_and_is_accessible(browser: Browser, tmp_path: Path, width: int) -> None:
    write_model(tmp_path / "history.json", history(words=" of a rather long name"))
    browser.show(history_page(tmp_path / "history.json", tmp_path), width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    # The page itself.
    assert len(browser.requests()) == 1
    browser.run(OPEN)
    assert violations(browser) == []
