"""Prebuilt tools for devices: where they come from, and a cache of verified copies.

The lock file names addresses and pins what was checked. Their publisher prints no sums, so what is not pinned is
trusted at its first use and recorded beside the copies (`common.used_binaries`); everything after is verified.
"""

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError, model_validator

from common.artifact import sha256_file, write_bytes
from common.download import Fetched, Say, fetched
from common.elf import HEADER_BYTES, elf_abis
from common.errors import EdgeproofError, UsageError
from common.printable import clean, tell
from common.problems import first_problem
from common.provenance import ROOT
from common.schema.base import Model, Name, Sha256
from common.used_binaries import Url, Use, is_mutable, remember, uses

LOCK = ROOT / "docker" / "adb" / "binaries.toml"
CACHE_VARIABLE = "EDGEPROOF_BINARIES"
SHOWN_DIGITS = 12
# A file of ours that waits for another download says so after this.
WAIT_S = 2.0
HEAD = """# Tools that run on devices: where they come from, the preferred one first. A run downloads what its device
# needs and records it beside the copies. `make lock-binaries` pins size and sha256 here, and then nothing else is used.
"""
ZIP = b"PK\x03\x04"
Tool = Literal["benchmark_model", "benchmark_model_app", "hexagon", "npu"]
Dialect = Literal["classic", "litert"]


class Binary(Model):
    """A file to download. `size_bytes` and `sha256` are None unless it is pinned.

    `version`: LiteRT's, where the address names one. `npu` is the archive of the libraries that bring this version
    onto the NPUs of `vendors`.
    """

    name: Name
    tool: Tool
    dialect: Dialect
    abi: Literal["arm64-v8a", "armeabi-v7a"]
    version: Name | None = None
    vendors: tuple[Name, ...] = ()
    url: Url
    size_bytes: Annotated[int, Field(gt=0)] | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.size_bytes is None) != (self.sha256 is None):
            raise ValueError("size_bytes and sha256 belong together")
        if (self.tool == "npu") != bool(self.vendors) or (self.vendors and self.version is None):
            raise ValueError("npu has vendors and a version, and nothing else has vendors")
        return self


class Lock(Model):
    """The lock file."""

    binary: tuple[Binary, ...]

    @model_validator(mode="after")
    def _no_repeats(self) -> Self:
        names = [entry.name for entry in self.binary]
        if len(set(names)) != len(names):
            raise ValueError("two entries have the same name")
        return self


@dataclass(frozen=True)
class Recorded:
    """An entry after `record`: with its sums, or with the reason why they cannot be had."""

    binary: Binary
    error: EdgeproofError | None = None


def read_lock(path: Path = LOCK) -> Lock:
    """The lock file. Raises UsageError naming what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = table.pop("binary", [])
        found = tuple(map(_binary, entries)) if isinstance(entries, list) else entries
        return Lock.model_validate({**table, "binary": found})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is not readable TOML: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error, table)}") from None


def _binary(entry: object) -> Binary:
    if isinstance(entry, dict) and isinstance(entry.get("vendors"), list):
        entry = {**entry, "vendors": tuple(entry["vendors"])}
    return Binary.model_validate(entry)


def render(lock: Lock) -> str:
    """The lock file's text."""
    return HEAD + "".join(_entry(binary) for binary in lock.binary)


def _entry(binary: Binary) -> str:
    # No value can hold a quote or a backslash, so that none needs escaping.
    lines = [f'\n[[binary]]\nname = "{binary.name}"\ntool = "{binary.tool}"\ndialect = "{binary.dialect}"\n']
    lines.append(f'abi = "{binary.abi}"\n')
    if binary.version is not None:
        lines.append(f'version = "{binary.version}"\n')
    if binary.vendors:
        lines.append("vendors = [" + ", ".join(f'"{vendor}"' for vendor in binary.vendors) + "]\n")
    lines.append(f'url = "{binary.url}"\n')
    if binary.sha256 is not None:
        lines.append(f'size_bytes = {binary.size_bytes}\nsha256 = "{binary.sha256}"\n')
    return "".join(lines)


def cache_folder(environment: Mapping[str, str] = os.environ, root: Path = ROOT) -> Path:
    """EDGEPROOF_BINARIES, or a folder of the checkout, which is `root`."""
    return Path(environment.get(CACHE_VARIABLE) or root / ".cache" / "binaries")


def known(binary: Binary, cache: Path) -> Binary:
    """The entry with its sums: pinned, or recorded at its first use here; as it is where neither was."""
    if binary.sha256 is not None:
        return binary
    use = uses(cache).get(binary.url)
    if use is None:
        return binary
    return binary.model_copy(update={"size_bytes": use.size_bytes, "sha256": use.sha256})


def held(binary: Binary, cache: Path) -> Path | None:
    """The verified copy in the cache; None where there is none. Touches no network."""
    sha256 = known(binary, cache).sha256
    if sha256 is None:
        return None
    path = cache / sha256 / binary.name
    return path if path.is_file() and sha256_file(path) == sha256 else None


def ensure(binary: Binary, cache: Path, say: Say = tell) -> Path:
    """A verified copy: of the cache, or downloaded. `say` is told how far a download is.

    Raises GoneError where the publisher has none, TryLaterError without a network, EdgeproofError for what is not
    what it was, or what it should be.
    """
    found = held(binary, cache)
    if found is not None:
        return found
    with _alone(cache, say):
        # Another process may have fetched it meanwhile.
        return held(binary, cache) or _fetch(binary, cache, say)


def record(path: Path, cache: Path, *, renew: bool = False, say: Say = tell) -> Iterator[Recorded]:
    """Pin every entry to what is in use here, or else to what its address gives; verify those that are pinned.
    `renew` pins all anew to what their addresses give now. An entry that fails stays as it was, and the rest go on.
    """
    lock = read_lock(path)
    done = list(lock.binary)
    for index, binary in enumerate(lock.binary):
        try:
            done[index] = _renewed(binary, cache, say) if renew else _pinned(binary, cache, say)
        except EdgeproofError as error:
            yield Recorded(binary, error)
            continue
        write_bytes(path, render(Lock(binary=tuple(done))).encode())
        yield Recorded(done[index])


def _pinned(binary: Binary, cache: Path, say: Say) -> Binary:
    ensure(binary, cache, say)
    return known(binary, cache)


def _renewed(binary: Binary, cache: Path, say: Say) -> Binary:
    plain = binary.model_copy(update={"size_bytes": None, "sha256": None})
    with _alone(cache, say), fetched(plain.url, cache, say) as fresh:
        _require_kind(plain, fresh.path)
        _place(plain, cache, fresh)
        return plain.model_copy(update={"size_bytes": fresh.size_bytes, "sha256": fresh.sha256})


@contextmanager
def _alone(cache: Path, say: Say) -> Iterator[None]:
    """Hold the folder of downloads: one at a time, also of several devices side by side."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = FileLock(cache / ".lock")
        try:
            lock.acquire(timeout=WAIT_S)
        except Timeout:
            say(f"note: waiting for another download into {clean(str(cache))}")
            lock.acquire()
    except OSError as error:
        hint = f"name a folder that can be written in {CACHE_VARIABLE}"
        raise EdgeproofError(f"{cache} cannot be written: {error.strerror}", hint=hint) from None
    try:
        for leftover in cache.glob(".*.partial"):
            leftover.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def _fetch(binary: Binary, cache: Path, say: Say) -> Path:
    wanted = known(binary, cache)
    tell(f"note: downloading {binary.name} from {urlsplit(binary.url).hostname}", sys.stderr)
    with fetched(binary.url, cache, say) as fresh:
        _require_kind(binary, fresh.path)
        same = wanted.sha256 == fresh.sha256
        if binary.sha256 is not None or (wanted.sha256 is not None and not is_mutable(binary.url)):
            _require_same(wanted, fresh)
        elif wanted.sha256 is not None and not same:
            since = uses(cache)[binary.url].since
            words = f"sha256 {fresh.sha256[:SHOWN_DIGITS]}, was {wanted.sha256[:SHOWN_DIGITS]}"
            new = f"the publisher of {binary.name} has a new build since {since} ({words}); measured as another build"
            tell(f"note: {new}", sys.stderr)
        path = _place(binary, cache, fresh)
    if not same:
        today = datetime.now(UTC).date()
        remember(cache, Use(url=binary.url, since=today, size_bytes=fresh.size_bytes, sha256=fresh.sha256))
    what = "verified" if same else "recorded, and verified from now on"
    tell(f"note: {binary.name}: {fresh.size_bytes} bytes, sha256 {fresh.sha256} ({what})", sys.stderr)
    return path


def _place(binary: Binary, cache: Path, fresh: Fetched) -> Path:
    path = cache / fresh.sha256 / binary.name
    path.parent.mkdir(exist_ok=True)
    fresh.path.chmod(0o644)
    fresh.path.replace(path)
    return path


def _require_kind(binary: Binary, path: Path) -> None:
    """A network that asks to log in first answers with a page of its own: that is nothing to trust."""
    with path.open("rb") as stream:
        head = stream.read(HEADER_BYTES)
    archive = binary.tool == "benchmark_model_app" or binary.url.endswith(".zip")
    if head.startswith(ZIP) if archive else binary.abi in elf_abis(head):
        return
    message = f"{binary.url} gives no {'archive' if archive else 'program for ' + binary.abi}: it begins with {head!r}"
    raise EdgeproofError(message, hint="does this network ask to log in first? otherwise give your own file")


def _require_same(wanted: Binary, fresh: Fetched) -> None:
    if wanted.sha256 is None or (fresh.size_bytes, fresh.sha256) == (wanted.size_bytes, wanted.sha256):
        return
    message = (
        f"{wanted.url} is not what was recorded: {fresh.size_bytes} bytes, sha256 {fresh.sha256[:SHOWN_DIGITS]}, "
        f"instead of {wanted.size_bytes} bytes, sha256 {wanted.sha256[:SHOWN_DIGITS]}"
    )
    hint = "its publisher replaced it, or someone else did; after checking, make lock-binaries RENEW=1 pins the new one"
    raise EdgeproofError(message, hint=hint)
