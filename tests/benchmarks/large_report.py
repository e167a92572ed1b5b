"""How long a large report takes to make, how large it is, and how quick in a browser.

    python -m tests.benchmarks.large_report runs/demo/report/results.json

Twenty variants on three devices and four backends each, from recorded results (`tests/large_results.py`). Rendering is
timed as a function, without Python's start, the median of five; the page is opened in headless Chromium with an empty
profile at three widths, light and dark, and every visible column is sorted.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

import typer
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from common.artifact import read
from common.schema.results import Results
from jobs.report.export import results_csv
from jobs.report.page import build
from jobs.report.render import render
from tests.large_results import enlarge

TIMES = 5
WIDTHS = (360, 768, 1280)
SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# From the click to the frame that shows the sorted rows.
SORT = """
const done = arguments[arguments.length - 1];
const table = [...document.querySelectorAll("table.sortable")].find((each) => each.offsetParent !== null);
const buttons = [...table.querySelectorAll("thead button")].filter((each) => each.offsetParent !== null);
const times = [];
const next = () => {
  const button = buttons.shift();
  if (!button) return done(times);
  const began = performance.now();
  button.click();
  requestAnimationFrame(() => setTimeout(() => { times.push(performance.now() - began); next(); }));
};
next();
"""
PAINT = "return performance.getEntriesByName('first-contentful-paint').map((entry) => entry.startTime)"


def main(recorded: Path) -> None:
    """Print the figures of the large case that is made from a report's results."""
    results = enlarge(read(recorded, Results))
    took, page = _rendered(results)
    print(f"variants {len(results.variants)}, measurements {len(results.measurements)}")
    print(f"rendering: {took:.2f} s, median of {TIMES}; report.html {len(page) / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_bytes(page)
        for dark in (False, True):
            for width in WIDTHS:
                print(_opened(path, width, dark=dark))


def _rendered(results: Results) -> tuple[float, bytes]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        files = render(build(results, None))
        results_csv(results)
        took.append(time.perf_counter() - began)
    return median(took), files[0].content


def _opened(path: Path, width: int, *, dark: bool) -> str:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.get(path.as_uri())
        paint = driver.execute_script(PAINT)
        sorts = driver.execute_async_script(SORT)
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        said = driver.get_log("browser")  # type: ignore[no-untyped-call]
        asked = _requests(driver, path)
    finally:
        driver.quit()
    theme = "dark" if dark else "light"
    return (
        f"{width} px, {theme}: first paint {paint[0] if paint else float('nan'):.0f} ms, sorting "
        f"{median(sorts):.0f} ms (slowest {max(sorts):.0f}), page {wide} px wide, {len(said)} messages, "
        f"{asked} other requests"
    )


def _requests(driver: webdriver.Chrome, path: Path) -> int:
    """Requests for anything but the page itself; pictures inside it are none."""
    entries = [json.loads(e["message"])["message"] for e in driver.get_log("performance")]  # type: ignore[no-untyped-call]
    urls = [e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent"]
    return sum(not url.startswith("data:") and url != path.as_uri() for url in urls)


if __name__ == "__main__":
    typer.run(main)
