"""The benchmark app on a phone: put it there, take it away again, and understand a phone that refuses it.

A refusal is the phone's answer for this run: it is not asked again, and only the app's rows are lost.
"""

import re
import sys
import threading
from pathlib import Path

from common.adb.errors import DeviceFileError, LimitError, NotReadyError, TimeLimitError, TransportError
from common.adb.server import Device
from common.errors import EdgeproofError
from common.printable import clean, tell
from common.schema.outcome import Failed, Unsupported
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.logcat import PACKAGE

# Optimising the app at installation takes its time on small phones, and some ask on the screen.
INSTALL_S = 180.0
# An installation without questions is done by then, mostly.
ANNOUNCE_S = 10.0
UNINSTALL_S = 60.0
OWN = "app-is-ours"
OLD_TARGET = "INSTALL_FAILED_DEPRECATED_SDK_VERSION"
BYPASS = "--bypass-low-target-sdk-block"
# Words of PackageManager, by what they name; a `pm` that dies says an exception instead.
NAMED = re.compile(r"INSTALL_(?:PARSE_)?FAILED_[A-Z_]{3,60}(?:: ?[^\]\n]*)?")
CONFIRM = 'allow "Install via USB" in the developer options and confirm it on the screen'
OTHER_APK = "give another build of the app with BENCHMARK_APK=<path>"
HINTS = (
    (r"INSTALL_GRANT_RUNTIME_PERMISSIONS", 'switch on "USB debugging (Security settings)" in the developer options'),
    (r"USER_RESTRICTED|ABORTED|SecurityException|Permission [Dd]enial|Permission [Dd]enied|rejected", CONFIRM),
    (OLD_TARGET, f"this Android takes no apps made for one so old; {OTHER_APK}"),
    (r"INSUFFICIENT_STORAGE|not enough space|No space left|MEDIA_UNAVAILABLE", "free some space on the device"),
    (r"NO_MATCHING_ABIS|CPU_ABI_INCOMPATIBLE", f"the app is for another processor; {OTHER_APK}"),
    (
        r"UPDATE_INCOMPATIBLE|SHARED_USER_INCOMPATIBLE|INCONSISTENT_CERTIFICATES|DOWNGRADE|signatures",
        f"another build of the app is there; remove it with adb uninstall {PACKAGE}",
    ),
    (
        r"VERIFICATION_(?:FAILURE|TIMEOUT)",
        'the phone checks apps and refused this one; switch off "Verify apps over USB" in the developer options',
    ),
    (r"OLDER_SDK", "the app needs a newer Android"),
    (r"PARSE_FAILED|INVALID_APK|BAD_DEX|Failed to parse", f"the file is no app that this phone reads; {OTHER_APK}"),
)
UNKNOWN_HINT = "install it by hand with adb install -r -d -g <apk> to see what the phone asks"
Refusal = Failed | Unsupported


def refusal(text: str) -> tuple[str, str]:
    """The phone's words for not taking an app, on one line, and what to do about them. Pure."""
    found = NAMED.search(text)
    lines = [line for line in text.splitlines() if re.search(r"[Ee]rror|[Ee]xception|Failure", line)]
    # The reason comes after what ends with a colon.
    lines.sort(key=lambda line: line.rstrip().endswith(":"))
    words = clean(found[0] if found else (lines[0] if lines else text))[:300] or "it said nothing"
    hint = next((hint for form, hint in HINTS if re.search(form, words)), None)
    return words, hint or next((hint for form, hint in HINTS if re.search(form, text)), UNKNOWN_HINT)


class Installation:
    """The app on a device. A file in the run's folder says that it was not there before the first run into the same
    output, so that a later run takes away what one that was killed left behind."""

    def __init__(self, device: Device, files: RunFolder, apk: Path, limit_s: float = INSTALL_S) -> None:
        self.device, self.files, self.apk, self.limit_s = device, files, apk, limit_s
        self._there = self._ours = False
        self._refused: Refusal | None = None

    def forget(self) -> None:
        """Believe nothing about the device any more. What it refused it would refuse again."""
        self._there = False

    def ready(self) -> Refusal | None:
        """Have the app on the phone; its answer where it refuses. Raises TransportError."""
        if self._refused is None and not self._there:
            self._refused = self._install()
            self._there = self._refused is None
        return self._refused

    def _install(self) -> Refusal | None:
        try:
            package = self.files.put(self.apk, name="benchmark_model.apk")
            self._own()
            text = self._ask(package)
        except TimeLimitError:
            return self._refuse(f"it was not installed within {self.limit_s:.0f} s", CONFIRM)
        except LimitError as over:
            return self._refuse(over.message, UNKNOWN_HINT)
        except (TransportError, NotReadyError):
            raise
        except EdgeproofError as error:
            return self._refuse(error.message, error.hint or "free some space on the device")
        return None if _succeeded(text) else self._refuse(*refusal(text))

    def _own(self) -> None:
        """Note that the app is ours before it is there; one that was there without that note is somebody's."""
        mark = self.files.path_of(OWN)
        if not self._ours and is_there(self.device):
            self._ours = _marked(self.device, self.files)
            return
        self._ours = True
        self.files.write(mark, b"")

    def _ask(self, package: str) -> str:
        text = self._attempt(package)
        if OLD_TARGET not in text:
            return text
        again = self._attempt(package, BYPASS)
        if not _succeeded(again):
            return text
        tell(f"note: {self.device.serial}: this Android takes no apps made for one so old; installed with {BYPASS}")
        return again

    def _attempt(self, package: str, *more: str) -> str:
        words = f"waiting up to {self.limit_s:.0f} s for the installation of the app to be confirmed on the screen"
        timer = threading.Timer(ANNOUNCE_S, tell, (f"note: {self.device.serial}: {words}",))
        timer.daemon = True
        timer.start()
        try:
            return self.device.run(["pm", "install", "-r", "-d", "-g", *more, package], self.limit_s).text
        finally:
            timer.cancel()

    def _refuse(self, words: str, hint: str) -> Refusal:
        reason = f"the phone did not take the app: {words} ({hint})"[:500]
        tell(f"warning: {self.device.serial}: {reason}; only the app's rows are lost", sys.stderr)
        return Unsupported(reason=reason) if "OLDER_SDK" in words else Failed(reason=reason, log=None)


def is_there(device: Device) -> bool:
    """Whether the app is installed."""
    return "package:" in device.run(["pm", "path", PACKAGE]).stdout


def remove(device: Device, files: RunFolder) -> str | None:
    """Take the app away where it is ours, also one that an earlier run with the same output left behind. Gives the
    reason when that failed. Raises TransportError, LimitError."""
    if not _marked(device, files):
        return None
    told = device.run(["pm", "uninstall", PACKAGE], UNINSTALL_S)
    if is_there(device):
        return f"{clean(told.text)[:200]}; the app too: adb uninstall {PACKAGE}"
    try:
        files.drop(files.path_of(OWN))
    except DeviceFileError as error:
        return error.message
    return None


def _marked(device: Device, files: RunFolder) -> bool:
    return device.run(["ls", files.path_of(OWN)]).status == 0


def _succeeded(text: str) -> bool:
    return re.search(r"^Success\b", text, re.MULTILINE) is not None
