"""The app, and when it measures alone: an x86 device whose translator takes the libraries of apps, and no programs."""

import sys
from collections.abc import Callable, Sequence

from common.adb.server import Device
from common.artifact import sha256_file
from common.errors import EdgeproofError, UsageError
from common.printable import tell
from jobs.benchmark.android import binaries
from jobs.benchmark.android.app import App
from jobs.benchmark.android.builds import Builds
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.targets.device_options import DeviceOptions

HINT = "give a build for it with BENCHMARK_BINARY=<path>, or the app with BENCHMARK_APK=<path>"


def app(device: Device, files: RunFolder, abis: Sequence[str], options: DeviceOptions) -> App:
    """The app for a device that runs `abis`. Raises as `binaries.benchmark_app`."""
    found = App(device, files, binaries.benchmark_app(abis, options.apk), options.app)
    size = found.apk.stat().st_size
    # The file, and what is installed of it.
    files.expect({sha256_file(found.apk): size, "app": size})
    return found


def alone(builds: Builds, made: App | None, serial: str, make: Callable[[], App]) -> App | None:
    """The app that there is; where no executable starts, one that measures in their place, asked for or not.

    Raises UsageError when it cannot be had: then nothing measures on this device.
    """
    reasons = [build.refusal for build in builds.values() if build.refusal is not None]
    if len(reasons) < len(builds):
        return made
    tell(f"note: {serial} starts no Arm program ({reasons[0]}), so that the app measures alone", sys.stderr)
    try:
        return made or make()
    except EdgeproofError as error:
        message = f"{serial} starts no Arm program ({reasons[0]}), and the app cannot be had: {error.message}"
        raise UsageError(message, hint=HINT) from None
