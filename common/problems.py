"""What pydantic found wrong, in the words of whoever wrote the file."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from common.schema.base import NAME_PATTERN, NPU_PATTERN, SHA256_PATTERN
from common.schema.device_tool import CORES_PATTERN, FLAG_PATTERN
from common.schema.duration import DURATION_PATTERN
from common.schema.given import PATH_PATTERN

PATTERNS = {
    NAME_PATTERN: "must be up to 64 letters, digits, dots, dashes and underscores, and start with a letter or digit",
    SHA256_PATTERN: "must be 64 hexadecimal digits",
    PATH_PATTERN: "must be a path that can be shown in one line: without line breaks and control characters",
    NPU_PATTERN: "must be a maker and a chip as in Qualcomm/SM8750",
    FLAG_PATTERN: "must be a flag with its value and without spaces, as in --name=value",
    CORES_PATTERN: "must be big, little, or numbers of cores as in 0-3,7",
    DURATION_PATTERN: "must be a whole number of seconds, minutes or hours as in 90s, 10m or 2h",
}
# pydantic's kinds of container, as people call them.
WORDS = {"Input should be": "must be", "an object": "a table", "a valid array": "a list"}
SENTENCES = {
    "missing": "is missing",
    "union_tag_not_found": "is missing",
    "extra_forbidden": "is not a known key",
    "string_too_short": "must not be empty",
}
SHOWN_CHARACTERS = 60


def first_problem(error: ValidationError, document: object) -> str:
    """The first complaint as `key: what is wrong`, in one line; `document` is what was validated."""
    problem, *others = error.errors(include_url=False)
    where = _where(problem, document)
    # Each kind that a value may be complains of it apart, and a list of what was left out of it.
    wrong = {_where(other, document) for other in others} - {where}
    more = len(wrong - {above for one in (where, *wrong) for above in _above(one)})
    told = _complaint(problem) + (f"; {more} more" if more else "")
    return f"{where}: {told}" if where else told


def _where(problem: Any, document: object) -> str:
    """The key as the file has it, with dots between tables."""
    keys, kind = list(problem["loc"]), problem["type"]
    if keys and keys[-1] == "[key]":
        keys.pop()
    # A model's own complaint is of its whole table, and the last key may then be a tag too.
    keys = _without_tags(keys, document, whole=kind == "value_error")
    if kind.startswith("union_tag"):
        # 'name' | 'pass': the field and what the file calls it.
        keys.append(problem["ctx"]["discriminator"].split(" | ")[-1].strip("'"))
    return ".".join(map(str, keys))


def _above(where: str) -> Iterator[str]:
    """The keys of the tables and lists around a key."""
    parts = where.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts)))


def _without_tags(keys: Sequence[str | int], document: object, *, whole: bool) -> list[str | int]:
    """The keys that the file has, and, unless a `whole` table is meant, a last one that it lacks: the tags of unions
    stand among them."""
    kept: list[str | int] = []
    here: Any = document
    for place, key in enumerate(keys):
        try:
            here = here[key]
        except (LookupError, TypeError):
            if whole or place < len(keys) - 1 or not isinstance(here, dict | list):
                continue
        kept.append(key)
    return kept


def _complaint(problem: Any) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in SENTENCES:
        return SENTENCES[kind]
    if kind == "value_error":
        # Our own validators, which name the values themselves.
        return str(context["error"])
    if kind == "json_invalid":
        return str(problem["msg"])
    if kind == "union_tag_invalid":
        return f"must be one of {context['expected_tags']}, not {_shown(context['tag'])}"
    text = PATTERNS.get(context.get("pattern", ""), problem["msg"])
    for word, ours in WORDS.items():
        text = text.replace(word, ours)
    return f"{text}, not {_shown(problem['input'])}"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
