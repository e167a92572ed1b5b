"""Whether a results file, which may come from elsewhere, contradicts itself. Pure."""

from collections.abc import Iterator, Sequence

from common.errors import UsageError
from common.run.checks import check_confusion, no_repeats, same
from common.schema.results import Results


def check_results(results: Results) -> None:
    """A results file, which may come from elsewhere, speaks of its own variants and classes only."""
    names = [variant.name for variant in results.variants]
    no_repeats("variant", names)
    no_repeats("target", [target.name for target in results.targets])
    no_repeats("evaluation of", [evaluation.variant for evaluation in results.evaluations])
    no_repeats("measurement", [(m.variant, m.target, m.backend, m.threads, m.runner) for m in results.measurements])
    for what, name in _mentioned(results):
        if name not in names:
            raise UsageError(f"{what} '{name}' is not among the variants {', '.join(names)}", hint="correct the file")
    _check_complete(results, names)
    for evaluation in results.evaluations:
        check_confusion(evaluation)
    _check_classes(results)


def _mentioned(results: Results) -> list[tuple[str, str]]:
    return [
        ("the reference", results.reference),
        *(("the measured variant", measurement.variant) for measurement in results.measurements),
        *(("the evaluated variant", evaluation.variant) for evaluation in results.evaluations),
        *(("the traced variant", name) for name in sorted({p.variant for t in results.traces for p in t.processes})),
        *(("the variant with changed answers", flips.variant) for flips in results.flips),
        *(("the variant to choose", s.candidate.name) for s in (results.choice.standings if results.choice else ())),
        *_chosen(results),
    ]


def _chosen(results: Results) -> Iterator[tuple[str, str]]:
    """Every variant that the choice and its verdicts speak of."""
    choice = results.choice
    if choice is None:
        return
    named = {"recommended": choice.best, "smallest": choice.smallest, "fastest": choice.fastest}
    named["second"] = None if choice.runner_up is None else choice.runner_up.name
    named["overall best"] = None if choice.overall is None else choice.overall.best
    yield from ((f"the {what} variant", name) for what, name in named.items() if name is not None)
    yield from (("the winner", winner.best) for winner in choice.winners if winner.best is not None)
    if choice.judgement is not None:
        yield from (("the judged variant", found.variant) for found in choice.judgement.variants)
        yield from (("the judged variant", speed.variant) for speed in choice.judgement.speeds)
        yield from (("the variant that gains", gain.best) for gain in choice.judgement.gains if gain.best is not None)


def _check_complete(results: Results, names: Sequence[str]) -> None:
    """A choice speaks of every variant, and so does its judgement."""
    choice = results.choice
    if choice is None:
        return
    told = {"the choice": [standing.candidate.name for standing in choice.standings]}
    if choice.judgement is not None:
        told["the judgement"] = [found.variant for found in choice.judgement.variants]
    for what, found in told.items():
        no_repeats(f"variant in {what}", found)
        missing = next((name for name in names if name not in found), None)
        if missing is not None:
            raise UsageError(f"{what} says nothing of the variant '{missing}'", hint="correct the file")


def _check_classes(results: Results) -> None:
    classes = 0 if results.dataset is None else len(results.dataset.classes)
    for flip in (flip for flips in results.flips for flip in flips.shown):
        if max(flip.label, flip.reference_answer, flip.variant_answer) >= classes:
            raise UsageError(f"the answers to {flip.file} are no classes of the dataset", hint="correct the file")
    if (card := results.dataset) is not None:
        for _, split in card.splits:
            same("the number of counts per class", len(split.per_class), "the number of classes", len(card.classes))
    if (training := results.training) is not None and training.class_weights is not None:
        weights = len(training.class_weights)
        same("the number of class weights", weights, "the number of classes", len(training.classes))
