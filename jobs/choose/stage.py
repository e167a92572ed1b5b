"""The choose stage: finished artifacts to the one file to ship, with the reasons."""

from dataclasses import astuple
from pathlib import Path

from common.artifact import file_ref, verified, write_bytes, write_model, writing
from common.experiment import LoadedExperiment
from common.provenance import VERSION, Recorder
from common.schema.choice import Choice
from common.schema.variant import Variant
from jobs.choose import explain, network
from jobs.choose.candidates import candidates, deciding_setting
from jobs.choose.card import Facts, model_card
from jobs.choose.given import Folders, Given, read_given
from jobs.choose.labels import label_file
from jobs.choose.metadata import Description, build_metadata
from jobs.choose.package import LABELS, minimum_runtime, package, require_same
from jobs.choose.recommend import Case, recommend
from jobs.choose.wording import label

ARTIFACT = "choice.json"
MODEL_CARD = "model_card.md"
PACKAGES = ("ai-edge-litert", "flatbuffers", "numpy")


def choose(experiment: LoadedExperiment, folders: Folders, output: Path) -> Choice:
    """Choose among the experiment's variants and write the best one into `output`.

    Raises UsageError when an input is missing, was changed or is not of the same run, EdgeproofError
    when the file with metadata is not the same model any more.
    """
    recorder = Recorder("choose", experiment)
    given = read_given(experiment.settings, folders)
    case = _case(experiment, given)
    chosen = recommend(case)
    sentences, compared = explain.recommendation(case, chosen), network.compare(case, chosen)
    variant = next(variant for variant in given.variants if variant.name == chosen.best)
    content = verified(folders.variants / variant.name, variant.model).read_bytes()
    packaged = _package(variant, content, experiment.settings.title)
    with writing(output, ARTIFACT, *astuple(folders)):
        for path in output.glob("*.tflite"):
            path.unlink()
        write_bytes(output / f"{variant.name}.tflite", packaged)
        facts = Facts(
            title=experiment.settings.title,
            case=case,
            standings=chosen.standings,
            sentences=sentences if compared is None else (*sentences, compared),
            variant=variant,
            dataset=given.dataset,
            training=given.training,
            model=file_ref(output / f"{variant.name}.tflite", output),
            runtime=minimum_runtime(content),
        )
        write_bytes(output / MODEL_CARD, model_card(facts).encode("utf-8", "replace"))
        choice = Choice(
            provenance=recorder.finish(given.inputs, PACKAGES),
            reference=case.reference,
            rules=case.rules,
            setting=case.setting,
            standings=chosen.standings,
            smallest=chosen.smallest,
            fastest=chosen.fastest,
            best=chosen.best,
            recommendation=sentences,
            network=compared,
            model=facts.model,
            card=file_ref(output / MODEL_CARD, output),
        )
        write_model(output / ARTIFACT, choice)
    return choice


def _case(experiment: LoadedExperiment, given: Given) -> Case:
    settings = experiment.settings
    setting = deciding_setting(given.benchmark, settings.choose)
    judged = candidates(given.variants, given.evaluations, given.benchmark, setting)
    return Case(judged, settings.reference, settings.choose, setting)


def _package(variant: Variant, content: bytes, title: str) -> bytes:
    """The file with metadata and labels, after checking that it still is the same model."""
    text = f"Image classifier with {len(variant.classes)} classes. sha256 without metadata: {variant.model.sha256}"
    about = Description(name=f"{title}: {label(variant.name)}", text=text, version=VERSION, labels=LABELS)
    metadata = build_metadata(about, variant.inputs[0], variant.outputs[0])
    packaged = package(content, metadata, label_file(variant.classes))
    require_same(content, packaged)
    return packaged
