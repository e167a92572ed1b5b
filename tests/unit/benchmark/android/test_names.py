"""Devices by their names: blanks and worse in them, several names of one phone; a real adb server behind each."""

import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from common.adb.errors import NotReadyError
from common.adb.identity import identity, told
from common.adb.names import joined, listed, safe_name
from common.adb.server import Server
from common.artifact import read
from common.errors import TryLaterError
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Summary
from jobs.benchmark.android.locks import held
from jobs.benchmark.android.usable import usable_serial
from tests.devices.adb_server import AdbServer
from tests.devices.named import NamedServer, pump
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import Call
from tests.unit.benchmark.android.conftest import Bench, left_behind

TWICE_PAIRED = "adb-XX2XXXX2-4QfPSa (2)._adb-tls-connect._tcp"
WORST = "a $(touch x)`touch x`; touch x 'b' \"c\" #d) %e \\"


@pytest.fixture
def two_names(adb_server: AdbServer, stand_in: StandIn) -> tuple[str, str]:
    """A phone that adb knows as 127.0.0.1 and as localhost."""
    other = f"localhost:{stand_in.port}"
    assert adb_server.connect(other).startswith("connected")
    return stand_in.serial, other


def rename(monkeypatch: pytest.MonkeyPatch, server: NamedServer) -> None:
    for name, value in server.address.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", [TWICE_PAIRED, WORST])
def test_a_serial_is_text(
    bench: Bench, adb_server: AdbServer, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with NamedServer(adb_server.port, {name: stand_in.serial}) as server:
        rename(monkeypatch, server)
        assert Server().attached()[0].serial == name
        argv = bench.argv(joined([name]))
        argv[argv.index("--device")] = "--devices"
        done = subprocess.run(
            [sys.executable, *argv], cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stderr
    result = read(bench.output / safe_name(name) / "benchmark.json", Benchmark)
    assert result.target.serial == name
    assert all(isinstance(row.result, Summary) for row in result.rows)
    assert left_behind(stand_in) == []


def test_an_address_with_a_zone(bench: Bench, adb_server: AdbServer, stand_in: StandIn) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:

        def relay() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                far = socket.create_connection(("127.0.0.1", stand_in.port))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=relay, daemon=True).start()
        serial = f"[::1%1]:{listener.getsockname()[1]}"
        result = bench.run(serial)
        assert result.target.serial == serial
        assert identity(serial) == identity(stand_in.serial) is not None
        adb_server.adb("disconnect", serial)


def test_one_phone_under_two_names_is_measured_by_one(two_names: tuple[str, str], bench: Bench) -> None:
    first, second = two_names
    with held(first, "runs/demo"):
        words = (
            rf"{second} is the phone {first}, under another name, which is in use by process {os.getpid()} of .*demo"
        )
        with pytest.raises(TryLaterError, match=words):
            bench.run(second)
    bench.run(second)


def test_a_holder_in_a_container_has_another_number_there(
    stand_in: StandIn, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEPROOF_IMAGE", "sha256:0")
    with (
        held(stand_in.serial, "runs/demo"),
        pytest.raises(TryLaterError, match=rf"process {os.getpid()} of one of our containers of "),
    ):
        bench.run(stand_in.serial)


def test_two_phones_with_one_serial_number_are_two(stand_ins: Callable[..., StandIn]) -> None:
    phones = [stand_ins(), stand_ins()]
    for phone in phones:
        phone.phone.state.properties["ro.serialno"] = "0123456789ABCDEF"
    with held(phones[0].serial, "a"), held(phones[1].serial, "b"):
        assert len({identity(phone.serial) for phone in phones}) == 2


def test_a_phone_that_does_not_say_is_its_name(two_names: tuple[str, str], stand_in: StandIn) -> None:
    stand_in.phone.boot_id = "cat: /proc/sys/kernel/random/boot_id: Permission denied"
    first, second = two_names
    with held(first, "a"), held(second, "b"), pytest.raises(TryLaterError, match=f"^{first} is in use by process"):
        held(first, "c").__enter__()


def test_a_phone_that_was_started_again_is_still_held(
    two_names: tuple[str, str], bench: Bench, stand_in: StandIn, adb_server: AdbServer
) -> None:
    first, second = two_names
    refused: list[str] = []
    usual = stand_in.phone.tool

    def tool(call: Call) -> int:
        """At its fourth run the phone goes down and comes back as another by what it says; later somebody asks."""
        if stand_in.phone.tool_runs == 3 and not stand_in.phone.faults.fired:
            stand_in.phone.boot_id = str(uuid4())
            stand_in.arm(Fault(Kind.VANISH, seconds=1.0))
        if stand_in.phone.tool_runs == 6 and not refused:
            adb_server.connect(second)
            adb_server.wait_for(second, "device")
            with pytest.raises(TryLaterError) as refusal:
                held(second, "other").__enter__()
            refused.append(str(refusal.value))
        return usual(call)

    stand_in.phone.tool = tool
    bench.run(first)
    assert f"{second} is the phone {first}, under another name" in refused[0]


def test_any_is_one_phone_whatever_its_names(
    adb_server: AdbServer, stand_ins: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, other = stand_ins(), stand_ins()
    names = {TWICE_PAIRED: phone.serial, "192.168.1.5:5555": phone.serial, "R5CT10ABC": phone.serial}
    with ExitStack() as stack:
        rename(monkeypatch, stack.enter_context(NamedServer(adb_server.port, names)))
        assert usable_serial(Server(), "any") == "R5CT10ABC"
        del names["R5CT10ABC"]
        assert usable_serial(Server(), "any") == "192.168.1.5:5555"
        names["emulator-5554"] = other.serial
        with pytest.raises(NotReadyError) as refused:
            usable_serial(Server(), "any")
    expected = f"several devices are attached: 192.168.1.5:5555 = {TWICE_PAIRED}, emulator-5554"
    assert refused.value.message == expected
    assert "DEVICE=192.168.1.5:5555" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", None),
        ("cat: no\nreadlink: no\nR5CT10ABC\n", None),
        (f"{'0' * 8}-0000-0000-0000-{'0' * 12}\r\npid:[4026531836]\r\nR5\r\n", True),
    ],
)
def test_what_an_answer_tells(answer: str, expected: object) -> None:
    assert (told(answer) is not None) == (expected is not None)


def test_the_locks_lie_where_they_are_told(tmp_path: Path, stand_in: StandIn) -> None:
    with held(stand_in.serial, "a"):
        assert len(list((tmp_path / "locks").glob("*.json"))) == 2
    assert list((tmp_path / "locks").glob("*.json")) == []


def test_the_list_prints_what_to_type(
    adb_server: AdbServer, stand_ins: Callable[..., StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, other = stand_ins(), stand_ins()
    names = {TWICE_PAIRED: phone.serial, "192.168.1.5:5555": phone.serial, "it's": other.serial}
    with NamedServer(adb_server.port, names) as server:
        rename(monkeypatch, server)
        argv = [sys.executable, "-m", "jobs.devices"]
        done = subprocess.run(argv, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=True)
    [row] = [line for line in done.stdout.splitlines() if TWICE_PAIRED in line]
    assert "another name of 192.168.1.5:5555: use that one" in row
    lines = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("make all")]
    assert [words[2] for words in lines[:2]] == ["DEVICE=192.168.1.5:5555", "DEVICE=it's"]
    assert listed(lines[2][2].removeprefix("DEVICES=")) == ("192.168.1.5:5555", "it's")
