"""Tools that are given and change nothing are named."""

from pathlib import Path

import pytest

from common.schema.experiment import Benchmark
from jobs.plan.places import HERE, Place, Tools
from jobs.plan.unused import unused
from tests.artifacts import EXPERIMENT
from tests.command import command

FILE = Path("given")
PHONE = Place("phone1", {"ro.product.cpu.abilist": "arm64-v8a"}, {})
APP = "BENCHMARK_APK is not used: nothing is measured as an app (app = true in [benchmark])"


@pytest.mark.parametrize(
    ("place", "settings", "tools", "said"),
    [
        (PHONE, Benchmark(), Tools(binary=FILE), ""),
        (PHONE, Benchmark(), Tools(apk=FILE), f"note: {APP}"),
        (PHONE, Benchmark(app=True), Tools(apk=FILE), ""),
        # The app may have to measure alone there.
        (Place("emulator", {"ro.product.cpu.abilist": "x86_64,arm64-v8a"}, {}), Benchmark(), Tools(apk=FILE), ""),
        (Place("away", None, {}), Benchmark(), Tools(apk=FILE), ""),
        (PHONE, Benchmark(backends=("npu",)), Tools(npu=FILE), ""),
        (
            PHONE,
            Benchmark(),
            Tools(apk=FILE, hexagon=FILE, npu=FILE),
            f'note: {APP}; HEXAGON_LIBRARIES is not used: "hexagon" is none of the backends of [benchmark]; '
            'NPU_LIBRARIES is not used: "npu" is none of the backends of [benchmark]',
        ),
        (
            HERE,
            Benchmark(app=True),
            Tools(binary=FILE, apk=FILE),
            "note: BENCHMARK_BINARY and BENCHMARK_APK are not used: only this machine is measured "
            "(DEVICE names a phone)",
        ),
    ],
)
def test_what_nothing_is_measured_with_is_one_line(place: Place, settings: Benchmark, tools: Tools, said: str) -> None:
    assert unused([place], settings, tools) == said


def test_it_is_said_where_something_is_to_be_measured(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    given = ("--experiment", tmp_path / "tiny.toml", "--run", tmp_path / "run", "--apk", tmp_path / "app.apk")
    assert command("plan", *given).stderr == ""
    assert command("plan", *given, "--measure").stderr.startswith("note: BENCHMARK_APK is not used: only this machine")
