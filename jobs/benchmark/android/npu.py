"""The libraries of an NPU on a device: LiteRT's dispatch library and compiler plugin, and the vendor's runtime.

Names: litert/vendors in LiteRT of 2026-08 (libLiteRtDispatch_<vendor>.so, libLiteRtCompilerPlugin_<vendor>.so). Those
of another version than the tool crash, so that they are brought as one set with it.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.artifact import sha256_file
from common.errors import UsageError
from jobs.benchmark.android.files import RunFolder

VARIABLE = "NPU_LIBRARIES"
DISPATCH = "libLiteRtDispatch"
NAME_DIGITS = 16
# By ro.soc.manufacturer and ro.soc.model, or the board: QTI SM8750, Google Tensor G5, Mediatek MT6991, s5e9965.
VENDORS = {
    "qualcomm": r"\b(?:QTI|Qualcomm|SM[678]\d{3}|SA8\d{3})",
    "mediatek": r"\b(?:Mediatek|MT[68]\d{3})",
    "google_tensor": r"\b(?:Google|Tensor)\b",
    "samsung": r"\b(?:Samsung|S5E\d{4}|Exynos)",
}
LACKING = f"no libraries for an NPU: {VARIABLE}=<folder> names those of this phone's vendor (docs/android.md)"


@dataclass(frozen=True)
class Libraries:
    """The files of a set, and one hash over all of them and the tool that they go with."""

    paths: tuple[Path, ...]
    sha256: str

    def expect(self, files: RunFolder) -> None:
        """Say what they will take."""
        files.expect({sha256_file(path): path.stat().st_size for path in self.paths})

    def put(self, files: RunFolder) -> str:
        """Bring them to the device, into a folder of their own; its path there."""
        name = f"npu-{self.sha256[:NAME_DIGITS]}"
        for path in self.paths:
            files.put(path, name=f"{name}/{path.name}")
        return files.path_of(name)


def vendor(soc: str) -> str | None:
    """Whose NPU a system on chip has, as LiteRT calls it; None for one that it knows no vendor of."""
    return next((name for name, pattern in VENDORS.items() if re.search(pattern, soc, re.IGNORECASE)), None)


def libraries(published: Mapping[str, Path] | None, folder: Path | None, tool: Path) -> Libraries | None:
    """The set that goes with a tool: the published ones of its version, and the user's, which come first. None where
    there is no dispatch library, without which nothing runs. Raises UsageError for a folder without libraries."""
    found = {**(published or {}), **({} if folder is None else _given(folder))}
    if not any(name.startswith(DISPATCH) for name in found):
        if folder is not None:
            hint = "give LiteRT's dispatch library of the tool's version, with the vendor's runtime"
            raise UsageError(f"{VARIABLE}={folder} holds no {DISPATCH}_<vendor>.so", hint=hint)
        return None
    paths = tuple(found[name] for name in sorted(found))
    text = "\n".join([sha256_file(tool), *(f"{path.name} {sha256_file(path)}" for path in paths)])
    return Libraries(paths, hashlib.sha256(text.encode()).hexdigest())


def _given(folder: Path) -> dict[str, Path]:
    found = {path.name: path for path in sorted(folder.glob("*.so")) if path.is_file()} if folder.is_dir() else {}
    if not found:
        raise UsageError(f"{VARIABLE}={folder} holds no *.so", hint="give the folder with the vendor's libraries")
    return found
