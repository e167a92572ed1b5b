"""A look at all recipes of an experiment before anything is trained: does the network go through them, and does
TFLite's converter take it?

What is tried is the network as it is, untrained. The project's own networks are known to be taken.
"""

import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.artifact import write_model
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.keras_file import said
from common.networks import BUILDERS, build_student
from common.networks.culprit import HINT, culprit
from common.networks.pixels import scaler
from common.networks.recipes import require_fits
from common.printable import tell
from common.provenance import ROOT
from common.schema.convert import Convert
from common.schema.network import Network
from common.schema.recipe import Factorize, FoldBatchNorm, MergeSeparable, Pass, QuantizeAware, Recipe
from common.schema.trials import IMAGES, TRIALS, Answer, Trial, Trials, outputs_of

# Of training images: what calibrates a conversion that nobody keeps.
PICTURES = 2
# The passes after which a network has other layers.
SHAPING = (FoldBatchNorm, MergeSeparable, Factorize, QuantizeAware)
# The same operators, with weights that are stored otherwise.
AS_FLOAT = ("float16", "dynamic_range")
LIMIT_S = 1800
AWARE_HINT = "change the layer, or leave quantize_aware out of this variant"
CRASHES = "TensorFlow's converter crashes on it, or LiteRT on its file"


def look(experiment: LoadedExperiment, model: Any, images: npt.NDArray[np.uint8], steps: int, classes: int) -> None:
    """Raise UsageError or EdgeproofError naming the variant for which `model` will not do.

    `images` uint8 [n, h, w, 3] are the training images, `steps` the optimiser steps of an epoch.
    """
    if (name := scaler(model)) is not None:
        hint = "leave it out, or begin with Rescaling(255.0)"
        tell(f"note: the network's layer '{name}' is for pixels of 0 to 255, and the images are 0 to 1 already: {hint}")
    networks: dict[Network, Any] = {experiment.settings.model: model}
    wanted: list[Trial] = []
    for name, recipe in experiment.settings.recipes.items():
        try:
            network = _student(networks, recipe, images.shape[1:], classes, experiment.folder)
            require_fits(recipe, model, networks[network], steps)
        except EdgeproofError as error:
            raise error.of(f"variant '{name}'") from None
        if network.architecture not in BUILDERS:
            trial = _trial(name, list(networks).index(network), recipe)
            # One variant stands for all that are converted alike.
            if not any(trial == known.model_copy(update={"variant": name}) for known in wanted):
                wanted.append(trial)
    own = [model for network, model in networks.items() if network.architecture not in BUILDERS]
    if own:
        _try_out(tuple(wanted), tuple(networks.values()), images[:PICTURES])


def _student(networks: dict[Network, Any], recipe: Recipe, shape: Any, classes: int, folder: Path) -> Network:
    """The network that a recipe converts in the end, built if it is not among those yet."""
    if recipe.student is None:
        return next(iter(networks))
    if recipe.student not in networks:
        networks[recipe.student] = build_student(recipe.student, shape, classes, folder)
    return recipe.student


def _trial(name: str, number: int, recipe: Recipe) -> Trial:
    convert = Convert(format=recipe.convert.format, integer_io=recipe.convert.integer_io)
    passes: tuple[Pass, ...] = ()
    if recipe.fine_tune and any(isinstance(settings, QuantizeAware) for settings in recipe.passes):
        # It brings operators and ranges of its own along, which the converter and LiteRT may refuse.
        passes = tuple(_alike(settings) for settings in recipe.passes if isinstance(settings, SHAPING))
    elif convert.format in AS_FLOAT:
        convert = Convert(format="float32")
    return Trial(variant=name, network=_file(number), convert=convert, passes=passes)


def _alike(settings: Pass) -> Pass:
    """The pass that stands for all that differ in how long they train."""
    if not isinstance(settings, QuantizeAware):
        return settings
    return QuantizeAware.model_validate({"pass": settings.name, "preserve": settings.preserve})


def _file(number: int) -> str:
    return f"network-{number}.h5"


def _try_out(trials: tuple[Trial, ...], networks: tuple[Any, ...], images: npt.NDArray[np.uint8]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / IMAGES, images)
        for number, network in enumerate(networks):
            _save(network, folder / _file(number))
            outputs = network(images.astype(np.float32) / np.float32(255), training=False)
            np.save(folder / outputs_of(_file(number)), np.asarray(outputs))
        asked = Trials(networks=tuple(map(_file, range(len(networks)))), trials=trials)
        answers, crashed = _ask(folder, asked)
        for answer, network in zip(answers, networks, strict=False):
            if answer.refusal is not None:
                raise UsageError(f"the network {network.name} cannot be saved: {answer.refusal}")
        for answer, trial in zip(answers[len(networks) :], trials, strict=False):
            if answer.refusal is not None:
                raise _refused(trial, answer.refusal)
        if crashed is not None:
            _tell_crash(folder, trials[len(answers) - len(networks)], networks, crashed)


def _save(network: Any, path: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="You are saving your model as an HDF5")
            network.save(path, save_format="h5", include_optimizer=False)
    except Exception as error:  # Keras raises whatever its layers and HDF5 raise.
        raise UsageError(f"the network {network.name} cannot be saved: {said(error)}") from error


def _ask(folder: Path, asked: Trials) -> tuple[list[Answer], str | None]:
    """The answers of a process of its own, and how it died before it had answered all."""
    write_model(folder / TRIALS, asked)
    command = [sys.executable, "-m", "jobs.optimize.probe", str(folder)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise EdgeproofError(f"converting the untrained network takes longer than {LIMIT_S // 60} minutes") from None
    answers = [Answer.model_validate_json(line) for line in done.stdout.splitlines()]
    if done.returncode > 0:
        raise RuntimeError(done.stderr)
    return answers, signal.Signals(-done.returncode).name if done.returncode else None


def _tell_crash(folder: Path, trial: Trial, networks: tuple[Any, ...], crashed: str) -> None:
    model = networks[[_file(number) for number in range(len(networks))].index(trial.network)]

    def crashes(layers: int) -> bool:
        part = Trials(networks=(), trials=(trial.model_copy(update={"layers": layers}),))
        return _ask(folder, part)[1] is not None

    where = culprit(model, crashes)
    text = f"the network cannot be converted to {trial.convert.format}: {where or model.name}: {CRASHES} ({crashed})"
    raise _refused(trial, text)


def _refused(trial: Trial, why: str) -> EdgeproofError:
    if trial.passes:
        return UsageError(f"variant '{trial.variant}': after quantize_aware, {why}", hint=AWARE_HINT)
    return UsageError(f"variant '{trial.variant}': {why}", hint=HINT)
