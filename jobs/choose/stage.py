"""The choose stage: finished artifacts to the one file to ship, with the reasons."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from jobs.choose.recommend import Case, Recommendation, recommend
from jobs.choose.settings import overall, winners
from jobs.choose.wording import label

ARTIFACT = "choice.json"
MODEL_CARD = "model_card.md"
PACKAGES = ("ai-edge-litert", "flatbuffers", "numpy")


@dataclass(frozen=True)
class Decision:
    """What a run comes to. `sentences` recommend, `compared` is about another network; `best` is the variant to ship,
    None where nothing can be recommended."""

    run: Run
    case: Case
    chosen: Recommendation
    sentences: tuple[str, ...]
    compared: str | None
    best: Variant | None

    @property
    def is_trained(self) -> bool:
        """Whether the best one's file gets metadata: a given one is left as it is."""
        return self.best is not None and self.best.recipe is not None


def choose(experiment: LoadedExperiment, folders: Folders, output: Path) -> Choice:
    """Judge the experiment's variants and write the best one into `output`.

    Raises UsageError when an input is missing, was changed or is not of the same run, EdgeproofError
    when the file with metadata is not the same model any more.
    """
    recorder = Recorder("choose", experiment)
    decision, title = decide(read_run(experiment, folders)), experiment.settings.title
    best = decision.best
    content = None if best is None else verified(folders.variants / best.name, best.model).read_bytes()
    shipped = None if content is None else to_ship(decision, content, title)
    if content is not None and shipped is not None and decision.is_trained:
        require_same(content, shipped)
    with writing(output, ARTIFACT, *folders.all):
        for path in (*output.glob("*.tflite"), output / MODEL_CARD):
            path.unlink(missing_ok=True)
        model = card = None
        if best is not None and content is not None and shipped is not None:
            write_bytes(output / f"{best.name}.tflite", shipped)
            model = file_ref(output / f"{best.name}.tflite", output)
            write_bytes(output / MODEL_CARD, card_of(decision, model, content, title))
            card = file_ref(output / MODEL_CARD, output)
        provenance = recorder.finish(decision.run.inputs, PACKAGES)
        choice = Choice(provenance=provenance, model=model, card=card, **told(decision))
        write_model(output / ARTIFACT, choice)
    return choice


def decide(run: Run) -> Decision:
    """Judge and recommend."""
    judgement, settings = judge(run.evidence), run.experiment.settings
    case = Case(candidates(run, judgement), settings.reference, settings.choose, judgement)
    chosen = recommend(case)
    sentences, compared = explain.recommendation(case, chosen), network.compare(case, chosen)
    best = next((variant for variant in run.variants if variant.name == chosen.best), None)
    return Decision(run, case, chosen, sentences, compared, best)


def told(decision: Decision) -> dict[str, Any]:
    """What a choice says of itself, by the names of its artifact; its files are left out."""
    case, chosen = decision.case, decision.chosen
    return {
        "reference": case.reference,
        "rules": case.rules,
        "setting": case.setting,
        "standings": chosen.standings,
        "smallest": chosen.smallest,
        "fastest": chosen.fastest,
        "best": chosen.best,
        "recommendation": decision.sentences,
        "network": decision.compared,
        "judgement": case.judgement,
        "confidence": confidence(case, chosen),
        "runner_up": runner_up(case, chosen),
        "winners": winners(case, chosen),
        "overall": overall(case, chosen),
    }


def card_of(decision: Decision, model: FileRef, content: bytes, title: str) -> bytes:
    """The card of the best one; `content` is its file as it was measured, `model` what is shipped."""
    if decision.best is None:
        raise EdgeproofError("nothing is recommended, and nothing has a card")
    said = decision.sentences if decision.compared is None else (*decision.sentences, decision.compared)
    about = About(title, decision.case, decision.chosen.standings, said, decision.best)
    text = _card(about, decision.run, model, content) if decision.is_trained else file_card(about, model)
    return text.encode("utf-8", "replace")


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


def to_ship(decision: Decision, content: bytes, title: str) -> bytes:
    """The best one's file: with metadata and labels where it was trained here, else as it is."""
    variant = decision.best
    if variant is None or not decision.is_trained:
        return content
    text = f"Image classifier with {len(variant.classes)} classes. sha256 without metadata: {variant.model.sha256}"
    about = Description(name=f"{title}: {label(variant.name)}", text=text, version=VERSION, labels=LABELS)
    metadata = build_metadata(about, variant.inputs[0], variant.outputs[0])
    return package(content, metadata, label_file(variant.classes))
