"""Answers, operators and the app, on a stand-in that really runs the model through LiteRT."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from common.artifact import file_ref, write_model
from common.experiment import load
from common.schema.benchmark import Benchmark, RunLine, Summary
from common.schema.caution import WrongAnswers
from common.schema.examination import Examination
from common.schema.outcome import Failed
from jobs.benchmark.feeds import Material
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.stage import benchmark
from jobs.benchmark.targets.android import android
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.devices import tiny_model
from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Outputs
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.unit.benchmark.android.conftest import PATIENCE_S, SLACK_S, Bench, left_behind
from tests.unit.report.factories import variant

IMAGES = 12


def run(
    bench: Bench, device: StandIn, apk: Path | None = None, slack_s: float = SLACK_S, second: Path | None = None
) -> Benchmark:
    settings = load(bench.folder / "two.toml").settings.benchmark
    shape = (IMAGES, *tiny_model.SHAPE[1:])
    images = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    for name, recipe in bench.experiment.settings.recipes.items():
        folder = bench.folder / "variants" / name
        (folder / f"{name}.tflite").write_bytes(tiny_model.PATH.read_bytes())
        model = file_ref(folder / f"{name}.tflite", folder)
        write_model(folder / "variant.json", variant(name, recipe).model_copy(update={"model": model}))
    options = DeviceOptions(binary=bench.binary, second=second, apk=apk, patience_s=PATIENCE_S, slack_s=slack_s)
    with android(device.serial, "test", options, settings, Material(images)) as target:
        return benchmark(bench.experiment, bench.folder / "variants", target, bench.output)


def examinations(result: Benchmark) -> list[Examination]:
    found = [row.examination for row in result.rows]
    assert all(found)
    return [one for one in found if one is not None]


def test_no_process_writes_where_another_wrote(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    """A tool that cannot write its file goes on without a word, and what was there before were its answers."""
    run(benches(("cpu",), more=f"outputs_images = {IMAGES}\nprofile = true"), stand_in)
    said = "\n".join(stand_in.phone.history)
    for flag in ("output_filepath", "op_profiling_output_file"):
        paths = re.findall(rf"--{flag}=(\S+)", said)
        assert len(paths) == len(set(paths)) > 1


def test_a_device_that_answers_as_this_machine_does(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    bench = benches(("cpu", "gpu"), more=f"outputs_images = {IMAGES}")
    for found in examinations(run(bench, stand_in)):
        assert found.problems == ()
        assert found.outputs is not None
        assert found.outputs.top1_agreement is not None
        assert found.outputs.images == found.outputs.top1_agreement.successes == IMAGES
        assert found.outputs.wrong is None
        assert found.outputs.largest_difference is not None
        assert found.outputs.largest_difference < 1e-5
    assert left_behind(stand_in) == []


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (Outputs.NAN, "no numbers"),
        (Outputs.CONSTANT, "same for every image|name the same class"),
        (Outputs.SHUFFLED, "name the same class"),
    ],
)
def test_wrong_answers_are_told(benches: Callable[..., Bench], stand_in: StandIn, outputs: Outputs, words: str) -> None:
    bench = benches(("xnnpack",), more=f"outputs_images = {IMAGES}")
    stand_in.arm(Fault(Kind.WRONG_OUTPUTS, matching="input_layer", times=None, outputs=outputs))
    result = run(bench, stand_in)
    for found in examinations(result):
        assert found.outputs is not None
        assert any(word in str(found.outputs.wrong) for word in words.split("|"))
    assert any(isinstance(warning, WrongAnswers) for warning in result.warnings)


def test_operators_are_kept_beside_the_result(benches: Callable[..., Bench], stand_in: StandIn) -> None:
    bench = benches(("cpu", "xnnpack"), more="profile = true")
    result = run(bench, stand_in)
    for row in result.rows:
        found = row.examination
        assert found is not None
        assert found.operators
        assert any(operator.delegated for operator in found.operators) == (row.cell.backend == "xnnpack")
        assert found.layers
        assert any(layer.delegated for layer in found.layers) == (row.cell.backend == "xnnpack")
        assert found.profile is not None
        assert (bench.output / found.profile.path).is_file()


def test_the_app_is_measured_beside_the_binary(
    benches: Callable[..., Bench], stand_in: StandIn, adb_server: AdbServer, tmp_path: Path
) -> None:
    apk = tmp_path / "app.apk"
    apk.write_bytes(b"PK\x03\x04" + bytes(100))
    result = run(benches(("cpu", "gpu"), rounds=2, more="app = true"), stand_in, apk)
    apps = [row for row in result.rows if row.cell.runner == "app"]
    assert len(apps) == 4
    for row in apps:
        assert isinstance(row.result, Summary), row.result
        assert row.result.app_ratio is not None
        assert 0.5 < row.result.app_ratio.value < 2
    assert all(row.result.app_ratio is None for row in result.rows if row.cell.runner == "binary")  # type: ignore[union-attr]
    assert "package:org.tensorflow" not in adb_server.adb("shell", "pm list packages", serial=stand_in.serial).stdout
    assert left_behind(stand_in) == []


def test_an_app_that_crashes_or_says_nothing_is_a_failure(
    benches: Callable[..., Bench], stand_in: StandIn, tmp_path: Path
) -> None:
    apk = tmp_path / "app.apk"
    apk.write_bytes(b"PK\x03\x04")
    package = "org.tensorflow.lite.benchmark"
    stand_in.arm(Fault(Kind.CRASH, matching=package))
    stand_in.arm(Fault(Kind.HANG, matching=package, skip=1))
    stand_in.arm(Fault(Kind.LOGCAT_FLOOD, lines=3000))
    bench = benches(("cpu",), more="app = true")
    run(bench, stand_in, apk, slack_s=8)
    lines = Ledger(bench.output / "ledger.jsonl").lines
    ends = [line.outcome for line in lines if isinstance(line, RunLine)]
    reasons = sorted(end.reason for end in ends if isinstance(end, Failed))
    assert len(reasons) == 2
    assert reasons[0].startswith("no result after")
    assert reasons[1].startswith("the app crashed")
