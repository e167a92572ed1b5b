"""The libraries that bring one version of LiteRT onto the NPUs of one vendor, out of the archive that it publishes.

LiteRT's releases hold `<vendor>_runtime[_v<generation>]/src/main/jni/arm64-v8a/libLiteRtDispatch_<Vendor>.so`; the
folders of Qualcomm's generations hold the same file. Qualcomm's own runtime (libQnn*.so) is not in it: its licence
lets nobody pass it on, so it comes from the user.
"""

import re
import zipfile
from pathlib import Path

from common.artifact import write_bytes
from common.errors import EdgeproofError

# What the archive calls the vendor in the names of its libraries.
NAMES = {"google_tensor": "GoogleTensor", "mediatek": "MediaTek", "qualcomm": "Qualcomm", "samsung": "Samsung"}
# The largest of them is below 1 MB.
MOST_BYTES = 64 << 20


def extracted(archive: Path, vendor: str, abi: str, folder: Path) -> dict[str, Path]:
    """The vendor's libraries by name, below `folder`, each from the archive. Raises EdgeproofError where there is none
    and for what is no such archive."""
    wanted = re.compile(rf"(?:.+/)?jni/{re.escape(abi)}/(libLiteRt[A-Za-z]+_{NAMES.get(vendor, vendor)}\.so)")
    found: dict[str, Path] = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                named = wanted.fullmatch(member.filename)
                if named is None or named[1] in found:
                    continue
                if member.file_size > MOST_BYTES:
                    raise EdgeproofError(f"{archive}: {named[1]} has more than the {MOST_BYTES >> 20} MiB allowed")
                content = opened.read(member)
                path = folder / named[1]
                if not path.is_file() or path.read_bytes() != content:
                    write_bytes(path, content)
                found[named[1]] = path
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise EdgeproofError(f"{archive} cannot be read: {error}", hint="remove it: it is downloaded again") from None
    if not found:
        raise EdgeproofError(f"{archive} has no library of {vendor} for {abi}")
    return found
