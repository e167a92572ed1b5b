"""Android devices over adb: the only module that talks to the adb server. Every call is bounded in time."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import adbutils

from common.adb.attached import Attached, parse
from common.adb.errors import LimitError, NotReadyError, SizeLimitError, TimeLimitError, TransportError
from common.adb.shell import Ended, Script, each_ended, ended, has_ended, process_number, script, script_of
from common.adb.surroundings import HOST_VARIABLE, PORT_VARIABLE, server_address
from common.adb.sync import receive_file, send_file
from common.adb.watch import ASKED_S, Told, Watch
from common.adb.wire import MIB, MOST_BYTES, STDOUT, Wire

# For questions that a device answers at once; a phone that wakes up takes a second or two.
PATIENCE_S = 15.0
# adb connect waits for the other side's TCP stack.
CONNECT_S = 20.0
# From a command's start to its first word.
GRACE_S = 2.0
# What a program prints, a log over a whole run, a file. Real ones have a hundredth of it.
OUTPUT_BYTES, FOLLOWED_BYTES, FILE_BYTES = 8 * MIB, 32 * MIB, 64 * MIB
# A line of a log that is followed; logd itself cuts them at 4 KiB.
LINE_BYTES = MIB
# A service that no adbd has: it refuses, and starts nothing.
NO_SERVICE = "edgeproof:are-you-there"
SERVER_HINT = "start it with adb start-server, or set ADB_SERVER_SOCKET to the one to use"


class Server:
    """An adb server, started when none runs."""

    def __init__(self) -> None:
        self.host, self.port = server_address(os.environ)
        # adbutils starts a server on the environment's port, not on its client's.
        os.environ[HOST_VARIABLE], os.environ[PORT_VARIABLE] = self.host, str(self.port)

    def attached(self) -> tuple[Attached, ...]:
        """Every device that the server knows, usable or not. Raises NotReadyError without a server."""
        return parse(self._ask("host:devices", PATIENCE_S))

    def connect(self, address: str) -> None:
        """Connect to host:port. Raises NotReadyError with the server's words: only they tell failure."""
        answer = self._ask(f"host:connect:{address}", CONNECT_S)
        if not answer.startswith(("connected to", "already connected to")):
            raise NotReadyError(f"{address}: {answer.strip()}", hint="see docs/android.md for wireless debugging")

    def disconnect(self, address: str) -> None:
        """Forget host:port; one that is not known is no error."""
        with contextlib.suppress(TransportError, NotReadyError):
            self._ask(f"host:disconnect:{address}", PATIENCE_S)

    def _ask(self, service: str, limit_s: float) -> str:
        with _errors("", service, limit_s), self.wire(limit_s) as wire:
            wire.service(service)
            return wire.block()

    def wire(self, limit_s: float, most_bytes: int = MOST_BYTES, watch: Watch | None = None) -> Wire:
        """A connection to the server, all of whose use must end within `limit_s` and `most_bytes`."""
        try:
            connection = adbutils.AdbClient(self.host, self.port).make_connection(timeout=limit_s)
            return Wire(connection, limit_s, most_bytes, watch)
        except (adbutils.AdbError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            message = f"no adb server answers at {self.host}:{self.port}: {error}"
            raise NotReadyError(message, hint=SERVER_HINT) from None


class Device:
    """One device. Nothing is remembered between calls but its features, and whether it refuses what it has not.

    `told` hears of its silence (`Watch`); without it only the limits end what hangs.
    """

    def __init__(self, server: Server, serial: str, told: Told | None = None) -> None:
        self.server, self.serial = server, serial
        self._told = told
        self._shell_v2: bool | None = None
        self._refuses: bool | None = None

    def run(
        self,
        argv: Sequence[str],
        limit_s: float = PATIENCE_S,
        variables: Mapping[str, str] | None = None,
        most_bytes: int = OUTPUT_BYTES,
    ) -> Ended:
        """Run a program and wait for its end.

        Raises TransportError when the connection fails or the output was cut off, LimitError when the program
        does not end in time or prints too much; it is ended on the device then, as it is when this is interrupted.
        """
        return self._run(script(argv, variables), limit_s, most_bytes)

    def run_each(self, commands: Sequence[Sequence[str]], limit_s: float = PATIENCE_S) -> tuple[Ended, ...]:
        """Run programs one after the other, in one exchange: how each ended. What they say on standard error is lost.
        Raises as `run` does."""
        made = script_of(commands)
        return each_ended(self._run(made, limit_s, OUTPUT_BYTES).stdout, made.nonce, len(commands))

    def _run(self, made: Script, limit_s: float, most_bytes: int) -> Ended:
        output = bytearray(), bytearray()
        done = None
        try:
            with _errors(self.serial, made.text, limit_s), self._shell(made.text, limit_s, most_bytes) as wire:
                try:
                    self._read(wire, output)
                except (KeyboardInterrupt, SystemExit):
                    if process_number(_text(output[0]), made.nonce) is None:
                        self._learn_process(wire, output, made.nonce)
                    raise
            done = ended(_text(output[0]), _text(output[1]), made.nonce)
        except LimitError as over:
            self._end(process_number(_text(output[0]), made.nonce), min(limit_s, PATIENCE_S))
            over.output = _text(output[0] + output[1])
            raise
        except TransportError as lost:
            lost.process = process_number(_text(output[0]), made.nonce)
            raise
        except BaseException:
            # Ctrl-C, mostly; the program would go on, and disturb whatever is measured next.
            with contextlib.suppress(TransportError, LimitError, NotReadyError):
                self._end(process_number(_text(output[0]), made.nonce))
            raise
        if done is None:
            raise TransportError(
                "the connection broke in the middle of a command",
                serial=self.serial,
                command=made.text,
                output=_text(output[0] + output[1]),
                process=process_number(_text(output[0]), made.nonce),
            )
        if self._told is not None and self._refuses is None:
            # It answers for sure just now. One that says nothing to what it does not know is never called silent.
            self._refuses = self.answers()
        return done

    def lines(self, argv: Sequence[str], limit_s: float, pulse_s: float | None = None) -> Iterator[str]:
        """The lines that a program prints, as it does; close the iterator to end it. Raises as `run` does.

        With `pulse_s` an empty line comes for every so many seconds without one, so that the reader can look at the
        clock.
        """
        made = script(argv)
        rest = bytearray()
        process: int | None = None
        # A line may come before the program's number, without which it could not be ended.
        held: list[str] = []
        whole = False
        try:
            with _errors(self.serial, made.text, limit_s), self._shell(made.text, limit_s, FOLLOWED_BYTES) as wire:
                packets = wire.shell_packets() if self._shell_v2 else wire.raw()
                while True:
                    if pulse_s is not None and not wire.comes(pulse_s):
                        yield ""
                        continue
                    stream, data = next(packets, (None, b""))
                    if stream is None:
                        break
                    rest += data if stream == STDOUT else b""
                    if len(rest) > LINE_BYTES and b"\n" not in data:
                        raise SizeLimitError(f"sent a line of more than the {LINE_BYTES // MIB} MiB allowed")
                    if stream != STDOUT or b"\n" not in data:
                        continue
                    lines, _, rest = rest.rpartition(b"\n")
                    text = _text(lines) + "\n"
                    process = process_number(text, made.nonce) if process is None else process
                    whole = whole or has_ended(text, made.nonce)
                    held += text.splitlines()
                    if process is not None:
                        yield from held
                        held.clear()
            if not whole:
                raise TransportError("the connection broke in the middle of a command", serial=self.serial)
        except TransportError as lost:
            lost.command, lost.process = made.text, process
            raise
        finally:
            with contextlib.suppress(TransportError, LimitError, NotReadyError):
                self._end(process)

    def forget(self) -> None:
        """Ask for the features again: after an update the device may have others."""
        self._shell_v2 = self._refuses = None

    def answers(self, limit_s: float = ASKED_S) -> bool:
        """Whether the device says anything, be it that it is away. Costs it next to nothing."""
        try:
            with self._transport(limit_s) as wire:
                wire.service(NO_SERVICE)
        except (TimeoutError, adbutils.AdbTimeout):
            return False
        except (adbutils.AdbError, EOFError, OSError, NotReadyError):
            return True
        return True

    def push(self, source: Path, target: str, mode: int, limit_s: float) -> None:
        """Send a file. Raises TransportError, or DeviceFileError with the device's reason."""
        # Over a slow link the answer waits behind what is sent: no reason to give the device up.
        watch = self._watch(f"push {target}", gives_up=False)
        with _errors(self.serial, f"push {target}", limit_s), self._transport(limit_s, watch=watch) as wire:
            send_file(wire, source, target, mode)

    def pull(self, source: str, limit_s: float) -> bytes:
        """Content of a file on the device, of at most 64 MiB. Raises TransportError, LimitError, or DeviceFileError
        with the reason."""
        watch = self._watch(f"pull {source}")
        with _errors(self.serial, f"pull {source}", limit_s), self._transport(limit_s, FILE_BYTES, watch) as wire:
            return receive_file(wire, source)

    def end(self, process: int, belongs_to: str) -> None:
        """End a process that was left behind, if its command line still holds `belongs_to`."""
        found = self.run(["cat", f"/proc/{process}/cmdline"])
        if found.status == 0 and belongs_to in found.stdout:
            self.run(["kill", "-9", str(process)])

    def _end(self, process: int | None, limit_s: float = PATIENCE_S) -> None:
        """End a program; where its number is not known, only see whether the device answers."""
        text = script(["true"] if process is None else ["kill", "-9", str(process)]).text
        try:
            with _errors(self.serial, text, limit_s), self._shell(text, limit_s) as wire:
                self._read(wire, (bytearray(), bytearray()))
        except LimitError:
            raise TransportError("does not answer", serial=self.serial, command=text) from None

    def _shell(self, text: str, limit_s: float, most_bytes: int = OUTPUT_BYTES) -> Wire:
        if self._shell_v2 is None:
            with _errors(self.serial, "features", PATIENCE_S), self.server.wire(PATIENCE_S) as wire:
                wire.service(f"host-serial:{self.serial}:features")
                self._shell_v2 = "shell_v2" in wire.block().split(",")
        wire = self._transport(limit_s, most_bytes, self._watch(text))
        try:
            wire.service(f"shell,v2,raw:{text}" if self._shell_v2 else f"shell:{text}")
        except BaseException:
            wire.close()
            raise
        return wire

    def _watch(self, command: str, *, gives_up: bool = True) -> Watch | None:
        if self._told is None or self._refuses is False:
            return None

        def give_up(silent_s: float) -> None:
            lost = TransportError("does not answer", serial=self.serial, command=command)
            lost.silent_s = silent_s
            raise lost

        return Watch(self.answers, self._told, give_up if gives_up else lambda _: None)

    def _transport(self, limit_s: float, most_bytes: int = MOST_BYTES, watch: Watch | None = None) -> Wire:
        wire = self.server.wire(limit_s, most_bytes, watch)
        try:
            wire.service(f"host:transport:{self.serial}")
        except BaseException:
            wire.close()
            raise
        return wire

    def _read(self, wire: Wire, output: tuple[bytearray, bytearray]) -> None:
        for _ in self._packets(wire, output):
            pass

    def _learn_process(self, wire: Wire, output: tuple[bytearray, bytearray], nonce: str) -> None:
        """Interrupted just after the start, wait a moment for the program's number: without it the program
        cannot be ended."""
        wire.limit(GRACE_S)
        with contextlib.suppress(adbutils.AdbError, EOFError, OSError, LimitError):
            for _ in self._packets(wire, output):
                if process_number(_text(output[0]), nonce) is not None:
                    return

    def _packets(self, wire: Wire, output: tuple[bytearray, bytearray]) -> Iterator[None]:
        for stream, data in wire.shell_packets() if self._shell_v2 else wire.raw():
            output[stream].extend(data)
            yield


def _text(data: bytes | bytearray) -> str:
    return data.decode("utf-8", "replace")


@contextlib.contextmanager
def _errors(serial: str, command: str, limit_s: float) -> Iterator[Any]:
    told = command.partition(" </dev/null")[0]
    late = TimeLimitError(f"{told} was not finished within {limit_s:.0f} s", serial=serial)
    try:
        yield
    except (TimeoutError, adbutils.AdbTimeout):
        raise late from None
    except SizeLimitError as over:
        raise SizeLimitError(f"{told}: {over.message}", serial=serial) from None
    except (adbutils.AdbError, EOFError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise TransportError(reason, serial=serial, command=command) from None
