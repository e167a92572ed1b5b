"""Bundles that somebody changed: a byte, a digit, a line, with the hashes left as they were or made to fit."""

import hashlib
import io
import json
import random
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common.artifact import as_json
from common.schema.base import FileRef
from jobs.evidence.archive import END, MANIFEST, write
from jobs.evidence.manifest import manifest

Files = dict[str, bytes]
Place = tuple[str | int, ...]
# A figure is the same in its last digits: other logarithms give others.
DIGITS_READ = 12


def unpacked(bundle: Path) -> Files:
    """Every file of a bundle."""
    with tarfile.open(bundle, "r:") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def packed(files: Files, experiment: str) -> bytes:
    """A bundle of these files with a manifest that fits."""
    others = {name: content for name, content in files.items() if name != MANIFEST}
    refs = [
        FileRef(path=name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
        for name, content in others.items()
    ]
    return archived({MANIFEST: as_json(manifest(experiment, refs)), **dict(sorted(others.items()))})


def archived(files: Files) -> bytes:
    """An archive of these files as they are."""
    stream = io.BytesIO()
    for name, content in files.items():
        write(stream, name, io.BytesIO(content), len(content))
    return stream.getvalue() + END


def other_byte(content: bytes, chance: random.Random) -> bytes:
    """The same but for one byte."""
    place = chance.randrange(len(content))
    changed = (content[place] + chance.randrange(1, 256)) % 256
    return content[:place] + bytes([changed]) + content[place + 1 :]


def figures(value: Any, *place: str | int) -> Iterator[Place]:
    """Where the numbers of a JSON document are."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from figures(each, *place, key)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from figures(each, *place, number)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place


def other_digit(document: Any, place: Place, chance: random.Random) -> bytes:
    """The document with one digit of the number at `place` changed, one that somebody might read."""
    changed = json.loads(json.dumps(document))
    *way, last = place
    inside = changed
    for step in way:
        inside = inside[step]
    text = json.dumps(inside[last])
    mantissa = re.match(r"-?[\d.]+", text)
    assert mantissa is not None
    digits = [match.start() for match in re.finditer(r"\d", mantissa[0])]
    first = next((number for number, at in enumerate(digits) if text[at] != "0"), 0)
    at = chance.choice(digits[: first + DIGITS_READ])
    while True:
        other = text[:at] + chance.choice([d for d in "0123456789" if d != text[at]]) + text[at + 1 :]
        # 05 is no number of JSON, but 5 is.
        inside[last] = json.loads(other) if not re.match(r"-?0\d", other) else type(inside[last])(float(other))
        if inside[last] != json.loads(text):
            return (json.dumps(changed, indent=2, ensure_ascii=False) + "\n").encode()


def other_lines(lines: Sequence[bytes], how: str, chance: random.Random) -> list[bytes]:
    """A ledger with one line left out, doubled, or with another one's place."""
    changed, place = list(lines), chance.randrange(len(lines))
    if how == "left out":
        del changed[place]
    elif how == "doubled":
        changed.insert(place, changed[place])
    else:
        while changed == list(lines):
            one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
            changed.insert(other, changed.pop(one))
    return changed


def touched(before: Sequence[bytes], after: Sequence[bytes]) -> bytes:
    """The one line that was left out, doubled, or stands at another place."""
    differ = [place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other]
    if len(before) != len(after) or not differ:
        return before[differ[0]] if differ else before[-1]
    first, last = differ[0], differ[-1]
    # Moved back, it is where the others began to move up; moved forward, where they ended to move down.
    return before[first] if before[first + 1 : last + 1] == after[first:last] else before[last]
