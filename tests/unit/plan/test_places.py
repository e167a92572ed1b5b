"""What a run is measured on: the phone that is attached, what it is, and with which tools; a real adb server."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.adb import asked
from common.adb.errors import NotReadyError
from common.errors import UsageError
from common.processor import processor
from jobs.benchmark.host_facts import host_environment
from jobs.plan.places import Tools, places
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn

__all__ = ["adb_server", "stand_in", "stand_ins"]


@pytest.fixture
def server(adb_server: AdbServer, monkeypatch: pytest.MonkeyPatch) -> AdbServer:
    for name, value in adb_server.address.items():
        monkeypatch.setenv(name, value)
    return adb_server


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server answers, and none can be started."""
    monkeypatch.delenv("ADB_SERVER_SOCKET", raising=False)
    monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")
    monkeypatch.setenv("ADBUTILS_ADB_PATH", "/nonexistent/adb")


def planned(run: Path, serial: str, facts: object) -> None:
    for name, content in (
        ("report/results.json", {"targets": [serial]}),
        (f"benchmark/{serial}/benchmark.json", {"facts": facts}),
    ):
        (run / "plan" / name).parent.mkdir(parents=True, exist_ok=True)
        (run / "plan" / name).write_text(json.dumps(content), encoding="utf-8")


def test_any_is_the_phone_that_is_attached(
    server: AdbServer, stand_ins: Callable[..., StandIn], tmp_path: Path
) -> None:
    first = stand_ins()
    [place] = places(["any"], Tools(), tmp_path, dry=True)
    assert place.serial == first.serial
    assert place.facts is not None
    assert {"ro.product.model", "ro.build.fingerprint"} <= set(place.facts)
    assert place == places([first.serial], Tools(), tmp_path, dry=True)[0]
    server.adb("disconnect", first.serial)
    second = stand_ins("old")
    [other] = places(["any"], Tools(), tmp_path, dry=True)
    assert other.serial == second.serial
    assert other.facts != place.facts


def test_two_phones_are_not_any(server: AdbServer, stand_ins: Callable[..., StandIn], tmp_path: Path) -> None:
    stand_ins(), stand_ins()
    with pytest.raises(NotReadyError, match="several devices are attached"):
        places(["any"], Tools(), tmp_path, dry=True)


@pytest.mark.usefixtures("nowhere")
def test_without_a_server_what_was_planned_last_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotReadyError, match=r"no adb server answers at 127\.0\.0\.1:1"):
        places(["any"], Tools(), tmp_path, dry=False)
    planned(tmp_path, "phone1", {"ro.product.model": "a"})
    # Nothing was measured under that name, so that it says nothing of what any is.
    with pytest.raises(NotReadyError, match=r"no adb server answers at 127\.0\.0\.1:1"):
        places(["any"], Tools(), tmp_path, dry=False)
    (tmp_path / "benchmark" / "phone1").mkdir(parents=True)
    (tmp_path / "benchmark" / "phone1" / "benchmark.json").touch()
    for device in ("any", "phone1"):
        [place] = places([device], Tools(), tmp_path, dry=False)
        assert (place.serial, place.facts) == ("phone1", {"ro.product.model": "a"})
        assert "phone1 cannot be asked now: what was measured on it is taken as it is" in capsys.readouterr().err
    assert places(["phone2"], Tools(), tmp_path, dry=False)[0].facts is None
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("nowhere")
def test_any_needs_a_name_where_only_the_container_has_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[bool] = []
    monkeypatch.setattr(asked, "start_server", lambda: started.append(True))
    monkeypatch.setenv("EDGEPROOF_USB", "1")
    monkeypatch.setenv("RUNTIME", "docker")
    with pytest.raises(NotReadyError, match=r"EDGEPROOF_USB=1.*DEVICE=<serial>"):
        places(["any"], Tools(), tmp_path, dry=False)
    # A server here would take the phones away from the container.
    assert places(["phone2"], Tools(), tmp_path, dry=False)[0].serial == "phone2"
    assert started == []
    monkeypatch.setenv("RUNTIME", "local")
    with pytest.raises(NotReadyError, match="no adb server answers"):
        places(["any"], Tools(), tmp_path, dry=False)
    assert started == [True]


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("targets", ["a\nb", "-a", "", "host", ["x"], None, " a"])
def test_a_serial_that_a_run_brings_along_is_checked(tmp_path: Path, targets: object) -> None:
    planned(tmp_path, "phone1", {})
    (tmp_path / "plan" / "report" / "results.json").write_text(json.dumps({"targets": [targets]}), encoding="utf-8")
    with pytest.raises(NotReadyError):
        places(["any"], Tools(), tmp_path, dry=True)


@pytest.mark.usefixtures("nowhere")
def test_the_host_needs_no_adb(tmp_path: Path) -> None:
    [host] = places(["host"], Tools(binary=Path("/nonexistent")), tmp_path, dry=True)
    assert host.facts
    assert host.facts["Cores usable"]
    assert host.tools == {}


@pytest.mark.usefixtures("nowhere")
def test_tools_are_known_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "hexagon").mkdir()
    tools = Tools(tmp_path / "tool", tmp_path / "app.apk", tmp_path / "hexagon")
    seen = []
    files = [tmp_path / "tool", tmp_path / "app.apk", tmp_path / "hexagon" / "libx.so"]
    for path in files:
        path.write_bytes(b"1")
    for path in files:
        seen.append(dict(places(["phone1"], tools, tmp_path, dry=True)[0].tools))
        path.write_bytes(b"2")
    seen.append(dict(places(["phone1"], tools, tmp_path, dry=True)[0].tools))
    assert len({tuple(sorted(hashes.items())) for hashes in seen}) == 4
    assert set(seen[0]) == {"BENCHMARK_BINARY", "BENCHMARK_APK", "HEXAGON_LIBRARIES"}
    for missing in (replace(tools, binary=tmp_path / "none"), replace(tools, hexagon=tmp_path / "none")):
        with pytest.raises(UsageError, match=r"none is no (file|folder)"):
            places(["phone1"], missing, tmp_path, dry=True)


def test_one_phone_of_two_names_is_no_two_places(
    server: AdbServer, stand_ins: Callable[..., StandIn], tmp_path: Path
) -> None:
    first = stand_ins()
    second = f"localhost:{first.port}"
    assert server.connect(second).startswith("connected")
    [place] = places(["any"], Tools(), tmp_path, dry=True)
    assert place.serial in (first.serial, second)
    words = f"DEVICES names one phone 2 times: {first.serial} and {second}"
    with pytest.raises(UsageError, match=words) as refused:
        places([first.serial, second], Tools(), tmp_path, dry=True)
    assert f"name it once, best as {first.serial}" in str(refused.value.hint)
    other = stand_ins()
    both = places([first.serial, other.serial], Tools(), tmp_path, dry=True)
    assert [place.serial for place in both] == [first.serial, other.serial]
    server.adb("disconnect", second)


def test_a_phone_that_says_too_much_is_not_believed(
    server: AdbServer, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked.lasting_facts(stand_in.serial)
    monkeypatch.setattr(asked, "MOST_BYTES", 10)
    with pytest.raises(NotReadyError, match="more than 10 bytes"):
        asked.lasting_facts(stand_in.serial)
    with pytest.raises(NotReadyError, match="the adb server refused"):
        asked.lasting_facts("nobody")


def test_a_processor_is_its_lasting_facts() -> None:
    x86 = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Xeon\ncpu MHz\t\t: 2000.1\nflags\t\t: avx2 avx512_vnni\n\n"
    two = processor(x86 * 2)
    assert (two.model, two.name, two.instruction_sets) == ("85", "Xeon", ("avx2", "avx512_vnni"))
    assert processor(x86.replace("2000.1", "800")) == processor(x86)
    assert processor(x86.replace(" avx512_vnni", "")) != processor(x86)
    arm = "CPU part\t: 0xd05\n\nCPU part\t: 0xd41\n"
    assert processor(arm).model == "0xd05, 0xd41"


def test_the_host_is_all_that_its_fingerprint_has_but_the_runtime(tmp_path: Path) -> None:
    (here,) = places(["host"], Tools(), tmp_path, dry=True)
    lasting = dict(host_environment().lasting)
    assert lasting.pop("Runtime")
    assert here.facts == lasting
