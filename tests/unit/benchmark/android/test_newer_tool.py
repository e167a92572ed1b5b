"""The tool of LiteRT 2.x on a phone: alone, beside the classic one, and with an NPU."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from common.adb.server import Device, Server
from common.artifact import file_ref, read, write_model
from common.errors import EdgeproofError
from common.schema.benchmark import Benchmark, Row, RunLine, Summary
from common.schema.caution import LookedAtByAnother
from common.schema.outcome import Failed, Unsupported
from common.schema.variant import Compiled, Variant
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.ledger import Ledger
from jobs.benchmark.look import look
from jobs.benchmark.targets.device_options import DeviceOptions
from tests.devices.phone import newer
from tests.devices.phone.graph import encoded
from tests.devices.phone.personality import Behaviour, Delegate, Storage, load
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.devices.standin.tool import fake_model
from tests.unit.benchmark.android.conftest import Bench, left_behind
from tests.unit.benchmark.android.test_examine import IMAGES
from tests.unit.benchmark.android.test_examine import run as measure

ALL = ("cpu", "xnnpack", "gpu", "npu")


@pytest.fixture
def litert(tmp_path: Path) -> Path:
    path = tmp_path / "litert_benchmark_model"
    path.write_bytes(fake_binary(mark=newer.MARK))
    return path


@pytest.fixture
def npu(tmp_path: Path) -> Path:
    folder = tmp_path / "npu"
    folder.mkdir()
    for name in (newer.DISPATCH, "libLiteRtCompilerPlugin_Vendor.so", "libVendorRuntime.so"):
        (folder / name).write_bytes(name.encode())
    return folder


def by_place(result: Benchmark, variant: str = "baseline") -> dict[tuple[str, str], Row]:
    return {(row.cell.backend, row.cell.runner): row for row in result.rows if row.cell.variant == variant}


def summary(row: Row) -> Summary:
    assert isinstance(row.result, Summary), row.result
    return row.result


def test_it_measures_alone(benches: Callable[..., Bench], stand_in: StandIn, litert: Path) -> None:
    bench = benches(backends=("cpu", "xnnpack", "gpu"))
    rows = by_place(bench.run(stand_in.serial, binary=litert))
    assert rows.keys() == {("cpu", "litert"), ("xnnpack", "litert"), ("gpu", "litert")}
    refused = rows["cpu", "litert"].result
    assert isinstance(refused, Unsupported)
    assert "cannot switch XNNPACK off" in refused.reason
    for backend, kernel in (("xnnpack", "TfLiteXNNPackDelegate"), ("gpu", "LITERT_CL")):
        told = summary(rows[backend, "litert"]).delegation
        assert told is not None
        assert (told.extent, told.kernel, told.nodes_delegated) == ("complete", kernel, 25)
    runs = [line for line in Ledger(bench.output / "ledger.jsonl").lines if isinstance(line, RunLine)]
    medians = [line.outcome.steady.median_us for line in runs if line.outcome.kind == "measured"]
    assert medians
    # Of the result file: the console's block has no median and steps of 10 us.
    assert all(median is not None and median % 10 for median in medians)
    assert not left_behind(stand_in)


def test_two_builds_are_two_columns(benches: Callable[..., Bench], stand_in: StandIn, litert: Path) -> None:
    bench = benches(backends=ALL)
    result = bench.run(stand_in.serial, second=litert)
    rows = by_place(result)
    assert rows.keys() == {
        *(("cpu", "binary"), ("xnnpack", "binary"), ("xnnpack", "litert")),
        *(("gpu", "binary"), ("gpu", "litert"), ("npu", "litert")),
    }
    facts = dict(result.target.facts)
    assert "classic" in facts["Tool"]
    assert facts["Tool of LiteRT 2.x"].startswith("sha256 ")


def test_a_second_build_of_the_same_kind(benches: Callable[..., Bench], stand_in: StandIn, tmp_path: Path) -> None:
    other = tmp_path / "other_benchmark_model"
    other.write_bytes(fake_binary(size=5000))
    rows = by_place(benches(backends=("xnnpack",)).run(stand_in.serial, second=other))
    assert rows.keys() == {("xnnpack", "binary"), ("xnnpack", "binary-2")}
    assert summary(rows["xnnpack", "binary-2"]).latency_us > 0


def test_an_npu_with_its_libraries(benches: Callable[..., Bench], stand_in: StandIn, litert: Path, npu: Path) -> None:
    bench = benches(backends=("xnnpack", "npu"))
    rows = by_place(bench.run(stand_in.serial, binary=litert, npu=npu))
    told = summary(rows["npu", "litert"]).delegation
    assert told is not None
    assert (told.extent, told.kernel) == ("complete", "DispatchDelegate")
    assert summary(rows["npu", "litert"]).latency_us < summary(rows["xnnpack", "litert"]).latency_us / 2
    assert any("npu-" in line and line.count(".so") for line in stand_in.phone.history)
    assert not left_behind(stand_in)


def test_the_room_for_an_npus_libraries_is_seen_before_the_work(
    benches: Callable[..., Bench],
    stand_ins: Callable[..., StandIn],
    litert: Path,
    npu: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (npu / "libVendorRuntime.so").write_bytes(bytes(12 << 20))
    bench = benches(backends=("xnnpack", "npu"))
    # Room for the tool and the models, and not for the libraries beside what stays free.
    phone = stand_ins(replace(load("pixel"), storage=Storage(4_000_000, 20 << 10)))
    words = "19 MiB free in /data/local/tmp, 29 MiB needed for all that is measured"
    assert look((phone.serial,), bench.experiment, bench.output, DeviceOptions(binary=litert, npu=npu)) == 1
    assert words in capsys.readouterr().err
    with pytest.raises(EdgeproofError, match=words):
        bench.run(phone.serial, binary=litert, npu=npu)
    assert not any("--graph" in line for line in phone.phone.history)
    assert not left_behind(phone)


def test_an_npu_without_libraries_is_not_tried(benches: Callable[..., Bench], stand_in: StandIn, litert: Path) -> None:
    bench = benches(backends=("xnnpack", "npu"))
    found = by_place(bench.run(stand_in.serial, binary=litert))["npu", "litert"].result
    assert isinstance(found, Unsupported)
    assert "NPU_LIBRARIES=<folder>" in found.reason
    assert not any("--use_npu" in line for line in stand_in.phone.history)


@pytest.mark.parametrize("behaviour", [Behaviour.ABSENT, Behaviour.DECLINED, Behaviour.FAILING])
def test_the_cpu_is_never_an_npus_figure(
    behaviour: Behaviour, benches: Callable[..., Bench], stand_ins: Callable[..., StandIn], litert: Path, npu: Path
) -> None:
    pixel = load("pixel")
    phone = stand_ins(replace(pixel, delegates=replace(pixel.delegates, npu=Delegate(behaviour))))
    found = by_place(benches(backends=("xnnpack", "npu")).run(phone.serial, binary=litert, npu=npu))
    assert isinstance(found["npu", "litert"].result, Unsupported), found["npu", "litert"].result
    assert isinstance(found["xnnpack", "litert"].result, Summary)


def test_a_part_on_the_npu_is_told(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn], litert: Path, npu: Path
) -> None:
    pixel = load("pixel")
    half = Delegate(Behaviour.PARTIAL, speed=2.0, share=0.6)
    phone = stand_ins(replace(pixel, delegates=replace(pixel.delegates, npu=half)))
    found = by_place(benches(backends=("xnnpack", "npu")).run(phone.serial, binary=litert, npu=npu))
    told = summary(found["npu", "litert"]).delegation
    assert told is not None
    assert (told.extent, told.nodes_delegated, told.nodes_total) == ("partial", 15, 25)


@pytest.mark.parametrize("mark", [newer.OLDER, newer.OLDEST])
def test_a_build_that_writes_no_graph_must_take_it_all(
    mark: bytes, benches: Callable[..., Bench], stand_ins: Callable[..., StandIn], tmp_path: Path
) -> None:
    older = tmp_path / "older"
    older.write_bytes(fake_binary(mark=mark))
    pixel = load("pixel")
    half = Delegate(Behaviour.PARTIAL, speed=2.0, share=0.6)
    phone = stand_ins(replace(pixel, delegates=replace(pixel.delegates, gpu=half)))
    found = by_place(benches(backends=("xnnpack", "gpu")).run(phone.serial, binary=older))
    refused = found["gpu", "litert"].result
    assert isinstance(refused, Unsupported)
    assert "not accelerated" in refused.reason
    assert isinstance(found["xnnpack", "litert"].result, Summary)


def test_a_build_that_wrote_no_graph_though_it_can_proves_nothing(
    benches: Callable[..., Bench], stand_ins: Callable[..., StandIn], tmp_path: Path
) -> None:
    silent = tmp_path / "silent"
    silent.write_bytes(fake_binary(mark=newer.SILENT))
    pixel = load("pixel")
    phone = stand_ins(replace(pixel, delegates=replace(pixel.delegates, gpu=Delegate(Behaviour.DECLINED))))
    bench = benches(backends=("xnnpack", "gpu"))
    # A run that was killed left one of another process, with a name that this run would give too.
    folder = RunFolder(Device(Server(), phone.serial), str(bench.output.resolve())).path
    for number in range(1, 20):
        path = f"{folder}/{newer.RUNTIME_INFO}-{number}.pb"
        phone.phone.files.add(path, encoded([("LITERT_CL", 25)]), 0o100644)
    found = by_place(bench.run(phone.serial, binary=silent))
    failed = found["gpu", "litert"].result
    assert isinstance(failed, Failed), failed
    assert "does not tell what ran on the GPU" in failed.reason
    assert isinstance(found["xnnpack", "litert"].result, Summary)


def test_another_build_measures_its_own_cells_again(
    benches: Callable[..., Bench], stand_in: StandIn, litert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = benches(backends=("xnnpack",))
    bench.run(stand_in.serial, second=litert)
    before = len(Ledger(bench.output / "ledger.jsonl").lines)
    bench.run(stand_in.serial, second=litert)
    assert len(Ledger(bench.output / "ledger.jsonl").lines) == before
    litert.write_bytes(fake_binary(size=6000, mark=newer.MARK))
    bench.run(stand_in.serial, second=litert)
    added = Ledger(bench.output / "ledger.jsonl").lines[before:]
    measured = {line.cell.runner for line in added if isinstance(line, RunLine)}
    assert measured == {"litert"}
    assert "the tool of LiteRT 2.x's sha256 changed from" in capsys.readouterr().out


def test_the_classic_tool_answers_for_it(benches: Callable[..., Bench], stand_in: StandIn, litert: Path) -> None:
    bench = benches(backends=("xnnpack", "gpu"), more=f"profile = true\noutputs_images = {IMAGES}")
    result = measure(bench, stand_in, second=litert)
    looked = by_place(result)["gpu", "litert"].examination
    assert looked is not None
    assert looked.by == "binary"
    assert looked.operators
    assert looked.outputs is not None
    assert looked.outputs.wrong is None
    told = [one for one in result.warnings if isinstance(one, LookedAtByAnother)]
    assert [(one.runner, one.backends) for one in told] == [("litert", ("xnnpack", "gpu"))]


def test_an_npu_runs_what_was_compiled_for_it(
    benches: Callable[..., Bench], stand_in: StandIn, litert: Path, npu: Path
) -> None:
    bench = benches(backends=("xnnpack", "npu"))
    folder = bench.folder / "variants" / "baseline"
    (folder / "baseline.npu.tflite").write_bytes(fake_model(77))
    made = read(folder / "variant.json", Variant)
    file = file_ref(folder / "baseline.npu.tflite", folder)
    compiled = Compiled(target="Qualcomm/SM8750", model=file, operators={"DISPATCH_OP": 1})
    write_model(folder / "variant.json", made.model_copy(update={"compiled": compiled}))
    rows = by_place(bench.run(stand_in.serial, binary=litert, npu=npu))
    assert rows["npu", "litert"].cell.model_sha256 == file.sha256
    assert rows["xnnpack", "litert"].cell.model_sha256 == made.model.sha256
    asked = [line for line in stand_in.phone.history if "--use_npu=true" in line]
    assert asked
    assert any(file.sha256[:16] in line for line in asked)
    assert not any(made.model.sha256[:16] in line for line in asked)
