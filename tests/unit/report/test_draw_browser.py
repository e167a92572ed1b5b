"""The charts in a real browser: the letters as it sets them, not as they are estimated."""

from pathlib import Path

import pytest

from jobs.report.page import build
from jobs.report.render import render
from tests.unit.report import drawn
from tests.unit.report.browser import CHROMIUM, DRIVER, Browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver"),
]
LABELS = (
    "distilled, dynamic range",
    "float16 weights",
    "int8 full, per channel, calibrated on 300 images",
    "<script>alert(1)</script>",
    "\u65e5\u672c\u8a9e\u306e\u30e2\u30c7\u30eb\u540d\u524d",
    "WWWWWWWWWWMMMMMMMMMMMWWWWWWW",
)
# [texts, what is wrong]: drawings made much smaller, texts that are cut off or lie on another.
LETTERS = """
document.querySelectorAll('details').forEach(d => d.open = true);
const wrong = []; let texts = 0;
for (const svg of document.querySelectorAll('svg.chart')) {
  const shown = svg.getBoundingClientRect().width, whole = svg.viewBox.baseVal.width;
  if (!shown) continue;
  if (shown / whole < 0.92) wrong.push(`${svg.getAttribute('aria-label')}: ${shown} of ${whole} pixels`);
  const boxes = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBBox()]);
  texts += boxes.length;
  boxes.forEach(([text, a], place) => {
    if (a.x < -0.5 || a.x + a.width > whole + 0.5) wrong.push(`cut off: ${text}`);
    for (const [other, b] of boxes.slice(place + 1)) {
      const across = a.x + 0.5 < b.x + b.width && b.x + 0.5 < a.x + a.width;
      // A line's box is higher than its letters.
      if (across && a.y + 4 < b.y + b.height - 1 && b.y + 4 < a.y + a.height - 1) wrong.push(`${text} on ${other}`);
    }
  });
}
return [texts, wrong];
"""


@pytest.mark.parametrize("width", [360, 768, 1000, 1280])
def test_letters_keep_their_size_and_hide_nothing(browser: Browser, tmp_path: Path, width: int) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(render(build(drawn.results(20, labels=LABELS), None))[0].content)
    browser.show(path, width)
    texts, wrong = browser.run(LETTERS)
    assert texts > 200 and wrong == []
