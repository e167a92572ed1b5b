"""What other tools read: Google Benchmark's JSON and Bencher's."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from common.artifact import read, write_model
from common.errors import UsageError
from common.provenance import ROOT
from common.schema.judgement import Obstacle
from common.schema.results import Process, Results
from jobs.formats.bencher import bencher_json
from jobs.formats.cells import cells
from jobs.formats.google import google_json
from tests.unit.report import factories as f
from tests.unit.report.rich import hostile, rich

# Google Benchmark's own tool, as Debian packs it.
COMPARE = Path("/usr/share/benchmark/compare.py")


@pytest.fixture(scope="module")
def results() -> Results:
    return rich()


def test_nothing_is_written_through_a_link_of_a_run(results: Results, tmp_path: Path) -> None:
    write_model(tmp_path / "results.json", results)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "export").symlink_to(tmp_path / "elsewhere")
    for name, output in (("bencher", "export/bencher.json"), ("model-explorer", "export/nodes")):
        argv = [sys.executable, "-m", "jobs.formats", name, "--results", "results.json", "--output", output]
        done = subprocess.run(argv, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert (done.returncode, list((tmp_path / "elsewhere").iterdir())) == (2, [])
        assert "export is a link (remove it, or give another --output)" in done.stderr


def test_a_time_below_nothing_is_no_results_file(results: Results, tmp_path: Path) -> None:
    text = results.model_dump_json()
    [figure, *_] = [m.result.latency_us for m in results.measurements if m.result.kind == "latency"]
    (tmp_path / "results.json").write_text(text.replace(f'"latency_us":{figure}', '"latency_us":-1.0'), "utf-8")
    with pytest.raises(UsageError, match=r"latency_us.*greater than or equal to 0"):
        read(tmp_path / "results.json", Results)


def test_every_process_is_an_entry(results: Results) -> None:
    document = json.loads(google_json(results))
    assert document["context"]["json_schema_version"] == 1
    names = [entry["name"] for entry in document["benchmarks"]]
    for trace in results.traces:
        for variant in {process.variant for process in trace.processes}:
            own = [p for p in trace.processes if p.variant == variant and p.discarded is None and p.latency_us]
            name = f"{variant}/{trace.target}/{trace.backend}/threads:{trace.threads}"
            entries = [entry for entry in document["benchmarks"] if entry["name"] == name]
            if not entries:
                continue
            assert [entry["real_time"] for entry in entries] == [process.latency_us for process in own]
            assert [entry["repetition_index"] for entry in entries] == list(range(len(own)))
            assert {entry["repetitions"] for entry in entries} == {len(own)}
    cell_names = {cell.name for cell in cells(results)}
    assert set(names) == cell_names | {f"{name}_median" for name in cell_names}


def test_a_median_follows_the_processes_of_its_cell(results: Results) -> None:
    entries = json.loads(google_json(results))["benchmarks"]
    for cell in cells(results):
        own = [entry for entry in entries if entry["run_name"] == cell.name]
        assert [entry["run_type"] for entry in own] == ["iteration"] * len(cell.processes_us) + ["aggregate"]
        assert own[-1]["real_time"] == statistics.median(cell.processes_us)


def test_google_benchmarks_own_keys_are_there(results: Results) -> None:
    """Those that compare.py, Bencher and github-action-benchmark read, as its own reporter wrote them (1.9.5 with
    three repetitions), but for what a results file does not know: the processor's clock, caches and load."""
    types: dict[str, type] = {
        "name": str,
        "run_name": str,
        "run_type": str,
        "time_unit": str,
        "real_time": float,
        "cpu_time": float,
    }
    counts = ("family_index", "per_family_instance_index", "repetitions", "threads", "iterations")
    types |= dict.fromkeys(counts, int)
    own: dict[str, dict[str, type]] = {
        "iteration": {"repetition_index": int},
        "aggregate": {"aggregate_name": str, "aggregate_unit": str},
    }
    document = json.loads(google_json(results))
    for entry in document["benchmarks"]:
        assert {key: type(value) for key, value in entry.items()} == types | own[entry["run_type"]]
        assert entry["time_unit"] == "us"
    known = {"date": str, "host_name": str, "executable": str, "caches": list, "json_schema_version": int}
    assert {key: type(value) for key, value in document["context"].items()} == known


@pytest.mark.skipif(not COMPARE.is_file(), reason="needs the package libbenchmark-tools")
def test_compare_py_finds_the_slower_variant(results: Results, tmp_path: Path) -> None:
    """The real tool tests two files by ranks."""
    slow = results.variants[-1].name
    traces = tuple(trace.model_copy(update={"processes": later(trace.processes, slow)}) for trace in results.traces)
    (tmp_path / "old.json").write_bytes(google_json(results))
    (tmp_path / "new.json").write_bytes(google_json(results.model_copy(update={"traces": traces})))
    argv = [sys.executable, str(COMPARE), "--no-color", "-d", "told.json", "benchmarks", "old.json", "new.json"]
    done = subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "WARNING" not in done.stderr
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    iterations = {each["name"]: each for each in told if each["run_type"] == "iteration"}
    assert iterations.keys() == {cell.name for cell in cells(results)}
    for cell in cells(results):
        found = iterations[cell.name]
        assert [one["real_time"] for one in found["measurements"]] == list(cell.processes_us)
        assert found["utest"]["nr_of_repetitions"] == len(cell.processes_us)
        assert (found["utest"]["time_pvalue"] < 0.05) == cell.name.startswith(f"{slow}/")


def later(processes: tuple[Process, ...], variant: str) -> tuple[Process, ...]:
    """The same with every process of a variant three times as long."""
    return tuple(
        one.model_copy(update={"latency_us": 3 * one.latency_us}) if one.variant == variant and one.latency_us else one
        for one in processes
    )


def fits_bencher(document: object) -> bool:
    """Bencher's published schema: names of objects of names of metrics, `value` required, numbers all of them."""
    return isinstance(document, dict) and all(
        isinstance(measures, dict)
        and all(
            isinstance(metric, dict)
            and "value" in metric
            and set(metric) <= {"value", "lower_value", "upper_value"}
            and all(isinstance(number, float) for number in metric.values())
            for metric in measures.values()
        )
        for measures in document.values()
    )


def test_bencher_gets_what_its_schema_asks_for(results: Results) -> None:
    document = json.loads(bencher_json(results))
    assert fits_bencher(document)
    # Slugs and names have bounds.
    assert all(len(name) <= 1024 and all(len(measure) <= 64 for measure in found) for name, found in document.items())
    first = next(iter(cells(results)))
    latency = document[first.name]["latency"]
    assert latency["value"] == first.latency.latency_us * 1000
    assert latency["lower_value"] <= latency["value"] <= latency["upper_value"]
    variant = results.variants[0]
    assert document[variant.name]["file-size"] == {"value": float(variant.size_bytes)}
    share = next(one for one in results.evaluations if one.variant == variant.name).accuracy
    assert document[variant.name]["accuracy"]["value"] == share.value


def test_what_is_no_result_is_left_out(results: Results) -> None:
    whole = list(cells(results))
    emulators = tuple(target.model_copy(update={"functional_only": True}) for target in results.targets)
    assert not list(cells(results.model_copy(update={"targets": emulators})))
    assert results.choice is not None and results.choice.judgement is not None
    judgement = results.choice.judgement
    one = whole[0].measurement
    place = (one.variant, one.target, one.backend)
    speeds = [
        speed.model_copy(update={"obstacle": Obstacle(cause="fallback", text="plain kernels")})
        if (speed.variant, speed.setting.target, speed.setting.backend) == place
        else speed
        for speed in judgement.speeds
    ]
    assert speeds != list(judgement.speeds)
    choice = results.choice.model_copy(update={"judgement": judgement.model_copy(update={"speeds": tuple(speeds)})})
    assert list(cells(results.model_copy(update={"choice": choice}))) == whole[1:]


def test_hostile_words_set_no_terminal_title() -> None:
    for content in (google_json(hostile()), bencher_json(hostile())):
        names = [entry["name"] for entry in json.loads(content).get("benchmarks", [])] or list(json.loads(content))
        assert names and all(name.isprintable() for name in names)


def test_a_published_table_has_one_entry_for_a_cell() -> None:
    text = (ROOT / "tests" / "data" / "published_results.json").read_text(encoding="utf-8")
    published = Results.model_validate_json(text)
    entries = json.loads(google_json(published))["benchmarks"]
    assert len(entries) == len(list(cells(published))) > 0
    assert all((entry["repetitions"], entry["run_type"]) == (1, "iteration") for entry in entries)
    assert fits_bencher(json.loads(bencher_json(published)))


@pytest.mark.parametrize(("command", "function"), [("google-benchmark", google_json), ("bencher", bencher_json)])
def test_the_command_writes_the_file(command: str, function: object, tmp_path: Path) -> None:
    write_model(tmp_path / "results.json", f.results())
    argv = [sys.executable, "-m", "jobs.formats", command, "--results", str(tmp_path / "results.json")]
    subprocess.run([*argv, "--output", str(tmp_path / "out.json")], cwd=ROOT, check=True, capture_output=True)
    assert callable(function)
    assert (tmp_path / "out.json").read_bytes() == function(f.results())
