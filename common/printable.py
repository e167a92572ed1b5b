"""Text from outside made fit to be shown: on a terminal, in a page, in one line of a log."""

import sys
import unicodedata
from typing import TextIO

# Control characters, directions of writing that hide what follows, lone surrogates.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str) -> str:
    """Text from outside on one line: white space joined, hidden and control characters made visible."""
    return _visible(" ".join(text.split()))


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in HIDDEN else c for c in text)


def tell(text: str, stream: TextIO | None = None) -> None:
    """Print a line that holds words from outside, at once; on standard output unless `stream` is another."""
    print(_visible(text), file=stream or sys.stdout, flush=True)
