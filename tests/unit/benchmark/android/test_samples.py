"""Models of any kind on a stand-in that really runs them: the samples that this machine has, and their answers."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from common.adb import server
from common.artifact import read
from common.experiment import LoadedExperiment
from common.run.speed import Target, own_obstacle
from common.schema.base import Model
from common.schema.benchmark import Benchmark, Summary
from common.schema.caution import NotExamined, OtherInputs, WrongAnswers
from common.schema.examination import OutputCheck
from common.schema.inputs import Samples
from jobs.benchmark.android import questions
from jobs.benchmark.android.questions import Questions, of_images
from jobs.benchmark.clock import Clock
from jobs.benchmark.dispatch import measure_on
from jobs.benchmark.targets.device_options import DeviceOptions
from jobs.inputs.stage import sample
from jobs.report.caution_words import words
from tests.artifacts import write_dataset, write_experiment
from tests.devices import tiny_model
from tests.devices.phone.personality import Outputs
from tests.devices.standin.device import StandIn
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import Recording, fake_binary
from tests.given import ROWS, adding, adopted, given_files, lookup, open_side, scaled_dense, single_number
from tests.unit.benchmark.android.conftest import PATIENCE_S, SLACK_S, left_behind
from tests.unit.benchmark.android.test_small import LITERT
from tests.unit.benchmark.android.test_sustained import PhoneClock

T = TypeVar("T", bound=Model)
ASKED = 3
ONE_BACKEND = f"""
[benchmark]
backends = ["xnnpack"]
rounds = 1
most_rounds = 1
num_runs = 3
min_secs = 0.0
warmup_min_secs = 0.0
max_secs = 1.0
outputs_images = {ASKED}
profile = true
"""
BOTH = ONE_BACKEND.replace('"xnnpack"', '"cpu", "xnnpack"')
COLONS = ("left:0", "right:0", "sum:0", "twice:0")


def prepared(tmp_path: Path, content: bytes, more: str = BOTH) -> LoadedExperiment:
    """One file, adopted, and its samples."""
    experiment = given_files(tmp_path, {"mine": content}, more)
    adopted(experiment, "mine", tmp_path / "variants" / "mine")
    sample(experiment, tmp_path / "variants" / "mine", tmp_path / "inputs")
    return experiment


def run(
    tmp_path: Path,
    experiment: LoadedExperiment,
    device: StandIn,
    apk: Path | None = None,
    clock: Clock | None = None,
    *,
    keep: bool = False,
    images: bool = False,
) -> Benchmark:
    binary = tmp_path / "benchmark_model"
    binary.write_bytes(fake_binary())
    options = DeviceOptions(binary=binary, apk=apk, keep=keep, patience_s=PATIENCE_S, slack_s=SLACK_S)
    return measure_on(
        device.serial,
        experiment,
        variants=tmp_path / "variants",
        dataset=tmp_path / "inputs" if images else None,
        samples=None if images else tmp_path / "inputs",
        output=tmp_path / "out",
        options=options,
        clock=clock,
    )


def answers(result: Benchmark) -> list[OutputCheck]:
    """What was found for every row, none of which had a problem."""
    found = [row.examination for row in result.rows if row.cell.runner == "binary"]
    assert found and all(each is not None and each.problems == () for each in found), found
    checks = [each.outputs for each in found if each is not None and each.outputs is not None]
    assert len(checks) == len(found)
    return checks


def of_kind(result: Benchmark, kind: type[T]) -> Sequence[T]:
    return [each for each in result.warnings if isinstance(each, kind)]


def processes(device: StandIn) -> list[list[str]]:
    """The arguments of every process that ran a model."""
    lines = [line for line in device.phone.history if "--graph=" in line]
    assert lines
    return [shlex.split(line) for line in lines]


def flag(process: Sequence[str], name: str) -> str:
    [value] = [word.partition("=")[2] for word in process if word.startswith(f"--{name}=")]
    return value


@pytest.mark.parametrize(
    ("content", "more", "named"),
    [
        (adding(COLONS), "", ("left:0,right:0", "1,3:1,3")),
        (lookup(), "", ("ids", "1,5")),
        (open_side(), '[inputs]\nshape = { "tokens:0" = [1, 6] }\n', ("tokens:0", "1,6")),
    ],
)
def test_every_process_has_the_samples_and_every_answer_is_this_machines(
    tmp_path: Path, stand_in: StandIn, content: bytes, more: str, named: tuple[str, str]
) -> None:
    result = run(tmp_path, prepared(tmp_path, content, BOTH + more), stand_in)
    for found in answers(result):
        assert (found.images, found.top1_agreement, found.wrong) == (ASKED, None, None)
        assert found.relative_error is not None and found.relative_error < 1e-5
        assert found.largest_difference is not None and found.largest_difference < 1e-5
    # Timed, for memory, for answers and for operators.
    for process in processes(stand_in):
        assert (flag(process, "input_layer"), flag(process, "input_layer_shape")) == named
    assert all(isinstance(row.result, Summary) for row in result.rows)
    assert of_kind(result, OtherInputs) == []
    assert left_behind(stand_in) == []


def test_timed_processes_are_fed_with_the_first_sample_itself(tmp_path: Path, stand_in: StandIn) -> None:
    run(tmp_path, prepared(tmp_path, lookup()), stand_in, keep=True)
    card = read(tmp_path / "inputs" / "inputs.json", Samples)
    ids = np.load(tmp_path / "inputs" / card.arrays.path)["input_0"]
    assert ids.min() >= 0 and ids.max() < ROWS
    timed = [process for process in processes(stand_in) if not any("output_filepath" in word for word in process)]
    paths = {flag(process, "input_layer_value_files").partition(":")[2] for process in timed}
    assert [stand_in.phone.read(path) for path in paths] == [ids[0].astype(np.int32).tobytes()]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (Outputs.NAN, "some answers are no numbers"),
        (Outputs.CONSTANT, "is off by"),
        (Outputs.SHUFFLED, f"the answers to {ASKED} of {ASKED} samples are not this machine's: output"),
    ],
)
def test_wrong_answers_are_no_figure(tmp_path: Path, stand_in: StandIn, outputs: Outputs, said: str) -> None:
    stand_in.arm(Fault(Kind.WRONG_OUTPUTS, matching="output_filepath", times=None, outputs=outputs))
    result = run(tmp_path, prepared(tmp_path, adding(), ONE_BACKEND), stand_in)
    [found] = answers(result)
    assert found.wrong is not None and said in found.wrong
    assert [caution.reason for caution in of_kind(result, WrongAnswers)] == [found.wrong]
    [obstacle] = [own_obstacle(Target(result), row) for row in result.rows]
    assert obstacle is not None and obstacle.cause == "wrong answers"


def test_what_the_tool_cannot_be_given_is_said_and_not_compared(tmp_path: Path, stand_in: StandIn) -> None:
    result = run(tmp_path, prepared(tmp_path, single_number(), ONE_BACKEND), stand_in)
    [caution] = of_kind(result, OtherInputs)
    assert caution == OtherInputs(variants=("mine",), runner="binary", reason=caution.reason)
    assert "input 'one' is a single number" in caution.reason
    assert "with values of the tool's own" in words(caution)
    assert not any("input_layer" in word for process in processes(stand_in) for word in process)
    [row] = result.rows
    assert isinstance(row.result, Summary)
    obstacle = own_obstacle(Target(result), row)
    assert obstacle is not None and obstacle.cause == "answers not checked"
    assert [caution.problem for caution in of_kind(result, NotExamined)] == [f"answers: {caution.reason}"]


def test_answers_of_more_bytes_than_are_fetched_end_no_benchmark(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = prepared(tmp_path, lookup(), ONE_BACKEND.replace("profile = true", ""))
    monkeypatch.setattr(server, "FILE_BYTES", 16)
    result = run(tmp_path, experiment, stand_in)
    [caution] = of_kind(result, NotExamined)
    assert "MiB allowed" in caution.problem
    assert [type(row.result) for row in result.rows] == [Summary]


def test_the_other_tool_takes_no_values_and_says_so_once(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.replay(Recording("--help", b"Flags:\n\t--use_cpu=true\tbool\n\t--use_npu=false\tbool\n", b"", 0))
    stand_in.replay(Recording("--graph=", b"", LITERT.encode(), 0))
    result = run(tmp_path, prepared(tmp_path, lookup(), ONE_BACKEND), stand_in)
    assert [caution.reason for caution in of_kind(result, OtherInputs)] == [
        "the LiteRT 2.x tool takes no files of values"
    ]
    assert not any("input_layer" in word for process in processes(stand_in) for word in process)


def test_the_app_reads_the_samples_that_everyone_may_read(tmp_path: Path, stand_in: StandIn) -> None:
    (tmp_path / "app.apk").write_bytes(b"PK\x03\x04")
    experiment = prepared(tmp_path, adding(COLONS), ONE_BACKEND.replace("profile", "app = true\nprofile"))
    result = run(tmp_path, experiment, stand_in, tmp_path / "app.apk", keep=True)
    assert {row.cell.runner: type(row.result) for row in result.rows} == {"binary": Summary, "app": Summary}
    assert of_kind(result, OtherInputs) == []
    [started] = {line for line in stand_in.phone.history if "am start" in line and "report_peak" not in line}
    [arguments] = [word for word in shlex.split(started) if "--graph=" in word]
    given = flag(arguments.split(), "input_layer_value_files")
    paths = [item.replace("::", "").partition(":")[2] for item in given.split(",")]
    assert len(paths) == len(COLONS) // 2
    for path in paths:
        assert stand_in.phone.files.nodes[path].mode & 0o004


def test_a_name_with_a_blank_is_for_the_binary_alone(tmp_path: Path, stand_in: StandIn) -> None:
    (tmp_path / "app.apk").write_bytes(b"PK\x03\x04")
    experiment = prepared(
        tmp_path, scaled_dense(names=("my input", "out")), ONE_BACKEND.replace("profile", "app = true\nprofile")
    )
    result = run(tmp_path, experiment, stand_in, tmp_path / "app.apk")
    [caution] = of_kind(result, OtherInputs)
    assert (caution.runner, caution.reason) == ("app", "the tool has no way to name input 'my input'")
    [found] = answers(result)
    assert found.wrong is None


def test_a_sustained_load_is_fed_too(tmp_path: Path, stand_in: StandIn) -> None:
    experiment = prepared(tmp_path, lookup(), ONE_BACKEND.replace("profile", 'sustained = "20s"\nprofile'))
    result = run(tmp_path, experiment, stand_in, clock=PhoneClock(stand_in))
    [load] = result.sustained
    assert load.problem is None and load.points
    assert all(flag(process, "input_layer") == "ids" for process in processes(stand_in))


def test_images_become_what_the_file_takes_for_pixels(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_files(tmp_path, {"mine": tiny_model.PATH.read_bytes()}, BOTH + "[data]\nsource = 'synthetic-flames'\n")
    text = (tmp_path / "given.toml").read_text(encoding="utf-8") + "pixels = [-1, 1]\n"
    experiment = write_experiment(tmp_path, text, "given")
    adopted(experiment, "mine", tmp_path / "variants" / "mine")
    # Smaller than images of an experiment may be.
    small = experiment.settings.data.model_copy(update={"height": tiny_model.SHAPE[1], "width": tiny_model.SHAPE[2]})
    sized = replace(experiment, settings=experiment.settings.model_copy(update={"data": small}))
    write_dataset(tmp_path / "inputs", sized)
    asked = []

    def spy(model: Path, images: npt.NDArray[np.uint8], pixels: tuple[float, float]) -> Questions:
        asked.append(of_images(model, images, pixels))
        return asked[-1]

    monkeypatch.setattr(questions, "of_images", spy)
    result = run(tmp_path, experiment, stand_in, images=True)
    assert [found.wrong for found in answers(result)] == [None, None]
    assert all(found.top1_agreement is not None and found.images == ASKED for found in answers(result))
    assert min(np.frombuffer(each.samples[0][0], np.float32).min() for each in asked) < -0.5
