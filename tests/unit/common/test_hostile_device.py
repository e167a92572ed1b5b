"""A device that sends too much, too long or what is no message: bounded in bytes and time, and told in one line."""

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from common.adb import cores, facts, shell
from common.adb.errors import SizeLimitError, TransportError
from common.adb.server import Device, Server
from common.errors import EdgeproofError
from jobs.benchmark.android import arrival, classic, command, delegation, litert, logcat, profile, state
from jobs.benchmark.android.classic import Printed
from jobs.devices.listing import Seen, show

# The bar of docs/benchmarks.md, "Fuzzing", for texts of the size that a device may send.
MOST_S = 2.0
LONG = 1 << 20
Flood = Callable[[socket.socket], None]


@contextmanager
def hostile(flood: Flood, features: str = "shell_v2") -> Iterator[Server]:
    """An adb server whose device answers every service with `flood`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while size := connection.recv(4, socket.MSG_WAITALL):
                    service = connection.recv(int(size, 16), socket.MSG_WAITALL).decode()
                    connection.sendall(b"OKAY")
                    if service.endswith(":features"):
                        connection.sendall(f"{len(features):04x}{features}".encode())
                    elif not service.startswith("host:transport"):
                        flood(connection)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    server = Server()
    server.host, server.port = listener.getsockname()
    try:
        yield server
    finally:
        listener.close()


def for_ever(data: bytes) -> Flood:
    def send(connection: socket.socket) -> None:
        while True:
            connection.sendall(data)

    return send


PACKET = b"\x01" + (60_000).to_bytes(4, "little") + b"x" * 60_000
EMPTY = b"\x01" + bytes(4)
HUGE = b"\x01\xff\xff\xff\xff" + b"x" * 1000
FILE = b"DATA" + (60_000).to_bytes(4, "little") + b"x" * 60_000


@pytest.mark.parametrize(
    ("data", "most_bytes", "told"),
    [
        (PACKET, 1 << 20, "1 MiB allowed"),
        # Packet by packet, each of a header alone, a whole MiB takes seconds.
        (EMPTY * 10_000, 1 << 17, "MiB allowed"),
        (HUGE, 1 << 20, "1 MiB allowed"),
    ],
    ids=["packets", "empty packets", "a size of 4 GiB"],
)
def test_endless_output_ends_at_its_limit(data: bytes, most_bytes: int, told: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with hostile(for_ever(data)) as server, pytest.raises(EdgeproofError) as caught:
        Device(server, "phone").run(["getprop"], most_bytes=most_bytes)
    assert isinstance(caught.value, SizeLimitError | TransportError)
    assert told in str(caught.value) or "does not answer" in str(caught.value)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 100 << 20


def test_an_old_devices_endless_output_ends_at_its_limit() -> None:
    with hostile(for_ever(b"x" * 60_000), features="cmd") as server, pytest.raises(EdgeproofError) as caught:
        Device(server, "phone").run(["getprop"])
    assert isinstance(caught.value, SizeLimitError | TransportError)


def test_an_endless_file_ends_at_its_limit() -> None:
    with hostile(for_ever(FILE)) as server, pytest.raises(SizeLimitError, match="64 MiB allowed"):
        Device(server, "phone").pull("/data/local/tmp/profile.csv", 60)


@pytest.mark.parametrize("data", [b"x" * 60_000, b"01-01 00:00:00.000 1 1 I tflite: x\n" * 1000], ids=["line", "lines"])
def test_an_endless_log_ends_at_its_limit(data: bytes) -> None:
    packet = b"\x01" + len(data).to_bytes(4, "little") + data
    with hostile(for_ever(packet)) as server, pytest.raises(SizeLimitError, match="MiB allowed"):
        for _ in Device(server, "phone").lines(["logcat"], 60):
            pass


def test_what_is_no_length_is_one_line() -> None:
    def garbage(connection: socket.socket) -> None:
        connection.sendall(b"-1_0 and more")

    with hostile(garbage) as server, pytest.raises(TransportError, match="no message"):
        server.attached()


def printed(text: str) -> Printed:
    return Printed(text, "", 0, "log")


PARSERS: dict[str, Callable[[str], object]] = {
    "getprop": facts.properties,
    "df": facts.free_kib,
    "thermal status": facts.thermal_status,
    "temperatures": lambda text: facts.temperatures("Current temperatures from HAL:" + text),
    "battery": facts.battery,
    "memory": facts.memory_kib,
    "cores": facts.core_numbers,
    "frequency": facts.kilohertz,
    "logcat": lambda text: [logcat.entry(line) for line in text.splitlines()],
    "log entry": lambda text: logcat.entry("01-01 00:00:00.000  1  1 I " + text),
    "help": command.dialect,
    "errors": lambda text: delegation.errors("ERROR: " + text),
    "delegation": lambda text: delegation.delegation(text, "gpu"),
    "figures": lambda text: classic.parse(printed(text), "cpu"),
    "figures of LiteRT": lambda text: litert.parse(printed(text), "xnnpack"),
    "state": lambda text: state.read(text, text, text, text),
    "clock": lambda text: state.found_clocks("/sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq:" + text),
    "saver": lambda text: state.saver("Battery saver state machine:" + text),
    "processors' time": lambda text: arrival.ticks("cpu " + text),
    "cores in words": cores.listed,
    "cores of a clock": lambda text: cores.filled({0: 1}, {0: text}),
    "programs in one go": lambda text: shell.each_ended(text, "0" * 16, 4),
    "profile": lambda text: profile.operators(profile.REGULAR_RUNS + text),
}
# What made a pattern go over the rest of the text again and again.
TEXTS = {
    "line ends": "\n" * LONG,
    "line ends of a terminal": "\r" * LONG,
    "blanks": " " * LONG + "x",
    "blanks and line ends": " \n" * (LONG // 2),
    "open properties": "[a]: [b\n" * (LONG // 8),
    "brackets": "[" * LONG,
    "temperatures": "Temperature{mValue=1, mType=" * (LONG // 28),
    "errors": "ERROR: " + " " * LONG + "x",
    "digits": "9" * LONG,
    "cores": "0-999," * (LONG // 6),
    "counts": "count=1 " * (LONG // 8),
    "words": "count=1 " + "a=1 " * (LONG // 4),
    "equal signs": "=" * LONG,
    "memory": "MemTotal:" + " " * LONG,
    "flags": "--a\n" * (LONG // 4),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS.keys())
def test_no_text_of_a_device_keeps_a_parser(parser: Callable[[str], object], text: str) -> None:
    start = time.process_time()
    try:
        parser(text)
    except ValueError as error:
        # What a profile may raise: the examiner notes it as a problem.
        assert "profile" in str(error)
    assert time.process_time() - start < MOST_S


def test_many_cores_are_no_more_than_there_are() -> None:
    assert facts.core_numbers("0-999,0-999") == tuple(range(256))


def test_a_level_of_5000_digits_is_none() -> None:
    assert facts.api_level({"ro.build.version.sdk": "9" * 5000}) is None
    assert facts.api_level({"ro.build.version.sdk": "34"}) == 34


def test_a_count_beyond_all_numbers_is_a_failure() -> None:
    line = "count=5 first=1 curr=1 min=1 max=1 avg=1 std=0 count=9e999\n"
    timings = "Inference timings in us: Init: 1, First inference: 1, Warmup (avg): 1, Inference (avg): 1\n"
    memory = "Memory footprint delta from the start of the tool (MB): init=1 overall=1\n"
    assert classic.parse(printed(line * 2 + timings + memory), "cpu").kind in {"failed", "measured"}


def test_a_serial_and_a_model_set_no_title(capsys: pytest.CaptureFixture[str]) -> None:
    show([Seen("\x1b]0;owned\x07serial", "offline\x1b[2J", None, "it says \x9b31m")])
    told = capsys.readouterr().out
    assert "serial" in told
    assert not {"\x1b", "\x07", "\x9b"} & set(told)
