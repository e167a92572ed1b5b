"""Text from outside made fit to be shown: on a terminal, in a page, in one line of a log."""

import unicodedata

# Control characters, directions of writing that hide what follows, lone surrogates.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def clean(text: str) -> str:
    """Text from outside on one line: white space joined, hidden and control characters made visible."""
    joined = " ".join(text.split())
    if joined.isascii() and joined.isprintable():
        return joined
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in HIDDEN else c for c in joined)
