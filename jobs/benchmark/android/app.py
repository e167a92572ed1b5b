"""The benchmark as an app: install it, start it, follow the log to its end, stop it."""

import re
from collections.abc import Sequence
from pathlib import Path

from common.adb.errors import LimitError, TimeLimitError
from common.adb.server import Device
from common.artifact import new_text, write_bytes
from common.errors import EdgeproofError
from common.printable import clean
from common.schema.outcome import Failed, Outcome
from jobs.benchmark.android import classic, logcat
from jobs.benchmark.android.classic import UNKNOWN_FLAGS, Printed
from jobs.benchmark.android.command import PEAK
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.logcat import Ending

# Optimising the app at installation takes its time on small phones.
INSTALL_S = 180.0


class App:
    """The app on a device, installed at its first use and removed at the end unless it was there before."""

    def __init__(self, device: Device, files: RunFolder, apk: Path) -> None:
        self.device, self.files, self.apk = device, files, apk
        self._installed = self._was_there = False

    def forget(self) -> None:
        """Believe nothing about the device any more."""
        self._installed = False

    def run(self, arguments: Sequence[str], backend: str, limit_s: float, log: Path, name: str) -> Outcome:
        """One run in a fresh process of the app. Raises TransportError."""
        self._install()
        device = self.device
        device.run(["logcat", "-c"])
        start = ["am", "start", "-S", "-n", logcat.ACTIVITY, "--es", "args", " ".join(arguments)]
        started = device.run(start)
        try:
            if "Error" in started.text or started.status != 0:
                write_bytes(log, started.text.encode("utf-8", "replace"))
                return Failed(reason=f"the app did not start: {clean(started.text)}"[:500], log=name)
            last = logcat.PEAK if any(PEAK in argument for argument in arguments) else logcat.RESULT
            return self._follow(backend, limit_s, log, name, last)
        finally:
            device.run(["am", "force-stop", logcat.PACKAGE])

    def remove(self) -> None:
        """Take the app away again. Raises TransportError."""
        if self._installed and not self._was_there:
            self.device.run(["pm", "uninstall", logcat.PACKAGE], INSTALL_S)
            self._installed = False

    def _follow(self, backend: str, limit_s: float, log: Path, name: str, last: re.Pattern[str]) -> Outcome:
        said: list[str] = []
        end: Ending | None = None
        process: int | None = None
        with new_text(log) as stream:
            lines = self.device.lines(logcat.COMMAND, limit_s)
            try:
                for line in lines:
                    stream.write(line + "\n")
                    found = logcat.entry(line)
                    if found is None:
                        continue
                    if found.tag == logcat.ACTIVITY_TAG:
                        process = found.process
                    if found.tag == logcat.TOOL_TAG:
                        said.append(found.as_printed)
                    if UNKNOWN_FLAGS.search(found.message):
                        last = logcat.RESULT
                    end = logcat.ending(found, process, last)
                    if end is not None:
                        break
            except LimitError as over:
                reason = f"no result after {limit_s:.0f} s" if isinstance(over, TimeLimitError) else over.message
                return Failed(reason=reason[:500], log=name)
            finally:
                lines.close()  # type: ignore[attr-defined]
        if end is Ending.CRASH:
            return Failed(reason=f"the app crashed: {clean(found.message) if found else ''}"[:500], log=name)
        # An error line ends the app's run as exit status 1 ends the binary's.
        return classic.parse(Printed("".join(said), "", 0 if end is Ending.RESULT else 1, name), backend)

    def _install(self) -> None:
        if self._installed:
            return
        self._was_there = self.device.run(["pm", "path", logcat.PACKAGE]).status == 0
        package = self.files.put(self.apk, name="benchmark_model.apk")
        done = self.device.run(["pm", "install", "-r", "-d", "-g", package], INSTALL_S)
        if "Success" not in done.text:
            message = f"{self.device.serial}: the app was not installed: {clean(done.text)}"
            raise EdgeproofError(message, hint="allow installation over USB in the developer options")
        self._installed = True
