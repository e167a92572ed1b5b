"""The classic tool's output: recorded runs, what delegates say, and input that nobody ever printed."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.android.classic import Printed, parse
from tests.unit.benchmark.android.transcripts import NAMES, REPLACING, explicit, recorded

BACKENDS = ("cpu", "xnnpack", "gpu", "nnapi", "hexagon")
GOOD = {"baseline/c_noxnn": "cpu", "baseline/c_xnn_true": "xnnpack", "int8/c_xnn_true": "xnnpack"}


def measured(printed: Printed, backend: str) -> Measured:
    outcome = parse(printed, backend)
    assert isinstance(outcome, Measured), outcome
    return outcome


def test_the_figures_of_a_run_are_the_ones_that_were_printed() -> None:
    found = measured(recorded("baseline/c_xnn_true"), "xnnpack")
    assert (found.init_us, found.first_us) == (11207, 2419)
    assert (found.warmup.count, found.warmup.mean_us, found.warmup.median_us) == (259, 1919, 1840)
    steady = found.steady
    assert (steady.count, steady.mean_us, steady.median_us) == (488, 2034.26, 1822)
    assert (steady.min_us, steady.max_us, steady.std_us, steady.p5_us, steady.p95_us) == (1534, 5942, 505, 1597, 2675)
    assert (found.memory_init_kib, found.memory_overall_kib) == (27840, 28480)
    assert found.delegation is not None
    assert found.delegation.extent == "complete"


def test_a_partial_delegation_is_told() -> None:
    found = measured(recorded("int8/c_xnn_true"), "xnnpack").delegation
    assert found is not None
    assert (found.extent, found.kernel, found.nodes_delegated) == ("partial", "TfLiteXNNPackDelegate", None)


def test_plain_kernels_delegate_nothing() -> None:
    found = measured(recorded("baseline/c_noxnn"), "cpu").delegation
    assert found is not None
    assert found.extent == "none"


def test_one_run_has_no_spread() -> None:
    found = measured(recorded("k_require_full_xnn"), "xnnpack")
    assert (found.steady.count, found.steady.mean_us, found.steady.std_us) == (1, 2715, None)


def test_equal_runs_are_a_measurement() -> None:
    """tsl's Stat prints no average where all samples are the same; a tiny model takes 1 us each time."""
    single = recorded("k_require_full_xnn")
    line = "count=1 curr=2715 p5=2715 median=2715 p95=2715"
    assert line in single.text
    equal = line.replace("count=1 curr=2715", "count=50 curr=2715(all same)")
    found = measured(
        replace(single, stdout=single.stdout.replace(line, equal), stderr=single.stderr.replace(line, equal)), "xnnpack"
    ).steady
    assert (found.count, found.mean_us, found.std_us, found.median_us) == (50, 2715, 0, 2715)


@pytest.mark.parametrize(
    ("name", "backend", "words"),
    [
        ("k_unknown", "xnnpack", "the tool does not know --no_such_flag=1"),
        ("k_unknown_bare", "cpu", "the tool does not know foo"),
        ("k_space", "cpu", "the tool does not know --graph"),
        ("k_dryrun", "cpu", "timed no inference"),
        ("k_zero_warmup", "cpu", "timed no inference"),
        ("g_missing", "cpu", "Could not open '/nonexistent/nope.tflite'."),
        ("h_half", "xnnpack", "The model is not a valid Flatbuffer buffer; Failed to load model"),
        ("k_require_full", "xnnpack", "Disallowed CPU fallback detected."),
        ("k_neg_threads", "cpu", "num_threads should be >= 0"),
        ("f_help", "cpu", "exit status 1"),
        ("baseline/b_threads1", "xnnpack", "does not say that it used XNNPACK"),
        ("baseline/c_xnn_true", "cpu", "a delegate ran, though plain kernels were asked for"),
        ("baseline/c_xnn_true", "gpu", "does not say that it used GPU"),
    ],
)
def test_what_is_no_measurement_says_why(name: str, backend: str, words: str) -> None:
    outcome = parse(recorded(name), backend)
    assert isinstance(outcome, Failed), outcome
    assert words in outcome.reason
    assert outcome.log == "run.log"


@pytest.mark.parametrize("status", [1, 134, 137, 139])
def test_figures_of_a_process_that_failed_do_not_count(status: int) -> None:
    outcome = parse(replace(recorded("baseline/c_noxnn"), status=status), "cpu")
    assert isinstance(outcome, Failed)
    assert ("SIG" in outcome.reason) == (status > 128)


@pytest.mark.parametrize(
    ("backend", "line", "stream"),
    [
        ("gpu", "WARN: GPU acceleration is unsupported on this platform.", "stdout"),
        ("nnapi", "WARN: NNAPI acceleration is unsupported on this platform.", "stdout"),
        ("hexagon", "WARN: Could not create Hexagon delegate: platform may not support delegate", "stdout"),
        (
            "gpu",
            "INFO: Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.",
            "stdout",
        ),
        ("gpu", "ERROR: No operations will run on the GPU, and all 25 operations will run on the CPU.", "stderr"),
    ],
)
def test_a_silent_fallback_is_unsupported_in_the_tools_words(backend: str, line: str, stream: str) -> None:
    printed = recorded("baseline/b_threads1")
    printed = replace(printed, **{stream: getattr(printed, stream) + line + "\n"})
    outcome = parse(printed, backend)
    assert isinstance(outcome, Unsupported)
    assert outcome.reason in line


@pytest.mark.parametrize("backend", ["gpu", "nnapi", "hexagon"])
def test_a_delegate_that_cannot_be_applied_is_unsupported(backend: str) -> None:
    name = {"gpu": "GPU", "nnapi": "NNAPI", "hexagon": "Hexagon"}[backend]
    said = f"ERROR: Can not open OpenCL library\nERROR: Failed to apply {name} delegate.\nERROR: Benchmarking failed.\n"
    outcome = parse(Printed("INFO: STARTING!\n", said, 1, "log"), backend)
    assert outcome == Unsupported(reason=f"Failed to apply {name} delegate. Can not open OpenCL library")


def test_the_nodes_of_the_runtime_are_counted() -> None:
    base = recorded("baseline/b_threads1")
    said = REPLACING.format(taken=24, nodes=25, kernel="TfLiteGpuDelegateV2", partitions=2)
    rest = REPLACING.format(taken=1, nodes=2, kernel="TfLiteXNNPackDelegate", partitions=1)
    partial = explicit(
        replace(base, stderr=said + rest), "GPU", "partially executed by the delegate w/ 1 delegate kernels."
    )
    found = measured(partial, "gpu").delegation
    assert found is not None
    assert (found.extent, found.nodes_delegated, found.nodes_total, found.partitions) == ("partial", 24, 25, 2)
    # Two sentences that contradict each other: the worse one counts.
    claimed = explicit(replace(base, stderr=said), "GPU", "completely executed by the delegate.")
    worse = measured(claimed, "gpu").delegation
    assert worse is not None
    assert worse.extent == "partial"


def test_builds_of_2020_are_understood() -> None:
    printed = recorded("baseline/c_noxnn")
    old = printed.stdout.replace("INFO: ", "").replace(
        "Memory footprint delta from the start of the tool (MB)", "Peak memory footprint (MB)"
    )
    for key in (" p5=5638 median=8381 p95=9114", " p5=5566 median=6164 p95=8520"):
        old = old.replace(key, "")
    found = measured(replace(printed, stdout=old), "cpu")
    assert (found.steady.mean_us, found.steady.median_us) == (7815.49, None)


def test_exponents_are_numbers() -> None:
    printed = recorded("baseline/c_noxnn")
    slow = printed.stdout.replace("avg=7815.49", "avg=1.23457e+06").replace("max=9880", "max=2000000")
    slow = slow.replace("Inference (avg): 7815.49", "Inference (avg): 1.23457e+06")
    assert measured(replace(printed, stdout=slow), "cpu").steady.mean_us == 1_234_570


def test_figures_that_contradict_each_other_are_none() -> None:
    printed = recorded("baseline/c_noxnn")
    for before, after in (("avg=7815.49", "avg=17815.49"), ("(avg): 7815.49", "(avg): 78.15"), ("max=9880", "max=80")):
        assert isinstance(parse(replace(printed, stdout=printed.stdout.replace(before, after)), "cpu"), Failed), after


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.data())
def test_a_run_that_was_cut_off_is_no_measurement(name: str, data: st.DataObject) -> None:
    printed = recorded(name)
    end = printed.stdout.index("Memory footprint delta")
    whole = printed.stdout.index("\n", end)
    cut = data.draw(st.integers(0, whole))
    assert not isinstance(parse(replace(printed, stdout=printed.stdout[:cut]), GOOD[name]), Measured)


PIECES = st.sampled_from(
    [line + "\n" for name in NAMES for line in (recorded(name).stdout + recorded(name).stderr).splitlines()]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES | st.text(max_size=40), max_size=25), st.integers(0, 255), st.sampled_from(BACKENDS))
@example(["INFO: count=999999999999 avg=1e999\n"] * 2, 0, "cpu")
def test_no_input_raises_and_only_complete_runs_are_measured(pieces: list[str], status: int, backend: str) -> None:
    printed = Printed("".join(pieces), "", status, "log")
    outcome = parse(printed, backend)
    if isinstance(outcome, Measured):
        assert status == 0
        assert "Unconsumed" not in printed.text
        assert printed.text.count("Inference timings in us") == 1
        assert backend == "cpu" or "Explicitly applied" in printed.text


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.integers(0, 3000), st.text(min_size=1, max_size=12))
def test_damage_anywhere_never_raises(name: str, at: int, damage: str) -> None:
    printed = recorded(name)
    parse(replace(printed, stdout=printed.stdout[:at] + damage + printed.stdout[at + len(damage) :]), GOOD[name])


@pytest.mark.parametrize(
    ("backend", "flags", "supported"),
    [
        ("hexagon", "--use_hexagon=true --hexagon_lib_path=/data/local/tmp", False),
        ("gpu", "--use_gpu=true --gpu_backend=gl", False),
        ("xnnpack", "--use_xnnpack=true", False),
        ("gpu", "--gpu_backend=gl", True),
        ("hexagon", "--no_such_flag=1", True),
    ],
)
def test_a_build_without_the_backends_own_flag_has_no_such_backend(backend: str, flags: str, supported: bool) -> None:
    printed = recorded("baseline/c_noxnn")
    said = f"WARN: Unconsumed cmdline flags: {flags}\n"
    outcome = parse(replace(printed, stdout=said + printed.stdout), backend)
    assert isinstance(outcome, Failed if supported else Unsupported)
    assert flags.split(maxsplit=1)[0] in outcome.reason


def test_partitions_are_the_delegates_kernels_where_no_line_says_more() -> None:
    base = recorded("baseline/b_threads1")
    found = measured(
        explicit(base, "GPU", "partially executed by the delegate w/ 2 delegate kernels."), "gpu"
    ).delegation
    assert found is not None
    assert (found.extent, found.nodes_delegated, found.partitions) == ("partial", None, 2)


def test_a_complaint_in_words_that_nobody_knows_is_still_what_was_said_last() -> None:
    said = "STARTING!\nLoaded model m\nThe accelerator went to bed.\nBenchmarking failed.\n"
    outcome = parse(Printed(said, "", 1, "log"), "gpu")
    assert outcome == Failed(reason="exit status 1: The accelerator went to bed.", log="log")


def test_a_build_that_marks_nothing_says_why_it_cannot_apply_a_delegate() -> None:
    """Its runtime's words come without a mark too (until 2020)."""
    why = "Attempting to use a delegate that only supports static-sized tensors with a graph that has dynamic ones."
    said = f"{why}\nFailed to apply XNNPACK delegate.\nBenchmarking failed.\n"
    outcome = parse(Printed("STARTING!\n", said, 1, "log"), "xnnpack")
    assert outcome == Unsupported(reason=f"Failed to apply XNNPACK delegate. {why}")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_the_line_ends_of_a_terminal_change_nothing(name: str) -> None:
    printed = recorded(name)
    out, err = (text.replace("\n", "\r\n") for text in (printed.stdout, printed.stderr))
    assert measured(replace(printed, stdout=out, stderr=err), GOOD[name]) == measured(printed, GOOD[name])


@pytest.mark.parametrize(
    "said", ["FATAL: Check failed: a == b", "F0000 00:00:1755.2  912 tool.cc:7] Check failed: a == b", "out of memory"]
)
def test_a_check_that_failed_says_why_it_ended_the_tool(said: str) -> None:
    outcome = parse(Printed("INFO: STARTING!\n", f"{said}\n", 134, "log"), "cpu")
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("the tool was ended by SIGABRT; it said last: ")
    assert outcome.reason.endswith(said.partition("tool.cc:7] ")[2] or said.removeprefix("FATAL: "))
