"""Compile a file for an NPU ahead of time, by LiteRT's own compiler plugins and the vendor's SDK.

`ai_edge_litert.aot` (LiteRT 2.3) runs a plugin of the wheel, which loads the SDK of the vendor. The SDKs are packages
of their own that fetch what their licences let nobody pass on; without one nothing can be compiled.
"""

import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import Any

from common.artifact import file_ref, write_bytes
from common.errors import EdgeproofError, UsageError
from common.npu_sdk import require
from common.schema.variant import Compiled
from common.tflite.reader import inspect

# What the plugins' log says of the reason, the most telling first.
WORDS = (
    r"Could not load shared library .*",
    r"^\[LITERT_TOOLS:APPLY\].*(?:No |not ).*",
    r"ERROR: .*",
    r"^.*(?:rror|ailed).*$",
)
REASON_LENGTH = 300


def compiled(content: bytes, target: str) -> bytes:
    """The file with what the NPU takes compiled for it. Raises UsageError for a chip that the vendor's plugin does not
    know, EdgeproofError with the plugin's reason when it compiles nothing."""
    require([target])
    from ai_edge_litert.aot import aot_compile
    from ai_edge_litert.aot.core import aot_types

    vendor, _, chip = target.partition("/")
    module = _targets(vendor)
    chips = {str(known).upper(): known for known in module.SocModel if known != "ALL"}
    if chip.upper() not in chips:
        raise UsageError(f"{vendor}'s plugin knows no {chip}", hint=f"it knows {', '.join(map(str, chips.values()))}")
    with tempfile.TemporaryDirectory(prefix="edgeproof-aot-") as folder, contextlib.redirect_stderr(io.StringIO()):
        result = aot_compile.aot_compile(
            aot_types.Model.create_from_bytes(content),
            output_dir=folder,
            target=module.Target(soc_model=chips[chip.upper()]),
            keep_going=True,
        )
        result.load()
        if not result.models_with_backend:
            said = "; ".join(reason(str(words)) for _, words in result.failed_backends) or "it says nothing"
            raise EdgeproofError(f"the file could not be compiled for {target}: {said}", hint="leave npu out")
        return bytes(result.models_with_backend[0][1].model_bytes)


def _targets(vendor: str) -> Any:
    """The module of a vendor's chips."""
    match vendor:
        case "Qualcomm":
            from ai_edge_litert.aot.vendors.qualcomm import target
        case "MediaTek":
            from ai_edge_litert.aot.vendors.mediatek import target
        case "Google":
            from ai_edge_litert.aot.vendors.google_tensor import target
        case _:
            from ai_edge_litert.aot.vendors.samsung import target
    return target


def reason(words: str) -> str:
    """Why a compilation failed: what the log that `words` name says of it, or `words`."""
    named = re.search(r"See (/\S+\.error)\b", words)
    with contextlib.suppress(OSError):
        log = Path(named[1]).read_text(encoding="utf-8", errors="replace") if named else ""
        for pattern in WORDS:
            if found := re.search(pattern, log, re.MULTILINE):
                return found[0].strip()[:REASON_LENGTH]
    return words[:REASON_LENGTH]


def write_compiled(content: bytes, target: str | None, name: str, output: Path) -> Compiled | None:
    """Compile the file of variant `name` for a target and write it beside it; None without one. Raises as `compiled`
    does."""
    if target is None:
        return None
    made = compiled(content, target)
    path = output / f"{name}.npu.tflite"
    write_bytes(path, made)
    return Compiled(target=target, model=file_ref(path, output), operators=inspect(made).operators)
