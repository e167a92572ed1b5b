"""The card of a chosen file that was given: what is known of it without its training. Pure; what comes from outside is
escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from common.markdown import code, escape, fenced
from common.numbers import decimal, megabytes
from common.ports import input_names, output_names
from common.provenance import VERSION
from common.schema.base import FileRef
from common.schema.choice import Candidate, Standing
from common.schema.tflite import Port
from common.schema.variant import Variant
from jobs.choose import wording
from jobs.choose.card import table
from jobs.choose.recommend import Case

PYTHON = """\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter("{file}")
interpreter.allocate_tensors()
for port in interpreter.get_input_details():
    interpreter.set_tensor(port["index"], np.zeros(port["shape"], port["dtype"]))  # your values
interpreter.invoke()
outputs = [interpreter.get_tensor(port["index"]) for port in interpreter.get_output_details()]
"""


@dataclass(frozen=True)
class About:
    """What was chosen, and why: the experiment's title, all candidates, and the recommendation in sentences."""

    title: str
    case: Case
    standings: tuple[Standing, ...]
    sentences: tuple[str, ...]
    variant: Variant


def file_card(about: About, model: FileRef) -> str:
    """The card in Markdown; `model` is the file beside it."""
    case, variant = about.case, about.variant
    candidate = case.candidate(variant.name)
    sections = (
        ("", _head(about.title, variant, model)),
        ("Inputs and outputs", _ports(variant)),
        ("Figures", _figures(case, candidate)),
        ("How it was chosen", _choice(variant, about.standings, about.sentences)),
        ("Use it in Python", f"With `pip install ai-edge-litert numpy`:\n\n{fenced(_program(model), 'python')}"),
        ("Limits", _limits(case, candidate)),
    )
    parts = (f"## {heading}\n\n{body}" if heading else body for heading, body in sections)
    return "\n\n".join(parts) + "\n"


def _head(title: str, variant: Variant, model: FileRef) -> str:
    rows = [
        ("Name", code(model.path)),
        ("Size", f"{model.size_bytes} bytes"),
        ("sha256", code(model.sha256)),
        ("Licence", "unknown: edgeproof did not make the network and does not know whose it is"),
    ]
    if variant.origin is not None:
        what = "The file as it was given" if variant.origin.sha256 == model.sha256 else "Made from"
        # The folder is this machine's affair, and the card goes with the file.
        rows.insert(0, (what, code(PurePath(variant.origin.file).name)))
    lines = (
        f"# {escape(title)}: {escape(wording.label(variant.name))}",
        f"A .tflite file that was chosen, and not trained, by edgeproof {VERSION}.",
        table(("File", "Value"), rows),
    )
    return "\n\n".join(lines)


def _ports(variant: Variant) -> str:
    named = [("Input", name, port) for name, port in zip(input_names(variant), variant.inputs, strict=True)]
    named += [("Output", name, port) for name, port in zip(output_names(variant), variant.outputs, strict=True)]
    rows = [(what, escape(name), _shape(port), escape(port.dtype), _scale(port)) for what, name, port in named]
    return table(("", "Name", "Shape", "Type", "Quantisation"), rows)


def _shape(port: Port) -> str:
    return " x ".join(str(side) for side in port.open_shape or port.shape) or "scalar"


def _scale(port: Port) -> str:
    return "none" if port.scale is None else f"scale {port.scale:.9g}, zero point {port.zero_point}"


def _figures(case: Case, candidate: Candidate) -> str:
    own = case.own
    rows = [
        ("Quality", escape(wording.quality(candidate))),
        ("Size", f"{megabytes(candidate.size_bytes)} MB; {wording.label(own.name)} has {megabytes(own.size_bytes)} MB"),
    ]
    if candidate.latency_us is not None and case.setting is not None:
        rows.append(("Latency", escape(f"{decimal(candidate.latency_us)} µs on {wording.place(case.setting)}")))
        if candidate.name != own.name:
            rows.append(("Speed", escape(wording.speed(candidate, own.name))))
    return table(("Figure", "Value"), rows)


def _choice(variant: Variant, standings: Sequence[Standing], sentences: Sequence[str]) -> str:
    told = "\n\n".join(escape(sentence) for sentence in sentences)
    others = [standing for standing in standings if standing.candidate.name != variant.name]
    rows = [(escape(wording.label(s.candidate.name)), s.verdict, escape(s.reason)) for s in others]
    return f"{told}\n\n{table(('Not chosen', 'Verdict', 'Reason'), rows)}" if rows else told


def _program(model: FileRef) -> list[str]:
    return PYTHON.format(file=model.path).splitlines()


def _limits(case: Case, candidate: Candidate) -> str:
    where = wording.measured(case.setting)
    lines = [f"{escape(where)}; measure on the device that it is to run on."]
    if candidate.accuracy is None and candidate.score is None:
        lines.append("Whether its answers are right was not judged: only how they lie beside another file's.")
    return "\n".join(f"- {line}" for line in lines)
