"""What a farm costs and brings, on loopback: four trials on two one-core workers beside one, the chain beside a local
one, bytes of a second run, four phones beside one.

    python -m tests.benchmarks.farm_costs [trials] [chain] [phones]

Two nodes with one processor and two stand-in phones each. Everything is on this machine: do not run it beside others.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from common.provenance import ROOT
from tests.benchmarks.farm_campaign import LIMIT_S, Farm, standing
from tests.e2e.conftest import SMALL

PORT = 6382
SENT = re.compile(r" ran on .*: sent (\d+) files of (\d+) bytes")
TRIAL = """
[variants.trial{number}]
passes = [{{ pass = "prune", sparsity = 0.{sparsity}, frequency = 2, epochs = 8 }}]
convert = {{ format = "dynamic_range" }}
"""


def timed(argv: Sequence[str], env: dict[str, str]) -> float:
    """Seconds that a command takes. Raises CalledProcessError when it fails."""
    began = time.monotonic()
    subprocess.run(argv, cwd=ROOT, env=env, check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def sent(run: Path) -> tuple[int, int]:
    """Files and bytes that the last run of each step sent, by the logs."""
    found = [SENT.search(path.read_text(encoding="utf-8")) for path in (run / "logs").glob("*.log")]
    return sum(int(each[1]) for each in found if each), sum(int(each[2]) for each in found if each)


def trials(farm: Farm, folder: Path) -> None:
    """Four trainings on one worker, then on two."""
    text = SMALL + "".join(TRIAL.format(number=number, sparsity=number + 3) for number in range(4))
    experiment, run = folder / "trials.toml", folder / "trials"
    experiment.write_text(text, encoding="utf-8")
    mine = replace(farm, experiment=experiment)
    own = {**farm.environment, "EDGEPROOF_CPUS": "1"}
    timed(mine.command(run, [], "train"), own)
    made = [f"{run}/variants/trial{number}/variant.json" for number in range(4)]
    took: dict[int, list[float]] = {}
    for workers in (1, 2, 1, 2):
        for path in made:
            Path(path).unlink(missing_ok=True)
        seconds = timed([*mine.command(run, [], "optimize"), f"-j{workers}"], own)
        took.setdefault(workers, []).append(seconds)
        print(f"trials: four on {workers} worker(s) {seconds:.1f} s", flush=True)
    print(f"trials: two workers take {min(took[2]) / min(took[1]):.2f} of one", flush=True)


def chain(farm: Farm, folder: Path) -> None:
    """The whole chain up to the report, here and on the farm; a second run with another recipe."""
    experiment = folder / "chain.toml"
    experiment.write_text(SMALL, encoding="utf-8")
    mine, own = replace(farm, experiment=experiment), dict(farm.environment)
    local = [f"EXPERIMENT={experiment}", f"RUN={folder / 'local'}", "RUNTIME=local"]
    here = timed(["make", "report", *local], own)
    there = timed(mine.command(folder / "ray", [], "report"), own)
    steps = len(list((folder / "ray" / "logs").glob("*.log")))
    print(
        f"chain: here {here:.1f} s, on the farm {there:.1f} s: {(there - here) / steps:.1f} s for each of {steps} steps"
    )
    print("chain: sent {} files of {} bytes".format(*sent(folder / "ray")), flush=True)
    for log in (folder / "ray" / "logs").glob("*.log"):
        log.unlink()
    experiment.write_text(SMALL.replace("sparsity = 0.5", "sparsity = 0.6"), encoding="utf-8")
    timed(mine.command(folder / "ray", [], "report"), own)
    print("chain: with one recipe changed, sent {} files of {} bytes".format(*sent(folder / "ray")), flush=True)


def phones(farm: Farm, folder: Path) -> None:
    """The session of one phone, and those of four at once."""
    took: dict[int, list[float]] = {}
    for count in (1, 4, 1, 4):
        run = folder / f"phones{len(took)}-{count}-{time.monotonic_ns()}"
        subprocess.run(["cp", "-r", str(farm.made), str(run)], check=True)
        seconds = timed(farm.command(run, farm.cluster.serials[:count]), dict(farm.environment))
        took.setdefault(count, []).append(seconds)
        print(f"phones: {count} take {seconds:.1f} s", flush=True)
    print(f"phones: four take {min(took[4]) / min(took[1]):.2f} of one", flush=True)


def main() -> None:
    """Measure what is asked for, or all."""
    parts = {"trials": trials, "chain": chain, "phones": phones}
    chosen = sys.argv[1:] or list(parts)
    with tempfile.TemporaryDirectory(prefix="edgeproof-farm-") as name, standing(Path(name), PORT) as farm:
        for part in chosen:
            parts[part](farm, Path(name))


if __name__ == "__main__":
    main()
