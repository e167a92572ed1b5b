"""Small real .tflite files of other kinds than the project's own, made without TensorFlow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

import numpy as np

from common.experiment import LoadedExperiment
from common.tflite.ask import Asked, load
from jobs.adopt.stage import adopt
from tests.artifacts import write_experiment
from tests.devices import tiny_model
from tests.unit.common.tflite.handmade import graph, model, operator, packed, tensor

TINY = tiny_model.PATH.read_bytes()
ROWS = 7
# Of an experiment: a session that is over soon, and whose figures nobody asks for.
QUICK = """\
[benchmark]
rounds = 2
most_rounds = 2
num_runs = 5
min_secs = 0.0
warmup_min_secs = 0.0
"""


def scaled_dense(factor: float = 1.0, *, names: tuple[str, str] = ("in", "out"), bias: float = 0.0) -> bytes:
    """One FULLY_CONNECTED, [1, 4] to [1, 3], whose weights are the same but for `factor`; no answer is constant."""
    weights = (np.linspace(-1, 1, 12).reshape(3, 4) * factor).astype(np.float32)
    biases = np.full(3, bias, np.float32)
    tensors = (
        tensor(names[0], (1, 4), "FLOAT32"),
        tensor("weights", (3, 4), "FLOAT32", 1),
        tensor("bias", (3,), "FLOAT32", 2),
        tensor(names[1], (1, 3), "FLOAT32"),
    )
    parts = graph(tensors, (operator(0, (0, 1, 2), (3,)),), (0,), (3,))
    return packed(model([parts], ["FULLY_CONNECTED"], [weights.tobytes(), biases.tobytes()]))


def lookup(rows: int = ROWS) -> bytes:
    """A table of `rows` that is read by the token ids of an int32 input [1, 5]: a number beyond it reads memory that
    is not its own, or ends the runtime."""
    table = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    tensors = (
        tensor("ids", (1, 5), "INT32"),
        tensor("table", (rows, 2), "FLOAT32", 1),
        tensor("found", (1, 5, 2), "FLOAT32"),
    )
    parts = graph(tensors, (operator(0, (1, 0), (2,)),), (0,), (2,))
    return packed(model([parts], ["GATHER"], [table.tobytes()]))


def adding(names: tuple[str, str, str, str] = ("left", "right", "sum", "twice")) -> bytes:
    """Two float inputs [1, 3] and two outputs: the sum, and the first one twice."""
    tensors = tuple(tensor(name, (1, 3), "FLOAT32") for name in names)
    operators = (operator(0, (0, 1), (2,)), operator(0, (0, 0), (3,)))
    return packed(model([graph(tensors, operators, (0, 1), (2, 3))], ["ADD"]))


def open_side() -> bytes:
    """A float input [1, -1] whose values are doubled."""
    tensors = (tensor("tokens:0", (1, 1), "FLOAT32"), tensor("doubled", (1, 1), "FLOAT32"))
    for each in tensors:
        each.shapeSignature = [1, -1]
    return packed(model([graph(tensors, (operator(0, (0, 0), (1,)),), (0,), (1,))], ["ADD"]))


def single_number() -> bytes:
    """Two float inputs, [1, 3] and a single number, and their sum."""
    tensors = (tensor("many", (1, 3), "FLOAT32"), tensor("one", (), "FLOAT32"), tensor("sum", (1, 3), "FLOAT32"))
    return packed(model([graph(tensors, (operator(0, (0, 1), (2,)),), (0, 1), (2,))], ["ADD"]))


def detector(shift: float = 0.0) -> bytes:
    """Boxes [1, 2, 4], scores [1, 2] and classes [1, 2] as they are given, the boxes moved by `shift` pixels."""
    shapes = {"boxes": (1, 2, 4), "scores": (1, 2), "classes": (1, 2)}
    ins = [tensor(f"{name}_in", shape, "FLOAT32") for name, shape in shapes.items()]
    outs = [tensor(name, shape, "FLOAT32") for name, shape in shapes.items()]
    moved, nothing = np.array([shift, shift, 0, 0], np.float32), np.zeros(2, np.float32)
    constants = [tensor("moved", (4,), "FLOAT32", 1), tensor("nothing", (2,), "FLOAT32", 2)]
    operators = (operator(0, (0, 6), (3,)), operator(0, (1, 7), (4,)), operator(0, (2, 7), (5,)))
    parts = graph((*ins, *outs, *constants), operators, (0, 1, 2), (3, 4, 5))
    return packed(model([parts], ["ADD"], [moved.tobytes(), nothing.tobytes()]))


def segmenter(bias: float = 0.0) -> bytes:
    """Scores of three classes for each of 4 x 4 pixels, as they are given; `bias` is added to the first class."""
    tensors = (
        tensor("scores", (1, 4, 4, 3), "FLOAT32"),
        tensor("bias", (3,), "FLOAT32", 1),
        tensor("found", (1, 4, 4, 3), "FLOAT32"),
    )
    parts = graph(tensors, (operator(0, (0, 1), (2,)),), (0,), (2,))
    return packed(model([parts], ["ADD"], [np.array([bias, 0, 0], np.float32).tobytes()]))


def given_files(folder: Path, files: dict[str, bytes], more: str = "") -> LoadedExperiment:
    """An experiment of files, the first of which is the reference."""
    for name, content in files.items():
        (folder / f"{name}.tflite").write_bytes(content)
    tables = "".join(f'[variants.{name}]\nfile = "{name}.tflite"\n' for name in files)
    text = f'title = "Given"\nseed = 3\nreference = "{next(iter(files))}"\n{more}\n{tables}'
    return write_experiment(folder, text, "given")


_loaded: dict[tuple[bytes, str], Asked] = {}


def _load_once(path: Path, shapes: Mapping[int, Sequence[int]]) -> Asked:
    key = path.read_bytes(), repr(shapes)
    if key not in _loaded:
        _loaded[key] = load(path, shapes)
    return _loaded[key]


def adopted(experiment: LoadedExperiment, name: str, output: Path) -> None:
    """A given file's variant, for tests of what comes after it: LiteRT loads the same bytes once, not for each test."""
    with patch("jobs.adopt.stage.load", _load_once):
        adopt(experiment, name, output)
