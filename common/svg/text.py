"""How wide letters are, before any browser has set them. Pure."""

import unicodedata

# Pixels; the size of all letters in a drawing.
FONT_SIZE = 12
LINE = 16
# Widths of Arial's letters as shares of the size, by group; system fonts are wider by up to a tenth.
NARROW = {**dict.fromkeys("ijl'|", 0.24), **dict.fromkeys(" .,:;!/\\[]()ftrI-", 0.34)}
WIDE = {**dict.fromkeys("mM%@W", 0.9), **dict.fromkeys("wABCDEGHKNOPQRSUVXY&", 0.74)}
USUAL, EAST_ASIAN = 0.57, 1.02
SLACK = 1.08
# Of letters of weight 600.
STRONG = 1.1
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def text_width(text: str, *, strong: bool = False) -> float:
    """About the width of a text in pixels, rather too much than too little."""
    return FONT_SIZE * SLACK * (STRONG if strong else 1.0) * sum(_share(letter) for letter in text)


def _share(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return EAST_ASIAN
    known = NARROW.get(letter) or WIDE.get(letter)
    # What is in no Latin alphabet may be as wide as an em.
    return known or (USUAL if ord(letter) < 0x250 or letter == ELLIPSIS else 0.95)  # noqa: PLR2004


def fitted(text: str, width: float) -> str:
    """The text, cut with an ellipsis where it is wider than `width` pixels."""
    if text_width(text) <= width:
        return text
    kept, used = "", text_width(ELLIPSIS)
    for letter in text:
        used += text_width(letter)
        if used > width:
            break
        kept += letter
    return kept.rstrip() + ELLIPSIS
