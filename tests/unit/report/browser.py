"""The page in a real browser: sizes, themes, what it asks for and what it says."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

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


class Browser:
    """A headless Chromium that shows one page after the other."""

    def __init__(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for switch in SWITCHES:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def show(
        self, page: Path, width: int = 1280, height: int = 800, look: str = "light", *, script: bool = True
    ) -> None:
        """Load a page at a size, `look` being light, dark or print; without its script if that is to be tried."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if look == "dark" else "light"}
        self.command("Emulation.setEmulatedMedia", {"media": "print" if look == "print" else "", "features": [scheme]})
        self.command("Emulation.setScriptExecutionDisabled", {"value": not script})
        self.logged("performance")
        self.driver.get(page.as_uri())

    def command(self, name: str, parameters: dict[str, Any]) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script: str, *arguments: object) -> Any:
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """The visible texts of all elements that there are and that are shown."""
        return list(
            self.run(
                "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility())"
                ".map(e => e.innerText.trim())",
                selector,
            )
        )

    def logged(self, kind: str) -> list[str]:
        """The messages since the last look."""
        return [entry["message"] for entry in self.driver.get_log(kind)]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """What was asked for since the page was shown, data: URIs apart."""
        sent = [m for m in self.logged("performance") if "Network.requestWillBeSent" in m]
        return [message for message in sent if '"url":"data:' not in message]

    def picture(self) -> bytes:
        """What is shown, as PNG."""
        return base64.b64decode(self.command("Page.captureScreenshot", {"format": "png"})["data"])


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser that is ended afterwards."""
    browser = Browser()
    try:
        yield browser
    finally:
        browser.driver.quit()
