"""Serials as names of folders, and lists of devices as the user gives them. Pure."""

import hashlib
import re

from common.errors import UsageError

HOST, ANY = "host", "any"
SHOWN = 40
DIGEST_DIGITS = 8
# What adb makes serials of: USB serials, emulators, host:port (also [IPv6%zone]:port), mDNS services.
SERIAL = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:%\[\]-]{0,127}")
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def safe_name(serial: str) -> str:
    """A serial as the name of a folder: `192.168.1.5:5555` becomes `192.168.1.5_5555-1a2b3c4d`.

    A plain one stays as it is; any other gets a piece of its hash, so that no two collide.
    """
    looks_made = re.search(r"-[0-9a-f]{8}$", serial) is not None
    if PLAIN.fullmatch(serial) and not looks_made:
        return serial
    plain = re.sub(r"[^A-Za-z0-9_.]", "_", serial)[:SHOWN].strip("._")
    digest = hashlib.sha256(serial.encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST_DIGITS]
    return f"{plain}-{digest}" if plain else f"device-{digest}"


def listed(text: str) -> tuple[str, ...]:
    """The devices in `DEVICES="a b c"`, each once. Raises UsageError for what cannot be a serial."""
    found = tuple(dict.fromkeys(text.split()))
    if not found:
        raise UsageError("no device is named", hint="give host, any, or a serial")
    for serial in found:
        if not SERIAL.fullmatch(serial):
            raise UsageError(f"{serial!r} is no serial of a device", hint="python -m jobs.devices lists them")
    if len(found) > 1 and ANY in found:
        raise UsageError("any is one device, not one of several", hint="name each device")
    return found
