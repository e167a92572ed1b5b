"""The page in a real browser: nothing requested, nothing cut off, nothing executed, nothing said twice."""

import re
from collections import Counter
from pathlib import Path

import pytest

from common.artifact import read
from common.provenance import ROOT
from common.schema.results import Results
from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report import factories as f
from tests.unit.report.browser import CHROMIUM, DRIVER, Browser
from tests.unit.report.rich import hostile, rich

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
]
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
LOOKS = ("light", "dark", "print")
PUBLISHED = ROOT / "tests" / "data" / "published_results.json"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name."""
    long = "x" * 120
    made = {
        "rich": rich(),
        "hostile": hostile(),
        "long": f.results(title=f"Demo {long}", warnings=(long,), reproduce=(long,), choice=f.choice(long, long)),
        "published": read(PUBLISHED, Results),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, results in made.items():
        (folder / f"{name}.html").write_bytes(render(build(results, None))[0].content)
    return {name: folder / f"{name}.html" for name in made}


SHOWN = [(name, width, look) for name in ("rich", "hostile") for width in (360, 768, 1280) for look in LOOKS]
SHOWN += [(name, 360, "light") for name in ("long", "published")]


@pytest.mark.parametrize(("name", "width", "look"), SHOWN)
def test_it_fits_and_asks_for_nothing(
    browser: Browser, pages: dict[str, Path], name: str, width: int, look: str
) -> None:
    browser.show(pages[name], width, look=look)
    assert browser.run("return window.innerWidth") == width
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.run(OPEN)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert all(browser.run("return [...document.images].map(i => i.naturalWidth > 0)"))
    assert browser.run("return window.hacked === undefined")
    assert browser.logged("browser") == []
    requests = browser.requests()
    assert len(requests) == 1 and pages[name].as_uri() in requests[0]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_first_screen_holds_the_decision(browser: Browser, pages: dict[str, Path], width: int, height: int) -> None:
    browser.show(pages["rich"], width, height)
    assert browser.run("return document.querySelector('#decision').getBoundingClientRect().bottom") <= height
    (card,) = browser.texts("#decision .card")
    for words in ("pruned dynamic range", "sha256", "tentative", "Speed-up", "p95", "won", "instead of", "Runner-up"):
        assert words in card, words


def test_the_page_is_at_most_six_screens(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["rich"], 1280, 800)
    assert browser.run("return document.documentElement.scrollHeight") <= 6 * 800


def _sentences(text: str) -> list[str]:
    parts = re.split(r"(?<=[.;:])\s+|\n", text)
    return [part.strip(" .;:") for part in parts if len(re.findall(r"[A-Za-z]{2,}", part)) > 6]


@pytest.mark.parametrize("name", ["rich", "published"])
def test_no_sentence_is_said_twice(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.show(pages[name])
    browser.run(OPEN)
    said = Counter(_sentences(browser.run("return document.body.innerText")))
    assert [sentence for sentence, times in said.items() if times > 1] == []


def test_without_the_script_everything_is_readable(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["rich"], script=False)
    browser.run(OPEN)
    unseen = "e => !e.checkVisibility() && !e.closest('svg, .filter')"
    assert browser.run(f"return [...document.querySelectorAll('main *')].filter({unseen}).length") == 0
    assert browser.run("return document.querySelectorAll('main button').length") == 0
    leads = "a => !!document.getElementById(a.hash.slice(1))"
    links = browser.run(f"return [...document.querySelectorAll('tbody th a')].map({leads})")
    assert len(links) == 15 and all(links)
    browser.show(pages["rich"])
