"""Exact copies, near copies, and what is neither."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from jobs.dataset.duplicates import Copy, Fingerprint, drop_copies, fingerprint, near_groups
from jobs.dataset.images import decode
from jobs.dataset.synthetic import picture
from tests.unit.dataset.pictures import encode, noise


def of(data: bytes) -> Fingerprint:
    return fingerprint(data, decode(data, 64, 64))


def copy(key: str, sha256: str, label: int = 0) -> Copy:
    return Copy(key, sha256, f"{sha256}.png", label)


def test_of_copies_the_smallest_hash_stays() -> None:
    exact = drop_copies([copy("x", "c"), copy("y", "b"), copy("x", "a")])
    assert exact.kept == (2, 1)
    assert exact.dropped == 1
    assert exact.conflicting == ()


def test_copies_with_different_labels_all_go() -> None:
    exact = drop_copies([copy("x", "c"), copy("y", "b"), copy("x", "a", 1), copy("x", "d")])
    assert exact.kept == (1,)
    assert exact.dropped == 0
    assert exact.conflicting == ("a.png", "c.png", "d.png")


def test_the_same_pixels_in_other_bytes_have_the_same_pixel_hash() -> None:
    pixels = noise(1, 64, 64)
    one, other = of(encode(pixels)), of(encode(pixels, "BMP"))
    assert one.pixels_sha256 == other.pixels_sha256
    assert one.sha256 != other.sha256


def test_changed_copies_are_near_and_others_are_not() -> None:
    image = Image.fromarray(picture(3, 0, 0, 200, 260))
    copies = [
        encode(image),
        encode(image, "JPEG", quality=50),
        encode(image.resize((180, 130)), "JPEG"),
        encode(ImageEnhance.Brightness(image).enhance(1.1)),
    ]
    others = [encode(picture(3, label, index, 200, 260)) for label in (0, 1) for index in range(1, 15)]
    groups = near_groups([of(data) for data in copies + others], 4)
    assert set(groups[:4].tolist()) == {0}
    assert len(set(groups.tolist())) == 1 + len(others)


def test_plain_pictures_of_different_colours_are_not_near() -> None:
    colours = [(250, 20, 20), (20, 20, 250), (20, 20, 20), (250, 250, 250)]
    flat = [of(encode(Image.new("RGB", (32, 32), colour))) for colour in colours]
    assert near_groups(flat, 4).tolist() == [0, 1, 2, 3]


BASE = Fingerprint("", "", 0, 0, (0, 0, 0))


@pytest.mark.parametrize(
    ("other", "near"),
    [
        (replace(BASE, perceptual=0b1111), True),
        (replace(BASE, perceptual=0b11111), False),
        (replace(BASE, difference=0xFF), True),
        (replace(BASE, difference=0x1FF), False),
        (replace(BASE, colour=(0, 32, 0)), True),
        (replace(BASE, colour=(0, 33, 0)), False),
    ],
)
def test_the_limits_of_near(other: Fingerprint, near: bool) -> None:
    assert bool(near_groups([BASE, other], 4)[1] == 0) is near


@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.integers(0, 32))
def test_groups_are_what_a_plain_search_finds(hashes: list[int], bits: int) -> None:
    groups = near_groups([replace(BASE, perceptual=value) for value in hashes], bits)
    expected = list(range(len(hashes)))
    for i, one in enumerate(hashes):
        for j, other in enumerate(hashes):
            if (one ^ other).bit_count() <= bits:
                expected = [expected[i] if group == expected[j] else group for group in expected]
    same = [[a == b for b in groups.tolist()] for a in groups.tolist()]
    assert same == [[a == b for b in expected] for a in expected]


def test_ten_thousand_images_take_no_python_loop() -> None:
    random = np.random.default_rng(0).integers(0, 2**64, (10_000, 2), dtype=np.uint64)
    images = [replace(BASE, perceptual=one, difference=two) for one, two in random.tolist()]
    images[9_999] = images[0]
    groups = near_groups(images, 4)
    assert len(set(groups.tolist())) == 9_999
    assert groups[9_999] == groups[0] == 0
