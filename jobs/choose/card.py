"""The model card: what somebody who gets only the file must know. Pure; whatever comes from outside is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass

from common import markdown
from common.flattery import flattery
from common.markdown import code, escape, fenced
from common.numbers import count, decimal, megabytes
from common.provenance import VERSION
from common.schema.base import FileRef
from common.schema.choice import Candidate, Standing
from common.schema.dataset import Dataset
from common.schema.tflite import Port
from common.schema.training import Training
from common.schema.variant import Variant
from jobs.choose import usage, wording
from jobs.choose.labels import label_lines
from jobs.choose.package import LABELS
from jobs.choose.recommend import Case

SOURCES = {"folder": "a folder", "archive": "an archive", "url": "a URL", "synthetic": "edgeproof's generator"}


@dataclass(frozen=True)
class Facts:
    """All that the card tells. `model` is the file with its metadata; `runtime` the oldest TensorFlow Lite
    that can run it, where the file says so."""

    title: str
    case: Case
    standings: tuple[Standing, ...]
    sentences: tuple[str, ...]
    variant: Variant
    dataset: Dataset
    training: Training | None
    model: FileRef
    runtime: str | None

    @property
    def candidate(self) -> Candidate:
        """The variant as it was judged."""
        return self.case.candidate(self.variant.name)


def model_card(facts: Facts) -> str:
    """The card in Markdown."""
    sections = (
        ("", _head(facts)),
        ("Input, output and labels", _ports(facts)),
        ("Figures", _figures(facts)),
        ("How it was chosen", _choice(facts)),
        ("How it was made", _making(facts)),
        ("Use it in Python", _python(facts)),
        ("Use it on Android", _android(facts)),
        ("Limits", _limits(facts)),
    )
    parts = (f"## {title}\n\n{body}" if title else body for title, body in sections)
    return "\n\n".join(parts) + "\n"


def _head(facts: Facts) -> str:
    network = "another network than" if facts.candidate.other_network else "the network"
    trained = facts.training
    origin = "" if trained is None else f": {network} {escape(trained.architecture)} ({trained.parameters} parameters "
    origin += "" if trained is None else "before it was optimised)"
    lines = (
        f"# {escape(facts.title)}: {escape(wording.label(facts.variant.name))}",
        f"An image classifier with {count(len(facts.variant.classes), 'class', 'classes')}{origin}, chosen by "
        f"edgeproof {VERSION}.",
        table(
            ("File", "Value"),
            (
                ("Name", code(facts.model.path)),
                ("Size", f"{facts.model.size_bytes} bytes, metadata and labels included"),
                ("sha256", code(facts.model.sha256)),
                ("sha256 as it was measured, without metadata", code(facts.variant.model.sha256)),
                ("Runtime", escape(_runtime(facts.runtime))),
                ("Licence", "unknown: edgeproof knows no licence of the images or of what was trained on them"),
            ),
        ),
    )
    return "\n\n".join(lines)


def _runtime(version: str | None) -> str:
    return "LiteRT" if version is None else f"LiteRT, or TensorFlow Lite {version} and later"


def _ports(facts: Facts) -> str:
    image, scores = facts.variant.inputs[0], facts.variant.outputs[0]
    _, height, width, _ = image.shape
    rows = (
        ("Input", _shape(image), escape(image.dtype), f"RGB image, {_range(image)}"),
        ("Output", _shape(scores), escape(scores.dtype), f"one score per class, {_range(scores)}"),
    )
    preprocessing = (
        f"Preprocessing: turn the photo upright, resize it to {height} x {width} pixels without regard to its aspect "
        "ratio (bilinear, antialiased), divide the 8-bit values by 255."
    )
    if image.scale is not None:
        preprocessing += " Then quantise: round(value / scale) + zero point."
    classes = facts.variant.classes
    labels = tuple(
        (str(index), escape(line), "" if line == name else escape(name))
        for index, (line, name) in enumerate(zip(label_lines(classes), classes, strict=True))
    )
    return "\n\n".join(
        (
            table(("Tensor", "Shape", "Type", "Content"), rows),
            preprocessing,
            f"All of this is in the file as TFLite metadata. The labels are its `{LABELS}`; any zip reader opens it.",
            table(("Index", "Label", "Class, where the label had to be changed"), labels),
        )
    )


def _shape(port: Port) -> str:
    return " x ".join(str(side) for side in port.shape)


def _range(port: Port) -> str:
    if port.scale is None:
        return "0 to 1"
    return f"0 to 1 with scale {port.scale:.9g} and zero point {port.zero_point}"


def _figures(facts: Facts) -> str:
    candidate, own = facts.candidate, facts.case.own
    rows = [
        ("Accuracy", escape(wording.quality(candidate).removeprefix("accuracy "))),
        ("Size", f"{megabytes(candidate.size_bytes)} MB; {wording.label(own.name)} has {megabytes(own.size_bytes)} MB"),
        ("Size in a zip", f"{megabytes(facts.variant.deflated_bytes)} MB"),
    ]
    if candidate.latency_us is not None and facts.case.setting is not None:
        where = wording.place(facts.case.setting)
        rows.append(("Latency", escape(f"{decimal(candidate.latency_us)} µs on {where}")))
        if candidate.name != own.name:
            rows.append(("Speed", escape(wording.speed(candidate, own.name))))
    note = (
        f"Accuracy on {_images(candidate)} {facts.dataset.reported} images, with its 95 % interval (Wilson), "
        f"beside {escape(wording.label(own.name))} on the same images. The latency was measured without metadata, "
        "which no runtime touches."
    )
    flattered = None if facts.training is None else flattery(facts.dataset.reported, facts.training)
    if flattered is not None:
        note += f"\n\n{flattered}"
    return f"{table(('Figure', 'Value'), rows)}\n\n{note}"


def _choice(facts: Facts) -> str:
    sentences = "\n\n".join(escape(sentence) for sentence in facts.sentences)
    others = [standing for standing in facts.standings if standing.candidate.name != facts.variant.name]
    if not others:
        return sentences
    rows = [(escape(wording.label(s.candidate.name)), s.verdict, escape(s.reason)) for s in others]
    return f"{sentences}\n\n{table(('Not chosen', 'Verdict', 'Reason'), rows)}"


def _making(facts: Facts) -> str:
    card, made = facts.dataset, facts.variant.provenance
    hashes = {item.role: item.sha256 for item in made.inputs}
    source = f"{SOURCES[card.source_kind]}: {escape(card.source)}"
    rows = [
        ("Images", source),
        ("Images of each split", _counts(card)),
        *(("Epochs", f"{len(t.epochs)}, best {t.best_epoch}") for t in (facts.training,) if t is not None),
        ("Experiment", f"{code(made.experiment)}, seed {made.seed}"),
        ("Commit", "unknown" if made.code.commit is None else code(made.code.commit)),
        *((f"sha256 of {escape(role)}.json", code(digest)) for role, digest in hashes.items()),
    ]
    recipe = (
        []
        if facts.variant.recipe is None
        else facts.variant.recipe.model_dump_json(indent=2, by_alias=True).splitlines()
    )
    return f"{table(('Fact', 'Value'), rows)}\n\nThe recipe:\n\n{fenced(recipe, 'json')}"


def _counts(card: Dataset) -> str:
    return ", ".join(f"{name} {split.count}" for name, split in card.splits)


def _python(facts: Facts) -> str:
    program = usage.python(facts.model.path, facts.variant.inputs[0], facts.variant.outputs[0])
    return f"With `pip install ai-edge-litert numpy pillow`:\n\n{fenced(program.splitlines(), 'python')}"


def _android(facts: Facts) -> str:
    image = facts.variant.inputs[0]
    program = usage.kotlin(facts.model.path, image)
    if program is None:
        return (
            f"Android's task libraries take float32 or uint8 images, not {escape(image.dtype)}: use LiteRT's "
            "interpreter as in Python, or leave `integer_io` out of the recipe."
        )
    program = fenced(program.splitlines(), "kotlin")
    return f"With MediaPipe's task library, which reads the metadata. This program was not tested.\n\n{program}"


def _limits(facts: Facts) -> str:
    where = wording.measured(facts.case.setting)
    lines = (
        f"The accuracy is that on {_images(facts.candidate)} images of the training's source. Other cameras, "
        "places and seasons were not tried.",
        f"{escape(where)}; measure on the device that it is to run on.",
        "A score is no calibrated probability, and an image of none of the classes gets one of them all the same.",
        "Nothing was examined but accuracy, size and latency: no fairness, no attacks, no failure of the camera.",
    )
    return "\n".join(f"- {line}" for line in lines)


def _images(candidate: Candidate) -> int:
    return 0 if candidate.accuracy is None else candidate.accuracy.total


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(markdown.table(head, rows))
