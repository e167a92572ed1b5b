"""The clock as a seam: what measures for minutes is tried in moments."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the present comes from, and how one waits."""

    def now(self) -> datetime:
        """The present moment."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class SystemClock:
    """This machine's clock; a correction of its date does not show in it."""

    def __init__(self) -> None:
        self._began, self._at = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        """The date of the start and what has passed since then."""
        return self._began + timedelta(seconds=time.monotonic() - self._at)

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)
