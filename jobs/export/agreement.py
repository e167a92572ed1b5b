"""Whether a file answers as the Keras model does that it was converted from."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.ports import input_names, output_names
from common.schema.variant import Promise, Variant
from common.tflite.ask import Question, answer
from jobs.export.network import Network

SAMPLES = 4
# Of the largest value of an output: sums are made in another order, and some functions are approximated.
MOST_SHARE = 1e-3


def agrees(
    network: Network, variant: Variant, file: Path, ends: Mapping[str, tuple[float, float]], seed: int
) -> Promise:
    """The promise that the float32 `file`, which `variant` describes, gives Keras' outputs for drawn inputs."""
    inputs = network.inputs
    drawn = [_drawn(spec, ends.get(spec.name, variant.pixels), [seed, n]) for n, spec in enumerate(inputs)]
    order = _places([spec.name for spec in inputs], input_names(variant))
    with tempfile.TemporaryDirectory() as folder:
        samples, found = Path(folder) / "samples.npz", Path(folder) / "answers.npz"
        np.savez(samples, **{f"input_{place}": array for place, array in enumerate(drawn)})
        answer(file, Question(samples, order, found))
        with np.load(found) as arrays:
            files = [arrays[f"output_{place}"] for place in range(len(variant.outputs))]
    asked = [network.answers([array[n] for array in drawn]) for n in range(SAMPLES)]
    keras = [np.stack([each[name] for each in asked]) for name in asked[0]]
    places = _places(list(asked[0]), output_names(variant))
    share = max(_share(keras[place], one) for place, one in zip(places, files, strict=True))
    return Promise(
        claim="largest distance from the Keras model's answers, as a share of the largest answer,",
        subject="its float32 file",
        expected=f"at most {MOST_SHARE:g}",
        observed=f"{share:.2g}",
        kept=share <= MOST_SHARE,
    )


def _places(known: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where each wanted name stands; TensorFlow changes characters of names, and then their order is what is left."""
    return [known.index(name) for name in wanted] if set(known) == set(wanted) else list(range(len(wanted)))


def _drawn(spec: Any, ends: tuple[float, float], seed: list[int]) -> Any:
    """Values for an input, [SAMPLES, *shape]: real numbers between the ends, and whole ones of which every table has
    a row."""
    random, shape = np.random.default_rng(seed), (SAMPLES, *spec.shape)
    if "float" in spec.dtype:
        low, high = ends
        return (low + random.random(shape) * (high - low)).astype(np.float32)
    return random.integers(0, 2, shape).astype(spec.dtype)


def _share(asked: Any, file: Any) -> float:
    if asked.size != file.size:
        return float("inf")
    wanted, found = asked.astype(np.float64).ravel(), file.astype(np.float64).ravel()
    if not np.array_equal(np.isfinite(wanted), np.isfinite(found)):
        return float("inf")
    finite = np.isfinite(wanted)
    distance = np.abs(wanted - found)[finite].max(initial=0.0)
    return float(distance / max(np.abs(wanted)[finite].max(initial=0.0), np.finfo(np.float32).tiny))
