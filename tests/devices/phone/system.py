"""The seam between Android's programs and the phone that they run on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tests.devices.phone.logcat import Line
from tests.devices.phone.personality import Apps, Battery, Thermal


class Log(Protocol):
    """The log, wherever it is kept."""

    def clear(self) -> None:
        """Forget every line."""

    def since(self, number: int, timeout_s: float) -> list[Line]:
        """Lines from `number` on; waits that long for the first of them."""

    def lines(self) -> Iterable[Line]:
        """Every line."""


@dataclass
class State:
    """What these programs read and change."""

    properties: dict[str, str]
    battery: Battery
    thermal: Thermal
    settings: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    awake: bool = True
    has_power_hal: bool = True

    @property
    def api_level(self) -> int:
        """Android's number of its version, 0 when the properties do not say."""
        return int(self.properties.get("ro.build.version.sdk", 0))


class System(Protocol):
    """The rest of the phone, as these programs see it."""

    @property
    def state(self) -> State:
        """What can be read and changed."""

    @property
    def log(self) -> Log:
        """The log."""

    @property
    def apps(self) -> Apps:
        """How it treats the benchmark as an app."""

    def write_log(self, level: str, tag: str, text: str) -> None:
        """A line of the asking process in the log."""

    def read(self, path: str) -> bytes:
        """Content of a file. Raises OSError."""

    def free_bytes(self) -> int:
        """Space on /data."""

    def start_app(self, package: str, given: str) -> None:
        """Start the tool's app with its `args`."""

    def stop_app(self, package: str) -> None:
        """End every process of a package."""

    def check(self) -> None:
        """Raises whatever ends the asking process, if it shall end."""


@dataclass(frozen=True)
class Call:
    """One started program; `stdin` gives the next bytes, none at the end."""

    argv: tuple[str, ...]
    system: System
    stdin: Callable[[], bytes]
    out: Callable[[str], object]
    err: Callable[[str], object]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return self.argv[1:]

    @property
    def state(self) -> State:
        """The phone's state."""
        return self.system.state

    def fail(self, text: str, status: int = 1) -> int:
        """Complain as `name: text` and return the status."""
        self.err(f"{self.argv[0]}: {text}\n")
        return status


Program = Callable[[Call], int]
