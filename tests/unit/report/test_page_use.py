"""The page is used: sorting, filtering, choosing a setting or a view, opening a row, by mouse and by keyboard."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report.browser import CHROMIUM, DRIVER, Browser
from tests.unit.report.rich import rich

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
]
NAMES = "table.sortable tbody tr:not(.opened) > th"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render(build(rich(), None))[0].content)
    return path


@pytest.fixture(autouse=True)
def shown(browser: Browser, page: Path) -> None:
    browser.show(page)


def seen(browser: Browser, selector: str) -> list[WebElement]:
    return [element for element in browser.driver.find_elements(By.CSS_SELECTOR, selector) if element.is_displayed()]


def press(element: WebElement, how: str) -> None:
    """By the mouse, or with the key that the focus takes."""
    if how == "mouse":
        element.click()
    else:
        element.send_keys(Keys.ENTER if how == "enter" else Keys.SPACE)


def head(browser: Browser, label: str) -> WebElement:
    return next(each for each in seen(browser, "table.sortable thead button") if each.text.startswith(label))


@pytest.mark.parametrize("how", ["mouse", "enter"])
def test_a_heading_sorts_up_and_down_and_says_so(browser: Browser, how: str) -> None:
    press(head(browser, "p95"), how)
    ordered = ["pruned dynamic range", "dynamic range", "float16", "baseline", "clustered dynamic range"]
    assert browser.texts(NAMES) == ordered
    cell = head(browser, "p95").find_element(By.XPATH, "..")
    assert cell.get_attribute("aria-sort") == "ascending"
    press(head(browser, "p95"), how)
    assert browser.texts(NAMES) == ordered[::-1]
    assert cell.get_attribute("aria-sort") == "descending"
    press(head(browser, "Variant"), how)
    assert browser.texts(NAMES)[:2] == ["baseline", "clustered dynamic range"]
    assert cell.get_attribute("aria-sort") is None


def test_what_has_no_figure_stays_last(browser: Browser) -> None:
    for _ in range(2):
        head(browser, "Won").click()
        assert browser.texts(NAMES)[-1] == "baseline"


def test_text_and_verdict_filter_and_the_count_is_told(browser: Browser) -> None:
    (field,), (verdict,) = seen(browser, ".filter input"), seen(browser, ".filter select")
    field.send_keys("DYNAMIC")
    assert browser.texts(NAMES) == ["dynamic range", "clustered dynamic range", "pruned dynamic range"]
    assert browser.texts(".filter output") == ["3 of 5 variants"]
    assert browser.run("return document.querySelector('.filter output').getAttribute('aria-live')") == "polite"
    Select(verdict).select_by_visible_text("recommended")
    assert browser.texts(NAMES) == ["pruned dynamic range"]
    field.clear()
    Select(verdict).select_by_visible_text("all")
    assert len(browser.texts(NAMES)) == 5


@pytest.mark.parametrize("how", ["mouse", "enter", "space"])
def test_a_chip_shows_its_setting_alone(browser: Browser, how: str) -> None:
    chips = seen(browser, ".chips button")
    assert [chip.get_attribute("aria-pressed") for chip in chips] == ["true", "false", "false"]
    assert browser.texts("table.sortable caption") == ["Every variant on host · XNNPACK · 1 thread"]
    press(chips[1], how)
    assert [chip.get_attribute("aria-pressed") for chip in chips] == ["false", "true", "false"]
    assert browser.texts("table.sortable caption") == ["Every variant on host · CPU · 1 thread"]
    shown = browser.run(
        "return [...new Set([...document.querySelectorAll('[data-setting]')].filter(e => e.checkVisibility())"
        ".map(e => e.dataset.setting))]"
    )
    assert shown == [chips[1].get_attribute("data-key")]


def test_a_view_shows_its_chart_alone(browser: Browser) -> None:
    charts = (
        "return [...document.querySelectorAll('[data-view]')].filter(e => e.checkVisibility()).map(e => e.dataset.view)"
    )
    assert browser.run(charts) == ["latency"]
    download = next(button for button in seen(browser, ".views button") if button.text == "download")
    download.click()
    assert browser.run(charts) == ["download"]
    assert download.get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("how", ["mouse", "enter", "space"])
def test_a_row_opens_to_everything_about_its_variant(browser: Browser, how: str) -> None:
    button = next(each for each in seen(browser, "tbody th button") if each.text == "float16")
    assert button.get_attribute("aria-expanded") == "false"
    press(button, how)
    assert button.get_attribute("aria-expanded") == "true"
    (opened,) = browser.texts("tr.opened")
    for words in ("Recipe and file", "Checks passed", "Measured", "Operators", "Scores per class", "Confusion matrix"):
        assert words in opened, words
    # It stays below its row when the table is sorted.
    head(browser, "Latency").click()
    after = "return document.querySelector('tr.opened').previousElementSibling.querySelector('th').innerText"
    assert browser.run(after) == "float16"
    press(button, how)
    assert browser.texts("tr.opened") == []
    assert browser.run("return document.querySelector('#v-float16 .inside') !== null")


def test_a_narrow_page_has_four_columns_and_the_rest_in_the_row(browser: Browser, page: Path) -> None:
    browser.show(page, 360, 740)
    heads = browser.texts("table.sortable thead th")
    assert heads == ["Variant", "Verdict", "Speed-up", "Accuracy"]
    assert browser.run(
        "return document.querySelector('.tall').scrollWidth <= document.querySelector('.tall').clientWidth"
    )
    seen(browser, "tbody th button")[0].click()
    (rest,) = browser.texts("tr.opened .figures")
    for words in ("Size", "Download", "Latency", "p95", "Initialisation", "First inference", "Memory"):
        assert words in rest, words


def test_the_head_and_the_first_column_stay_in_sight(browser: Browser, page: Path) -> None:
    browser.show(page, 768, 500)
    box = "const t = [...document.querySelectorAll('.tall')].find(e => e.checkVisibility());"
    browser.run(f"{box} t.style.maxHeight = '160px'; t.scrollTop = 90; t.scrollLeft = 200")
    gaps = browser.run(
        f"{box} const b = t.getBoundingClientRect(); const r = s => t.querySelector(s).getBoundingClientRect();"
        "return [r('thead th').top - b.top, r('tbody tr:last-child th').left - b.left]"
    )
    assert gaps == [0, 0]


def test_a_link_opens_the_part_that_it_leads_to(browser: Browser) -> None:
    link = next(each for each in seen(browser, "nav a") if each.text == "Environment")
    link.click()
    assert browser.run("return document.querySelector('#environment details').open")


def test_the_keyboard_reaches_what_can_be_used_and_shows_where_it_is(browser: Browser) -> None:
    body = browser.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert browser.run("return document.activeElement.innerText") == "Skip to the report"
    assert browser.run("return document.activeElement.getBoundingClientRect().left") >= 0
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    for _ in range(4):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert browser.run("return document.activeElement.closest('main') !== null")
