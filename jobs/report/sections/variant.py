"""All about one variant, in a part that its row opens: recipe, checks, measurements, operators, classes. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from common.numbers import count, decimal, listed, megabytes, percent
from common.schema.evaluation import Evaluation
from common.schema.results import Results, VariantResult
from common.schema.tflite import Proof
from jobs.report import choice, why
from jobs.report.document import Fold, Table, facts
from jobs.report.names import Grid, variant_labels
from jobs.report.sections.accuracy import confusion, scores
from jobs.report.sections.devices import operators
from jobs.report.sections.latency import measured
from jobs.report.sections.master import anchor
from jobs.report.sections.proof import uncounted

MACS_PER_MILLION = 1_000_000


def folds(results: Results) -> Iterator[Fold]:
    """A closed part per variant, in the file's order."""
    for variant in results.variants:
        blocks = tuple(_blocks(results, variant))
        if blocks:
            yield Fold(anchor(variant.name), variant_labels(results)[variant.name], blocks)


def _blocks(results: Results, variant: VariantResult) -> Iterator[Table]:
    known = tuple(_facts(results, variant))
    if known:
        yield facts("Recipe and file", "Fact", "Value", known)
    yield from measured(results, variant.name)
    yield from operators(results, variant.name)
    evaluation = next((e for e in results.evaluations if e.variant == variant.name), None)
    if evaluation is not None:
        yield from _classes(results, evaluation)
    yield from _layers(results, variant.name)


def _classes(results: Results, evaluation: Evaluation) -> Iterator[Table]:
    yield scores(results, evaluation)
    yield confusion(evaluation)


def _layers(results: Results, name: str) -> Iterator[Table]:
    """Layer by layer beside the reference, where the deciding setting was profiled; the terminal shows any two."""
    first = Grid(results).first
    if name != results.reference and first is not None:
        for table in why.between(results, results.reference, name, (first,)):
            # The reasons stand in a chapter of their own.
            yield replace(table, notes=())


def _facts(results: Results, variant: VariantResult) -> Iterator[tuple[str, str]]:
    if variant.steps:
        yield "Recipe", ", then ".join(variant.steps)
    standing = choice.standing(results, variant.name)
    if standing is not None:
        yield "Why this verdict", standing.reason
    yield "File", f"{variant.size_bytes} bytes"
    if variant.promises_kept is not None and variant.promises_total is not None:
        yield "Checks passed", _checks(variant)
    if variant.proof is not None:
        yield from _proof(variant.proof)


def _checks(variant: VariantResult) -> str:
    text = f"{variant.promises_kept} of {variant.promises_total}"
    return f"{text}; waived: {'; '.join(variant.waived)}" if variant.waived else text


def _proof(proof: Proof) -> Iterator[tuple[str, str]]:
    share = proof.int8_mac_share
    int8 = "" if share is None else f", {percent(share)} of them in int8"
    unknown = uncounted(proof)
    yield (
        "Multiply-accumulates",
        f"{decimal(proof.macs / MACS_PER_MILLION)} million{int8}"
        + (f", and those of {unknown}, which are not known" if unknown else ""),
    )
    if proof.faults:
        yield "Faults", "; ".join(proof.faults)
    yield "Weights", f"{megabytes(proof.weight_bytes)} MB"
    if proof.float_islands:
        islands = tuple(" ".join(island) for island in proof.float_islands)
        yield "Float islands", f"{len(islands)}: {'; '.join(islands)}"
    if proof.refusals:
        reasons = tuple(f"{count(r.count, r.operator, r.operator)} ({r.text})" for r in proof.refusals)
        yield "Not delegated by XNNPACK", listed(reasons)
