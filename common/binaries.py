"""Prebuilt tools for devices: a lock file with URL, size and sha256 of each, and a cache of verified copies.

Their publisher prints no sums, so the first download is trusted and recorded; everything after is verified.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.request import urlopen

from pydantic import Field, ValidationError, model_validator

from common.artifact import atomic, sha256_file, write_bytes
from common.errors import EdgeproofError, TryLaterError, UsageError
from common.problems import first_problem
from common.provenance import ROOT
from common.schema.base import Model, Name, Sha256

LOCK = ROOT / "docker" / "adb" / "binaries.toml"
CACHE_VARIABLE = "EDGEPROOF_BINARIES"
# In the adb image, which is built with verified copies of what is recorded.
IMAGE_FOLDER = Path("/opt/edgeproof/bin")
TIMEOUT_S = 60
CHUNK_BYTES = 1 << 20
# The largest of them, with the TensorFlow kernels, is about 200 MB.
MOST_BYTES = 1 << 30
HEAD = """# Tools that run on devices: where they come from and what they must be. `make lock-binaries` downloads each
# and records its size and sha256 (trust on first use); from then on a copy that differs is refused.
"""


class Binary(Model):
    """A file to download. `size_bytes` and `sha256` are None until it was downloaded once."""

    name: Name
    tool: Literal["benchmark_model", "benchmark_model_app", "hexagon"]
    dialect: Literal["classic", "litert"]
    abi: Literal["arm64-v8a", "armeabi-v7a"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s\"\\]+$")]
    size_bytes: Annotated[int, Field(gt=0)] | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.size_bytes is None) != (self.sha256 is None):
            raise ValueError("size_bytes and sha256 belong together")
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


def read_lock(path: Path = LOCK) -> Lock:
    """The lock file. Raises UsageError naming what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = tuple(Binary.model_validate(entry) for entry in table.pop("binary", ()))
        return Lock.model_validate({**table, "binary": entries})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is not readable TOML: {error}") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error, table)}") from None


def render(lock: Lock) -> str:
    """The lock file's text."""
    return HEAD + "".join(_entry(binary) for binary in lock.binary)


def _entry(binary: Binary) -> str:
    # No value can hold a quote or a backslash, so that none needs escaping.
    lines = [f'\n[[binary]]\nname = "{binary.name}"\ntool = "{binary.tool}"\ndialect = "{binary.dialect}"\n']
    lines.append(f'abi = "{binary.abi}"\nurl = "{binary.url}"\n')
    if binary.sha256 is not None:
        lines.append(f'size_bytes = {binary.size_bytes}\nsha256 = "{binary.sha256}"\n')
    return "".join(lines)


def record(path: Path, cache: Path, *, renew: bool = False) -> Iterator[Binary]:
    """Download every entry that was never downloaded and record it; verify the others. `renew` records anew.

    Raises EdgeproofError for a copy that is not what was recorded; what was recorded before it is kept.
    """
    lock = read_lock(path)
    done = list(lock.binary)
    for index, binary in enumerate(lock.binary):
        wanted = binary.model_copy(update={"size_bytes": None, "sha256": None}) if renew else binary
        done[index] = _download(wanted, cache)
        write_bytes(path, render(Lock(binary=tuple(done))).encode())
        yield done[index]


def ensure(binary: Binary, cache: Path) -> Path:
    """A verified copy: of the image, of the cache, or downloaded. Raises EdgeproofError or TryLaterError."""
    if binary.sha256 is None:
        hint = "run make lock-binaries once, or give your own with BENCHMARK_BINARY=<path>"
        raise UsageError(f"{binary.name} was never downloaded, so nothing says what it must be", hint=hint)
    for path in (IMAGE_FOLDER / binary.name, cache / binary.sha256 / binary.name):
        if path.is_file() and sha256_file(path) == binary.sha256:
            return path
    _download(binary, cache)
    return cache / binary.sha256 / binary.name


def pinned(lock: Lock) -> tuple[Binary, ...]:
    """The entries that were downloaded once, so that it is known what they must be."""
    return tuple(binary for binary in lock.binary if binary.sha256 is not None)


def gather(lock: Lock, cache: Path, folder: Path) -> None:
    """Make `folder` hold a verified copy of every recorded entry under its name, and nothing else.

    Raises EdgeproofError or TryLaterError for one that cannot be had.
    """
    copies = {binary.name: ensure(binary, cache) for binary in pinned(lock)}
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in copies:
            path.unlink()
    for name, copy in copies.items():
        write_bytes(folder / name, copy.read_bytes())


def cache_folder() -> Path:
    """EDGEPROOF_BINARIES, or a folder of the checkout."""
    return Path(os.environ.get(CACHE_VARIABLE) or ROOT / ".cache" / "binaries")


def _download(binary: Binary, cache: Path) -> Binary:
    digest, size = hashlib.sha256(), 0
    cache.mkdir(parents=True, exist_ok=True)
    with atomic(cache / binary.name) as temporary:
        try:
            with urlopen(binary.url, timeout=TIMEOUT_S) as source, temporary.open("wb") as target:  # noqa: S310
                while chunk := source.read(CHUNK_BYTES):
                    size += len(chunk)
                    if size > (binary.size_bytes or MOST_BYTES):
                        break
                    digest.update(chunk)
                    target.write(chunk)
        except OSError as error:
            raise TryLaterError(f"{binary.url} could not be downloaded: {error}", hint="check the network") from None
        _require(binary, size, digest.hexdigest())
        place = cache / digest.hexdigest() / binary.name
        write_bytes(place, temporary.read_bytes())
    (cache / binary.name).unlink(missing_ok=True)
    return binary.model_copy(update={"size_bytes": size, "sha256": digest.hexdigest()})


def _require(binary: Binary, size: int, sha256: str) -> None:
    if size == 0:
        raise EdgeproofError(f"{binary.url} is empty")
    if binary.sha256 is not None and (size, sha256) != (binary.size_bytes, binary.sha256):
        message = (
            f"{binary.url} is not what was recorded: {size} bytes, sha256 {sha256[:12]}, "
            f"instead of {binary.size_bytes} bytes, sha256 {binary.sha256[:12]}"
        )
        hint = "its publisher replaced it, or someone else did; after checking, record it with RENEW=1"
        raise EdgeproofError(message, hint=hint)
