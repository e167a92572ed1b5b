"""Ask a .tflite file from anywhere: whether LiteRT loads it, and what it answers. Each in a process of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from common.errors import EdgeproofError
from common.schema.base import Model
from common.tflite.flat import parse

RUNNER = Path(__file__).with_name("ask_runner.py")
LOAD_S, ANSWER_S = 120.0, 900.0
# Of address space: the runtime itself maps more than a GiB, and a file may be mapped and unpacked.
MEMORY_BYTES, MEMORY_PER_BYTE = 6 << 30, 6
MOST_ANSWER_BYTES = 1 << 30
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


def _ask(model: Path, shapes: Mapping[int, Sequence[int]], question: Question | None, limit_s: float) -> Asked:
    request = {
        "model": str(model.resolve()),
        "shapes": {str(place): list(shape) for place, shape in shapes.items()},
        "samples": None if question is None else str(question.samples.resolve()),
        "order": [] if question is None else list(question.order),
        "output": None if question is None else str(question.output.resolve()),
        "xnnpack": question is not None and question.xnnpack,
        "most_bytes": MOST_ANSWER_BYTES,
        "memory_bytes": MEMORY_BYTES + MEMORY_PER_BYTE * model.stat().st_size,
    }
    argv = [sys.executable, "-I", str(RUNNER), json.dumps(request)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=limit_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise EdgeproofError(f"{model} cannot be run: LiteRT did not end within {limit_s:.0f} s") from None
    if done.returncode == 0:
        try:
            return Asked.model_validate_json(done.stdout)
        except ValidationError:
            pass
    raise EdgeproofError(f"{model} cannot be run: {_why(model, done.returncode, done.stderr)}")


def _why(model: Path, status: int, stderr: str) -> str:
    if status < 0:
        # Nothing is left to say which of them it was.
        kinds = dict.fromkeys(op.name for graph in parse(model.read_bytes()).graphs for op in graph.operators)
        some = ", ".join(list(kinds)[:MOST_KINDS]) + (", …" if len(kinds) > MOST_KINDS else "")
        return f"one of its operators brings LiteRT down ({signal.Signals(-status).name}): {some}"
    # The runtime's own log comes first, and the reason that the process gave last.
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1][:500] if lines else f"the runtime ended with status {status}"
