"""The page in a real browser: nothing requested, nothing cut off, every picture there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from common.schema.outcome import Failed, Unsupported
from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report import factories as f

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
# The widths of the drawings that are shown.
CHARTS = """
return [...document.querySelectorAll("svg.chart")].map(s => s.getBoundingClientRect().width).filter(w => w > 0)
"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    long = "x" * 120
    cells = [
        *f.measurements("cpu"),
        *f.measurements("xnnpack", 0.31)[:3],
        f.measurement(f.NAMES[3], Unsupported(reason=long), "xnnpack"),
        f.measurement(f.NAMES[4], Failed(reason="killed by SIGSEGV", log="logs/7.log"), "xnnpack"),
    ]
    commands = (f"make all EXPERIMENT={long}",)
    results = f.results(
        measurements=cells, title=f"Demo {long}", warnings=(long,), reproduce=commands, choice=f.choice(long, long)
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render(build(results, None))[0].content)
    return path


def _log(browser: webdriver.Chrome, kind: str) -> list[str]:
    """The messages since the last look."""
    return [entry["message"] for entry in browser.get_log(kind)]  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_and_asks_for_nothing(browser: webdriver.Chrome, page: Path, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    _log(browser, "performance")
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script("return window.innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    pictures = browser.execute_script("return [...document.images].map(i => i.naturalWidth)")
    assert pictures == []
    charts = browser.execute_script(CHARTS)
    assert len(charts) >= 4 and max(charts) <= width and min(charts) > 280
    assert _log(browser, "browser") == []
    requests = _log(browser, "performance")
    sent = [m for m in requests if "Network.requestWillBeSent" in m and '"url":"data:' not in m]
    assert all(page.as_uri() in message for message in sent) and len(sent) == 1


def test_a_wide_table_scrolls_in_its_own_box(browser: webdriver.Chrome, page: Path) -> None:
    metrics = {"width": 360, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    script = "return [...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)"
    assert browser.execute_script(script)
