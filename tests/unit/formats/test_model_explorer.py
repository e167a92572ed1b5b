"""Times of a file's nodes for Model Explorer, beside what its own adapter calls them."""

import json
from pathlib import Path

import pytest

from common.artifact import write_model
from common.errors import UsageError
from common.provenance import ROOT
from common.schema.benchmark import Cell
from common.schema.examination import LayerTime
from common.schema.results import Latency, Results
from jobs.benchmark.targets.host_profile import profile
from jobs.formats import stage
from jobs.formats.model_explorer import node_data
from tests.devices.tiny_model import PATH as TINY
from tests.unit.report import factories as f
from tests.unit.report.rich import hostile, rich
from tests.whole_run import classifier

# What tests/benchmarks/explorer_nodes.py printed of the tiny file.
NODES = json.loads((ROOT / "tests" / "data" / "model_explorer_tiny.json").read_text(encoding="utf-8"))


def of(layers: tuple[LayerTime, ...], backend: str = "xnnpack") -> Results:
    """Results of one measurement with these layers."""
    latency = Latency.model_validate(
        dict.fromkeys(("low_us", "high_us", "rounds", "interval", "ratio", "init_us", "first_us", "memory_mb"))
        | {"latency_us": 10.0, "layers": layers}
    )
    return f.results(measurements=(f.measurement(f.NAMES[0], latency, backend),))


def layer(index: int, name: str, us: float, delegated: bool = True, kind: str = "CONV_2D") -> LayerTime:
    return LayerTime(index=index, kind=kind, name=name, mean_us=us, delegated=delegated)


def values(results: Results) -> dict[str, float]:
    [found] = node_data(results)
    return {key: value["value"] for key, value in json.loads(found.content)["results"].items()}


def test_a_profiled_files_nodes_are_those_of_the_tools_own_adapter() -> None:
    """The real interpreter's profile of a file beside the real tool's graph of it."""
    found = profile(TINY, Cell(variant="tiny", model_sha256="0" * 64, backend="cpu", threads=1))
    times = values(of(found.layers, "cpu"))
    nodes = {node["id"]: node for node in NODES}
    assert len(times) == len(found.layers) == 4
    for one in found.layers:
        assert times[str(one.index)] == pytest.approx(one.mean_us, abs=0.001)
        node = nodes[str(one.index)]
        assert (node["label"].upper(), node["outputs"]) == (one.kind, [one.name])
    # No output is called like an index, for which the page looks first.
    assert not times.keys() & {name for node in NODES for name in node["outputs"]}


def test_what_xnnpack_tells_stands_at_nodes_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "dense.tflite").write_bytes(classifier(1, 512))
    cell = Cell(variant="dense", model_sha256="0" * 64, backend="xnnpack", threads=1)
    found = profile(tmp_path / "dense.tflite", cell)
    times = values(of(found.layers))
    assert "0" in times and times.keys() <= {"0", "1"}
    assert sum(times.values()) == pytest.approx(sum(one.mean_us for one in found.operators), abs=0.01)


def test_no_node_gets_a_time_that_is_not_its_own() -> None:
    whole = layer(3, "", 7.0, kind="TfLiteGpuDelegateV2")
    results = of((layer(0, "a", 2.0), layer(1, "b", 0.0), layer(2, "c", 1.0, delegated=False), whole))
    assert values(results) == {"0": 2.0, "2": 1.0}
    [found] = node_data(results)
    assert found.note == (
        "baseline/host/xnnpack/threads:1: 3.00 µs of 10.0 µs stand at 2 nodes of the file; 1 node of the delegate ran "
        "as part of others or below its clock's step; 7.00 µs of TfLiteGpuDelegateV2 are of no node"
    )


def test_outputs_that_are_called_by_numbers_are_not_taken_for_indices() -> None:
    results = of((layer(0, "2", 5.0), layer(1, "x", 6.0), layer(2, "x", 7.0), layer(3, "9", 0.0, delegated=False)))
    assert values(results) == {"2": 5.0, "9": 0.0}
    [found] = node_data(results)
    assert found.note.endswith("; 2 nodes cannot be told from others by name")


def test_every_profiled_cell_has_a_file_of_a_plain_name() -> None:
    for results in (rich(), hostile()):
        found = node_data(results)
        assert len(found) == len({each.file for each in found}) == 2 * len(f.NAMES)
        for each in found:
            assert set(each.file) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
            assert not each.file.startswith(".") and len(each.file) < 256
            assert json.loads(each.content)["name"].isprintable() and each.note.isprintable()


def test_results_without_a_profile_are_one_line(tmp_path: Path) -> None:
    write_model(tmp_path / "results.json", f.results())
    with pytest.raises(UsageError, match=r"has no times of single nodes .set .benchmark. profile = true"):
        stage.model_explorer(tmp_path / "results.json", tmp_path / "nodes")
    assert not (tmp_path / "nodes").exists()
