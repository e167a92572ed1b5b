"""Whether two files answer alike: both run on the same random inputs, each in a process of its own."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.errors import EdgeproofError
from common.schema.inspection import OutputDifference
from common.schema.tflite import Port
from common.tflite.ask import Question, answer
from jobs.inspect.pairing import Input, Paired

SAMPLES, SEED = 32, 0
# Values of all samples of all inputs, or of all outputs: as many samples as fit are drawn, and one at least.
MOST_VALUES = 1 << 25
LARGEST_INPUT = 1 << 26


def difference(
    first: Path, second: Path, ports: Paired, outputs: Sequence[Port]
) -> tuple[OutputDifference | None, str | None]:
    """How much the answers differ, or why the files were not run; `outputs` are those of the first."""
    sides = [math.prod(each.shape) for each in ports.inputs]
    if max(sides) > LARGEST_INPUT:
        return None, "an input is too large to be filled"
    given = sum(abs(math.prod(port.shape)) for port in outputs)
    samples = max(1, min(SAMPLES, MOST_VALUES // max(1, sum(sides), given)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = folder / "samples.npz"
        _draw(drawn, ports.inputs, samples)
        try:
            found = [_answers(path, drawn, ports, place, folder) for place, path in enumerate((first, second))]
            return _measured(found[0], found[1], ports, samples), None
        except EdgeproofError as error:
            return None, error.message


def _draw(path: Path, inputs: Sequence[Input], samples: int) -> None:
    random = np.random.default_rng(SEED)
    arrays: dict[str, Any] = {}
    for place, each in enumerate(inputs):
        shape, low, high = (samples, *each.shape), each.drawn.low, each.drawn.high
        if each.drawn.whole:
            first, last = math.ceil(low), max(math.ceil(low), math.floor(high))
            arrays[f"input_{place}"] = random.integers(first, last, shape, endpoint=True)
        else:
            arrays[f"input_{place}"] = np.float32(low) + random.random(shape, np.float32) * np.float32(high - low)
    with path.open("wb") as stream:
        np.savez(stream, **arrays)


def _answers(path: Path, drawn: Path, ports: Paired, side: int, folder: Path) -> list[npt.NDArray[Any]]:
    """The answers of a file, [samples, ...] each. Raises EdgeproofError where it cannot be run."""
    places = [each.second if side else each.first for each in ports.inputs]
    order = [places.index(place) for place in range(len(places))]
    shapes = {place: each.shape for place, each in zip(places, ports.inputs, strict=True)}
    output = folder / f"answers_{side}.npz"
    # With the kernels that an app gets where it asks for nothing.
    answer(path, Question(drawn, order, output, xnnpack=True), shapes)
    with np.load(output, allow_pickle=False) as kept:
        return [kept[f"output_{place}"] for place in range(len(kept.files))]


def _measured(
    first: list[npt.NDArray[Any]], second: list[npt.NDArray[Any]], ports: Paired, samples: int
) -> OutputDifference:
    largest: float | None = 0.0
    values, nan, infinite = 0, [0, 0], [0, 0]
    for place, other in enumerate(ports.outputs):
        if first[place].shape != second[other].shape:
            shapes = " and ".join(str(list(found.shape[1:])) for found in (first[place], second[other]))
            raise EdgeproofError(f"output {place} of the first file has another shape than its like: {shapes}")
        for pair in zip(first[place], second[other], strict=True):
            old, new = (np.asarray(found, np.float64) for found in pair)
            values += old.size
            for side, found in enumerate((old, new)):
                nan[side] += int(np.isnan(found).sum())
                infinite[side] += int(np.isinf(found).sum())
            apart = _apart(old, new)
            # Whole numbers of 64 bits may differ in what real ones do not hold.
            apart = 1.0 if apart == 0 and not np.array_equal(*pair, equal_nan=pair[0].dtype.kind == "f") else apart
            largest = None if largest is None or apart is None else max(largest, apart)
    return OutputDifference(
        samples=samples,
        seed=SEED,
        inputs=tuple(each.drawn for each in ports.inputs),
        values=values,
        nan=(nan[0], nan[1]),
        infinite=(infinite[0], infinite[1]),
        max_abs_difference=largest,
        same_top1=_same_top1(first[0], second[ports.outputs[0]]),
    )


def _apart(old: npt.NDArray[np.float64], new: npt.NDArray[np.float64]) -> float | None:
    """The largest difference; None where a NaN or an infinite value stands against another one."""
    finite = np.isfinite(old) & np.isfinite(new)
    if not (finite | (old == new) | (np.isnan(old) & np.isnan(new))).all():
        return None
    return float(np.abs(old[finite] - new[finite]).max(initial=0))


def _same_top1(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float | None:
    """How often the largest value along the last side is at the same place, where there is more than one value. NaN
    on one side only is never the same."""
    if first.ndim == 1 or first.shape[-1] == 1 or first.size == 0:
        return None
    tops = [np.argmax(found, axis=-1) for found in (first, second)]
    broken = [np.isnan(np.asarray(found, np.float64)) for found in (first, second)]
    same = (tops[0] == tops[1]) & (broken[0] == broken[1]).all(axis=-1)
    return float(same.mean())
