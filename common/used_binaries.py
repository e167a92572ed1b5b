"""What was downloaded at its first use, in the folder of the downloads: a run does not change the checkout.

What docker/adb/binaries.toml pins stands there alone. An address that is not pinned is trusted the first time; from
then on it must give the same, unless it says itself that its content changes.
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError

from common.artifact import write_bytes
from common.errors import UsageError
from common.problems import first_problem
from common.schema.base import Model, Sha256

FILE = "used.toml"


def _whole(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        raise ValueError("must be an address with a host")
    return url


# Printable ASCII but for what a string of TOML would need to escape.
Url = Annotated[str, Field(pattern=r"^https?://[!#-\[\]-~]+$"), AfterValidator(_whole)]
HEAD = """# What was downloaded at its first use, and what it must be from then on. Made by the runs on devices; without
# this file the next run trusts what it finds. What docker/adb/binaries.toml pins comes first.
"""
# Parts of an address whose content its publisher replaces.
MUTABLE = frozenset({"latest", "nightly"})


class Use(Model):
    """What an address gave, since when."""

    url: Url
    since: date
    size_bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256


class _Uses(Model):
    use: tuple[Use, ...] = ()


def is_mutable(url: str) -> bool:
    """Whether the address stands for the newest build, whatever that is."""
    return not MUTABLE.isdisjoint(urlsplit(url).path.split("/"))


def uses(cache: Path) -> dict[str, Use]:
    """What was used, by address; nothing where there is no record. Raises UsageError for one that is damaged."""
    path = cache / FILE
    hint = "remove it: the next run on a device records anew what it downloads"
    table: dict[str, object] = {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = table.pop("use", [])
        found = [Use.model_validate(entry) for entry in entries] if isinstance(entries, list) else []
        _Uses.model_validate({**table, "use": tuple(found) if isinstance(entries, list) else entries})
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is not readable TOML: {error}", hint=hint) from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error, table)}", hint=hint) from None
    return {use.url: use for use in found}


def remember(cache: Path, use: Use) -> None:
    """Record what an address gave. Whoever calls it holds the folder."""
    known = {**uses(cache), use.url: use}
    write_bytes(cache / FILE, (HEAD + "".join(_entry(known[url]) for url in sorted(known))).encode())


def _entry(use: Use) -> str:
    # No value can hold a quote or a backslash, so that none needs escaping.
    lines = (f'url = "{use.url}"', f"since = {use.since.isoformat()}", f"size_bytes = {use.size_bytes}")
    return "\n[[use]]\n" + "\n".join(lines) + f'\nsha256 = "{use.sha256}"\n'
