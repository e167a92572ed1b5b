"""The vendors that LiteRT's compiler plugins know, and whether their SDKs are installed. With the standard library
alone, since it is asked before anything is made."""

import importlib.util
from collections.abc import Sequence

from common.errors import UsageError

# The vendor in an experiment, and the module of its SDK.
VENDORS = {
    "Qualcomm": "ai_edge_litert_sdk_qualcomm",
    "MediaTek": "ai_edge_litert_sdk_mediatek",
    "Google": "ai_edge_litert_sdk_google_tensor",
    "Samsung": "ai_edge_litert_sdk_samsung",
}


def require(targets: Sequence[str]) -> None:
    """See that files can be compiled for these targets (`Qualcomm/SM8750`). Raises UsageError that names the SDK."""
    for target in targets:
        vendor = target.partition("/")[0]
        if vendor not in VENDORS:
            raise UsageError(f"no NPU of {vendor} can be compiled for", hint=f"LiteRT knows {', '.join(VENDORS)}")
        module = VENDORS[vendor]
        if importlib.util.find_spec(module) is None:
            package = module.replace("_", "-")
            hint = (
                f"install {package} of LiteRT's version into .venv (no image holds it: RUNTIME=local), or leave npu out"
            )
            raise UsageError(f'npu = "{target}" takes {vendor}\'s SDK, which is not installed', hint=hint)
