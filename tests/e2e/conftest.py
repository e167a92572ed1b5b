"""`make` as a user calls it, on an experiment that is small but whole."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from common.provenance import ROOT

# Fixtures of the container tests serve here too.
from tests.container.conftest import adb_image, data_image, files_image, launcher, training_image  # noqa: F401

SMALL = """
title = "Small"
seed = 3
[data]
source = "synthetic-flames"
synthetic_images = 160
height = 48
width = 48
[model]
batch_norm_momentum = 0.9
[train]
epochs = 4
batch_size = 16
learning_rate = 1e-3
schedule = "cosine"
class_weights = "balanced"
augmentation = { flip = true, crop = 0.1, colour = 0.1 }
[benchmark]
rounds = 2
most_rounds = 2
num_runs = 10
min_secs = 0.05
warmup_min_secs = 0.02
[variants.baseline]
convert = { format = "float32" }
[variants.float16]
convert = { format = "float16" }
[variants.pruned]
passes = [{ pass = "prune", sparsity = 0.5, frequency = 2, epochs = 1 }]
convert = { format = "dynamic_range" }
"""

# For a search to come to the step at which it is killed.
SEARCH_LIMIT_S = 600
Make = Callable[..., subprocess.CompletedProcess[str]]


def kill_search(experiment: Path, run: Path, step: str) -> None:
    """`make search`, killed with all below it as soon as it has come to a step."""
    argv = ["make", "search", f"EXPERIMENT={experiment}", f"RUN={run}", "RUNTIME=local"]
    driver = subprocess.Popen(argv, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    started = time.monotonic()
    while not (run / "search" / step).is_dir():
        assert driver.poll() is None and time.monotonic() - started < SEARCH_LIMIT_S
        time.sleep(0.2)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()


@pytest.fixture(scope="session")
def make() -> Make:
    """Run `make` with variables; RUNTIME is local unless given. Standard error is merged in."""

    def run(*goals: str, check: bool = True, env: dict[str, str] | None = None, **variables: object) -> object:
        named = {"RUNTIME": "local"} | {name: str(value) for name, value in variables.items()}
        argv = ["make", *goals, *(f"{name}={value}" for name, value in named.items())]
        done = subprocess.run(
            argv, cwd=ROOT, env={**os.environ, **(env or {})}, text=True, timeout=900,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout
        return done

    return run  # type: ignore[return-value]


@pytest.fixture(scope="session")
def finished(make: Make, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A finished local run: the experiment file, its folder and what make printed."""
    folder = tmp_path_factory.mktemp("local")
    experiment = folder / "small.toml"
    experiment.write_text(SMALL, encoding="utf-8")
    done = make("-j2", "all", EXPERIMENT=experiment, RUN=folder / "run")
    return experiment, folder / "run", done.stdout
