"""Ask an adb server which devices there are, and a device what it is, with the standard library alone: where the
stages run in containers, the environment of make has no adbutils."""

from contextlib import suppress

from common.adb.attached import Attached, parse
from common.adb.conversation import HINT, MOST_BYTES, converse
from common.adb.errors import NotReadyError
from common.adb.facts import properties

# What makes it another device, or the same one with another system.
LASTING = (
    "ro.product.manufacturer",
    "ro.product.model",
    "ro.serialno",
    "ro.build.fingerprint",
    "ro.product.cpu.abilist",
)


def attached() -> tuple[Attached, ...]:
    """Every device that the server knows. Raises NotReadyError without a server."""
    with converse() as server:
        server.ask("host:devices")
        return parse(server.block())


def start_server() -> None:
    """Start the adb server as the benchmark would, where that can be done from here."""
    with suppress(ImportError, NotReadyError):
        from common.adb.server import Server

        Server().attached()


def lasting_facts(serial: str) -> dict[str, str]:
    """What makes a device that device. Raises NotReadyError when it does not answer."""
    known = properties_of(serial)
    return {name: known[name] for name in LASTING if name in known}


def properties_of(serial: str) -> dict[str, str]:
    """All that a device says of itself. Raises NotReadyError when it does not answer."""
    with converse() as server:
        server.ask(f"host:transport:{serial}")
        server.ask("shell:getprop")
        known = properties(server.rest(MOST_BYTES))
    if not known:
        raise NotReadyError(f"{serial} does not say what it is", hint=HINT)
    return known
