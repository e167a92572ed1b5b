"""What is told of a device before anything is made for it; a real adb server and stand-ins."""

import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.artifact import file_ref, read, write_model
from common.errors import EdgeproofError, UsageError
from common.schema.variant import Variant
from jobs.benchmark.android.locks import held, patiently
from jobs.benchmark.look import look
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Personality, Storage, load
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import fake_binary
from tests.unit.benchmark.android.conftest import Bench, left_behind

MIB = 1 << 10
STAY_ON = "global/stay_on_while_plugged_in"


def looked(bench: Bench, *serials: str, apk: Path | None = None, hexagon: Path | None = None) -> int:
    given = DeviceOptions(binary=bench.binary, apk=apk, hexagon=hexagon, patience_s=5.0)
    return look(serials, bench.experiment, bench.output, given)


def test_a_phone_that_can_be_measured_on_is_told_and_left_clean(
    bench: Bench, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert looked(bench, "host") == 0
    assert looked(bench, stand_in.serial) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{stand_in.serial}: Google Pixel 7, Android 14, arm64-v8a, armeabi-v7a, armeabi, 5")
    assert told.out.endswith(" MiB free\n") and told.err == ""
    assert left_behind(stand_in) == []


def test_nothing_is_changed_on_a_phone_that_is_looked_at(bench: Bench, stand_in: StandIn) -> None:
    """The look's own "stay on" was noted as the user's, and stayed for good."""
    settings = stand_in.phone.state.settings
    for before in ("0", "3"):
        settings[STAY_ON] = before
        assert looked(bench, stand_in.serial) == 0
        assert settings[STAY_ON] == before
        bench.run(stand_in.serial)
        assert settings[STAY_ON] == before
    assert not any("before.json" in line and "--look" in line for line in stand_in.phone.history)


def test_a_phone_that_answers_late_is_in_use_under_another_name(
    bench: Bench, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was taken for a phone that does not tell who it is: tried, and refused only when it was to be measured."""
    monkeypatch.setattr("jobs.benchmark.android.locks.PATIENCE_S", 0.0)
    with held("its-cable", "another", lambda _: patiently(stand_in.serial)):
        assert looked(bench, stand_in.serial) == 75
    assert "is the phone its-cable, under another name" in capsys.readouterr().err
    assert not any("--help" in line for line in stand_in.phone.history)


def test_backends_that_no_tool_has_are_told_before_the_work(
    benches: Callable[..., Bench], stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert looked(benches(backends=("npu",)), stand_in.serial) == 2
    assert "nothing can be measured: the classic tool has no NPU" in capsys.readouterr().err
    assert left_behind(stand_in) == []


def test_every_phone_is_looked_at(
    bench: Bench, stand_ins: Callable[..., StandIn], adb_server: AdbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    locked, used, good = stand_ins(), stand_ins(), stand_ins()
    locked.arm(Fault(Kind.UNAUTHORIZED))
    adb_server.wait_for(locked.serial, "unauthorized")
    with held(used.serial, "another"):
        assert looked(bench, locked.serial, used.serial, good.serial) == 75
    told = capsys.readouterr()
    first, second = told.err.splitlines()
    assert (
        first
        == f"error: device {locked.serial} is unauthorized (accept the key of this computer on the device's screen)"
    )
    assert second.startswith(f"error: {used.serial} is in use by process ")
    assert told.out.startswith(f"{good.serial}: ")


def test_a_second_name_that_was_not_connected_is_told(
    bench: Bench, stand_in: StandIn, adb_server: AdbServer, capsys: pytest.CaptureFixture[str]
) -> None:
    second = f"localhost:{stand_in.port}"
    assert looked(bench, stand_in.serial, second) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"error: DEVICES names one phone twice: {stand_in.serial} and {second} (name it once)"
    adb_server.adb("disconnect", second)
    with pytest.raises(UsageError, match="the host cannot be measured beside devices"):
        looked(bench, "host", stand_in.serial)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#!/bin/sh\n", "is not an executable for Android"),
        (fake_binary("x86_64"), "is for x86_64, the device runs arm64-v8a"),
        (None, "No such file or directory"),
    ],
)
def test_a_wrong_tool_is_told(
    bench: Bench, stand_in: StandIn, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str
) -> None:
    bench.binary.unlink() if content is None else bench.binary.write_bytes(content)
    assert looked(bench, stand_in.serial) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {stand_in.serial}: BENCHMARK_BINARY=") and words in line
    assert left_behind(stand_in) == []


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return path


def test_a_wrong_app_is_told(
    benches: Callable[..., Bench], stand_in: StandIn, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bench = benches(more="app = true")
    (tmp_path / "text.apk").write_text("no app", encoding="utf-8")
    wrong = zipped(tmp_path / "x86.apk", "AndroidManifest.xml", "lib/x86_64/libbench.so")
    right = zipped(tmp_path / "both.apk", "AndroidManifest.xml", "lib/x86_64/libbench.so", "lib/arm64-v8a/libbench.so")
    cases = {
        tmp_path / "none.apk": "is no file",
        tmp_path / "text.apk": "is no app for Android",
        wrong: "is for x86_64, ",
    }
    for path, words in cases.items():
        assert looked(bench, stand_in.serial, apk=path) == 2
        assert f"error: {stand_in.serial}: BENCHMARK_APK={path} {words}" in capsys.readouterr().err
    assert looked(bench, stand_in.serial, apk=right) == 0
    assert stand_in.phone.state.packages == {} and left_behind(stand_in) == []


def test_wrong_libraries_are_told(
    benches: Callable[..., Bench], stand_in: StandIn, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bench, folder = benches(("cpu", "hexagon")), tmp_path / "libraries"
    folder.mkdir()
    for name, content, words in (
        ("readme", b"", "holds no lib*.so"),
        ("libhexagon_nn_skel.so", b"", "holds no libhexagon_interface.so"),
        ("libhexagon_interface.so", fake_binary("x86_64"), "libhexagon_interface.so is for x86_64, the device runs"),
    ):
        (folder / name).write_bytes(content)
        assert looked(bench, stand_in.serial, hexagon=folder) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {stand_in.serial}: ") and words in line
    (folder / "libhexagon_interface.so").write_bytes(fake_binary())
    assert looked(bench, stand_in.serial, hexagon=folder) == 0


def test_a_frozen_phone_is_given_up_soon(
    bench: Bench, stand_in: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.benchmark.look.PATIENCE_S", 4.0)
    stand_in.arm(Fault(Kind.FROZEN))
    began = time.monotonic()
    assert looked(bench, stand_in.serial) != 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("error: ") and stand_in.serial in lines[-1], lines
    assert time.monotonic() - began < 30
    stand_in.heal()


def small(free_kb: int) -> Personality:
    return replace(load("pixel"), storage=Storage(4_000_000, free_kb))


def test_models_that_are_not_made_yet_are_assumed(
    bench: Bench, stand_ins: Callable[..., StandIn], capsys: pytest.CaptureFixture[str]
) -> None:
    phone = stand_ins(small(40 * MIB))
    assert looked(bench, phone.serial) == 0
    [line] = capsys.readouterr().err.splitlines()
    assert line == (
        f"warning: {phone.serial}: 39 MiB free in /data/local/tmp; 2 models are not made yet, and with 16 MiB for each "
        "49 MiB are needed (free some space on the device)"
    )


def test_room_for_all_is_seen_before_the_first_push(bench: Bench, stand_ins: Callable[..., StandIn]) -> None:
    # Room for the tool and a model, and not for both models beside what stays free.
    for name in bench.experiment.settings.variants:
        grow(bench, name, 3 << 20)
    phone = stand_ins(small(20 * MIB))
    with pytest.raises(EdgeproofError, match=r"20 MiB free in /data/local/tmp, 23 MiB needed for all that is measured"):
        bench.run(phone.serial)
    assert not any("push" in line or "benchmark_model" in line for line in phone.phone.history)
    assert left_behind(phone) == []
    bench.run(stand_ins(small(24 * MIB)).serial)


def test_what_lies_there_already_needs_no_room_again(bench: Bench, stand_ins: Callable[..., StandIn]) -> None:
    for name in bench.experiment.settings.variants:
        grow(bench, name, 3 << 20)
    phone = stand_ins(small(24 * MIB))
    bench.run(phone.serial, keep=True)
    # The same run once more, with other settings: the ledger has nothing of it.
    (bench.output / "ledger.jsonl").unlink()
    # Less than what stays free beside what is sent: nothing is sent.
    phone.arm(Fault(Kind.DISK_FULL, after_bytes=8 << 20))
    bench.run(phone.serial)


def grow(bench: Bench, name: str, size: int) -> None:
    folder = bench.folder / "variants" / name
    path = folder / f"{name}.tflite"
    path.write_bytes(path.read_bytes() + bytes(size))
    described = read(folder / "variant.json", Variant)
    write_model(folder / "variant.json", described.model_copy(update={"model": file_ref(path, folder)}))
