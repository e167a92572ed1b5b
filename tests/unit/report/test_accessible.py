"""axe-core finds nothing at level AA, in either theme, with everything closed and with everything open."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from common.artifact import read
from common.provenance import ROOT
from common.schema.results import Results
from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report import factories as f
from tests.unit.report.browser import CHROMIUM, DRIVER, Browser
from tests.unit.report.rich import rich

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
]
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then(
  (found) => done(found.violations), (error) => done([{id: String(error), nodes: []}]));
"""
OPEN = """
document.querySelectorAll('details').forEach(d => d.open = true);
document.querySelectorAll('tbody th button').forEach(b => b.checkVisibility() && b.click());
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name."""
    made = {
        "rich": rich(),
        "unjudged": f.results(),
        "published": read(ROOT / "tests" / "data" / "published_results.json", Results),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, results in made.items():
        (folder / f"{name}.html").write_bytes(render(build(results, None))[0].content)
    return {name: folder / f"{name}.html" for name in made}


def violations(browser: Browser) -> list[str]:
    """What axe-core finds, with the place."""
    browser.driver.set_script_timeout(120)
    browser.run(AXE)
    found: list[dict[str, Any]] = browser.driver.execute_async_script(RUN)
    return [f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found]


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, pages: dict[str, Path], look: str) -> None:
    browser.show(pages["rich"], look=look)
    assert violations(browser) == []


@pytest.mark.slow
@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["rich", "unjudged", "published"])
def test_nor_where_everything_is_open(
    browser: Browser, pages: dict[str, Path], name: str, width: int, look: str
) -> None:
    browser.show(pages[name], width, look=look)
    browser.run(OPEN)
    assert violations(browser) == []


def test_axe_would_find_something(browser: Browser, pages: dict[str, Path]) -> None:
    browser.show(pages["rich"])
    browser.run("document.querySelector('.reason').style.color = '#aaa'; document.querySelector('h2').remove()")
    assert any(found.startswith("color-contrast") for found in violations(browser))
