"""What a device is asked: inputs as bytes, and this machine's answers by the same file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from common.errors import EdgeproofError
from common.tflite.ask import AskedPort, Question, answer
from common.tflite.predict import UNIT, predict, quantise, scaled
from jobs.benchmark.feeds import Sampled, stored


@dataclass(frozen=True)
class Questions:
    """`samples` holds the bytes of every input, one entry a question; `inputs` are their tensors with the shape of
    one question. `expected` are this machine's answers, an array [n, ...] per output.

    `images`: the one output has scores of classes, and several questions may be asked at once, joined along the
    first side. Of samples, `again` are this machine's answers by other kernels, where there are some.
    """

    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    samples: tuple[tuple[bytes, ...], ...]
    outputs: tuple[AskedPort, ...]
    expected: tuple[Any, ...]
    images: bool
    again: tuple[Any, ...] = ()


def of_images(model: Path, images: npt.NDArray[np.uint8], pixels: tuple[float, float] = UNIT) -> Questions:
    """Images uint8 [n, h, w, 3], which become `pixels` for a classifier of one input and one output.

    Raises EdgeproofError for a model that cannot be asked.
    """
    try:
        interpreter = Interpreter(str(model), num_threads=1)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise EdgeproofError(f"{model} cannot be run: {error}") from None
    ports, results = interpreter.get_input_details(), interpreter.get_output_details()
    if len(ports) != 1 or len(results) != 1:
        text = f"{model} has {len(ports)} inputs and {len(results)} outputs; images are for one of each"
        raise EdgeproofError(text)
    values = quantise(scaled(images, pixels), ports[0])
    return Questions(
        inputs=((str(ports[0]["name"]), (1, *(int(side) for side in images.shape[1:]))),),
        samples=tuple((np.ascontiguousarray(value).tobytes(),) for value in values),
        outputs=(_port(results[0]),),
        expected=(predict(model, images, workers=1, pixels=pixels),),
        images=True,
    )


def of_samples(model: Path, sampled: Sampled) -> Questions:
    """The samples of a model of any kind, answered here in processes of their own: on plain kernels, and by XNNPACK.

    Raises EdgeproofError for a model that cannot be asked.
    """
    values = [stored(array, port) for array, port in zip(sampled.arrays, sampled.ports, strict=True)]
    inputs = tuple((port.name, shape) for port, shape in zip(sampled.ports, sampled.shapes, strict=True))
    with TemporaryDirectory(prefix="edgeproof-questions-") as name:
        given = Path(name) / "samples.npz"
        # Bytes and answers are of the same numbers: those that the file itself takes.
        named: dict[str, Any] = {f"input_{place}": array for place, array in enumerate(values)}
        np.savez(given, **named)
        outputs, expected = _answered(model, given, sampled.shapes, xnnpack=False)
        try:
            _, again = _answered(model, given, sampled.shapes, xnnpack=True)
        except EdgeproofError:
            again = ()
    return Questions(
        inputs=inputs,
        samples=tuple(tuple(value.tobytes() for value in sample) for sample in zip(*values, strict=True)),
        outputs=outputs,
        expected=expected,
        images=False,
        again=again,
    )


def _answered(
    model: Path, samples: Path, shapes: Sequence[tuple[int, ...]], *, xnnpack: bool
) -> tuple[tuple[AskedPort, ...], tuple[Any, ...]]:
    """The outputs, and this machine's answers."""
    told = samples.with_name("answers.npz")
    asked = answer(model, Question(samples, range(len(shapes)), told, xnnpack), dict(enumerate(shapes)))
    with np.load(told, allow_pickle=False) as found:
        return asked.outputs, tuple(found[f"output_{place}"] for place in range(len(asked.outputs)))


def _port(found: Any) -> AskedPort:
    scale, zero_point = found["quantization"]
    return AskedPort(
        name=str(found["name"]),
        dtype=np.dtype(found["dtype"]).name,
        shape=tuple(int(side) for side in found["shape"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )
