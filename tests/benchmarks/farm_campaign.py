"""Runs on a farm in which something is killed at a random moment: no row may be lost, doubled or wrong.

    python -m tests.benchmarks.farm_campaign [--runs 200] [--seed 1]

A cluster on loopback, two nodes with two stand-in phones each. Every run is `make benchmark RUNTIME=ray` on a phone of
each node; while it goes on, a node is killed (-9), a phone is unplugged, the head is killed and started again, or the
driver is killed (-9); what was killed is started again after some seconds, a driver by the same command. A run that
ends without success must say why in one line, and the same command must finish it.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from common.adb.names import joined, safe_name
from common.artifact import read
from common.provenance import ROOT
from common.schema.benchmark import Benchmark, Summary
from jobs.farm.parent import end_all
from tests.devices.farm import LoopbackFarm
from tests.devices.phone.personality import load
from tests.devices.standin.device import StandIn, paced
from tests.devices.standin.faults import Fault, Kind
from tests.devices.standin.phone import fake_binary
from tests.given import scaled_dense

PORT = 6381
LIMIT_S = 900.0
# A moment in what a run takes, from joining the cluster to its last line.
LATEST_S = 60.0
AWAY_S = (0.5, 8.0)
MOST_COMMANDS = 4
MODELS = {"a": 1.0, "b": 1.5, "c": 2.0}
BENCHMARK = """\
[benchmark]
rounds = 3
most_rounds = 3
num_runs = 10
min_secs = 0.2
warmup_min_secs = 0.05
"""
TOKEN = "0123456789abcdef" * 4


@dataclass
class Farm:
    """The cluster, a run that has everything but its latencies, and the program that stands for benchmark_model."""

    cluster: LoopbackFarm
    made: Path
    experiment: Path
    tool: Path
    environment: Mapping[str, str]

    def command(self, run: Path, serials: Sequence[str], goal: str = "benchmark") -> list[str]:
        """make, as a user calls it."""
        return [
            "make", goal, "RUNTIME=ray", f"RAY_ADDRESS={self.cluster.address}", f"EXPERIMENT={self.experiment}",
            f"RUN={run}", *([f"DEVICES={joined(serials)}", f"BENCHMARK_BINARY={self.tool}"] if serials else []),
        ]  # fmt: skip

    def start(self, run: Path, serials: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
        """Start the command in a group of its own."""
        with log.open("ab") as stream:
            return subprocess.Popen(
                self.command(run, serials), cwd=ROOT, env=dict(self.environment), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
            )  # fmt: skip


@contextmanager
def standing(folder: Path, port: int) -> Iterator[Farm]:
    """A cluster on loopback with its files below `folder`, and a run of finished files up to their accuracies."""
    made, experiment, tool = prepared(folder / "prepared")
    own = environment(folder)
    os.environ["RAY_AUTH_TOKEN_PATH"] = own["RAY_AUTH_TOKEN_PATH"]
    with LoopbackFarm(folder / "farm", port=port, make_phone=lambda: StandIn(paced(load("pixel"), 1.0))) as cluster:
        yield Farm(cluster, made, experiment, tool, own)


def environment(folder: Path) -> dict[str, str]:
    """Variables for the cluster and its drivers, with a token of their own."""
    token = folder / "token"
    token.write_text(TOKEN, encoding="utf-8")
    token.chmod(0o600)
    dropped = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"RAY_AUTH_TOKEN_PATH": str(token)}


def prepared(folder: Path) -> tuple[Path, Path, Path]:
    """A run up to its accuracies, made on this machine; the experiment and the tool."""
    folder.mkdir(parents=True, exist_ok=True)
    experiment, tool = given(folder), folder / "tool"
    tool.write_bytes(fake_binary())
    argv = ["make", "evaluate", "RUNTIME=local", f"EXPERIMENT={experiment}", f"RUN={folder / 'made'}"]
    subprocess.run(argv, cwd=ROOT, check=True, timeout=LIMIT_S)
    return folder / "made", experiment, tool


def given(folder: Path) -> Path:
    """An experiment of three finished files, whose session takes about a quarter of a minute."""
    lines = ['title = "Given"', "seed = 3", 'reference = "a"', BENCHMARK]
    for name, factor in MODELS.items():
        (folder / f"{name}.tflite").write_bytes(scaled_dense(factor))
        lines.append(f'[variants.{name}]\nfile = "{name}.tflite"')
    path = folder / "given.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass
class Outcome:
    """How a run went: what was done to it, how many commands it took, what was wrong with its rows."""

    fault: str
    commands: int = 0
    took_s: float = 0.0
    problems: list[str] = field(default_factory=list)


def one(farm: Farm, run: Path, random_: random.Random) -> Outcome:
    """A run with one fault, and its rows afterwards."""
    shutil.copytree(farm.made, run)
    serials = [random_.choice(phones).serial for phones in farm.cluster.phones.values()]
    fault = random_.choice(FAULTS)
    outcome = Outcome(fault.__name__)
    began, log = time.monotonic(), run / "campaign.log"
    process = farm.start(run, serials, log)
    before: dict[str, bytes] = {}
    moment = random_.uniform(0.0, LATEST_S)
    while process.poll() is None and time.monotonic() - began < moment:
        time.sleep(0.05)
    before = ledgers(run, serials)
    fault(farm, process, serials, random_)
    status = _ended(process)
    outcome.commands = 1
    while status != 0 and outcome.commands < MOST_COMMANDS:
        if fault is not driver_killed and not _says_why(log):
            outcome.problems.append(f"status {status} without a word")
        outcome.commands += 1
        status = _ended(farm.start(run, serials, log))
    outcome.took_s = time.monotonic() - began
    outcome.problems += [f"status {status} after {outcome.commands} commands"] if status else []
    outcome.problems += [problem for serial in serials for problem in wrong(run, serial, before.get(serial, b""))]
    return outcome


def _ended(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _says_why(log: Path) -> bool:
    return any(line.startswith(("error: ", "note: ")) for line in log.read_text(encoding="utf-8").splitlines())


def ledgers(run: Path, serials: Sequence[str]) -> dict[str, bytes]:
    """What the driver has of each phone, in whole lines."""
    paths = {serial: run / "benchmark" / safe_name(serial) / "ledger.jsonl" for serial in serials}
    found = {serial: path.read_bytes() for serial, path in paths.items() if path.exists()}
    return {serial: content[: content.rfind(b"\n") + 1] for serial, content in found.items()}


def wrong(run: Path, serial: str, before: bytes, variants: Iterable[str] = MODELS) -> list[str]:
    """What is wrong with a phone's rows; nothing where all is well."""
    folder = run / "benchmark" / safe_name(serial)
    if not (folder / "benchmark.json").exists():
        return [f"{serial}: no benchmark.json"]
    problems = []
    content = (folder / "ledger.jsonl").read_bytes()
    if not content.startswith(before):
        problems.append(f"{serial}: lines that were there are lost")
    lines = [json.loads(line) for line in content.splitlines()]
    runs = [line for line in lines if line["kind"] == "run"]
    places = Counter(
        json.dumps([run[key] for key in ("session", "round", "segment", "attempt", "order")]) for run in runs
    )
    problems += [f"{serial}: doubled {place}" for place, count in places.items() if count > 1]
    result = read(folder / "benchmark.json", Benchmark)
    if result.target.serial != serial:
        problems.append(f"{serial}: rows of {result.target.serial}")
    cells = {row.cell for row in result.rows}
    if {cell.variant for cell in cells} != set(variants) or len(cells) != len(result.rows):
        problems.append(f"{serial}: rows of {sorted(map(str, cells))}")
    problems += [
        f"{serial}: {row.cell} is {row.result.kind}" for row in result.rows if not isinstance(row.result, Summary)
    ]
    return problems


# ---- what happens to a run ----------------------------------------------------------------------------
def node_killed(farm: Farm, _process: object, _serials: Sequence[str], random_: random.Random) -> None:
    """A node and all that runs there, at once; it is started again."""
    node = random_.choice(list(farm.cluster.nodes.values()))
    node.kill(signal.SIGKILL)
    time.sleep(random_.uniform(*AWAY_S))
    node.start()
    node.wait()


def phone_unplugged(farm: Farm, _process: object, serials: Sequence[str], random_: random.Random) -> None:
    """A phone that is measured; it is plugged in again."""
    serial = random_.choice(list(serials))
    [phone] = [each for phones in farm.cluster.phones.values() for each in phones if each.serial == serial]
    seconds = random_.uniform(*AWAY_S)
    phone.arm(Fault(Kind.VANISH, seconds=seconds))
    time.sleep(seconds)


def head_restarted(farm: Farm, _process: object, _serials: Sequence[str], random_: random.Random) -> None:
    """The head, and with it what the cluster knows; its nodes join again."""
    farm.cluster.head.kill(signal.SIGKILL)
    time.sleep(random_.uniform(*AWAY_S))
    farm.cluster.head.start()
    farm.cluster.head.wait()


def driver_killed(
    _farm: Farm, process: "subprocess.Popen[bytes]", _serials: Sequence[str], _random: random.Random
) -> None:
    """make and everything below it; the same command is given again."""
    end_all(process.pid)


FAULTS: tuple[Callable[..., None], ...] = (node_killed, phone_unplugged, head_restarted, driver_killed)


def main() -> None:
    """Run the campaign and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop beginning new runs after these")
    chosen = parser.parse_args()
    random_ = random.Random(chosen.seed)  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="edgeproof-farm-") as name, standing(Path(name), PORT) as farm:
        _campaign(farm, Path(name), random_, chosen.runs, chosen.minutes)


def _campaign(farm: Farm, folder: Path, random_: random.Random, runs: int, minutes: float) -> None:
    outcomes: list[Outcome] = []
    began = time.monotonic()
    for number in range(runs):
        if time.monotonic() - began > minutes * 60:
            break
        run = folder / f"run{number}"
        outcome = one(farm, run, random_)
        outcomes.append(outcome)
        said = "; ".join(outcome.problems) or "all rows"
        print(
            f"{number + 1:4} {outcome.fault:16} {outcome.took_s:6.1f} s, {outcome.commands} commands: {said}",
            flush=True,
        )
        if outcome.problems:
            print((run / "campaign.log").read_text(encoding="utf-8")[-3000:], flush=True)
        shutil.rmtree(run)
    bad = sum(bool(outcome.problems) for outcome in outcomes)
    for fault, count in Counter(outcome.fault for outcome in outcomes).items():
        again = sum(outcome.commands > 1 for outcome in outcomes if outcome.fault == fault)
        print(f"{fault}: {count} runs, {again} of them finished by the same command given again")
    print(f"{len(outcomes)} runs, {bad} with a row lost, doubled or wrong, or an end without a word")


if __name__ == "__main__":
    main()
