"""What is attached, device by device."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.adb import facts as read
from common.adb.attached import Attached, same
from common.adb.errors import LimitError, NotReadyError, TransportError
from common.adb.facts import DeviceFacts
from common.adb.identity import identity
from common.adb.names import joined, typed
from common.adb.server import Device, Server
from common.adb.states import remedy
from common.adb.survey import survey
from common.printable import clean, tell

# The tool, its app and some models.
LEAST_FREE_KIB = 64 * 1024
PUBLISHED = ("arm64-v8a", "armeabi-v7a")
FOLDER = "/data/local/tmp"
NARROWEST = 100


@dataclass(frozen=True)
class Seen:
    """A device; `facts` is None for one that does not answer. `problem` says what is in the way, and what to
    do about it; None for one that can be used. `better` is the name to use where this is another one of it."""

    serial: str
    state: str
    facts: DeviceFacts | None
    problem: str | None
    better: str | None = None


def inspect_all(connect: str = "") -> tuple[Seen, ...]:
    """Every device that the adb server knows; connects to `connect` first. Raises NotReadyError."""
    server = Server()
    if connect:
        server.connect(connect)
    found = tuple(_inspect(server, attached) for attached in server.attached())
    phones = same([seen.serial for seen in found if seen.facts is not None], identity)
    better = {name: phone[0] for phone in phones for name in phone[1:]}
    return tuple(replace(seen, better=better.get(seen.serial)) for seen in found)


def _inspect(server: Server, attached: Attached) -> Seen:
    hint = remedy(attached.state)
    if hint is not None:
        return Seen(attached.serial, attached.state, None, hint)
    device = Device(server, attached.serial)
    try:
        facts = survey(device)
        free = read.free_kib(device.run(["df", "-k", FOLDER]).stdout)
    except (TransportError, LimitError, NotReadyError) as error:
        return Seen(attached.serial, attached.state, None, f"it does not answer ({error.message}); restart it")
    return Seen(attached.serial, attached.state, facts, problem(facts, free))


def problem(facts: DeviceFacts, free_kib: int | None) -> str | None:
    """Why a device that answers cannot be measured on as it is; None when it can."""
    usable = facts.abis
    if facts.abis and facts.abis[0].startswith("x86"):
        usable = facts.translated
    if not set(usable) & set(PUBLISHED):
        abis = ", ".join(facts.abis) or "an unknown processor"
        return f"nobody publishes benchmark_model for {abis}; give your own with BENCHMARK_BINARY=<path>"
    if free_kib is not None and free_kib < LEAST_FREE_KIB:
        return f"only {free_kib // 1024} MiB are free in {FOLDER}; free some space"
    return None


def show(found: Sequence[Seen]) -> None:
    """Print a table, or that there is nothing."""
    if not found:
        print("no device is attached; see docs/android.md for how to prepare one")
        return
    console = Console()
    table = Table(box=box.SIMPLE)
    for name in ("serial", "state", "model", "SoC", "ABIs", "Android", "note"):
        table.add_column(name, overflow="fold")
    for seen in found:
        table.add_row(*(Text(clean(cell)) for cell in _cells(seen)))
    # In a pipe there is no width to keep to.
    Console(width=max(console.width, NARROWEST) if console.is_terminal else 240, highlight=False).print(table)
    for line in to_type(found):
        tell(line)


def to_type(found: Sequence[Seen]) -> Iterator[str]:
    """How what can be used is named to make: serials may have blanks, and worse."""
    ready = [seen.serial for seen in found if seen.problem is None and seen.better is None]
    for serial in ready:
        yield f"make all {typed('DEVICE', serial)}"
    if len(ready) > 1:
        yield f"make all {typed('DEVICES', joined(ready))}"


def _ready(facts: DeviceFacts) -> str:
    if not facts.emulator:
        return "ready"
    return f"emulator: functional only{', Arm builds are tried' if facts.translated else ''}"


def _cells(seen: Seen) -> tuple[str, ...]:
    facts = seen.facts
    if facts is None:
        return (seen.serial, seen.state, "", "", "", "", seen.problem or "")
    level = "" if facts.api_level is None else f" (API {facts.api_level})"
    other = None if seen.better is None else f"another name of {seen.better}: use that one"
    note = other or seen.problem or _ready(facts)
    return (
        *(seen.serial, seen.state, f"{facts.manufacturer} {facts.model}", facts.soc),
        *(", ".join(facts.abis), f"{facts.android}{level}", note),
    )
