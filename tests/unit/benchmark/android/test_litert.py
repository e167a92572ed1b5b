"""What the LiteRT 2.x tool prints and writes, read."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.schema.outcome import Delegation, Failed, Measured, Outcome, Unsupported
from jobs.benchmark.android import litert, result_file, runtime_info
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.android.litert import Written
from tests.devices.phone.classic.result_file import encode
from tests.devices.phone.graph import encoded

# Columns as litert/tools/benchmark_litert_model.h pads them since 2025, with the signature's line of 2026. A phone's
# figures in this form: Arm's learning path on KleidiAI (LiteRT 2.0), mlcommons/mobile_app_open#1134 (2.1.5).
STDOUT = """INFO: STARTING!
INFO: Num threads: [1]
INFO: The input model file size (MB): 3.2
INFO: Initialized session in 4.5ms.
INFO: count=1000 first=1040 curr=470 min=440 max=1040 avg=466 std=18 p5=459 median=463 p95=478

INFO: count=2000 first=463 curr=459 min=442 max=984 avg=464.5 std=13 p5=460 median=462 p95=479

"""
STDERR = """INFO: [./litert/tools/benchmark_litert_model.h:91]
========== BENCHMARK RESULTS ==========
INFO: [./litert/tools/benchmark_litert_model.h:92] Signature name:       serving_default
INFO: [./litert/tools/benchmark_litert_model.h:94] Model initialization: 4.50 ms
INFO: [./litert/tools/benchmark_litert_model.h:96] Warmup (first):       1.04 ms
INFO: [./litert/tools/benchmark_litert_model.h:98] Warmup (avg):         0.47 ms (1000 runs)
INFO: [./litert/tools/benchmark_litert_model.h:100] Inference (avg):      0.46 ms (2000 runs)
INFO: [./litert/tools/benchmark_litert_model.h:104] Inference (min):      0.44 ms
INFO: [./litert/tools/benchmark_litert_model.h:106] Inference (max):      0.98 ms
INFO: [./litert/tools/benchmark_litert_model.h:108] Inference (std):      0.01
INFO: [./litert/tools/benchmark_litert_model.h:115] Throughput:           525.50 MB/s
INFO: [./litert/tools/benchmark_litert_model.h:124]
Memory Usage:
INFO: [./litert/tools/benchmark_litert_model.h:126] Init footprint:       9.00 MB
INFO: [./litert/tools/benchmark_litert_model.h:128] Overall footprint:    11.50 MB
INFO: [./litert/tools/benchmark_litert_model.h:135] Peak memory usage not available. (peak_mem_mb <= 0)
INFO: [./litert/tools/benchmark_litert_model.h:138] ======================================

"""
READ_BY_PACKAGE = """
import sys
from ai_edge_litert.model_runtime_info_pb2 import ModelRuntimeDetails, RuntimeSubgraph
[main] = ModelRuntimeDetails.FromString(sys.stdin.buffer.read()).subgraphs
node = main.nodes[3]
kind = RuntimeSubgraph.SubgraphType.Name(main.subgraph_type)
details = node.delegate_node_details
replaced = list(details.tflite_node_ids_replaced)
print(kind, list(main.execution_plan), details.delegate_name, replaced, main.nodes[0].delegated_to_node_id)
"""
# avg, min, max, std, median, p5, p95, init, first, warm-up in ms.
LATENCIES = (0.4645, 0.442, 0.984, 0.013, 0.4621, 0.46, 0.479, 4.501, 1.04, 0.466)
RESULT = encode("", LATENCIES, (9216, 11776, 0.0), (3.2, 2000, 1000))
PRINTED = Printed(STDOUT, STDERR, 0, "log")


def graph(*plan: tuple[str, int] | str) -> bytes:
    return encoded(plan)


def read(
    backend: str, printed: Printed = PRINTED, result: bytes | None = None, runtime: bytes | None = None
) -> Outcome:
    return litert.parse(printed, backend, Written(result, runtime))


def measured(backend: str, result: bytes | None = None, runtime: bytes | None = None) -> Measured:
    found = read(backend, PRINTED, result, runtime)
    assert isinstance(found, Measured), found
    return found


def proof(backend: str, content: bytes) -> Delegation:
    found = measured(backend, runtime=content).delegation
    assert found is not None
    return found


def test_padded_columns_are_a_result() -> None:
    found = measured("xnnpack")
    assert (found.init_us, found.first_us, found.warmup.count) == (4500, 1040, 1000)
    assert (found.steady.mean_us, found.steady.count) == (460, 2000)
    # The block has no median and steps of 10 us; the line above it has both.
    assert (found.steady.median_us, found.steady.p5_us, found.steady.p95_us) == (462, 460, 479)
    assert (found.memory_init_kib, found.memory_overall_kib, found.memory_peak_kib) == (9216, 11776, None)


def test_the_line_ends_of_a_terminal_change_nothing() -> None:
    out, err = (text.replace("\n", "\r\n") for text in (STDOUT, STDERR))
    assert read("xnnpack", Printed(out, err, 0, "log")) == read("xnnpack")


def test_a_model_of_a_microsecond_is_a_result() -> None:
    """The block then has nothing but zeros."""
    fast = re.sub(r"(Inference .*: +)\d\.\d\d", r"\g<1>0.00", STDERR)
    line = "count=2000 first=2 curr=1 min=1 max=9 avg=1.5 std=1 p5=1 median=1 p95=2"
    said = re.sub(r"count=2000 .*", line, STDOUT)
    found = read("xnnpack", Printed(said, fast, 0, "log"))
    assert isinstance(found, Measured)
    assert (found.steady.mean_us, found.steady.typical_us) == (1.5, 1)
    times = (0.0015, 0.001, 0.009, 0.001, 0.001, 0.001, 0.002, *LATENCIES[7:])
    written = encode("", times, (9216, 11776, 0.0), (3.2, 2000, 1000))
    filed = read("xnnpack", Printed(said, fast, 0, "log"), written)
    assert isinstance(filed, Measured)
    assert (filed.steady.mean_us, filed.steady.max_us) == (1.5, 9)
    # Without either there is nothing to go by.
    assert isinstance(read("xnnpack", Printed("", fast, 0, "log")), Failed)


def test_the_result_file_has_the_figures() -> None:
    found = measured("xnnpack", result=RESULT)
    assert found.steady.typical_us == pytest.approx(462.1)
    assert (found.steady.mean_us, found.steady.p5_us, found.steady.p95_us) == (464.5, 460, 479)
    assert (found.init_us, found.warmup.mean_us, found.memory_overall_kib) == (4501, 466, 11776)


def test_a_file_of_another_process_is_no_result() -> None:
    other = encode("", (0.9, *LATENCIES[1:]), (9216, 11776, 0.0), (3.2, 2000, 1000))
    fewer = encode("", LATENCIES, (9216, 11776, 0.0), (3.2, 50, 1000))
    for content in (other, fewer):
        assert isinstance(read("xnnpack", result=content), Failed)
    # One that is cut off says nothing, and the block has to do.
    assert measured("xnnpack", result=RESULT[:30]).steady.mean_us == 460


def test_the_graph_says_what_ran_where() -> None:
    whole = proof("gpu", graph(("LITERT_CL", 70)))
    assert (whole.extent, whole.kernel, whole.nodes_delegated, whole.nodes_total) == ("complete", "LITERT_CL", 70, 70)
    part = proof("gpu", graph(("LITERT_CL", 60), "CUSTOM_OP", ("TfLiteXNNPackDelegate", 2)))
    assert (part.extent, part.nodes_delegated, part.nodes_total, part.partitions) == ("partial", 60, 63, 1)
    npu = proof("npu", graph(("DispatchDelegate", 1), "EMBEDDING_LOOKUP", ("DispatchDelegate", 1)))
    assert (npu.extent, npu.nodes_delegated, npu.nodes_total, npu.partitions) == ("partial", 2, 3, 2)
    assert proof("npu", graph("DISPATCH_OP")).extent == "complete"
    assert proof("xnnpack", graph(("TfLiteXNNPackDelegate", 24))).extent == "complete"


def test_the_graph_is_that_of_the_package() -> None:
    """In a process of its own: TensorFlow's module of the same name may be in this one."""
    told = subprocess.run(
        [sys.executable, "-c", READ_BY_PACKAGE],
        input=graph(("LITERT_CL", 3), "ADD"),
        capture_output=True,
        check=True,
    )
    assert told.stdout.decode().split() == ["TFLITE_SUBGRAPH", "[3,", "4]", "LITERT_CL", "[0,", "1,", "2]", "3"]


@pytest.mark.parametrize("backend", ["gpu", "npu"])
def test_the_cpu_in_an_accelerators_place_is_no_result(backend: str) -> None:
    """LiteRT runs a graph on the CPU without an error where a compiler plugin fails (2.2.0 on a Galaxy S26)."""
    found = read(backend, runtime=graph(("TfLiteXNNPackDelegate", 24)))
    assert isinstance(found, Unsupported)
    assert "TfLiteXNNPackDelegate ran it" in found.reason
    line = "INFO: Replacing 24 out of 24 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 1 partitions\n"
    warned = "WARNING: [compiled_model.cc:700] Failed to apply compiler plugins: kLiteRtStatusErrorRuntimeFailure\n"
    told = read(backend, Printed(STDOUT, line + warned + STDERR, 0, "log"))
    assert isinstance(told, Unsupported)
    if backend == "npu":
        assert "Failed to apply compiler plugins" in told.reason


def test_an_older_build_tells_it_in_lines() -> None:
    rows = [(60, 62, "LITERT_CL", 2, 0), (2, 3, "TfLiteXNNPackDelegate", 1, 0), (9, 9, "LITERT_CL", 1, 1)]
    lines = "".join(
        f"VERBOSE: Replacing {took} out of {of} node(s) with delegate ({name}) node, yielding {parts} partitions for "
        f"subgraph {graph}.\n"
        for took, of, name, parts, graph in rows
    )
    found = read("gpu", Printed(STDOUT, lines + STDERR, 0, "log"))
    assert isinstance(found, Measured)
    assert found.delegation is not None
    assert (found.delegation.extent, found.delegation.nodes_delegated, found.delegation.nodes_total) == (
        "partial",
        60,
        62,
    )


def test_a_warning_of_a_run_that_went_well_is_none() -> None:
    """The environment is made several times and only the first registers the NPU (LiteRT-LM on a phone)."""
    warned = "WARNING: [npu_registry.cc:34] NPU accelerator could not be loaded and registered: kLiteRtStatusError.\n"
    found = read("npu", Printed(STDOUT, warned + STDERR, 0, "log"), runtime=graph(("DispatchDelegate", 1)))
    assert isinstance(found, Measured)


def test_a_warning_with_nothing_against_it_decides() -> None:
    """A build that tells neither the graph nor what was replaced."""
    for backend, name in (("gpu", "GPU"), ("npu", "NPU")):
        warned = f"WARNING: [registry.cc:34] {name} accelerator could not be loaded and registered.\n"
        found = read(backend, Printed(STDOUT, warned + STDERR, 0, "log"))
        assert isinstance(found, Unsupported)
        assert "could not be loaded" in found.reason


@pytest.mark.parametrize(
    ("line", "backend"),
    [
        (
            "ERROR: [dispatch_delegate.cc:131] Failed to create a dispatch delegate kernel: No usable runtime found",
            "npu",
        ),
        ("ERROR: [compiled_model.cc:1089] Some ops are not accelerated. Add kLiteRtHwAcceleratorCpu to the set", "gpu"),
        ("ERROR: Disallowed CPU fallback detected.", "npu"),
    ],
)
def test_a_refusal_is_unsupported_in_the_tools_words(line: str, backend: str) -> None:
    found = read(backend, Printed("", f"{line}\nERROR: Benchmarking failed.\n", 1, "log"))
    assert isinstance(found, Unsupported)
    assert found.reason.split(":")[0] in line


@pytest.mark.parametrize("backend", ["gpu", "npu"])
@pytest.mark.parametrize("content", [None, b"", graph(("LITERT_CL", 3), "ADD")[:-1]])
def test_a_graph_that_is_missing_or_cut_off_proves_nothing(backend: str, content: bytes | None) -> None:
    """A full disk takes it; the tool goes on, with whatever ran the model."""
    found = litert.parse(PRINTED, backend, Written(RESULT, content, required=False))
    assert isinstance(found, Failed), found
    assert "does not tell what ran" in found.reason
    # The CPU was never asked for a proof by the console.
    plain = litert.parse(PRINTED, "xnnpack", Written(RESULT, content, required=False))
    assert isinstance(plain, Measured)
    assert plain.delegation is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(RESULT)))
def test_damaged_files_end_in_an_outcome(noise: bytes, at: int) -> None:
    for content in (noise, RESULT[:at] + noise):
        result_file.read(content)
        assert isinstance(read("npu", result=content, runtime=content), Measured | Unsupported | Failed)
    whole = graph(("LITERT_CL", 3), "ADD")
    found = runtime_info.placement(whole[: at % len(whole)] + noise)
    assert found is None or found.total >= 0
