"""Runs on a farm in which something is killed at a random moment: no row may be lost, doubled or wrong.

    python -m tests.benchmarks.farm_campaign [--runs 200] [--seed 1] [--at-once 1]

A cluster on loopback, two nodes with a stand-in phone each for every run that goes on at once. Every run is `make
benchmark RUNTIME=ray` on a phone of each node; while it goes on, a node is killed (-9), a phone is unplugged, the head
is killed and started again, or the driver is killed (-9); what was killed is started again after some seconds, a driver
by the same command. A node and the head are killed under every run that goes on. A run that ends without success must
say why in one line, and the same command must finish it.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from common.adb.names import joined
from common.provenance import ROOT
from jobs.farm.parent import end_all
from tests.benchmarks.farm_rows import ledgers, wrong
from tests.devices.farm import PHONES, LoopbackFarm
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
MOST_COMMANDS = 8
# Before the same command is given again, with a cluster that is whole: its nodes have joined by then.
AGAIN_S = 10.0
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
    # What befalls the whole cluster befalls it one at a time: a node does not start while there is no head.
    whole: threading.Lock = field(default_factory=threading.Lock)

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
def standing(folder: Path, port: int, phones_each: int = PHONES) -> Iterator[Farm]:
    """A cluster on loopback with its files below `folder`, and a run of finished files up to their accuracies."""
    made, experiment, tool = prepared(folder / "prepared")
    own = environment(folder)
    os.environ["RAY_AUTH_TOKEN_PATH"] = own["RAY_AUTH_TOKEN_PATH"]
    with LoopbackFarm(
        folder / "farm", port=port, phones_each=phones_each, make_phone=lambda: StandIn(paced(load("pixel"), 1.0))
    ) as cluster:
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


def one(farm: Farm, run: Path, serials: Sequence[str], random_: random.Random) -> Outcome:
    """A run on these phones with one fault, and its rows afterwards."""
    shutil.copytree(farm.made, run)
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
        with farm.whole:
            time.sleep(AGAIN_S)
        status = _ended(farm.start(run, serials, log))
    outcome.took_s = time.monotonic() - began
    outcome.problems += [f"status {status} after {outcome.commands} commands"] if status else []
    outcome.problems += [
        problem for serial in serials for problem in wrong(run, serial, before.get(serial, b""), MODELS)
    ]
    return outcome


def _ended(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _says_why(log: Path) -> bool:
    return any(line.startswith(("error: ", "note: ")) for line in log.read_text(encoding="utf-8").splitlines())


# ---- what happens to a run ----------------------------------------------------------------------------
def node_killed(farm: Farm, _process: object, _serials: Sequence[str], random_: random.Random) -> None:
    """A node and all that runs there, at once; it is started again."""
    with farm.whole:
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
    with farm.whole:
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


@dataclass
class Campaign:
    """Runs one after the other on as many places as there are phones on a node; each has a phone of every node."""

    farm: Farm
    folder: Path
    seed: int
    deadline: float
    outcomes: list[Outcome] = field(default_factory=list)
    _telling: threading.Lock = field(default_factory=threading.Lock)

    def place(self, number: int, runs: Sequence[int]) -> None:
        """These runs, one after the other, on the phones of a place."""
        serials = [phones[number].serial for phones in self.farm.cluster.phones.values()]
        for index in runs:
            if time.monotonic() > self.deadline:
                break
            run = self.folder / f"run{index}"
            outcome = one(self.farm, run, serials, random.Random(f"{self.seed}/{index}"))  # noqa: S311
            with self._telling:
                self._tell(outcome, run)
            shutil.rmtree(run)

    def _tell(self, outcome: Outcome, run: Path) -> None:
        self.outcomes.append(outcome)
        said = "; ".join(outcome.problems) or "all rows"
        print(
            f"{len(self.outcomes):4} {outcome.fault:16} {outcome.took_s:6.1f} s, {outcome.commands} commands: {said}",
            flush=True,
        )
        if outcome.problems:
            print((run / "campaign.log").read_text(encoding="utf-8")[-3000:], flush=True)

    def told(self) -> None:
        """Print what came out."""
        bad = sum(bool(outcome.problems) for outcome in self.outcomes)
        for fault, count in Counter(outcome.fault for outcome in self.outcomes).items():
            again = sum(outcome.commands > 1 for outcome in self.outcomes if outcome.fault == fault)
            print(f"{fault}: {count} runs, {again} of them finished by the same command given again")
        print(f"{len(self.outcomes)} runs, {bad} with a row lost, doubled or wrong, or an end without a word")


def main() -> None:
    """Run the campaign and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop beginning new runs after these")
    parser.add_argument("--at-once", type=int, default=1, help="runs that go on at once, on phones of their own")
    chosen = parser.parse_args()
    places = chosen.at_once
    with (
        tempfile.TemporaryDirectory(prefix="edgeproof-farm-") as name,
        standing(Path(name), PORT, places) as farm,
        ThreadPoolExecutor(places) as pool,
    ):
        campaign = Campaign(farm, Path(name), chosen.seed, time.monotonic() + chosen.minutes * 60)
        list(pool.map(campaign.place, range(places), [range(place, chosen.runs, places) for place in range(places)]))
        campaign.told()


if __name__ == "__main__":
    main()
