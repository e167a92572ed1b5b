"""How long something may take, as experiments write it: 90s, 10m, 2h."""

from typing import Annotated

from pydantic import AfterValidator, Field

DURATION_PATTERN = r"^[1-9][0-9]{0,5}[smh]$"
SECONDS_PER = {"s": 1, "m": 60, "h": 3600}
# Nobody waits longer for one measurement; more is a mistake in the unit.
LONGEST = "24h"


def seconds(duration: str) -> float:
    """A Duration in seconds."""
    return float(duration[:-1]) * SECONDS_PER[duration[-1]]


def _bearable(duration: str) -> str:
    if seconds(duration) > seconds(LONGEST):
        raise ValueError(f"must be at most {LONGEST}, not {duration}")
    return duration


Duration = Annotated[str, Field(pattern=DURATION_PATTERN), AfterValidator(_bearable)]
