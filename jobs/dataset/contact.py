"""One picture that shows what is in the dataset: some images of every class."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jobs.dataset.images import Pixels

COLUMNS = 10
# Pixels.
TILE = 96
GAP = 4
TITLE = 26
FONT_SIZE = 15
# All classes share this many rows of images, so that the file stays small; each has at least one.
ROWS = 6
MAX_ROWS_PER_CLASS = 3
# Classes beyond this are named but not shown.
MAX_CLASSES = 12
MAX_TITLE = 90
JPEG_QUALITY = 85
PAGE, INK = (255, 255, 255), (40, 40, 40)


@dataclass(frozen=True)
class Strip:
    """A class with some of its images, uint8 [height, width, 3] each."""

    title: str
    images: Sequence[Pixels]


def per_class(classes: int) -> int:
    """How many images of each class the sheet has room for."""
    return COLUMNS * min(MAX_ROWS_PER_CLASS, max(1, ROWS // classes))


def contact_sheet(strips: Sequence[Strip]) -> bytes:
    """The sheet as JPEG, below 300 KB; classes beyond the twelfth are counted, not shown."""
    shown = strips[:MAX_CLASSES]
    heights = [TITLE + (TILE + GAP) * -(-len(strip.images) // COLUMNS) for strip in shown]
    rest = TITLE if len(strips) > len(shown) else 0
    sheet = Image.new("RGB", (COLUMNS * (TILE + GAP) + GAP, sum(heights) + GAP + rest), PAGE)
    draw, top = ImageDraw.Draw(sheet), 0
    for strip, height in zip(shown, heights, strict=True):
        _title(draw, strip.title, top)
        for number, image in enumerate(strip.images):
            row, column = divmod(number, COLUMNS)
            place = GAP + column * (TILE + GAP), top + TITLE + row * (TILE + GAP)
            sheet.paste(_tile(image), place)
        top += height
    if rest:
        _title(draw, f"and {len(strips) - len(shown)} more classes", top)
    buffer = BytesIO()
    sheet.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()


def _title(draw: ImageDraw.ImageDraw, text: str, top: int) -> None:
    # A class is named after a folder, which may have a line break or worse in its name.
    line = "".join(character if character.isprintable() else " " for character in text)[:MAX_TITLE]
    draw.text((GAP, top + GAP), line, fill=INK, font=ImageFont.load_default(FONT_SIZE))


def _tile(image: Pixels) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((TILE, TILE))
    return picture
