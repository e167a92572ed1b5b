"""The benchmark as an app: start it, follow the log to its end, stop it."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from common.adb.errors import LimitError, TimeLimitError, TransportError
from common.adb.server import Device
from common.adb.watch import QUIET_S
from common.artifact import new_text, write_bytes
from common.printable import clean
from common.schema.outcome import Failed, Outcome, Unsupported
from jobs.benchmark.android import classic, logcat, reading
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.android.command import PEAK
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.installing import INSTALL_S, Installation
from jobs.benchmark.android.reading import Ending, Reading, Waits

# am starts a virtual machine of its own on older versions.
START_S = 60.0
PULSE_S = QUIET_S
# An app that is silent after an error may still compile a model: then it works.
LOOK_S = 10.0
LEAST_TICKS = 50
# Matches no command line that holds the pattern itself.
ANY_READER = f"[{logcat.MARK_TAG[0]}]{logcat.MARK_TAG[1:]}:V"
# Afterwards nothing is expected of a phone that never showed a word of the app.
MOST_SILENT = 2
SILENT = "the app said nothing in the log"
NO_LOGS = (
    f"{SILENT} in {MOST_SILENT} runs, so no more are tried: this phone shows no logs of apps, or ends it at once "
    "(switch the logs of apps on in the developer options, or measure without app = true)"
)
# Fields of /proc/<pid>/stat after the name: processor time in user and in kernel mode, in hundredths of a second.
UTIME, STIME = 11, 12


@dataclass(frozen=True)
class Patience:
    """How long the app may take for what, in seconds."""

    install_s: float = INSTALL_S
    look_s: float = LOOK_S
    waits: Waits = field(default_factory=Waits)


@dataclass
class _Watch:
    """Since when nothing came, and the processor time that the app had when that was first looked at."""

    since: float = field(default_factory=time.monotonic)
    ticks: int | None = None


class App:
    """The app on a device, installed at its first use."""

    def __init__(self, device: Device, files: RunFolder, apk: Path, patience: Patience | None = None) -> None:
        self.device, self.files, self.apk = device, files, apk
        self.patience = patience or Patience()
        self.installation = Installation(device, files, apk, self.patience.install_s)
        self._silent = 0
        self._heard = False
        # Readers of the log whose connection broke, None for one of unknown number: what nobody listens to ends when it
        # prints next, and not on every device.
        self._orphans: set[int | None] = set()

    def forget(self) -> None:
        """Believe nothing about the device any more."""
        self.installation.forget()

    def run(self, arguments: Sequence[str], backend: str, limit_s: float, log: Path, name: str) -> Outcome:
        """One run in a fresh process of the app. Raises TransportError."""
        if self._silent >= MOST_SILENT and not self._heard:
            return Failed(reason=NO_LOGS, log=None)
        if (refused := self.installation.ready()) is not None:
            return refused
        self._end_orphans()
        device, token = self.device, secrets.token_hex(6)
        # A name of this start that the tool takes and has no use for: a log may hold older ones, and not every phone
        # clears it.
        given = " ".join([*arguments, f"--benchmark_name={token}"])
        device.run(["logcat", "-c"])
        device.run(["log", "-t", logcat.MARK_TAG, token])
        start = ["am", "start", "-S", "-n", logcat.ACTIVITY, "--es", "args", given]
        last = reading.PEAK if any(PEAK in argument for argument in arguments) else reading.RESULT
        try:
            if (why := self._start(start, log)) is not None:
                return Failed(reason=f"the app did not start: {why}"[:500], log=name)
            with new_text(log) as stream:
                return self._follow(Reading(given, last, token), backend, limit_s, stream, name)
        finally:
            device.run(["am", "force-stop", logcat.PACKAGE])

    def _end_orphans(self) -> None:
        for process in list(self._orphans):
            if process is None:
                # Not every version has it.
                self.device.run(["pkill", "-9", "-f", ANY_READER])
            else:
                self.device.end(process, logcat.MARK_TAG)
            self._orphans.discard(process)

    def _start(self, start: Sequence[str], log: Path) -> str | None:
        """Why it did not start; None where it did."""
        try:
            told = self.device.run(start, START_S)
        except LimitError as over:
            return over.message
        if told.status == 0 and not re.search(r"\bError\b|Exception\b", told.text):
            return None
        write_bytes(log, told.text.encode("utf-8", "replace"))
        return clean(told.text)

    def _follow(self, run: Reading, backend: str, limit_s: float, stream: IO[str], name: str) -> Outcome:
        lines = self.device.lines(logcat.COMMAND, limit_s, PULSE_S)
        watch = _Watch()
        try:
            for line in lines:
                if line:
                    stream.write(line + "\n")
                if run.add(line):
                    watch = _Watch()
                if run.ending is not None or self._is_over(run, watch):
                    break
        except LimitError as over:
            reason = f"no result after {limit_s:.0f} s" if isinstance(over, TimeLimitError) else over.message
            return Failed(reason=reason[:500], log=name)
        except TransportError as lost:
            self._orphans.add(lost.process)
            raise
        finally:
            lines.close()  # type: ignore[attr-defined]
        return self._outcome(run, backend, name)

    def _is_over(self, run: Reading, watch: "_Watch") -> bool:
        """Whether nothing more can come: the silence is long, and the process is gone or does not work."""
        looked = watch.ticks
        wait_s = run.patience_s(self.patience.waits) if looked is None else self.patience.look_s
        if wait_s is None or time.monotonic() - watch.since < wait_s:
            return False
        if run.process is None or run.crashed:
            return True
        watch.since, watch.ticks = time.monotonic(), self._ticks(run.process)
        return watch.ticks is None or (looked is not None and watch.ticks - looked < LEAST_TICKS)

    def _ticks(self, process: int) -> int | None:
        """Processor time of the app so far; None when it is gone."""
        told = self.device.run(["cat", f"/proc/{process}/stat"])
        fields = told.stdout.rpartition(")")[2].split()
        try:
            return int(fields[UTIME]) + int(fields[STIME])
        except (IndexError, ValueError):
            return None

    def _outcome(self, run: Reading, backend: str, name: str) -> Outcome:
        ending = run.give_up()
        if ending is Ending.SILENCE:
            self._silent += 1
            alive = self.device.run(["pidof", logcat.PACKAGE]).stdout.strip()
            there = "its process is there" if alive else "its process is gone"
            wait_s = self.patience.waits.first_word_s
            return Failed(reason=f"{SILENT} within {wait_s:.0f} s of its start; {there}", log=name)
        self._silent, self._heard = 0, True
        return outcome(run, backend, name)


def outcome(run: Reading, backend: str, name: str) -> Outcome:
    """What a start of the app came to, with the same parser as the binary's. Pure."""
    printed = Printed(run.text, "", 0 if run.ending is Ending.RESULT else 1, name, app=True)
    found = classic.parse(printed, backend)
    if run.ending is Ending.CRASH and not isinstance(found, Unsupported):
        how = "crashed" if run.crashed else "was ended by the phone"
        return Failed(reason=f"the app {how}: {clean(run.why)}"[:500], log=name)
    return found
