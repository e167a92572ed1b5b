"""Times of operators beside the nodes of the file: on values, on recorded profiles, and with the real runtime."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark as Settings
from common.tflite.reader import inspect
from jobs.benchmark.android.profile import timed
from jobs.benchmark.layers import NAMES, Timed, kinds, layers, owners
from jobs.benchmark.targets.host import HostTarget
from jobs.benchmark.targets.host_profile import profile
from tests.conftest import Chain
from tests.unit.benchmark.android.transcripts import csv


def cell(backend: str, threads: int = 1) -> Cell:
    return Cell(variant="m", model_sha256="0" * 64, backend=backend, threads=threads)


def test_operators_of_xnnpack_find_their_nodes() -> None:
    nodes = ["DEPTHWISE_CONV_2D", "CONV_2D", "MUL", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED"]
    operators = [
        "Convolution (NHWC, F32) DWConv",
        "Fully Connected (NC, F32) GEMM",
        "Max Pooling (NHWC, F32)",
        "Static Reshape (NC)",
        "Convert (NC, F32, QD8)",
        "Fully Connected (NC, QD8, F32, QC8W) GEMM",
        "Static Reshape (NC)",
        "Fully Connected (NC, F32) GEMM",
    ]
    # MUL was joined with another; what has no node of its own counts for the next one.
    assert owners(nodes, operators) == [0, 1, 3, 4, 5, 5, 6, 6]
    assert owners([], ["Add (ND)"]) == [0]
    assert owners(["ADD"], ["Nobody knows"]) == [0]


KINDS = st.lists(st.sampled_from(sorted(NAMES)), max_size=12)
OPERATORS = st.lists(st.sampled_from([name for names in NAMES.values() for name in names] + ["Other"]), max_size=15)


@given(KINDS, OPERATORS)
def test_owners_keep_the_order(nodes: list[str], operators: list[str]) -> None:
    found = owners(nodes, operators)
    assert len(found) == len(operators)
    assert found == sorted(found)
    assert all(0 <= owner < max(1, len(nodes)) for owner in found)


@given(KINDS.filter(len))
def test_a_list_beside_itself_is_one_to_one(nodes: list[str]) -> None:
    assert owners(nodes, [NAMES[node][0] for node in nodes]) == list(range(len(nodes)))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["baseline", "float16", "dynamic_range"])
def test_the_real_runtime_times_every_node(chain: Chain, name: str, threads: int) -> None:
    content = chain.model(name).read_bytes()
    nodes = [(operator.index, operator.name) for operator in inspect(content).table if operator.subgraph == 0]
    for backend in ("cpu", "xnnpack"):
        found = profile(chain.model(name), cell(backend, threads))
        assert found.problems == ()
        assert [(layer.index, layer.kind) for layer in found.layers] == nodes
        assert all(layer.name for layer in found.layers)
        assert any(layer.delegated for layer in found.layers) == (backend == "xnnpack")
        assert found.profiled_us is not None
        together = sum(layer.mean_us for layer in found.layers)
        assert together == pytest.approx(sum(operator.mean_us for operator in found.operators))
        assert 0 < together <= 1.02 * found.profiled_us


def test_a_profile_is_taken_unless_it_is_not_wanted(chain: Chain, tmp_path: Path) -> None:
    def look(settings: Settings) -> object:
        return HostTarget().examine(chain.model("baseline"), cell("cpu"), settings, tmp_path, "000")

    assert look(Settings(profile=False)) is None
    assert look(Settings()) is not None


def test_a_file_that_is_no_model_is_a_problem_in_words(tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(300))
    (problem,) = profile(path, cell("xnnpack")).problems
    assert problem.startswith("operators: ")
    assert "Traceback" not in problem


def test_a_recorded_profile_of_a_device_gives_nodes() -> None:
    found = timed(csv("int8/d_prof_csv_file"))
    assert [one.kind for one in found if one.node is not None] == ["SOFTMAX"]
    assert (found[-1].kind, found[-1].node) == ("SOFTMAX", 24)
    assert found[-1].mean_us == pytest.approx(1.18078)
    assert found[1].kind == "Convolution (NHWC, QC8) IGEMM"
    assert found[1].node is None
    plain = timed(csv("baseline/d_prof_csv_file_noxnn"))
    assert [one.node for one in plain] == list(range(24))
    assert sum(one.mean_us for one in kinds(plain)) == pytest.approx(sum(one.mean_us for one in plain))


def test_a_delegate_that_tells_nothing_is_an_entry_of_its_own(chain: Chain) -> None:
    content = chain.model("baseline").read_bytes()
    count = sum(operator.subgraph == 0 for operator in inspect(content).table)
    found = layers(content, [Timed("TfLiteGpuDelegateV2", count, 50.0), Timed("SOFTMAX", count - 1, 2.0)])
    assert [(layer.index, layer.mean_us, layer.delegated) for layer in found] == [
        (count - 1, 2.0, False),
        (count, 50.0, True),
    ]
