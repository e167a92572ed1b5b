"""Whether what an artifact states is what follows from its sources: the two compared, every difference named."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel

from common.numbers import clipped
from common.schema.evidence import Finding, Followed

# Logarithms differ in their last digits between processors and libraries; no digit that anybody reads does.
CLOSE, LEAST = 1e-12, 1e-15
SHOWN = 60
# A file that was made up differs everywhere; the first differences say enough.
MOST = 50
NOTHING = "nothing"


def differences(where: str, stated: object, derived: object, close: float = CLOSE) -> Iterator[Finding]:
    """Every place where two artifacts, or parts of them, differ; numbers by more than `close` as a share."""
    if stated == derived:
        return
    if isinstance(stated, BaseModel) and type(stated) is type(derived):
        for name in type(stated).model_fields:
            yield from differences(f"{where}.{name}", getattr(stated, name), getattr(derived, name), close)
    elif isinstance(stated, Mapping) and isinstance(derived, Mapping):
        for key in dict.fromkeys((*stated, *derived)):
            yield from differences(f"{where}.{key}", stated.get(key), derived.get(key), close)
    elif _is_list(stated) and _is_list(derived):
        yield from _of_lists(where, stated, derived, close)  # type: ignore[arg-type]
    elif not _same_number(stated, derived, close):
        yield Finding(where=where, stated=_short(stated), derived=_short(derived))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _of_lists(where: str, stated: Sequence[object], derived: Sequence[object], close: float) -> Iterator[Finding]:
    if len(stated) != len(derived):
        yield Finding(where=f"the length of {where}", stated=str(len(stated)), derived=str(len(derived)))
    for place, (one, other) in enumerate(zip(stated, derived, strict=False)):
        yield from differences(f"{where}[{_label(one, place)}]", one, other, close)


def _label(item: object, place: int) -> str:
    """The place in a list, with what it is of."""
    cell = getattr(item, "cell", item)
    named = [getattr(cell, name, None) for name in ("variant", "name", "target", "backend", "threads")]
    words = [str(word) for word in named if isinstance(word, str | int)]
    return " ".join((str(place), *words))


def _same_number(stated: object, derived: object, close: float) -> bool:
    if not (isinstance(stated, float) and isinstance(derived, float)) or close == 0:
        return False
    return math.isclose(stated, derived, rel_tol=close, abs_tol=LEAST)


def _short(value: object) -> str:
    if value is None:
        return NOTHING
    text = value.model_dump_json() if isinstance(value, BaseModel) else str(value)
    return clipped(text, SHOWN) or "empty"


def figures(value: object) -> int:
    """How many numbers a model or a part of one holds."""
    if isinstance(value, BaseModel):
        return sum(figures(getattr(value, name)) for name in type(value).model_fields)
    if isinstance(value, Mapping):
        return sum(map(figures, value.values()))
    if isinstance(value, str | bytes | bool):
        return 0
    if isinstance(value, Iterable):
        return sum(map(figures, value))
    return int(isinstance(value, int | float))


def tell_findings(found: Iterable[Finding], followed: Followed) -> None:
    """What a check says, a line of JSON each; the last line says that it came to its end."""
    for number, finding in enumerate(found):
        if number == MOST:
            break
        sys.stdout.write(finding.model_dump_json() + "\n")
    sys.stdout.write(followed.model_dump_json() + "\n")
