"""An x86 device with a translator: the Arm build is tried, then the app; a real adb server and a stand-in."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import UsageError
from common.schema.benchmark import Summary
from common.schema.outcome import Unsupported
from tests.devices.phone.personality import load
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.unit.benchmark.android.conftest import Bench, left_behind


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.apk"
    path.write_bytes(b"PK\x03\x04")
    return path


@pytest.mark.parametrize("more", ["", "app = true"])
def test_where_no_arm_program_starts_the_app_measures_alone(
    benches: Callable[..., Bench],
    stand_ins: Callable[..., StandIn],
    app: Path,
    capsys: pytest.CaptureFixture[str],
    more: str,
) -> None:
    phone, bench = stand_ins("emulator"), benches(more=more)
    result = bench.run(phone.serial, apk=app)
    assert result.target.functional_only
    for row in result.rows:
        if row.cell.runner == "app":
            assert isinstance(row.result, Summary)
        else:
            assert isinstance(row.result, Unsupported)
            assert row.result.reason.startswith("this device starts no Arm program: ")
            assert row.result.reason.endswith("not executable: 64-bit ELF file")
    assert {row.cell.runner for row in result.rows} == {"binary", "app"}
    [note] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert note.startswith(f"note: {phone.serial} starts no Arm program (") and "the app measures alone" in note
    assert left_behind(phone) == []
    assert phone.phone.state.packages == {}


def test_where_arm_programs_start_the_build_measures(
    bench: Bench, stand_ins: Callable[..., StandIn], capsys: pytest.CaptureFixture[str]
) -> None:
    phone = stand_ins(replace(load("emulator"), starts=()))
    result = bench.run(phone.serial)
    assert f"note: {phone.serial} starts the Arm build by translation\n" in capsys.readouterr().err
    assert {(row.cell.runner, type(row.result)) for row in result.rows} == {("binary", Summary)}
    assert dict(result.target.facts)["Translated ABIs"] == "arm64-v8a, armeabi-v7a, armeabi"


def test_without_the_app_nothing_measures(bench: Bench, stand_ins: Callable[..., StandIn], tmp_path: Path) -> None:
    phone = stand_ins("emulator")
    with pytest.raises(UsageError, match=r"starts no Arm program \(.*\), and the app cannot be had: BENCHMARK_APK"):
        bench.run(phone.serial, apk=tmp_path / "none.apk")
    assert left_behind(phone) == []


def test_a_tool_for_the_device_itself_is_no_matter_of_translation(
    bench: Bench, stand_ins: Callable[..., StandIn], app: Path
) -> None:
    phone = stand_ins(replace(load("emulator"), starts=("arm64-v8a",)))
    bench.binary.write_bytes(fake_binary("x86_64"))
    with pytest.raises(UsageError, match="is no benchmark_model that"):
        bench.run(phone.serial, apk=app)
