"""Whether this process may run code that a model brings along."""

import os
from pathlib import Path

from common.errors import UsageError
from common.provenance import IMAGE_VARIABLE

# Set by make's TRUST=1, or by hand.
VARIABLE = "EDGEPROOF_TRUST"
INTERFACES = Path("/sys/class/net")
LOOPBACK = "lo"
# IFF_UP (linux/if.h).
UP = 0x1


def require_trust(path: Path, why: str) -> None:
    """Raise UsageError unless the user trusts the model file `path`, or the code that it may hold can reach nothing:
    in a container of the launcher that has no network."""
    if os.environ.get(VARIABLE) == "1" or (os.environ.get(IMAGE_VARIABLE) and not has_network()):
        return
    hint = f"if you trust whoever made it, say TRUST=1 (without make: {VARIABLE}=1); RUNTIME=docker needs no trust"
    raise UsageError(f"{path} may run code: {why}", hint=hint)


def has_network(interfaces: Path = INTERFACES) -> bool:
    """Whether a network interface other than loopback is up; True where that cannot be told."""
    try:
        found = [folder for folder in interfaces.iterdir() if folder.name != LOOPBACK]
        return any(int((folder / "flags").read_text(encoding="ascii"), 16) & UP for folder in found)
    except (OSError, ValueError):
        return True
