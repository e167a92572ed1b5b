"""The pure parts: command lines, profiles, the log, the other dialect, locks, choosing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.adb.attached import Attached
from common.adb.attached import pick as pick_device
from common.adb.errors import NotReadyError
from common.adb.server import Server
from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Measured, Unsupported
from jobs.benchmark.android import litert, logcat
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.android.command import (
    FULL_DELEGATION,
    RESULT,
    RUNTIME_INFO,
    Dialect,
    arguments,
    dialect,
    lacks,
    one_run,
    written_flags,
)
from jobs.benchmark.android.profile import operators
from jobs.benchmark.android.usable import usable_serial
from jobs.benchmark.parallel import without
from tests.unit.benchmark.android.transcripts import csv, recorded

# The form of LiteRT's own source (litert/tools, 2026-08); no recording of this tool is at hand.
LITERT = """INFO: [benchmark_litert_model.cc:180] ========== BENCHMARK RESULTS ==========
INFO: [benchmark_litert_model.cc:181] Model initialization: 12.34 ms
INFO: [benchmark_litert_model.cc:182] Warmup (first): 3.10 ms
INFO: [benchmark_litert_model.cc:183] Warmup (avg): 2.20 ms (20 runs)
INFO: [benchmark_litert_model.cc:184] Inference (avg): 2.10 ms (50 runs)
INFO: [benchmark_litert_model.cc:185] Inference (min): 1.90 ms
INFO: [benchmark_litert_model.cc:186] Inference (max): 2.90 ms
INFO: [benchmark_litert_model.cc:187] Inference (std): 0.12
INFO: [benchmark_litert_model.cc:188] Throughput: 71.40 MB/s
INFO: [benchmark_litert_model.cc:189] Memory Usage:
INFO: [benchmark_litert_model.cc:190] Init footprint: 20.50 MB
INFO: [benchmark_litert_model.cc:191] Overall footprint: 22.00 MB
INFO: [benchmark_litert_model.cc:192] Peak memory usage not available.
"""


def cell(backend: str) -> Cell:
    return Cell(variant="v", model_sha256="0" * 64, backend=backend, threads=4)


def test_the_other_dialect_is_told_apart_and_understood() -> None:
    assert dialect(recorded("f_help").stderr) is Dialect.CLASSIC
    assert dialect("Flags:\n\t--use_cpu=true\tbool\n\t--use_npu=false\tbool") is Dialect.LITERT
    assert dialect("sh: not executable: 64-bit ELF file") is None
    found = litert.parse(Printed("STARTING!\n", LITERT, 0, "log"), "gpu")
    assert isinstance(found, Measured)
    assert (found.init_us, found.first_us, found.steady.mean_us) == (12340, 3100, 2100)
    assert (found.steady.count, found.steady.median_us, found.memory_overall_kib) == (50, None, 22 * 1024)
    assert found.delegation is not None
    assert found.delegation.extent == "complete"


def test_what_the_other_dialect_cannot_do() -> None:
    assert lacks(Dialect.LITERT, "nnapi") == "the LiteRT 2.x tool has no NNAPI"
    assert lacks(Dialect.LITERT, "gpu") is None
    assert "--use_gpu=true" in arguments(Dialect.LITERT, cell("gpu"), Settings(), "g", "l")
    assert lacks(Dialect.CLASSIC, "npu") == "the classic tool has no NPU: that takes the tool of LiteRT 2.x"
    files = {RESULT: "/d/r.pb", RUNTIME_INFO: "/d/i.pb"}
    known = {RESULT, RUNTIME_INFO, "use_gpu"}
    assert written_flags("gpu", known, files) == (f"--{RESULT}=/d/r.pb", f"--{RUNTIME_INFO}=/d/i.pb")
    # A build that does not write what ran where must leave nothing to the CPU.
    assert written_flags("gpu", {RESULT}, files) == (*FULL_DELEGATION, f"--{RESULT}=/d/r.pb")
    assert written_flags("xnnpack", set(), files) == ()
    refused = litert.parse(Printed("", "ERROR: Disallowed CPU fallback detected.\n", 1, "log"), "gpu")
    assert refused == Unsupported(reason="Disallowed CPU fallback detected.")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(LITERT)), st.text(max_size=8), st.integers(0, 3))
def test_the_other_dialect_damaged(at: int, damage: str, status: int) -> None:
    outcome = litert.parse(Printed("", LITERT[:at] + damage, status, "log"), "xnnpack")
    memory_done = at >= LITERT.index("22.00 MB\n") + len("22.00 MB\n")
    if not memory_done and "MB" not in damage:
        assert isinstance(outcome, Failed)


def test_every_flag_of_a_run_is_stated() -> None:
    asked = Settings(extra_flags={"gpu": ("--gpu_backend=gl",)}, num_runs=7, min_secs=0.5)
    words = arguments(Dialect.CLASSIC, cell("gpu"), asked, "/d/m.tflite", "/d")
    assert words[:4] == ("--graph=/d/m.tflite", "--num_threads=4", "--use_gpu=true", "--gpu_backend=gl")
    assert {"--num_runs=7", "--min_secs=0.5", "--max_secs=150"} <= set(words)
    with pytest.raises(ValueError, match="is set by the protocol itself"):
        Settings(extra_flags={"gpu": ("--num_runs=1",)})
    with pytest.raises(ValueError, match="is none of"):
        Settings(extra_flags={"tpu": ("--x=1",)})


def test_a_colon_is_doubled_in_the_file_list_only() -> None:
    words = one_run("g", [("serving_default_input_1:0", (8, 128, 128, 3), "/d/in.bin")], "/d/out.bin")
    assert "--input_layer=serving_default_input_1:0" in words
    assert "--input_layer_shape=8,128,128,3" in words
    assert "--input_layer_value_files=serving_default_input_1::0:/d/in.bin" in words


def test_the_profile_of_a_real_run() -> None:
    found = operators(csv("baseline/d_prof_csv_file"))
    heaviest = found[0]
    assert (heaviest.kind, heaviest.count) == ("Convolution (NHWC, F32) IGEMM", 1)
    assert heaviest.mean_us == pytest.approx(1193)
    assert heaviest.share == pytest.approx(0.583089)
    assert all(operator.delegated for operator in found)
    plain = operators(csv("baseline/d_prof_csv_file_noxnn"))
    assert plain[0].kind == "DEPTHWISE_CONV_2D"
    assert not any(operator.delegated for operator in plain)
    assert sum(operator.count for operator in plain) == 24


def test_softmax_outside_of_the_delegate_is_seen() -> None:
    outside = [operator.kind for operator in operators(csv("int8/d_prof_csv_file")) if not operator.delegated]
    assert outside == ["SOFTMAX"]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 6000), st.text(max_size=20))
def test_a_damaged_profile_raises_its_own_error_at_most(at: int, damage: str) -> None:
    text = csv("baseline/d_prof_csv_file")
    try:
        operators(text[:at] + damage + text[at + len(damage) :])
    except ValueError as error:
        assert "profile" in str(error)


@given(st.text())
def test_no_line_of_a_log_raises(text: str) -> None:
    found = logcat.entry(text)
    assert found is None or logcat.crash(found, found.process, fresh=True) is None or found.tag in logcat.CHOSEN


def test_a_device_is_never_guessed() -> None:
    one, two = Attached("A", "device"), Attached("B", "unauthorized")
    assert pick_device([one, two], "any") == "A"
    with pytest.raises(NotReadyError, match=r"several devices are attached: A, C"):
        pick_device([one, Attached("C", "device")], "any")
    with pytest.raises(NotReadyError, match=r"B is unauthorized .*accept the key"):
        pick_device([one, two], "B")
    with pytest.raises(NotReadyError, match="nothing is attached"):
        pick_device([], "any")


def test_workers_get_the_arguments_but_for_device_and_place() -> None:
    given_arguments = ["--keep", "--devices", "a b", "--output=x", "--variants", "v"]
    assert without(given_arguments, ("--devices", "--output")) == ["--keep", "--variants", "v"]


def test_a_link_that_breaks_while_the_device_is_chosen_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two questions to the server; a real link cannot be made to break just there."""
    address, connected = "127.0.0.1:5555", []
    listed = iter([(Attached(address, "device"),), (), (), (Attached(address, "device"),)])
    monkeypatch.setattr(Server, "attached", lambda self: next(listed))
    monkeypatch.setattr(Server, "disconnect", lambda self, address: None)
    monkeypatch.setattr(Server, "connect", lambda self, to: connected.append(to))
    assert usable_serial(Server(), address) == address
    assert connected == [address]
