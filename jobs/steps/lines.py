"""The lines of a process, as they come."""

import os
import selectors
import subprocess
from collections.abc import Iterator

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2
TICK_S = 1.0
# What an ended process printed last lies in the pipe already.
DRAIN_S = 0.2
CHUNK = 1 << 16
LONGEST_LINE = 1 << 16


def follow(process: "subprocess.Popen[bytes]") -> Iterator[tuple[int, bytes | None]]:
    """(1 or 2, a line with its end) to the end of the process; (1, None) after a second without any.

    Ends with the process, not with its output: a server that it started may hold that open for good.
    """
    with selectors.DefaultSelector() as waiting:
        rest: dict[int, bytes] = {}
        for number, stream in ((STANDARD_OUTPUT, process.stdout), (STANDARD_ERROR, process.stderr)):
            if stream is not None:
                waiting.register(stream, selectors.EVENT_READ, number)
                rest[number] = b""
        while waiting.get_map():
            ended = process.poll() is not None
            ready = waiting.select(DRAIN_S if ended else TICK_S)
            if ended and not ready:
                break
            if not ready:
                yield STANDARD_OUTPUT, None
            for key, _ in ready:
                found = os.read(key.fd, CHUNK)
                if not found:
                    waiting.unregister(key.fileobj)
                *whole, rest[key.data] = _split(rest[key.data] + found)
                yield from ((key.data, line) for line in whole)
        yield from ((number, line) for number, line in rest.items() if line)


def _split(found: bytes) -> list[bytes]:
    """Lines with their ends, the last one, which may be empty, without. What has no end is cut."""
    *whole, last = found.split(b"\n")
    lines = [line + b"\n" for line in whole]
    while len(last) > LONGEST_LINE:
        lines.append(last[:LONGEST_LINE] + b"\n")
        last = last[LONGEST_LINE:]
    return [*lines, last]
