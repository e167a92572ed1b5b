"""`make … RUNTIME=ray` on a real cluster of two nodes on loopback, with stand-in phones behind real adb servers."""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.adb.names import safe_name
from common.artifact import read
from common.provenance import ROOT
from common.schema.benchmark import Benchmark
from common.schema.results import Results
from common.schema.search_result import SearchResult
from jobs.farm.parent import below, end_all
from tests.benchmarks.farm_campaign import MODELS, Farm, standing
from tests.benchmarks.farm_rows import ledgers, wrong
from tests.devices.farm import LoopbackNode
from tests.e2e.conftest import SMALL
from tests.unit.search.test_stage import LEAST

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
LIMIT_S = 600.0
# The last fields of what a carried step says of itself.
CARRIED = re.compile(r"(\S+) ran on .*: sent (\d+) files of (\d+) bytes \((\d+) were there\)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """A cluster, and a run of finished files up to their accuracies; afterwards nothing of the cluster runs on."""
    folder = tmp_path_factory.mktemp("farm")
    with standing(folder, free_port()) as made:
        yield made
        cluster = made.cluster
        processes = [node.process.pid for node in (cluster.head, *cluster.nodes.values()) if node.process is not None]
        started = [pid for process in processes for pid in below(process)]
    deadline = time.monotonic() + 20
    while (left := [pid for pid in started if _runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left


def _runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False


def make(farm: Farm, run: Path, serials: list[str], goal: str, *, check: bool = True, **env: str) -> str:
    done = subprocess.run(
        farm.command(run, serials, goal), cwd=ROOT, env={**farm.environment, **env}, timeout=LIMIT_S, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


def one_of_each(farm: Farm) -> list[str]:
    return [phones[0].serial for phones in farm.cluster.phones.values()]


def carried(run: Path, log: str) -> list[tuple[int, int]]:
    """Files and bytes that a step sent to each of its nodes."""
    text = (run / "logs" / f"{log}.log").read_text(encoding="utf-8")
    return [(int(found[2]), int(found[3])) for found in CARRIED.finditer(text)]


def test_from_images_to_a_report_on_a_cluster(farm: Farm, tmp_path: Path) -> None:
    experiment, run = tmp_path / "small.toml", tmp_path / "run"
    experiment.write_text(SMALL, encoding="utf-8")
    chain, serials = replace(farm, experiment=experiment), one_of_each(farm)
    make(chain, run, serials, "all")
    results = read(run / "report" / "results.json", Results)
    assert [target.serial for target in results.targets] == serials
    for serial in serials:
        assert wrong(run, serial, b"", ("baseline", "float16", "pruned")) == []
    assert carried(run, "train")
    assert "Nothing to do" in make(chain, run, serials, "all")
    # A recipe that changed: what is new to the node is sent, which is the experiment where it has the rest.
    text = SMALL.replace("sparsity = 0.5", "sparsity = 0.6")
    experiment.write_text(text, encoding="utf-8")
    make(chain, run, serials, "optimize")
    dataset = sum(path.stat().st_size for path in (run / "dataset").iterdir())
    [(files, size)] = carried(run, "optimize-pruned")
    assert (files, size) == (1, len(text)) or size > dataset


def test_a_search_has_its_steps_on_a_cluster_and_its_latencies_of_a_phone(farm: Farm, tmp_path: Path) -> None:
    experiment, run = tmp_path / "small.toml", tmp_path / "run"
    experiment.write_text(LEAST, encoding="utf-8")
    make(replace(farm, experiment=experiment), run, one_of_each(farm)[:1], "search")
    found = read(run / "search" / "search.json", SearchResult)
    assert found.found and found.setting.target
    names = [step.name for step in found.steps if step.candidates]
    assert "structures" in names and "trained-1" in names
    for name in (*names, "found"):
        optimised = [log.stem for log in (run / "search" / name / "logs").glob("optimize-*.log")]
        # What another step has made is not made again.
        assert (optimised and all(carried(run / "search" / name, log) for log in optimised)) or name == "found"
    results = read(run / "search" / "found" / "report" / "results.json", Results)
    assert [target.serial for target in results.targets] == one_of_each(farm)[:1]


def test_a_node_that_dies_is_waited_for_and_nothing_is_lost_or_doubled(farm: Farm, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(farm.made, run)
    serials = one_of_each(farm)
    process = farm.start(run, serials, tmp_path / "log")
    deadline = time.monotonic() + LIMIT_S
    while len(ledgers(run, serials)) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
        time.sleep(0.1)
    node = farm.cluster.nodes["two"]
    node.kill(signal.SIGKILL)
    before = ledgers(run, serials)
    node.start()
    assert process.wait(LIMIT_S) == 0, (tmp_path / "log").read_text(encoding="utf-8")
    for serial in serials:
        assert wrong(run, serial, before[serial], MODELS) == []
    said = (tmp_path / "log").read_text(encoding="utf-8") + (run / "logs" / "benchmark.log").read_text(encoding="utf-8")
    assert "waiting for it, 180 s at most" in said


def test_a_driver_that_was_killed_goes_on_from_its_ledger(farm: Farm, tmp_path: Path) -> None:
    run, [serial, _] = tmp_path / "run", one_of_each(farm)
    shutil.copytree(farm.made, run)
    process = farm.start(run, [serial], tmp_path / "log")
    while not (found := ledgers(run, [serial])) or found[serial].count(b"\n") < 4:
        assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
        time.sleep(0.1)
    end_all(process.pid)
    process.wait()
    before = ledgers(run, [serial])[serial]
    make(farm, run, [serial], "benchmark")
    assert wrong(run, serial, before, MODELS) == []
    result = read(run / "benchmark" / safe_name(serial) / "benchmark.json", Benchmark)
    assert result.target.serial == serial


def test_what_nobody_has_is_refused_at_once(farm: Farm, tmp_path: Path) -> None:
    shutil.copytree(farm.made, tmp_path / "run")
    said = make(farm, tmp_path / "run", ["nobody"], "benchmark", check=False)
    assert re.search(r"error: no node of the cluster has phone:nobody \(there is 3 nodes .*phone:127\.0\.0\.1:", said)
    said = make(farm, tmp_path / "run", ["model:Pixel-99"], "benchmark", check=False)
    assert "no phone of the cluster is a Pixel-99" in said
    said = make(farm, tmp_path / "fresh", one_of_each(farm), "dataset", check=False, EDGEPROOF_CPUS="64")
    assert "no node of the cluster has 64 CPU" in said


def test_a_wrong_token_and_no_cluster_are_said_in_a_line(farm: Farm, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("f" * 64, encoding="utf-8")
    said = make(farm, tmp_path / "run", [], "dataset", check=False, RAY_AUTH_TOKEN_PATH=str(tmp_path / "token"))
    assert "error: no cluster at RAY_ADDRESS=" in said
    argv = farm.command(tmp_path / "run", [], "dataset")
    argv[3] = f"RAY_ADDRESS=127.0.0.1:{free_port()}"
    done = subprocess.run(argv, cwd=ROOT, env=dict(farm.environment), capture_output=True, text=True, timeout=120)
    assert "make farm starts one" in done.stderr + done.stdout


def test_a_node_of_another_commit_runs_nothing(farm: Farm, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("common", "jobs", "docker", "reports"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (checkout / "common" / "errors.py").open("a", encoding="utf-8") as stream:
        stream.write("# Another commit.\n")
    address = f"127.0.0.1:{free_port()}"
    head = LoopbackNode("head", tmp_path, address, 0, head=True)
    other = LoopbackNode("other", tmp_path, address, 1, root=checkout)
    try:
        head.start()
        head.wait()
        other.start()
        other.wait()
        argv = farm.command(tmp_path / "run", [], "dataset")
        argv[3] = f"RAY_ADDRESS={address}"
        done = subprocess.run(argv, cwd=ROOT, env=dict(farm.environment), capture_output=True, text=True, timeout=300)
    finally:
        other.kill()
        head.kill()
    assert re.search(r"is not to run adopt: it has commit .* is wanted", done.stderr + done.stdout)
    assert not list((tmp_path / "run").glob("variants/*/variant.json"))
