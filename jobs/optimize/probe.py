"""Convert networks that are not trained yet, in a process of its own: a converter that crashes takes only that along.
What passes make of a network is tried with them, but for their training.

    python -m jobs.optimize.probe FOLDER

Reads   FOLDER/trials.json images.npy outputs.npy, and the networks that the trials name
Writes  to standard output a line of JSON for each network and then for each trial, in their order
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from common.artifact import read
from common.batches import Batches
from common.errors import EdgeproofError
from common.keras_file import said
from common.schema.convert import Convert
from common.schema.recipe import Recipe
from common.schema.trials import IMAGES, TRIALS, Answer, Trial, Trials, outputs_of
from common.tensorflow_import import load_quietly

if TYPE_CHECKING:
    from common.tflite.reader import Inspection
    from jobs.optimize.aware_file import AwareFile
    from jobs.optimize.held import Held

# Of a probability, in float32.
SAME = 1e-4
# Promises that hang on the network's layers and on the format, and on no training.
UNTRAINED = ("int8", "type")


def main(folder: Path) -> None:
    """Answer what stands in a folder."""
    load_quietly()
    asked, images = read(folder / TRIALS, Trials), np.load(folder / IMAGES)
    for name in asked.networks:
        differs = _differs(folder, name, images)
        print(Answer(refusal=differs).model_dump_json(), flush=True)
        if differs is not None:
            return
    for trial in asked.trials:
        print(Answer(refusal=_refusal(folder, trial, images)).model_dump_json(), flush=True)


def _differs(folder: Path, name: str, images: npt.NDArray[np.uint8]) -> str | None:
    """What is wrong with a network that was saved and is loaded again, as every later stage does."""
    from common.networks.saved import load_saved

    try:
        found = np.asarray(load_saved(folder / name)(images.astype(np.float32) / np.float32(255), training=False))
    except Exception as error:  # A Lambda may need what stood beside it.
        return f"it cannot be loaded again: {said(error.__cause__ or error)}"
    difference = float(np.abs(found - np.load(folder / outputs_of(name))).max())
    return None if difference <= SAME else f"its outputs differ by {difference:.2g} when it is loaded again"


def _refusal(folder: Path, trial: Trial, images: npt.NDArray[np.uint8]) -> str | None:
    from common.networks.culprit import part
    from common.networks.saved import load_saved

    model = load_saved(folder / trial.network)
    try:
        _try(model if trial.layers is None else part(model, trial.layers), trial, images)
    except EdgeproofError as error:
        return error.message
    except Exception as error:  # tfmot raises whatever its layers raise; a part is asked only whether it crashes.
        return f"it cannot be made: {said(error)}"
    return None


def _try(model: Any, trial: Trial, images: npt.NDArray[np.uint8]) -> None:
    from common.networks.convert import Conversion, convert
    from common.tflite.reader import inspect

    if trial.passes:
        file = _aware(model, trial, images)
        _require(trial.convert, file.inspection, file.held)
    elif trial.layers is None:
        _require(trial.convert, inspect(convert(model, trial.convert, images)), None)
    else:
        Conversion(trial.convert, images)(model)


def _aware(model: Any, trial: Trial, images: npt.NDArray[np.uint8]) -> "AwareFile":
    from jobs.optimize.aware_file import aware_file
    from jobs.optimize.fine_tune import FineTuner
    from jobs.optimize.passed import run_passes

    batches = Batches(images, np.zeros(len(images), np.int32), len(images), seed=0)
    made = run_passes(model, trial.passes, FineTuner(batches, 0, "", None, trains=False))
    # That measures ranges, and converts without the training too: either may crash.
    return aware_file(made.model, made.before, made.aware, trial.convert, images)


def _require(convert: Convert, inspection: "Inspection", held: "Held | None") -> None:
    """Raise EdgeproofError for the first promise that no training will keep."""
    from jobs.optimize.promises import check

    for promise in check(Recipe(convert=convert), (), inspection, held):
        if promise.claim in UNTRAINED and not promise.kept and promise.waived is None:
            most = f": layer '{held.floats[0].layer}' is {held.floats[0].said}" if held and held.floats else ""
            text = f"{promise.claim} of {promise.subject} is {promise.observed}, expected {promise.expected}{most}"
            raise EdgeproofError(f"the recipe's promise would not be kept: {text}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
