"""What the user chose besides the device."""

from dataclasses import dataclass, field
from pathlib import Path

from jobs.benchmark.android.app import Patience

# A phone reboots in about a minute and a half.
PATIENCE_S = 180.0
# Loading the model and compiling it for a GPU, on a slow phone.
SLACK_S = 120.0


@dataclass(frozen=True)
class DeviceOptions:
    """Paths are None for the published files. `second` is another executable, measured beside `binary` in columns of
    its own; `npu` is a folder with the libraries of an NPU.

    `keep`: leave files and app on the device. `patience_s`: how long to wait for one that vanished.
    `slack_s`: what a process may take on top of twice the protocol's `max_secs`. `app`: how long the app may take.
    """

    binary: Path | None = None
    second: Path | None = None
    apk: Path | None = None
    hexagon: Path | None = None
    npu: Path | None = None
    keep: bool = False
    patience_s: float = PATIENCE_S
    slack_s: float = SLACK_S
    app: Patience = field(default_factory=Patience)
