"""A device measured from the adb container, through the host's adb server."""

from pathlib import Path

import pytest

from common.artifact import read
from common.schema.benchmark import Benchmark, Summary
from tests.container.conftest import BUILD_TIMEOUT_S, Launcher
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn
from tests.unit.benchmark.android.conftest import Bench, adb_environment, bench, benches, left_behind

__all__ = ["adb_environment", "adb_server", "bench", "benches", "stand_in", "stand_ins"]
pytestmark = pytest.mark.container


def test_the_stage_reaches_a_device_from_its_container(
    launcher: Launcher, bench: Bench, stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEPROOF_BINARIES", str(tmp_path / "binaries"))
    reads = [bench.folder / "two.toml", bench.folder / "variants", bench.binary]
    given = [word for path in reads for word in ("--read", str(path))]
    done = launcher.call(
        *("run", "--image", "adb", "--adb", *given, "--write", str(bench.output)),
        *("--", "python", *bench.argv(stand_in.serial)),
        timeout_s=BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    result = read(bench.output / "benchmark.json", Benchmark)
    assert all(isinstance(row.result, Summary) for row in result.rows)
    assert result.provenance.runtime.kind == "container"
    assert left_behind(stand_in) == []
