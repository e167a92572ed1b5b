"""One entry for every program of the virtual phone: which one it is says the name that it is called by."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

CHUNK = 1 << 20
# Follows the log for ever, so it must not hold the phone's lock.
UNLOCKED = ("logcat",)
NAMES = (
    *("getprop", "setprop", "dumpsys", "settings", "svc", "cmd", "pm", "am", "log", "logcat", "input", "wm"),
    *("benchmark_model", "litert_benchmark_model"),
)


def main(argv: Sequence[str]) -> int:
    """Run the program that argv[0] names; its exit status."""
    name = Path(argv[0]).name
    if name.endswith("benchmark_model"):
        from tests.devices.virtual.tool import binary

        return binary(argv)
    if argv[1:2] == ["app"]:
        # Under another name Python does not find its own packages.
        sys.path.append(argv[4])
        from tests.devices.virtual.tool import app

        return app(*argv[2:4])
    from tests.devices.phone.android import ANDROID
    from tests.devices.phone.system import Call
    from tests.devices.virtual.machine import machine, watcher

    def call(system: object) -> Call:
        return Call((name, *argv[1:]), system, lambda: os.read(0, CHUNK), _out, sys.stderr.write)  # type: ignore[arg-type]

    if name in UNLOCKED:
        return ANDROID[name](call(watcher()))
    with machine() as system:
        return ANDROID[name](call(system))


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
