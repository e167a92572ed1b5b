"""Class names as the lines of a label file. Pure."""

import unicodedata
from collections.abc import Sequence

# Control characters, lone surrogates and separators of lines: some reader takes each of them for a line's end.
BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})


def label_lines(classes: Sequence[str]) -> tuple[str, ...]:
    """One line per class: never empty (some readers skip those), without line breaks, each once."""
    lines: list[str] = []
    for index, name in enumerate(classes):
        line = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in BREAKING else c for c in name).strip()
        line = line or f"class {index}"
        while line in lines:
            line = f"{line} ({index})"
        lines.append(line)
    return tuple(lines)


def label_file(classes: Sequence[str]) -> bytes:
    """The file: UTF-8, one label per line in the order of the outputs."""
    return "".join(f"{line}\n" for line in label_lines(classes)).encode()
