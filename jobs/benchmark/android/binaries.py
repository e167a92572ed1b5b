"""Which build of `benchmark_model` a device gets."""

from collections.abc import Sequence
from pathlib import Path

from common.binaries import Binary, Lock, cache_folder, ensure, read_lock
from common.errors import UsageError

GIVEN = "BENCHMARK_BINARY"
MAGIC = b"\x7fELF"
# e_machine, two bytes at offset 18 of an ELF header (System V ABI, chapter 4).
MACHINES = {183: ("arm64-v8a",), 40: ("armeabi-v7a", "armeabi"), 62: ("x86_64",), 3: ("x86",)}
MACHINE_OFFSET = 18
HEADER_BYTES = 20


def elf_abis(header: bytes) -> tuple[str, ...]:
    """The ABIs that an executable is for, by its first 20 bytes; none for what is no ELF file."""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return ()
    return MACHINES.get(int.from_bytes(header[MACHINE_OFFSET:HEADER_BYTES], "little"), ())


def runnable(abis: Sequence[str], translated: Sequence[str]) -> tuple[str, ...]:
    """What the device starts as a program. On an x86 device an Arm ABI counts only where the kernel really
    translates executables, not just libraries inside apps."""
    if not abis or not abis[0].startswith("x86"):
        return tuple(abis)
    return tuple(abi for abi in abis if not abi.startswith("arm") or abi in translated)


def check_given(path: Path, abis: Sequence[str]) -> Path:
    """The user's own binary. Raises UsageError when the device cannot start it."""
    try:
        with path.open("rb") as stream:
            found = elf_abis(stream.read(HEADER_BYTES))
    except OSError as error:
        raise UsageError(f"{GIVEN}={path}: {error.strerror}") from None
    if not found:
        raise UsageError(f"{GIVEN}={path} is not an executable for Android", hint="give an ELF file")
    if not set(found) & set(abis):
        message = f"{GIVEN}={path} is for {found[0]}, the device runs {', '.join(abis) or 'nothing known'}"
        raise UsageError(message, hint="give a build for one of those")
    return path


def pick(lock: Lock, tool: str, abis: Sequence[str]) -> Binary:
    """The first entry for the best ABI; the lock's order decides between dialects. Raises UsageError."""
    for abi in abis:
        for binary in lock.binary:
            if binary.tool == tool and binary.abi == abi:
                return binary
    message = f"nobody publishes {tool} for {', '.join(abis) or 'this device'}"
    raise UsageError(message, hint=f"build one and give it with {GIVEN}=<path>")


def benchmark_binary(abis: Sequence[str], given: Path | None) -> Path:
    """The executable for a device that runs `abis`: the user's, or a verified copy of the published one."""
    if given is not None:
        return check_given(given, abis)
    return ensure(pick(read_lock(), "benchmark_model", abis), cache_folder())


def benchmark_app(abis: Sequence[str], given: Path | None) -> Path:
    """The app for a device that runs `abis`: the user's, or a verified copy of the published one."""
    if given is None:
        return ensure(pick(read_lock(), "benchmark_model_app", abis), cache_folder())
    if not given.is_file():
        raise UsageError(f"BENCHMARK_APK={given} is no file")
    return given


def hexagon_libraries(abis: Sequence[str], folder: Path | None) -> tuple[Path, ...]:
    """The libraries of the Hexagon delegate: all of the user's folder (Qualcomm's skeletons are not free to
    pass on), or the published interface alone where there is one."""
    if folder is not None:
        found = tuple(sorted(folder.glob("lib*.so")))
        if not found:
            raise UsageError(f"HEXAGON_LIBRARIES={folder} holds no lib*.so")
        return found
    return tuple(
        ensure(entry, cache_folder())
        for entry in read_lock().binary
        if entry.tool == "hexagon" and entry.abi in abis[:1] and entry.sha256 is not None
    )
