"""Serials as names of folders, and devices as the user gives them. Pure.

A serial is text: adb makes them of what a device's USB descriptor holds, of addresses, and of mDNS names, which have
blanks (`adb-R5CT10ABC-4QfPSa (2)._adb-tls-connect._tcp` is a phone that was paired twice).
"""

import hashlib
import re
import shlex
from collections.abc import Sequence

from common.errors import UsageError

HOST, ANY = "host", "any"
# In a cluster: any phone of a model, as in model:Pixel-8.
MODEL = "model:"
# Ray's labels are those of Kubernetes: at most 63 letters, digits, and -_. between them.
LABEL = re.compile(r"[^A-Za-z0-9_.-]+")
LONGEST_LABEL = 63
SHOWN = 40
DIGEST_DIGITS = 8
LONGEST = 128
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
# host:port, [IPv6%zone]:port and the names of adb's mDNS services.
NETWORK = re.compile(r".*(?::\d{1,5}|\._adb(?:-tls-connect)?\._tcp\.?(?:local\.?)?)", re.DOTALL)
ADDRESS = re.compile(r".*:\d{1,5}", re.DOTALL)
LIST = "make devices lists them"


def is_serial(text: str) -> bool:
    """Whether adb can call a device so: printable, no option, nothing that is cut off at the ends."""
    return 0 < len(text) <= LONGEST and text.isprintable() and text == text.strip() and not text.startswith("-")


def is_network(serial: str) -> bool:
    """Whether adb reaches the device through a network."""
    return NETWORK.fullmatch(serial) is not None


def is_address(serial: str) -> bool:
    """Whether it is a host and port, which adb can be told to connect to."""
    return ADDRESS.fullmatch(serial) is not None


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


def label(text: str) -> str:
    """A text as a label's value: `Pixel 8 Pro` is `Pixel-8-Pro`."""
    return LABEL.sub("-", text)[:LONGEST_LABEL].strip("-_.") or "unknown"


def single(text: str) -> str:
    """The device in `DEVICE=a`: host, any, or a serial, blanks and all. Raises UsageError for what is none."""
    serial = text.strip()
    if not serial:
        raise UsageError("no device is named", hint="give host, any, or a serial")
    if not is_serial(serial):
        raise UsageError(f"{serial!r} is no serial of a device", hint=LIST)
    return serial


def listed(text: str) -> tuple[str, ...]:
    """The devices in `DEVICES="a b c"`, each once; one whose serial has blanks, quotes or backslashes is quoted as in a
    shell. Raises UsageError for what cannot be a serial."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        hint = "close the quotation, or quote the whole serial: make devices prints what to type"
        raise UsageError(f"DEVICES={text.strip()}: {str(error).lower()}", hint=hint) from None
    found = tuple(dict.fromkeys(single(word) for word in words))
    if not found:
        raise UsageError("no device is named", hint="give host, any, or a serial")
    if len(found) > 1 and ANY in found:
        raise UsageError("any is one device, not one of several", hint="name each device")
    return found


def joined(serials: Sequence[str]) -> str:
    """The text that `listed` reads."""
    return shlex.join(serials)


def quoted(serial: str) -> str:
    """A serial as it is typed after `adb -s`."""
    return shlex.quote(serial)


def typed(variable: str, text: str) -> str:
    """What to type in a shell: `DEVICE=R5CT10ABC`, `DEVICE='a (2)'`."""
    return f"{variable}={shlex.quote(text)}"
