"""Take everything of ours off a device."""

import sys

from common.adb.errors import LimitError, NotReadyError, TransportError
from common.adb.server import Device
from common.printable import tell
from jobs.benchmark.android import installing
from jobs.benchmark.android.files import RunFolder


def leave(device: Device, files: RunFolder) -> None:
    """Remove the folder and the app, and say so when that is not possible."""
    reason = _remove(device, files) if device.answers() else "it does not answer"
    # What was never begun leaves nothing.
    if reason is not None and files.holds:
        hint = files.removal()
        tell(f"warning: {files.path} was left on the device: {reason} ({hint})", sys.stderr)


def _remove(device: Device, files: RunFolder) -> str | None:
    reason = None
    try:
        reason = installing.remove(device, files)
    except (TransportError, LimitError, NotReadyError) as error:
        reason = str(error)
    return files.remove() or reason
