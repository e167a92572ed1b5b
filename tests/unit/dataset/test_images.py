"""Decoding: every mode and orientation a camera or a tool may write, and every way to be broken."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from jobs.dataset import images
from jobs.dataset.errors import UnusableFileError
from jobs.dataset.images import decode
from tests.unit.dataset.pictures import BLUE, GREEN, RED, WHITE, Pixels, encode, noise


def quadrants() -> Image.Image:
    """32 high, 48 wide: red, green / blue, white."""
    image = Image.new("RGB", (48, 32))
    for place, colour in (((0, 0), RED), ((24, 0), GREEN), ((0, 16), BLUE), ((24, 16), WHITE)):
        image.paste(colour, (*place, place[0] + 24, place[1] + 16))
    return image


def corners(pixels: Pixels) -> list[tuple[int, ...]]:
    """Colours near the corners: upper left, upper right, lower left, lower right."""
    return [tuple(pixels[y, x].tolist()) for y, x in ((2, 2), (2, -3), (-3, 2), (-3, -3))]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_shown_upright(orientation: int) -> None:
    undo = images.UPRIGHT.get(orientation)
    # What a camera stores: the upright picture with the inverse of what a viewer does to it.
    inverse = {
        Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
        Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
    }
    stored = quadrants() if undo is None else quadrants().transpose(inverse.get(undo, undo))
    exif = Image.Exif()
    exif[images.ORIENTATION_TAG] = orientation
    pixels = decode(encode(stored, "PNG", exif=exif), 32, 48)
    assert pixels.shape == (32, 48, 3)
    assert corners(pixels) == [RED, GREEN, BLUE, WHITE]


def test_orientation_of_a_large_jpeg_that_is_decoded_reduced() -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION_TAG] = 6
    stored = quadrants().resize((1200, 800), Image.Resampling.NEAREST).transpose(Image.Transpose.ROTATE_90)
    pixels = decode(encode(stored, "JPEG", exif=exif, quality=95, subsampling=0), 32, 48)
    assert np.allclose(corners(pixels), [RED, GREEN, BLUE, WHITE], atol=12)


def test_broken_exif_does_not_cost_the_picture() -> None:
    pixels = decode(encode(quadrants(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"), 32, 48)
    assert pixels.shape == (32, 48, 3)


def test_a_reduced_jpeg_is_close_to_the_full_one() -> None:
    large = Image.fromarray(noise(3, 900, 1200))
    full = np.asarray(large.resize((64, 64), Image.Resampling.BILINEAR), np.int16)
    reduced = decode(encode(large, "JPEG", quality=95), 64, 64).astype(np.int16)
    assert np.abs(full - reduced).mean() < 2


GREY = Image.new("L", (16, 16), 200)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (GREY, "PNG", (200, 200, 200)),
        (Image.new("1", (16, 16), 1), "PNG", (255, 255, 255)),
        (Image.new("P", (16, 16), 0), "GIF", (0, 0, 0)),
        (Image.new("RGB", (16, 16), RED).convert("P"), "PNG", RED),
        (Image.new("RGBA", (16, 16), (255, 0, 0, 0)), "PNG", WHITE),
        (Image.new("RGBA", (16, 16), (255, 0, 0, 255)), "WEBP", (255, 0, 0)),
        (Image.new("LA", (16, 16), (10, 0)), "PNG", WHITE),
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", (254, 0, 0)),
        (Image.new("I;16", (16, 16), 200 * 256 + 7), "PNG", (200, 200, 200)),
        (Image.new("I;16", (16, 16), 200 * 256 + 7), "TIFF", (200, 200, 200)),
        (Image.new("I", (16, 16), 51_400), "TIFF", (200, 200, 200)),
        (Image.new("YCbCr", (16, 16), (255, 128, 128)), "JPEG", WHITE),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_every_mode_becomes_rgb(image: Image.Image, kind: str, expected: tuple[int, int, int]) -> None:
    pixels = decode(encode(image, kind), 20, 18)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (20, 18, 3)
    assert np.abs(pixels.astype(np.int16) - np.array(expected)).max() <= 2


def test_a_palette_with_a_transparent_colour_lies_on_white() -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([10, 20, 30] * 256)
    assert corners(decode(encode(image, "PNG", transparency=0), 16, 16)) == [WHITE] * 4


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert corners(decode(data, 16, 16)) == [RED] * 4


def huge_png() -> bytes:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100)))):
        data += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return data


PHOTO = encode(noise(1, 200, 200), "JPEG")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"just some words", "not an image"),
        (b"%PDF-1.4 not a picture", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (PHOTO[: len(PHOTO) // 2], "truncated"),
        (PHOTO[:15], "not an image|damaged"),
        (encode(noise(1, 64, 64))[:-40], "damaged"),
        (huge_png(), "pixels allowed"),
        (encode(Image.new("F", (8, 8), 0.5), "TIFF"), "no defined white"),
    ],
    ids=["empty", "text", "pdf", "eps", "half", "header", "png-end", "huge", "float"],
)
def test_what_cannot_be_used_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnusableFileError, match=reason) as caught:
        decode(data, 16, 16)
    assert "0x" not in str(caught.value), "an address would make two runs differ"


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    with pytest.raises(UnusableFileError, match="24 x 24 is more than the 100 pixels"):
        decode(encode(noise(1)), 16, 16)


@pytest.mark.parametrize("seed", range(20))
def test_random_damage_never_escapes_as_another_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"):
        data = bytearray(encode(noise(seed), kind))
        for place in random.integers(0, len(data), 12):
            data[place] = int(random.integers(256))
        try:
            pixels = decode(bytes(data), 16, 16)
        except UnusableFileError:
            continue
        assert pixels.shape == (16, 16, 3)


def test_every_format_that_is_named_can_be_read() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"):
        buffer = io.BytesIO(encode(noise(5), kind))
        assert decode(buffer.getvalue(), 16, 16).shape == (16, 16, 3)
