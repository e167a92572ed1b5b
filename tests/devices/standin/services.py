"""adbd's services over the phone: shell v1 and v2, exec, and the vanishing that faults order."""

import signal
import struct
import threading
import traceback
from collections.abc import Callable

from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import Phone
from tests.devices.standin.process import Killed, Process
from tests.devices.standin.shell.interpreter import Shell
from tests.devices.standin.shell.streams import Files
from tests.devices.standin.wire import Closed, Stream

STDIN, STDOUT, STDERR, EXIT, CLOSE_STDIN = range(5)
HEAD = struct.Struct("<BI")
HANGUP = 1
CHUNK = 64 << 10


class Output:
    """Bytes towards the host; a fault may let only some of them through."""

    def __init__(self, vanish: Fault | None, on_fault: Callable[[Fault], None], *, terminal: bool) -> None:
        """`vanish` is the order for this command, if any; a `terminal` ends lines with CR LF."""
        self._terminal = terminal
        self._left = vanish.after_bytes if vanish else -1
        self._vanish, self._on_fault = vanish, on_fault

    def through(self, data: bytes) -> bytes:
        """What may still be sent; the device is gone when it is less than `data`."""
        if self._terminal:
            data = data.replace(b"\n", b"\r\n")
        if self._vanish is None:
            return data
        data, self._left = data[: max(self._left, 0)], self._left - len(data)
        return data

    def finish(self) -> None:
        """Vanish now if the order is used up. Raises Closed."""
        if self._vanish is not None and self._left <= 0:
            self._on_fault(self._vanish)
            raise Closed


def shell(phone: Phone, command: str, *, framed: bool, terminal: bool = False) -> Callable[[Stream], None]:
    """The service `shell:` or `exec:`, or with `framed` `shell,v2`. A `terminal` ends lines with CR LF."""

    def serve(stream: Stream) -> None:
        phone.history.append(command)
        orders = phone.due(Point.SHELL, command)
        vanish = next((fault for fault in orders if fault.kind is Kind.VANISH), None)
        late_s = sum(fault.seconds or 0.0 for fault in orders if fault.kind is Kind.SLOW)
        process = phone.processes.start(("sh", "-c", command))
        for fault in orders:
            if fault is not vanish and fault.kind is not Kind.SLOW:
                phone.on_fault(fault)
        # As with adbd, only the shell hears of the hang-up: what it started runs on.
        stream.on_close = lambda: process.kill(HANGUP)
        try:
            if late_s:
                process.wait(late_s)
            process.check()
            output = Output(vanish, phone.on_fault, terminal=terminal)
            _serve(phone, stream, process, command, output, framed=framed)
        except Closed:
            raise
        except Killed:
            raise Closed from None
        except Exception:
            # The stand-in's own mistake: adb only sees a stream that ends, so whoever tests must hear of it.
            phone.problems.append(traceback.format_exc())
            raise Closed from None
        finally:
            phone.processes.end(process)

    return serve


def _serve(phone: Phone, stream: Stream, process: Process, command: str, output: Output, *, framed: bool) -> None:
    def send(kind: int) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            allowed = output.through(data)
            for start in range(0, len(allowed), CHUNK):
                part = allowed[start : start + CHUNK]
                _print(phone, stream, HEAD.pack(kind, len(part)) + part if framed else part)
            output.finish()

        return write

    files = Files(_stdin(stream, framed=framed), send(STDOUT), send(STDERR))
    output.finish()
    status = Shell(phone, process).run(command, files)
    if framed:
        stream.write(HEAD.pack(EXIT, 1) + bytes([status & 0xFF]))


def _print(phone: Phone, stream: Stream, data: bytes) -> None:
    """A program whose host hung up dies when it prints, unless it is made to survive that; silent ones run on."""
    try:
        stream.write(data)
    except Closed:
        if not stream.dead:
            raise
        if not phone.survivors:
            raise Killed(signal.SIGPIPE.value) from None


def _stdin(stream: Stream, *, framed: bool) -> Callable[[], bytes]:
    """Reads what the host sends, b"" at the end."""
    lock = threading.Lock()

    def read() -> bytes:
        with lock:
            try:
                if not framed:
                    return stream.read()
                while True:
                    kind, length = HEAD.unpack(stream.exactly(HEAD.size))
                    data = stream.exactly(length)
                    if kind == STDIN and data:
                        return data
                    if kind == CLOSE_STDIN:
                        return b""
            except Closed:
                return b""

    return read
