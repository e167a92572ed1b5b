"""Ask a .tflite file from anywhere: whether LiteRT loads it, what it answers, and what XNNPACK takes of it.

Each in a process of its own, with bounds on time and memory. Its answer comes by a file that only the project's own
code knows of, so that nothing that the runtime prints counts as one.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from common.errors import EdgeproofError
from common.schema.base import Model
from common.tflite.flat import parse

RUNNER = Path(__file__).with_name("ask_runner.py")
LOAD_S, PLANS_S, ANSWER_S = 120.0, 120.0, 900.0
# Of address space: the runtime itself maps more than a GiB, and a file may be mapped and unpacked.
MEMORY_BYTES, MEMORY_PER_BYTE = 6 << 30, 6
MOST_ANSWER_BYTES = 1 << 30
# Of what a process says of itself: a line per operator at most, and the end of what the runtime prints.
MOST_TOLD_BYTES, MOST_LOG_BYTES = 256 << 20, 64 << 10
# Of operators that are named where one of them crashed.
MOST_KINDS = 8


class AskedPort(Model):
    """A port as the runtime shows it after its tensors were allocated; `scale` is 0 where it is not quantised."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int


class Asked(Model):
    """The ports of a loaded file."""

    inputs: tuple[AskedPort, ...]
    outputs: tuple[AskedPort, ...]


class RuntimeNode(Model):
    """A node as the runtime holds it, with indices of tensors. `name` is an operator's, which a file may choose."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Plan(Model):
    """A subgraph's nodes after XNNPACK was applied: the file's own operators in order, and behind them a node for each
    operator that XNNPACK took."""

    nodes: tuple[RuntimeNode, ...]


class NoPlan(Model):
    """Why the runtime has no answer for a subgraph."""

    why: str


PLANS: TypeAdapter[Plan | NoPlan] = TypeAdapter(Plan | NoPlan)


@dataclass(frozen=True)
class Write:
    """Four bytes of a file that the asking process takes for `value` (little-endian)."""

    offset: int
    value: int


@dataclass(frozen=True)
class Question:
    """Samples for a file: a .npz with `input_0`, ..., which of them goes to each input, and where answers go.

    `xnnpack` answers by its kernels, as far as it takes the model, instead of the plain ones.
    """

    samples: Path
    order: Sequence[int]
    output: Path
    xnnpack: bool = False


def load(model: Path, shapes: Mapping[int, Sequence[int]] | None = None) -> Asked:
    """Load a file; `shapes` by the input's place replace those in it. Raises EdgeproofError in LiteRT's own words."""
    return _ask(model, shapes or {}, None, LOAD_S)


def answer(model: Path, question: Question, shapes: Mapping[int, Sequence[int]] | None = None) -> Asked:
    """Answer every sample; `output` becomes a .npz with `output_0`, ..., each [n, ...], real numbers as float32.

    Raises EdgeproofError for a file that cannot be run, and for one that takes too long or too much memory.
    """
    return _ask(model, shapes or {}, question, ANSWER_S)


def plans(model: Path, cuts: Sequence[Sequence[Write]]) -> tuple[Plan | NoPlan, ...]:
    """What XNNPACK takes of the main subgraph, in the file with the writes of each of `cuts`.

    Never fails for what the file does: where it brings the process down, this and all later answers say so.
    """
    request = {
        "model": str(model.resolve()),
        "cuts": [[[write.offset, write.value] for write in cut] for cut in cuts],
        "samples": None,
    }
    ended = _process(model, request, PLANS_S)
    found: list[Plan | NoPlan] = []
    with contextlib.suppress(ValidationError):
        found.extend(PLANS.validate_json(line) for line in ended.lines[: len(cuts)])
    return (*found, *[NoPlan(why=ended.why)] * (len(cuts) - len(found)))


def _ask(model: Path, shapes: Mapping[int, Sequence[int]], question: Question | None, limit_s: float) -> Asked:
    request = {
        "model": str(model.resolve()),
        "shapes": {str(place): list(shape) for place, shape in shapes.items()},
        "samples": None if question is None else str(question.samples.resolve()),
        "order": [] if question is None else list(question.order),
        "output": None if question is None else str(question.output.resolve()),
        "xnnpack": question is not None and question.xnnpack,
        "most_bytes": MOST_ANSWER_BYTES,
    }
    ended = _process(model, request, limit_s)
    if ended.status == 0:
        with contextlib.suppress(ValidationError, IndexError):
            return Asked.model_validate_json(ended.lines[0])
    raise EdgeproofError(f"{model} cannot be run: {ended.why}")


@dataclass(frozen=True)
class _Ended:
    """How a process ended (`status` None: it was stopped), the lines of its answer, and why there are no more."""

    status: int | None
    lines: tuple[str, ...]
    why: str


def _process(model: Path, request: dict[str, Any], limit_s: float) -> _Ended:
    with tempfile.TemporaryDirectory() as name:
        told, log = Path(name) / "told", Path(name) / "log"
        bounds = {
            "told": str(told),
            "memory_bytes": MEMORY_BYTES + MEMORY_PER_BYTE * model.stat().st_size,
            "cpu_s": int(limit_s),
            "file_bytes": MOST_ANSWER_BYTES + MOST_TOLD_BYTES,
        }
        argv = [sys.executable, "-I", str(RUNNER), json.dumps({**request, **bounds})]
        with log.open("wb") as stream:
            process = subprocess.Popen(  # noqa: S603
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream, start_new_session=True
            )
            status = _waited(process, limit_s)
        why = f"LiteRT did not end within {limit_s:.0f} s" if status is None else _why(model, status, _end(log))
        return _Ended(status, tuple(_lines(told)), why)


def _waited(process: subprocess.Popen[bytes], limit_s: float) -> int | None:
    """The status; None where the time was up. Whatever happens, nothing of the process's group is left."""
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _lines(told: Path) -> Iterator[str]:
    if told.is_file() and told.stat().st_size <= MOST_TOLD_BYTES:
        yield from told.read_text(encoding="utf-8", errors="replace").splitlines()


def _end(log: Path) -> str:
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - MOST_LOG_BYTES))
        return stream.read(MOST_LOG_BYTES).decode("utf-8", "replace")


def _why(model: Path, status: int, stderr: str) -> str:
    if status == -signal.SIGXCPU:
        return "LiteRT takes more processor time than is allowed"
    if status < 0:
        # Nothing is left to say which of them it was.
        kinds = dict.fromkeys(op.name for graph in parse(model.read_bytes()).graphs for op in graph.operators)
        some = ", ".join(list(kinds)[:MOST_KINDS]) + (", …" if len(kinds) > MOST_KINDS else "")
        return f"one of its operators brings LiteRT down ({signal.Signals(-status).name}): {some}"
    # The runtime's own log comes first, and the reason that the process gave last.
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1][:500] if lines else f"the runtime ended with status {status}"
