"""Whether the figures of a run's evaluations follow from the answers that lie beside them. Nothing is run again.

    python -m jobs.evaluate.follows --run runs/demo --experiment experiments/demo.toml

Reads   <run>/evaluation/, variant.json and the Keras outputs of <run>/variants/, of the dataset the card and labels
Writes  nothing; a line of JSON for everything that does not follow, and one at the end
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from common import cli
from common.arrays import load
from common.artifact import read, verified
from common.dataset import read_card, read_labels
from common.experiment import LoadedExperiment
from common.experiment import load as load_experiment
from common.findings import differences, tell_findings
from common.findings import figures as count
from common.ports import output_names
from common.schema.answers import Answers, Score
from common.schema.evaluation import Evaluation
from common.schema.evidence import Finding, Followed
from common.schema.variant import Variant
from jobs.evaluate.answers import ARTIFACT, Outputs, agreements, beside, loaded
from jobs.evaluate.score import of_values
from jobs.evaluate.stage import Reference, figures, reported

NO_SCORE = "scores of the user's own function are taken as they stand: no code of a bundle is run"


def follows(run: Path, experiment: LoadedExperiment) -> tuple[list[Finding], Followed]:
    """All that does not follow. Raises UsageError for a file that is missing or was changed."""
    of_run = _evaluations if experiment.settings.has_images else _answers
    found: list[Finding] = []
    stated: list[Evaluation | Answers] = []
    for name, one, derived in of_run(run, experiment):
        stated.append(one)
        found += differences(f"evaluation/{name}/{ARTIFACT}: ", one, derived)
    told = sum(one.count for one in stated)
    notes = (NO_SCORE,) if any(isinstance(one, Answers) and one.score for one in stated) else ()
    return found, Followed(what=f"{len(stated)} evaluations from {told:,} answers", figures=count(stated), notes=notes)


def _evaluations(run: Path, experiment: LoadedExperiment) -> Iterator[tuple[str, Evaluation, Evaluation]]:
    """Each evaluation with what follows in its place."""
    card, settings = read_card(run / "dataset"), experiment.settings
    split = reported(experiment, card)
    labels = read_labels(run / "dataset", card, split)
    shape = len(labels), len(card.classes)
    reference: Reference | None = None
    for name in _reference_first(experiment):
        made, folder = read(run / "variants" / name / "variant.json", Variant), run / "evaluation" / name
        stated = read(folder / ARTIFACT, Evaluation)
        outputs = load(folder, stated.outputs, np.float32, shape)
        keras = made.keras_outputs
        beside_it = None if keras is None else load(run / "variants" / name, keras, np.float32, shape)
        told: dict[str, Any] = {"variant": name, "model_sha256": made.model.sha256, "classes": card.classes}
        told |= {"split": split} | figures(outputs, labels, card.classes, beside_it, reference)
        yield name, stated, stated.model_copy(update=told)
        reference = (name, outputs) if name == settings.reference else reference


def _answers(run: Path, experiment: LoadedExperiment) -> Iterator[tuple[str, Answers, Answers]]:
    compared: tuple[Answers, Outputs] | None = None
    values: Any = None
    for name in _reference_first(experiment):
        made, folder = read(run / "variants" / name / "variant.json", Variant), run / "evaluation" / name
        stated = read(folder / ARTIFACT, Answers)
        mine = loaded(verified(folder, stated.outputs), output_names(made))
        told: dict[str, Any] = {"variant": name, "model_sha256": made.model.sha256}
        told |= {"reference": None if compared is None else compared[0].variant}
        told |= beside(tuple(agreements(made, mine, compared)))
        if stated.score is not None and stated.score.values is not None:
            own = load(folder, stated.score.values, np.float64, (stated.count,))
            told["score"] = _score(stated.score, own, values, experiment.settings.seed)
            values = own if compared is None else values
        yield name, stated, stated.model_copy(update=told)
        compared = compared or (stated, mine)


def _score(stated: Score, own: Any, reference: Any, seed: int) -> Score:
    """The score as it follows from those of the examples."""
    if reference is None:
        return stated.model_copy(update={"value": float(own.mean()), "difference": None, "differences": ()})
    found = of_values(own, reference, seed)
    told = {"value": found.value, "difference": found.difference, "differences": found.differences}
    return stated.model_copy(update=told)


def _reference_first(experiment: LoadedExperiment) -> list[str]:
    reference = experiment.settings.reference
    return sorted(experiment.settings.variants, key=lambda name: name != reference)


def main(
    *,
    run: Annotated[Path, cli.READ, typer.Option(help="Folder of a run.")],
    experiment: Annotated[Path, cli.READ, typer.Option(help="Experiment file (TOML).")],
) -> None:
    """Derive the figures of every evaluation again."""
    tell_findings(*follows(run, load_experiment(experiment)))


if __name__ == "__main__":
    cli.run(main)
