"""What is changed on a device while it is measured, and put back: the screen stays on, and where that was asked for the
clocks do not rise beyond what heat allows for long.

What was set before is kept in the run's folder on the device, so that it is put back even after `kill -9`, by the next
run of the same output.
"""

import contextlib
import sys
from typing import Annotated

from pydantic import Field, ValidationError

from common.adb.errors import LimitError, NotReadyError, TransportError
from common.adb.names import quoted
from common.adb.server import Device
from common.printable import clean, tell
from common.schema.base import Model
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.states import FIXED, REFUSED

SETTING = ("global", "stay_on_while_plugged_in")
ASK_FIXED = ("cmd", "power", "set-fixed-performance-mode-enabled")
RECORD = "before.json"
NOT_SET = "null"


class Before(Model):
    """What was set before: Android's number of what keeps the screen on (`null`: never set), None where nothing was
    changed; and whether fixed-performance mode was asked for."""

    stay_on: Annotated[str, Field(pattern=r"^(null|[0-9]{1,4})$")] | None = None
    fixed: bool = False


class Conditions:
    """Those of one run. `refused` is why fixed-performance mode is not on though it was asked for; `fixed_status` the
    exit status of the command that asks for it."""

    def __init__(self, device: Device, files: RunFolder) -> None:
        self.device, self.files = device, files
        self.fixed = False
        self.refused: str | None = None
        self.fixed_status: int | None = None
        self._before: Before | None = None
        self._holds = False

    def forget(self) -> None:
        """Set it again: it may have been restarted."""
        self._holds = False

    def hold(self) -> None:
        """Keep the screen on, and the clocks where that was asked for; a device that is too slow for it is measured
        without. Raises TransportError."""
        if self._holds:
            return
        try:
            self._set()
        except LimitError as late:
            tell(f"warning: {self.device.serial}: the screen may go off: {late.message}", sys.stderr)
        self._holds = True

    def _set(self) -> None:
        if self._before is None:
            self._before = self._recorded() or self._now()
            content = self._before.model_copy(update={"fixed": self.fixed or self._before.fixed})
            # Nothing may have been sent yet.
            self.device.run(["mkdir", "-p", self.files.path])
            self.files.holds = True
            self.files.write(self.files.path_of(RECORD), content.model_dump_json().encode())
            self._before = content
        if self._before.stay_on is not None:
            done = self.device.run(["svc", "power", "stayon", "true"])
            if done.status != 0:
                tell(f"warning: {self.device.serial}: the screen is not kept on: {clean(done.text)}", sys.stderr)
        if self.fixed:
            done = self.device.run([*ASK_FIXED, "true"])
            self.fixed_status = done.status
            self.refused = None if done.status == 0 else clean(done.text)[:200] or f"exit status {done.status}"

    def told(self) -> tuple[tuple[str, str], ...]:
        """For the facts of the device; nothing where nothing was asked for."""
        if not self.fixed:
            return ()
        said = "on" if self.refused is None else f"{REFUSED}: {self.refused}"
        return ((FIXED, f"{said} (exit status {self.fixed_status})"),)

    def restore(self) -> None:
        """Put back what was set before, and say so where that is not possible."""
        if self._before is None:
            return
        commands = self._restoring(self._before)
        failed = commands
        with contextlib.suppress(TransportError, LimitError, NotReadyError):
            if commands and self.device.answers():
                ended = self.device.run_each(commands)
                failed = [command for command, done in zip(commands, ended, strict=True) if done.status != 0]
                self._before = None
                if not failed:
                    self.files.drop(self.files.path_of(RECORD))
        if failed:
            hints = " and ".join(f"adb -s {quoted(self.device.serial)} shell {' '.join(command)}" for command in failed)
            tell(f"warning: {self.device.serial} keeps the settings of the run; put them back with {hints}", sys.stderr)

    @staticmethod
    def _restoring(before: Before) -> list[tuple[str, ...]]:
        commands: list[tuple[str, ...]] = []
        if before.stay_on == NOT_SET:
            commands.append(("settings", "delete", *SETTING))
        elif before.stay_on is not None:
            commands.append(("settings", "put", *SETTING, before.stay_on))
        # The device does not tell whether it was on; that is no state that anyone leaves a phone in.
        return [*commands, *([(*ASK_FIXED, "false")] if before.fixed else [])]

    def _recorded(self) -> Before | None:
        """What a run that was killed has left."""
        told = self.device.run(["cat", self.files.path_of(RECORD)])
        if told.status != 0:
            return None
        try:
            return Before.model_validate_json(told.stdout)
        except ValidationError:
            return None

    def _now(self) -> Before:
        told = self.device.run(["settings", "get", *SETTING])
        try:
            return Before(stay_on=told.stdout.strip() if told.status == 0 else None)
        except ValidationError:
            return Before()
