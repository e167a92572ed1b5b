"""`make all DEVICE=…` as a user calls it, on stand-ins behind a real adb server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from common.adb.names import safe_name
from common.artifact import read
from common.schema.results import Latency, Results
from common.schema.search_result import SearchResult
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_ins
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.e2e.conftest import SMALL, Make
from tests.unit.search.test_stage import LEAST

__all__ = ["adb_server", "stand_ins"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EVERYTHING = 'backends = ["cpu", "xnnpack", "gpu", "nnapi"]\noutputs_images = 4\nprofile = true\napp = true\n'


def test_a_report_of_two_phones_side_by_side(
    make: Make, adb_server: AdbServer, stand_ins: Callable[..., StandIn], tmp_path: Path
) -> None:
    experiment = tmp_path / "small.toml"
    experiment.write_text(SMALL.replace("[benchmark]\n", f"[benchmark]\n{EVERYTHING}"), encoding="utf-8")
    (tmp_path / "tool").write_bytes(fake_binary())
    (tmp_path / "app.apk").write_bytes(b"PK\x03\x04")
    phones = [stand_ins(), stand_ins()]
    chosen = {
        "EXPERIMENT": experiment,
        "RUN": tmp_path / "run",
        "DEVICES": " ".join(phone.serial for phone in phones),
        "BENCHMARK_BINARY": tmp_path / "tool",
        "BENCHMARK_APK": tmp_path / "app.apk",
    }
    env = adb_server.address | {"EDGEPROOF_LOCKS": str(tmp_path / "locks")}
    make("all", env=env, **chosen)
    results = read(tmp_path / "run" / "report" / "results.json", Results)
    assert [target.serial for target in results.targets] == [phone.serial for phone in phones]
    gpu = [m.result for m in results.measurements if m.backend == "gpu"]
    assert len(gpu) == 2 * 3 * 2
    for latency in gpu:
        assert isinstance(latency, Latency)
        assert latency.delegation is not None
        assert latency.delegation.extent == "complete"
    assert {m.result.kind for m in results.measurements if m.backend == "nnapi"} == {"unsupported"}
    page = (tmp_path / "run" / "report" / "report.md").read_text(encoding="utf-8")
    for words in ("GPU app", "TfLiteGpuDelegateV2", "Heaviest", "App / binary"):
        assert words in page
    for phone in phones:
        assert (tmp_path / "run" / "benchmark" / safe_name(phone.serial) / "benchmark.json").is_file()
    assert "Nothing to do" in make("all", env=env, **chosen).stdout


def test_a_search_decides_by_what_the_phone_measured(
    make: Make, adb_server: AdbServer, stand_ins: Callable[..., StandIn], tmp_path: Path
) -> None:
    (tmp_path / "small.toml").write_text(LEAST, encoding="utf-8")
    (tmp_path / "tool").write_bytes(fake_binary())
    phone = stand_ins()
    env = adb_server.address | {"EDGEPROOF_LOCKS": str(tmp_path / "locks")}
    chosen = {"EXPERIMENT": tmp_path / "small.toml", "RUN": tmp_path / "run", "DEVICE": phone.serial}
    make("search", env=env, BENCHMARK_BINARY=tmp_path / "tool", **chosen)
    home = tmp_path / "run" / "search"
    found = read(home / "search.json", SearchResult)
    measured = {path.parent.name for path in home.glob("*/benchmark/*/benchmark.json")}
    assert measured == {safe_name(phone.serial)}
    results = read(home / "found" / "report" / "results.json", Results)
    assert [target.serial for target in results.targets] == [phone.serial]
    assert found.setting.target == results.targets[0].name
    assert found.finalists and all(one.confirmed is not None and one.confirmed.ratio for one in found.finalists)
