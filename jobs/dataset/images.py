"""Bytes of an image file to pixels of the experiment's size. Pure: no files, no state."""

from functools import cache
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from jobs.dataset.errors import UnusableFileError

Pixels = npt.NDArray[np.uint8]

# What cameras, phones and browsers write. Pillow's other readers (some start programs) stay closed.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
# Pixels. Above every phone's usual 12 to 50; in RGB this many take 192 MB while they are decoded.
MAX_PIXELS = 64_000_000
# A decoder may shrink by skipping detail down to this multiple of the wanted size (the smooth
# filter does the rest), which saves most of the work for large photos.
REDUCING_GAP = 2.0
# Transparent parts show this, as on a page.
BEHIND_ALPHA = (255, 255, 255)
ORIENTATION_TAG = 0x0112
# EXIF 2.32, table 6: what undoes each orientation.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The orientations that swap height and width.
LYING = frozenset({5, 6, 7, 8})
BITS_16 = 65_535
MAX_REASON = 120


def decode(data: bytes, height: int, width: int) -> Pixels:
    """Decode the (first) image in `data` to uint8 [height, width, 3] RGB.

    It is turned upright by its EXIF orientation, laid on white where transparent, and resized to
    the wanted size without regard to its aspect ratio (antialiased bilinear).

    Raises UnusableFileError with the reason when that is not possible.
    """
    if not data:
        raise UnusableFileError("the file is empty")
    try:
        with Image.open(BytesIO(data), formats=_formats()) as image:
            return _pixels(image, height, width)
    except UnusableFileError:
        raise
    except UnidentifiedImageError:
        raise UnusableFileError(f"not an image in a known format ({', '.join(_formats())})") from None
    except Image.DecompressionBombError:
        raise UnusableFileError(f"more than the {MAX_PIXELS} pixels allowed") from None
    # Damaged files make Pillow's readers raise nearly every built-in exception; whichever it is,
    # the file is quarantined with it, and the run goes on.
    except Exception as error:
        raise UnusableFileError(f"damaged: {_words(error)}") from None


@cache
def _formats() -> tuple[str, ...]:
    """The formats that this build of Pillow can read (some lack AVIF or WebP)."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 3] + "..."


def _pixels(image: Image.Image, height: int, width: int) -> Pixels:
    if image.width * image.height > MAX_PIXELS:
        raise UnusableFileError(f"{image.width} x {image.height} is more than the {MAX_PIXELS} pixels allowed")
    orientation = _orientation(image)
    size = (height, width) if orientation in LYING else (width, height)
    # JPEG only; a no-op for every other format.
    image.draft(None, (int(size[0] * REDUCING_GAP), int(size[1] * REDUCING_GAP)))
    image.load()
    small = _opaque_rgb(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
    if orientation in UPRIGHT:
        small = small.transpose(UPRIGHT[orientation])
    return np.asarray(small)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) without one or with EXIF data that cannot be read."""
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    # The picture itself may well be whole.
    except Exception:
        return 1


def _opaque_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey(image).convert("RGB")
    if image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info:
        seen = image.convert("RGBA")
        behind = Image.new("RGBA", seen.size, BEHIND_ALPHA)
        return Image.alpha_composite(behind, seen).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _deep_grey(image: Image.Image) -> Image.Image:
    """16-bit greyscale by its upper byte, which `convert` would cut off at 255 instead."""
    values = np.asarray(image)
    if values.dtype.kind == "f" or int(values.max()) > BITS_16 or int(values.min()) < 0:
        raise UnusableFileError(f"pixel values of mode {image.mode} have no defined white")
    return Image.fromarray((values >> 8).astype(np.uint8))
