"""Evaluate a variant that no labelled images are for: its answers to the samples, beside the reference's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.artifact import atomic, file_ref, read, sha256_file, verified, write_model, writing
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.ports import output_names, places, shapes
from common.provenance import Recorder
from common.schema.answers import Answers, OutputAgreement, Score
from common.schema.inputs import SampledPort, Samples
from common.schema.variant import Variant
from common.tflite.ask import Question, answer
from jobs.evaluate.agreement import agreement, alone_of, paired
from jobs.evaluate.score import examples, limited, load_scorer, read_targets, scored

ARTIFACT, SAMPLES = "evaluation.json", "inputs.json"
PACKAGES = ("ai-edge-litert", "numpy")
Outputs = dict[str, Any]


def evaluate_answers(
    experiment: LoadedExperiment, variant: Path, samples: Path, reference: Path | None, output: Path
) -> Answers:
    """Ask the variant in folder `variant` with the samples in folder `samples` and write `output`; `reference` is the
    evaluation that it is compared with (None for the reference itself).

    Raises UsageError for missing or unsuitable inputs, EdgeproofError when the file cannot be run.
    """
    recorder = Recorder("evaluate", experiment)
    made, card = read(variant / "variant.json", Variant), read(samples / SAMPLES, Samples)
    model, arrays = verified(variant, made.model), verified(samples, card.arrays)
    compared = None if reference is None else _read_reference(reference, sha256_file(samples / SAMPLES))
    inputs = (variant, samples) if reference is None else (variant, samples, reference)
    with writing(output, ARTIFACT, *inputs):
        order = places(made, card.ports)
        with atomic(output / "outputs.npz") as path:
            answer(model, Question(arrays, order, path), _shapes(experiment, made, card.ports, order))
        mine = loaded(output / "outputs.npz", output_names(made))
        rows = tuple(agreements(made, mine, compared))
        used = {"samples": sha256_file(samples / SAMPLES), "model": made.model.sha256}
        score = _score(experiment, mine, compared, (samples, card), output)
        if score is not None:
            used["score"] = score.source_sha256
        evaluation = Answers(
            provenance=recorder.finish(used, PACKAGES),
            variant=made.name,
            model_sha256=made.model.sha256,
            reference=None if compared is None else compared[0].variant,
            count=card.count,
            drawn=card.kind == "drawn",
            score=score,
            **beside(rows),
            outputs=file_ref(output / "outputs.npz", output),
        )
        write_model(output / ARTIFACT, evaluation)
    return evaluation


def beside(rows: tuple[OutputAgreement, ...]) -> dict[str, Any]:
    """What the outputs tell of the answers as a whole, by the names of their artifact."""
    return {
        "agreement": rows,
        "finite": not any(row.not_finite for row in rows),
        "constant": bool(rows) and all(row.constant for row in rows),
    }


def _shapes(
    experiment: LoadedExperiment, variant: Variant, ports: Sequence[SampledPort], order: Sequence[int]
) -> Mapping[int, Sequence[int]]:
    """The shapes to ask with: the samples', where the variant leaves them open."""
    chosen = shapes(variant, experiment.settings.inputs.shape)
    for place, port in enumerate(variant.inputs):
        wanted = ports[order[place]].shape
        fixed = port.open_shape or port.shape
        fits = len(fixed) == len(wanted) and all(side in (-1, other) for side, other in zip(fixed, wanted, strict=True))
        if not fits:
            text = f"{variant.name} takes {list(fixed)} for input {port.name}, but the reference {list(wanted)}"
            raise EdgeproofError(text, hint="measure files of one task together")
        chosen[place] = wanted
    return chosen


def _read_reference(folder: Path, samples_sha256: str) -> tuple[Answers, Outputs]:
    found = read(folder / ARTIFACT, Answers)
    used = {item.role: item.sha256 for item in found.provenance.inputs}.get("samples")
    if used != samples_sha256:
        raise UsageError(f"{folder} was asked with other samples", hint="evaluate both with the same samples")
    return found, loaded(verified(folder, found.outputs), [row.name for row in found.agreement])


def loaded(path: Path, names: Sequence[str]) -> Outputs:
    """The outputs of a file in its order, by their names."""
    with np.load(path, allow_pickle=False) as found:
        return {name: found[f"output_{place}"] for place, name in enumerate(names)}


def agreements(variant: Variant, mine: Outputs, compared: tuple[Answers, Outputs] | None) -> list[OutputAgreement]:
    """How each output lies beside the reference's; of the reference itself what can be said of it alone."""
    types = {name: port.dtype for name, port in zip(mine, variant.outputs, strict=True)}
    if compared is None:
        return [alone_of(name, types[name], values) for name, values in mine.items()]
    names, theirs = list(mine), list(compared[1])
    rows = []
    for name, place in zip(theirs, paired(names, theirs, names), strict=True):
        if place is None:
            rows.append(OutputAgreement(name=name, shape=(), dtype="", problem="the file has no such output"))
        else:
            rows.append(agreement(name, types[names[place]], mine[names[place]], compared[1][name]))
    return rows


def _score(
    experiment: LoadedExperiment,
    mine: Outputs,
    compared: tuple[Answers, Outputs] | None,
    samples: tuple[Path, Samples],
    output: Path,
) -> Score | None:
    wanted = experiment.settings.evaluate.score
    if wanted is None:
        return None
    folder, card = samples
    if not card.targets:
        raise UsageError("evaluate.score needs targets", hint="[evaluate] targets, or an array `target` in each .npz")
    scorer = load_scorer(experiment.folder / wanted)
    targets = read_targets(folder, card.targets, verified)
    theirs = None if compared is None else examples(compared[1])
    # A score knows the outputs by the reference's names.
    named = mine if compared is None else _renamed(mine, list(compared[1]))
    with limited():
        found = scored(scorer, examples(named), targets, theirs, experiment.settings.seed)
    values = None
    if found.values is not None:
        with atomic(output / "scores.npy") as path, path.open("wb") as stream:
            np.save(stream, found.values)
        values = file_ref(output / "scores.npy", output)
    return Score(
        function=scorer.name,
        source_sha256=scorer.sha256,
        value=found.value,
        difference=found.difference,
        differences=found.differences,
        values=values,
    )


def _renamed(mine: Outputs, theirs: Sequence[str]) -> Outputs:
    names = list(mine)
    chosen = zip(theirs, paired(names, theirs, names), strict=True)
    return {name: mine[names[place]] for name, place in chosen if place is not None}
