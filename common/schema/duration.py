"""How long something may take, as experiments write it: 90s, 10m, 2h."""

from typing import Annotated

from pydantic import Field

Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[smh]$")]
SECONDS_PER = {"s": 1, "m": 60, "h": 3600}


def seconds(duration: str) -> float:
    """A Duration in seconds."""
    return float(duration[:-1]) * SECONDS_PER[duration[-1]]
