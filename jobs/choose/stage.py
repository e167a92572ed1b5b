"""The choose stage: finished artifacts to the one file to ship, with the reasons."""

from pathlib import Path

from common.artifact import file_ref, verified, write_bytes, write_model, writing
from common.errors import EdgeproofError
from common.experiment import LoadedExperiment
from common.provenance import VERSION, Recorder
from common.run.judge import judge
from common.run.read import Folders, Run, read_run
from common.schema.base import FileRef
from common.schema.choice import Choice
from common.schema.variant import Variant
from jobs.choose import explain, network
from jobs.choose.candidates import candidates
from jobs.choose.card import Facts, model_card
from jobs.choose.confidence import confidence, runner_up
from jobs.choose.file_card import About, file_card
from jobs.choose.labels import label_file
from jobs.choose.metadata import Description, build_metadata
from jobs.choose.package import LABELS, minimum_runtime, package, require_same
from jobs.choose.recommend import Case, recommend
from jobs.choose.settings import overall, winners
from jobs.choose.wording import label

ARTIFACT = "choice.json"
MODEL_CARD = "model_card.md"
PACKAGES = ("ai-edge-litert", "flatbuffers", "numpy")


def choose(experiment: LoadedExperiment, folders: Folders, output: Path) -> Choice:
    """Judge the experiment's variants and write the best one into `output`.

    Raises UsageError when an input is missing, was changed or is not of the same run, EdgeproofError
    when the file with metadata is not the same model any more.
    """
    recorder = Recorder("choose", experiment)
    run = read_run(experiment, folders)
    judgement = judge(run.evidence)
    settings = experiment.settings
    case = Case(candidates(run, judgement), settings.reference, settings.choose, judgement)
    chosen = recommend(case)
    sentences, compared = explain.recommendation(case, chosen), network.compare(case, chosen)
    best = next((variant for variant in run.variants if variant.name == chosen.best), None)
    content = None if best is None else verified(folders.variants / best.name, best.model).read_bytes()
    trained = best is not None and best.recipe is not None
    packaged = _package(best, content, settings.title) if trained and best is not None and content else content
    with writing(output, ARTIFACT, *folders.all):
        for path in (*output.glob("*.tflite"), output / MODEL_CARD):
            path.unlink(missing_ok=True)
        model = card = None
        if best is not None and content is not None and packaged is not None:
            write_bytes(output / f"{best.name}.tflite", packaged)
            model = file_ref(output / f"{best.name}.tflite", output)
            said = sentences if compared is None else (*sentences, compared)
            about = About(settings.title, case, chosen.standings, said, best)
            text = _card(about, run, model, content) if trained else file_card(about, model)
            write_bytes(output / MODEL_CARD, text.encode("utf-8", "replace"))
            card = file_ref(output / MODEL_CARD, output)
        choice = Choice(
            provenance=recorder.finish(run.inputs, PACKAGES),
            reference=case.reference,
            rules=case.rules,
            setting=case.setting,
            standings=chosen.standings,
            smallest=chosen.smallest,
            fastest=chosen.fastest,
            best=chosen.best,
            recommendation=sentences,
            network=compared,
            model=model,
            card=card,
            judgement=judgement,
            confidence=confidence(case, chosen),
            runner_up=runner_up(case, chosen),
            winners=winners(case, chosen),
            overall=overall(case, chosen),
        )
        write_model(output / ARTIFACT, choice)
    return choice


def _card(about: About, run: Run, model: FileRef, content: bytes) -> str:
    """The card of a variant that was trained here."""
    if run.dataset is None:
        raise EdgeproofError("a variant that was trained has no data set", hint="name the dataset's folder")
    return model_card(
        Facts(
            title=about.title,
            case=about.case,
            standings=about.standings,
            sentences=about.sentences,
            variant=about.variant,
            dataset=run.dataset,
            training=run.training,
            model=model,
            runtime=minimum_runtime(content),
        )
    )


def _package(variant: Variant, content: bytes, title: str) -> bytes:
    """The file with metadata and labels, after checking that it still is the same model."""
    text = f"Image classifier with {len(variant.classes)} classes. sha256 without metadata: {variant.model.sha256}"
    about = Description(name=f"{title}: {label(variant.name)}", text=text, version=VERSION, labels=LABELS)
    metadata = build_metadata(about, variant.inputs[0], variant.outputs[0])
    packaged = package(content, metadata, label_file(variant.classes))
    require_same(content, packaged)
    return packaged
