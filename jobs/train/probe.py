"""Convert networks that are not trained yet, in a process of its own: a converter that crashes takes only that along.

    python -m jobs.train.probe FOLDER

Reads   FOLDER/trials.json images.npy outputs.npy, and the networks that the trials name
Writes  to standard output a line of JSON for each network and then for each trial, in their order
"""

import sys
from pathlib import Path

import numpy as np

from common.artifact import read
from common.errors import EdgeproofError
from common.keras_file import said
from common.tensorflow_import import load_quietly
from jobs.train.trials import IMAGES, TRIALS, Answer, Trials, outputs_of

# Of a probability, in float32.
SAME = 1e-4


def main(folder: Path) -> None:
    """Answer what stands in a folder."""
    load_quietly()
    from common.networks.convert import Conversion, convert
    from common.networks.culprit import part
    from common.networks.saved import load_saved

    asked, images = read(folder / TRIALS, Trials), np.load(folder / IMAGES)
    for name in asked.networks:
        differs = _differs(folder, name, images)
        print(Answer(refusal=differs).model_dump_json(), flush=True)
        if differs is not None:
            return
    for trial in asked.trials:
        model, refusal = load_saved(folder / trial.network), None
        try:
            if trial.layers is None:
                convert(model, trial.convert, images)
            else:
                Conversion(trial.convert, images)(part(model, trial.layers))
        except EdgeproofError as error:
            refusal = error.message
        except Exception as error:  # Of a part, which is asked only whether it crashes.
            refusal = type(error).__name__
        print(Answer(refusal=refusal).model_dump_json(), flush=True)


def _differs(folder: Path, name: str, images: np.ndarray) -> str | None:
    """What is wrong with a network that was saved and is loaded again, as every later stage does."""
    from common.networks.saved import load_saved

    try:
        found = np.asarray(load_saved(folder / name)(images.astype(np.float32) / np.float32(255), training=False))
    except Exception as error:  # A Lambda may need what stood beside it.
        return f"it cannot be loaded again: {said(error.__cause__ or error)}"
    difference = float(np.abs(found - np.load(folder / outputs_of(name))).max())
    return None if difference <= SAME else f"its outputs differ by {difference:.2g} when it is loaded again"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
