"""Networks of the kinds that people bring, with every pass and every format: what becomes int8, and is that true.

    python -m tests.benchmarks.network_table <folder> [--network conv1d …] [--pass quantize_aware …] [--format int8 …]

Each network runs in a process of its own, with one step of training for each pass; `<folder>/<network>.jsonl` gets a
line for each cell at once, and cells that are there already are not made again. Where the process crashes, the cell is
what an experiment of it gets: the look before a training, which tries networks in a process of its own. Prints a table
in Markdown of the share of the multiply-accumulates in int8, and below it every traceback and every untrue word.

A layer's word is held against the file without the names of tensors (`tests/words.py`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import tomli_w

from common import markdown
from common.errors import EdgeproofError
from common.numbers import percent
from common.schema.convert import Convert
from common.schema.recipe import Recipe

IMAGES, BATCH = 8, 8
TIMEOUT_SECONDS = 3600
LINE = 160
TUNED = {"epochs": 1}
# A network of less than a thousand weights has no CompactNet for a student.
PUPIL = Path(__file__).with_name("pupil.py")
PASSES: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "merge_separable": [{"pass": "merge_separable"}],
    "fold_batch_norm": [{"pass": "fold_batch_norm"}],
    "factorize": [{"pass": "factorize", "rank": 4, "min_weights": 64, **TUNED}],
    "prune": [{"pass": "prune", "frequency": 1, **TUNED}],
    "cluster": [{"pass": "cluster", "clusters": 4, "initialization": "LINEAR", **TUNED}],
    "distill": [{"pass": "distill", "student": {"architecture": str(PUPIL)}, "batch_size": 8, **TUNED}],
    "quantize_aware": [{"pass": "quantize_aware", **TUNED}],
    "sparsity preserved": [
        {"pass": "prune", "frequency": 1, **TUNED},
        {"pass": "quantize_aware", "preserve": "sparsity", **TUNED},
    ],
    "clusters preserved": [
        {"pass": "cluster", "clusters": 4, "initialization": "LINEAR", **TUNED},
        {"pass": "quantize_aware", "preserve": "clusters", **TUNED},
    ],
}
# Of tests/benchmarks/kinds.py, which needs TensorFlow.
NAMES = (
    *("conv_bn_relu", "batch_norm_after_relu", "nested_sequential", "nested_functional", "lstm_rows", "gru"),
    *("attention", "conv1d", "transposed", "transposed_bn", "dense_bn", "dilated", "leaky_relu", "slicing"),
    *("add_concatenate", "few_weights", "dense_only", "rescaling_first", "augmentation", "group_normalization"),
    *("mixed_precision", "called_twice", "any_size", "fixed_batch", "tanh_heads", "elu_selu", "dense_on_rows"),
    *("dense_on_maps", "depthwise", "separable", "upsample_transposed", "squeeze_excite", "hard_swish", "subclassed"),
)
AWARE = ("quantize_aware", "sparsity preserved", "clusters preserved")
FORMATS: tuple[str, ...] = get_args(Convert.model_fields["format"].annotation)


@dataclass(frozen=True)
class CellResult:
    """`share` of the multiply-accumulates in int8, None where there are none; `refused` is a line of the product,
    `traceback` one of anything else, `broken` a promise that is not kept; `untrue` are words that the file does not
    bear out."""

    network: str
    passes: str
    format: str
    share: float | None = None
    waived: tuple[str, ...] = ()
    broken: str | None = None
    refused: str | None = None
    traceback: str | None = None
    untrue: tuple[str, ...] = ()


def cells(passes: list[str], formats: list[str]) -> Iterator[tuple[str, str]]:
    """Every pass with every format that it goes together with."""
    for name in passes:
        for number in formats:
            if name not in AWARE or number == "int8":
                yield name, number


def measure(network: str, folder: Path, passes: list[str], formats: list[str]) -> None:
    """Make the cells of a network that are not there yet."""
    from common.tensorflow_import import load_quietly

    load_quietly()
    path = folder / f"{network}.jsonl"
    known = {(cell.passes, cell.format) for cell in read(path)}
    model: Any = None
    for name, number in cells(passes, formats):
        if (name, number) in known:
            continue
        try:
            model = model or _built(network)
            result = _cell(model, network, name, number)
        except EdgeproofError as error:
            result = CellResult(network, name, number, refused=str(error).split("\n")[0][:LINE])
        except Exception as error:  # What this looks for.
            line = str(error).strip().split("\n")[0][:LINE]
            result = CellResult(network, name, number, traceback=f"{type(error).__name__}: {line}")
        _append(path, result)


def _append(path: Path, result: CellResult) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(result)) + "\n")


def _built(network: str) -> Any:
    """The network as the experiment's model file, looked at as the train stage does."""
    from common.networks import build
    from common.schema.network import Network
    from jobs.optimize.batch_norm import reestimate
    from tests.benchmarks.kinds import CLASSES, IMAGE

    with tempfile.TemporaryDirectory() as name:
        model = build(Network(architecture=str(_written(network, Path(name)))), IMAGE, CLASSES, Path(name))
    # Statistics that fit no data leave activations without a range.
    return reestimate(model, _tuner().batches.images)[0]


def _written(network: str, folder: Path) -> Path:
    path = folder / f"{network}.py"
    path.write_text(
        f"from tests.benchmarks import kinds\n\n\ndef build(input_shape, classes):\n    return kinds.{network}()\n",
        encoding="utf-8",
    )
    return path


def looked(network: str, name: str, number: str) -> CellResult:
    """The cell of a process that crashed: what an experiment is told before its training."""
    from common.experiment import parsed
    from common.tensorflow_import import load_quietly
    from jobs.train.look import look
    from tests.benchmarks.kinds import CLASSES

    load_quietly()
    with tempfile.TemporaryDirectory() as place:
        table = {
            "title": "Table",
            "reference": "tried",
            "model": {"architecture": str(_written(network, Path(place)))},
            "variants": {"tried": {"passes": PASSES[name], "convert": {"format": number}}},
        }
        experiment = parsed(tomli_w.dumps(table).encode(), Path(place) / "table.toml")
        try:
            look(experiment, _built(network), _tuner().batches.images, _tuner().steps_per_epoch, CLASSES)
        except EdgeproofError as error:
            return CellResult(network, name, number, refused=error.message[:LINE])
    return CellResult(network, name, number, traceback="the process crashed, and nothing was said before the training")


def _tuner() -> Any:
    from common.batches import Batches
    from jobs.optimize.fine_tune import FineTuner
    from tests.benchmarks.kinds import CLASSES, IMAGE

    images = np.random.default_rng(3).integers(0, 255, (IMAGES, *IMAGE), dtype=np.uint8)
    labels = np.arange(IMAGES, dtype=np.int32) % CLASSES
    return FineTuner(Batches(images, labels, BATCH, 1), CLASSES, "categorical_crossentropy", None)


def _cell(model: Any, network: str, name: str, number: str) -> CellResult:
    from jobs.optimize.stage import make
    from tests.words import untrue

    recipe = Recipe.model_validate(
        {"passes": tuple(PASSES[name]), "convert": {"format": number, "calibration_images": IMAGES}}
        if number in ("int8", "int16x8")
        else {"passes": tuple(PASSES[name]), "convert": {"format": number}}
    )
    made = make(model, recipe, _tuner())
    words = {note.layer: note.action for note in made.reports[-1].layers} if made.reports else {}
    broken = next((promise for promise in made.promises if not promise.kept and promise.waived is None), None)
    return CellResult(
        network,
        name,
        number,
        share=made.inspection.proof.int8_mac_share,
        waived=tuple(promise.waived for promise in made.promises if promise.waived is not None),
        broken=None if broken is None else f"{broken.claim} of {broken.subject} is {broken.observed}",
        untrue=tuple(untrue(made.model, made.inspection, words)) if name in AWARE else (),
    )


def read(path: Path) -> list[CellResult]:
    """The cells of a network that were made."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [CellResult(**json.loads(line)) for line in lines]


def table(results: list[CellResult]) -> Iterator[str]:
    """Networks down, int8's passes across, then every other format in words."""
    columns = list(dict.fromkeys(cell.passes for cell in results if cell.format == "int8"))
    made = {(cell.network, cell.passes): cell for cell in results if cell.format == "int8"}
    networks = dict.fromkeys(cell.network for cell in results)
    rows = [(f"`{name}`", *(_shown(made.get((name, column))) for column in columns)) for name in networks]
    yield from markdown.table(("network", *columns), rows)
    yield ""
    for word in ("traceback", "untrue", "broken", "refused"):
        found = [cell for cell in results if getattr(cell, word)]
        yield f"{word}: {len(found)} of {len(results)}"
        yield from (f"- {cell.network}, {cell.passes}, {cell.format}: {getattr(cell, word)}" for cell in found)


def _shown(cell: CellResult | None) -> str:
    if cell is None:
        return ""
    if cell.traceback or cell.refused or cell.broken:
        return "traceback" if cell.traceback else "refused" if cell.refused else "not kept"
    return "none" if cell.share is None else percent(cell.share)


def _run(folder: Path, network: str, passes: list[str], formats: list[str], *more: str) -> int:
    """The exit status of a network's own process."""
    chosen = [*(f"--pass={item}" for item in passes), *(f"--format={item}" for item in formats), *more]
    command = [sys.executable, "-m", __spec__.name, str(folder), "--one", network, *chosen]
    trusted = {**os.environ, "EDGEPROOF_TRUST": "1"}
    return subprocess.run(command, env=trusted, stderr=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS).returncode


def main() -> None:
    """Run what is asked for, each network in a process of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", action="append", default=[])
    parser.add_argument("--pass", action="append", default=[], dest="passes", choices=PASSES)
    parser.add_argument("--format", action="append", default=[], dest="formats", choices=FORMATS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--crashed", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    passes, formats = asked.passes or list(PASSES), asked.formats or list(FORMATS)
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.one and asked.crashed:
        _append(asked.folder / f"{asked.one}.jsonl", looked(asked.one, passes[0], formats[0]))
        return
    if asked.one:
        measure(asked.one, asked.folder, passes, formats)
        return
    names = asked.network or list(NAMES)
    for name in names:
        while (status := _run(asked.folder, name, passes, formats)) < 0:
            known = {(cell.passes, cell.format) for cell in read(asked.folder / f"{name}.jsonl")}
            crashed = next(cell for cell in cells(passes, formats) if cell not in known)
            status = _run(asked.folder, name, [crashed[0]], [crashed[1]], "--crashed")
            if status:
                break
        if status:
            print(f"{name}: the process ended with {status}", file=sys.stderr)
    print("\n".join(table([cell for name in names for cell in read(asked.folder / f"{name}.jsonl")])))


if __name__ == "__main__":
    main()
