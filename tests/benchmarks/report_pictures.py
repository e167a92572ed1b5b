"""Pictures of a report's first screen, on a wide and on a narrow page, light and dark.

    python -m tests.benchmarks.report_pictures runs/demo/report/report.html docs

Writes <folder>/report-1280-light.png, report-1280-dark.png, report-360-light.png, report-360-dark.png
"""

import io
from pathlib import Path

import typer
from PIL import Image

from tests.unit.report.browser import opened

SCREENS = ((1280, 800), (360, 740))
# A page of text and lines needs no more, and a picture is a third of the size.
COLOURS = 256


def main(report: Path, folder: Path) -> None:
    """Write the pictures of a report that was made."""
    with opened() as browser:
        for width, height in SCREENS:
            for look in ("light", "dark"):
                browser.show(report.resolve(), width, height, look)
                path = folder / f"report-{width}-{look}.png"
                path.write_bytes(_small(browser.picture()))
                print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def _small(picture: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as shown:
        shown.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    typer.run(main)
