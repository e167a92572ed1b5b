"""The executables that measure on a device: which there are, and which of them measures what."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.adb.facts import DeviceFacts
from common.adb.server import Device
from common.device_tools import NEWER_ONLY, SHARED, dialects
from common.elf import HEADER_BYTES, elf_abis
from common.errors import EdgeproofError, UsageError
from common.printable import clean, tell
from common.schema.benchmark import Runner
from common.schema.experiment import Benchmark as Settings
from jobs.benchmark.android import binaries
from jobs.benchmark.android.command import PEAK, Dialect, dialect, flag_of, lacks
from jobs.benchmark.android.files import ROOT, RunFolder
from jobs.benchmark.targets.device_options import DeviceOptions

FIRST: dict[Dialect, Runner] = {Dialect.CLASSIC: "binary", Dialect.LITERT: "litert"}
SECOND: dict[Dialect, Runner] = {Dialect.CLASSIC: "binary-2", Dialect.LITERT: "litert-2"}
# What measures some of the cells alone, as the facts call it.
BESIDE = {
    "litert": "Tool of LiteRT 2.x",
    "binary-2": "Second tool",
    "litert-2": "Second tool of LiteRT 2.x",
    "npu": "Libraries of the NPU",
}
FLAG = re.compile(r"^[ \t]*--([\w-]+)(?:=| \()", re.MULTILINE)
SAID_LENGTH = 200
# A shell's statuses for what is no program here, and for what a signal ended.
NOT_STARTED, SIGNALLED = (126, 127), 128


@dataclass(frozen=True)
class Build:
    """An executable, what it is, and the flags that it lists. `refusal`: why it does not start on this device, which
    may still run its app."""

    path: Path
    dialect: Dialect
    flags: frozenset[str]
    refusal: str | None = None

    def lacks(self, backend: str) -> str | None:
        """Why this build cannot run a backend at all; None when it can."""
        if self.refusal is not None:
            return f"this device starts no Arm program: {self.refusal}"
        words = lacks(self.dialect, backend)
        flag = flag_of(self.dialect, backend)
        if words is None and flag is not None and flag not in self.flags:
            words = f"this build of the tool has no such backend: it does not know --{flag}"
        return words

    @property
    def peak(self) -> tuple[str, ...]:
        """The flags that make it tell its peak memory."""
        return (f"--{PEAK}=true",) if PEAK in self.flags else ()


class DoesNotStartError(UsageError):
    """An executable, for `abis`, that the device does not start; `said` are its words."""

    def __init__(self, message: str, hint: str, path: Path, said: str) -> None:
        super().__init__(message, hint=hint)
        self.path, self.abis, self.said = path, abis_of(path), said


Builds = Mapping[Runner, Build]


def found(device: Device, files: RunFolder, facts: DeviceFacts, options: DeviceOptions, settings: Settings) -> Builds:
    """What measures on a device, each seen to start there: the user's own, in their order, or those of the published
    ones that the settings need. Raises UsageError for one that does not start; where a translator may be for apps
    alone, the first one says so instead."""
    abis = binaries.runnable(facts.abis, facts.translated)
    given = [path for path in (options.binary, options.second) if path is not None]
    builds: dict[Runner, Build] = {}
    for path in given or _published(abis, settings):
        try:
            build = _learn(device, files, binaries.check_given(path, abis) if given else path)
        except UsageError as error:
            if not builds and isinstance(error, DoesNotStartError) and set(error.abis) & set(facts.translated):
                return {"binary": Build(error.path, Dialect.CLASSIC, frozenset(), error.said)}
            if given or not builds:
                raise
            _without(error, settings)
            continue
        builds[SECOND[build.dialect] if FIRST[build.dialect] in builds else FIRST[build.dialect]] = build
    if any(set(abis_of(build.path)) & set(facts.translated) for build in builds.values()):
        tell(f"note: {device.serial} starts the Arm build by translation", sys.stderr)
    return builds


def abis_of(path: Path) -> tuple[str, ...]:
    """What an executable is for."""
    with path.open("rb") as stream:
        return elf_abis(stream.read(HEADER_BYTES))


def _published(abis: Sequence[str], settings: Settings) -> list[Path]:
    """Of those that the settings need, the classic one first. The newer one is missed where it cannot be had, the
    classic one is needed."""
    wanted = dialects(settings)
    paths = [binaries.benchmark_binary(abis, None)] if "classic" in wanted else []
    if "litert" in wanted:
        try:
            newer = binaries.published(abis, "litert")
            if newer is None:
                raise EdgeproofError(f"nobody publishes it for {', '.join(abis) or 'this device'}")
            paths.append(newer)
        except EdgeproofError as error:
            _without(error, settings)
    return paths or [binaries.benchmark_binary(abis, None)]


def _without(error: EdgeproofError, settings: Settings) -> None:
    """Say what is measured without the newer tool."""
    able = NEWER_ONLY if settings.tool == "classic" else (*NEWER_ONLY, *SHARED)
    names = ", ".join(name for name in settings.backends if name in able)
    tell(clean(f"note: without the tool of LiteRT 2.x ({error.message}): {names} by the classic tool alone"))


def _learn(device: Device, files: RunFolder, path: Path) -> Build:
    told = device.run([files.put(path, executable=True), "--help"])
    kind = dialect(told.text)
    if kind is None:
        said = " ".join(told.text.split())[:SAID_LENGTH] or f"exit status {told.status}"
        hint = "give a build for this device with BENCHMARK_BINARY=<path>"
        if "Permission denied" in told.text:
            hint = f"{ROOT} does not let programs start here: the system mounts it noexec, or its policy forbids it"
        message = f"{path.name} is no benchmark_model that {device.serial} runs: {clean(said)}"
        if told.status in NOT_STARTED or told.status > SIGNALLED:
            raise DoesNotStartError(message, hint, path, clean(said))
        raise UsageError(message, hint=hint)
    return Build(path, kind, listed_flags(told.text))


def listed_flags(help_text: str) -> frozenset[str]:
    """The flags that a tool's `--help` lists."""
    return frozenset(FLAG.findall(help_text))


def runners(builds: Builds, backend: str, options: DeviceOptions, settings: Settings) -> tuple[Runner, ...]:
    """Those that measure a backend, the one that decides first. Where none can, one says so."""
    able = [runner for runner, build in builds.items() if build.lacks(backend) is None]
    if not able:
        # Of two that cannot, the reason of the one that comes nearest.
        return (min(builds, key=lambda runner: runner.startswith("litert") != (backend in NEWER_ONLY)),)
    if options.binary is not None:
        return tuple(able)
    if settings.tool != "classic":
        able.sort(key=lambda runner: runner != "litert")
    return tuple(able if settings.tool == "both" else able[:1])
