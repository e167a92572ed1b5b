"""Which published files a run on a device needs, and whether they are here. For whoever looks before the work, too."""

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from common.binaries import Binary, Dialect, Lock, Tool, ensure, held, known
from common.download import GoneError, Say
from common.errors import EdgeproofError, UsageError
from common.printable import tell
from common.schema.experiment import Benchmark

BINARY, SECOND, APK = "BENCHMARK_BINARY", "BENCHMARK_BINARY_2", "BENCHMARK_APK"
HEXAGON, NPU = "HEXAGON_LIBRARIES", "NPU_LIBRARIES"
# What both programs measure, and the newer one alone.
SHARED, NEWER_ONLY = ("xnnpack", "gpu"), ("npu",)
LIBRARIES = ("hexagon", "npu")


def find(lock: Lock, tool: Tool, abis: Sequence[str], dialect: Dialect | None = None) -> Binary | None:
    """The first entry for the best ABI; the lock's order decides. None when nobody publishes one for these."""
    for abi in abis:
        for binary in lock.binary:
            if binary.tool == tool and binary.abi == abi and dialect in (None, binary.dialect):
                return binary
    return None


def pick(lock: Lock, tool: Tool, abis: Sequence[str], dialect: Dialect | None = None) -> Binary:
    """The same. Raises UsageError when nobody publishes one."""
    found = find(lock, tool, abis, dialect)
    if found is None:
        message = f"nobody publishes {tool} for {', '.join(abis) or 'this device'}"
        own = APK if tool == "benchmark_model_app" else BINARY
        raise UsageError(message, hint=f"build one and give it with {own}=<path>")
    return found


def npu_set(lock: Lock, vendor: str, version: str, abis: Sequence[str]) -> Binary | None:
    """The archive of the libraries that bring LiteRT of this very version onto a vendor's NPU; other versions crash."""
    for binary in lock.binary:
        if binary.tool == "npu" and vendor in binary.vendors and binary.version == version and binary.abi in abis[:1]:
            return binary
    return None


def dialects(settings: Benchmark) -> tuple[Dialect, ...]:
    """The published tools that settings need, the one first that measures what both can. The classic one also answers
    for the newer one, which takes no inputs."""
    backends, newer = set(settings.backends), settings.tool != "classic"
    wanted: list[Dialect] = ["litert"] if backends & {*NEWER_ONLY, *(SHARED if newer else ())} else []
    if not backends <= set(NEWER_ONLY):
        wanted.append("classic")
    return tuple(wanted if newer else wanted[::-1])


def needed(lock: Lock, abis: Sequence[str], settings: Benchmark, own: Collection[str]) -> tuple[Binary, ...]:
    """The entries that a run on a device with these ABIs needs. `own` names the variables (BINARY, APK, HEXAGON) that
    the user gives files with, which need no download. Raises UsageError when nobody publishes what is needed."""
    found: list[Binary | None] = []
    if BINARY not in own:
        tools = [find(lock, "benchmark_model", abis, dialect) for dialect in dialects(settings)]
        # What the one that is not published would measure is measured by the other, or is unsupported.
        found += tools if any(tools) else [pick(lock, "benchmark_model", abis)]
        found += _npu_archives(lock, abis) if "npu" in settings.backends else []
    if settings.app and APK not in own:
        found.append(pick(lock, "benchmark_model_app", abis))
    if "hexagon" in settings.backends and not {HEXAGON, BINARY} & set(own):
        found.append(find(lock, "hexagon", abis[:1]))
    return tuple(binary for binary in found if binary is not None)


def _npu_archives(lock: Lock, abis: Sequence[str]) -> list[Binary]:
    """The libraries of the published tool's version, for whichever vendor."""
    tool = find(lock, "benchmark_model", abis, "litert")
    return [
        one for one in lock.binary if tool and one.tool == "npu" and (one.version, one.abi) == (tool.version, tool.abi)
    ]


def missing(wanted: Iterable[Binary], cache: Path) -> tuple[Binary, ...]:
    """Those that a run would download. Touches no network."""
    return tuple(binary for binary in wanted if held(binary, cache) is None)


def fetch(wanted: Iterable[Binary], cache: Path, say: Say = tell) -> None:
    """Have a verified copy of each in the cache. What a run would go on without, because the classic tool measures
    it, is missed with a note. Raises as `common.binaries.ensure` for the rest, before it."""
    entries = sorted(wanted, key=lambda binary: binary.dialect == "litert")
    spare = any((binary.tool, binary.dialect) == ("benchmark_model", "classic") for binary in entries)
    for binary in entries:
        try:
            have(binary, cache, say)
        except EdgeproofError as error:
            if not spare or binary.dialect != "litert":
                raise
            tell(f"note: going on without {binary.name}: {error}", sys.stderr)


def have(binary: Binary, cache: Path, say: Say = tell) -> Path | None:
    """A verified copy. None for what the publisher has no more, where that costs some rows alone: libraries of one
    backend, and the newer tool, which is missed. Raises as `common.binaries.ensure` otherwise."""
    try:
        return ensure(binary, cache, say)
    except GoneError as gone:
        if binary.tool not in LIBRARIES and binary.dialect != "litert":
            raise
        tell(f"note: {gone}", sys.stderr)
        return None


def sums(wanted: Iterable[Binary], cache: Path) -> dict[str, str | None]:
    """The sha256 of each, by tool and dialect; None for one that was never downloaded and is not pinned."""
    return {f"{binary.tool}-{binary.dialect}": known(binary, cache).sha256 for binary in wanted}
