"""Operators of a model on this machine, timed in a process of their own."""

import subprocess
import sys
from pathlib import Path

from pydantic import Field, ValidationError

from common.errors import EdgeproofError
from common.schema.base import Model
from common.schema.benchmark import Cell
from common.schema.examination import Examination
from jobs.benchmark.feeds import Feed
from jobs.benchmark.layers import Timed, kinds, layers
from jobs.benchmark.targets.processes import last_words

PROFILER = Path(__file__).with_name("host_profiler.py")
# A third of a second in all, which is why it is done without being asked for.
SECS = 0.2
LIMIT_S = 300.0


class Request(Model):
    """What the profiler is asked to do; `inputs` are files with the bytes of inputs by their name."""

    model: str
    backend: str
    threads: int
    secs: float
    inputs: dict[str, str] = Field(default_factory=dict)


class Event(Model):
    """An operator, as the profiler prints it; `node` is None inside of a delegate."""

    kind: str
    node: int | None
    mean_us: float


class Reply(Model):
    """What the profiler prints."""

    runs: int
    whole_us: float
    operators: tuple[Event, ...]


def profile(model: Path, cell: Cell, feed: Feed = ()) -> Examination:
    """The operators of a cell, fed with `feed` where there is one; what failed is a problem in words."""
    given = {port.name: str(port.path) for port in feed}
    request = Request(model=str(model.resolve()), backend=cell.backend, threads=cell.threads, secs=SECS, inputs=given)
    argv = [sys.executable, "-I", str(PROFILER), request.model_dump_json()]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=LIMIT_S, check=False)  # noqa: S603
        if done.returncode != 0:
            return Examination(problems=(f"operators: {last_words(done.returncode, done.stderr)}",))
        reply = Reply.model_validate_json(done.stdout)
        timed = [Timed(event.kind, event.node, event.mean_us) for event in reply.operators]
        return Examination(operators=kinds(timed), layers=layers(model.read_bytes(), timed), profiled_us=reply.whole_us)
    except subprocess.TimeoutExpired:
        return Examination(problems=(f"operators: not finished after {LIMIT_S:.0f} s",))
    except (ValidationError, EdgeproofError):
        return Examination(problems=("operators: the profiler ended without a result",))
