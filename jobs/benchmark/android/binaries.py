"""Which build of `benchmark_model` a device gets."""

import contextlib
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from common.binaries import Dialect, cache_folder, ensure, read_lock
from common.device_tools import APK, BINARY, HEXAGON, find, have, npu_set, pick
from common.elf import HEADER_BYTES, elf_abis
from common.errors import UsageError
from common.npu_libraries import extracted

# What the tool looks for in --hexagon_lib_path, whatever its publisher calls it.
HEXAGON_NAME = "libhexagon_interface.so"
ZIP = b"PK\x03\x04"
# A library of an app, in the folder of what it is for.
NATIVE = re.compile(r"lib/[^/]+/.*\.so")


def runnable(abis: Sequence[str], translated: Sequence[str]) -> tuple[str, ...]:
    """What may start as a program. On an x86 device an Arm ABI counts only where there is a translator; whether that
    takes more than the libraries of apps is tried."""
    if not abis or not abis[0].startswith("x86"):
        return tuple(abis)
    return tuple(abi for abi in abis if not abi.startswith("arm") or abi in translated)


def check_given(path: Path, abis: Sequence[str]) -> Path:
    """The user's own binary. Raises UsageError when the device cannot start it."""
    try:
        with path.open("rb") as stream:
            found = elf_abis(stream.read(HEADER_BYTES))
    except OSError as error:
        raise UsageError(f"{BINARY}={path}: {error.strerror}") from None
    if not found:
        raise UsageError(f"{BINARY}={path} is not an executable for Android", hint="give an ELF file")
    if not set(found) & set(abis):
        message = f"{BINARY}={path} is for {found[0]}, the device runs {', '.join(abis) or 'nothing known'}"
        raise UsageError(message, hint="give a build for one of those")
    return path


def published(abis: Sequence[str], dialect: Dialect) -> Path | None:
    """A verified copy of the published tool of this dialect for the best of the ABIs, downloaded at its first use.
    None when nobody publishes one. Raises as `common.binaries.ensure`."""
    found = find(read_lock(), "benchmark_model", abis, dialect)
    return None if found is None else ensure(found, cache_folder())


def litert_version(abis: Sequence[str]) -> str | None:
    """The version of the published tool of LiteRT 2.x."""
    found = find(read_lock(), "benchmark_model", abis, "litert")
    return None if found is None else found.version


def benchmark_binary(abis: Sequence[str], given: Path | None) -> Path:
    """The executable for a device that runs `abis`: the user's, or a verified copy of the published one."""
    if given is not None:
        return check_given(given, abis)
    return ensure(pick(read_lock(), "benchmark_model", abis), cache_folder())


def benchmark_app(abis: Sequence[str], given: Path | None) -> Path:
    """The app for a device that runs `abis`: the user's, or a verified copy of the published one."""
    if given is None:
        return ensure(pick(read_lock(), "benchmark_model_app", abis), cache_folder())
    return check_app(given, abis)


def check_app(path: Path, abis: Sequence[str]) -> Path:
    """The user's own app. Raises UsageError when the device cannot install it."""
    if not path.is_file():
        raise UsageError(f"{APK}={path} is no file")
    with path.open("rb") as stream:
        if stream.read(len(ZIP)) != ZIP:
            raise UsageError(f"{APK}={path} is no app for Android", hint="give an .apk file")
    # What is damaged beyond its beginning is told by the device.
    with contextlib.suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
        native = sorted({name.split("/")[1] for name in archive.namelist() if NATIVE.match(name)})
        if native and not set(native) & set(abis):
            message = f"{APK}={path} is for {', '.join(native)}, the device runs {', '.join(abis) or 'nothing known'}"
            raise UsageError(message, hint="give a build for one of those")
    return path


def hexagon_libraries(abis: Sequence[str], folder: Path | None, tool: Path | None = None) -> dict[str, Path]:
    """The libraries of the Hexagon delegate by the names that are looked for: all of the user's folder (Qualcomm's
    skeletons are not free to pass on), or the published interface alone where there is one. It is of the published
    tool: a `tool` of the user's own gets none."""
    if folder is not None:
        found = sorted(folder.glob("lib*.so"))
        if not found:
            raise UsageError(
                f"{HEXAGON}={folder} holds no lib*.so", hint=f"it needs {HEXAGON_NAME} and libhexagon_nn_skel*.so"
            )
        interface = folder / HEXAGON_NAME
        if not interface.is_file():
            raise UsageError(f"{HEXAGON}={folder} holds no {HEXAGON_NAME}", hint="the tool looks for it by this name")
        with interface.open("rb") as stream:
            built = elf_abis(stream.read(HEADER_BYTES))
        if not set(built) & set(abis):
            message = f"{interface} is for {', '.join(built) or 'no Android'}, the device runs {', '.join(abis)}"
            raise UsageError(message, hint="give a build for one of those")
        return {path.name: path for path in found}
    entry = find(read_lock(), "hexagon", abis[:1]) if tool is None else None
    library = None if entry is None else have(entry, cache_folder())
    return {} if library is None else {HEXAGON_NAME: library}


def npu_libraries(abis: Sequence[str], vendor: str, version: str) -> dict[str, Path] | None:
    """LiteRT's libraries for a vendor's NPU, of the very version of the tool, by name; downloaded at their first use.
    None when they are not published, or not any more. Raises as `common.binaries.ensure`."""
    entry = npu_set(read_lock(), vendor, version, abis)
    archive = None if entry is None else have(entry, cache_folder())
    if entry is None or archive is None:
        return None
    return extracted(archive, vendor, entry.abi, archive.parent / vendor)
