"""The paragraph at the top: what the figures say, and no more than that. Pure."""

from collections.abc import Iterator

from common.numbers import count, decimal, listed, megabytes, percent, proportion, ratio
from common.schema.evaluation import Evaluation
from common.schema.results import Results, VariantResult
from jobs.report import choice
from jobs.report.accuracy import is_worse
from jobs.report.names import Grid, Setting, variant_labels


def summarise(results: Results) -> tuple[str, ...]:
    """Sentences about the variant to ship, accuracy, the smallest and the fastest variant."""
    chosen = () if results.choice is None else choice.sentences(results.choice)
    return (*chosen, *_sentences(results))


def _sentences(results: Results) -> Iterator[str]:
    yield from _accuracy(results)
    candidates = _candidates(results)
    if candidates:
        yield _smallest(results, candidates)
    grid = Grid(results)
    ranked = [setting for setting in grid.settings if not setting.functional_only]
    fastest = {setting: _fastest(results, grid, setting, candidates) for setting in ranked}
    yield from (sentence for sentence in fastest.values() if sentence is not None)
    unsure = tuple(_lowest(results, grid, s, candidates) for s, sentence in fastest.items() if sentence is None)
    if unsure:
        yield (
            f"Lowest inference time {'; '.join(unsure)}. "
            "Without a spread nobody can tell which of these differences are real."
        )


def _evaluation(results: Results, variant: str) -> Evaluation | None:
    return next((e for e in results.evaluations if e.variant == variant), None)


def _candidates(results: Results) -> tuple[VariantResult, ...]:
    """Variants that lose no accuracy that this data can show; all where none was evaluated."""
    if not results.evaluations:
        return results.variants
    evaluated = {e.variant for e in results.evaluations if not is_worse(e.mcnemar)}
    if results.choice is not None:
        # The choice has a margin beside the test, and one page must not name two smallest variants.
        evaluated -= {s.candidate.name for s in results.choice.standings if s.verdict == "beyond the margin"}
    return tuple(variant for variant in results.variants if variant.name in evaluated)


def _accuracy(results: Results) -> Iterator[str]:
    labels = variant_labels(results)
    own = _evaluation(results, results.reference)
    if own is None:
        return
    reference = labels[results.reference]
    beside = ""
    if results.dataset is not None:
        beside = f"; a classifier that sees only colours gets {percent(results.dataset.colour_baseline.value)}"
    yield (
        f"Of {count(own.count, 'validation image')}, {reference} gets {proportion(own.accuracy)} right "
        f"(95 % interval in brackets){beside}."
    )
    compared = [e for e in results.evaluations if e.mcnemar is not None]
    worse = tuple(labels[e.variant] for e in compared if is_worse(e.mcnemar))
    if worse:
        yield f"Significantly less accurate than {reference}: {listed(worse)}."
    elif compared:
        yield (
            f"No variant is significantly less accurate than {reference}, "
            "which is no proof that they are equally accurate."
        )


def _kept(results: Results) -> str:
    if results.choice is not None:
        return " that keeps the accuracy"
    return " without a significant loss of accuracy" if results.evaluations else ""


def _smallest(results: Results, candidates: tuple[VariantResult, ...]) -> str:
    labels = variant_labels(results)
    # Compared as printed: files that differ by some bytes are the same size to a reader.
    size = min(v.size_bytes for v in candidates)
    same = tuple(v for v in candidates if megabytes(v.size_bytes) == megabytes(size))
    own = next(v.size_bytes for v in results.variants if v.name == results.reference)
    beside = "" if any(v.name == results.reference for v in same) or not own else f", {percent(size / own)} of "
    beside += f"{labels[results.reference]}'s" if beside else ""
    what = f"Smallest{_kept(results)}"
    return f"{what}: {listed(tuple(labels[v.name] for v in same))} ({megabytes(size)} MB{beside})."


def _fastest(results: Results, grid: Grid, setting: Setting, candidates: tuple[VariantResult, ...]) -> str | None:
    """The variant with the largest ratio whose interval lies above 1; None where there are no ratios."""
    labels = variant_labels(results)
    reference = labels[results.reference]
    found = [(v, latency) for v in candidates if (latency := grid.trusted(v.name, setting)) is not None]
    among = _kept(results)
    if not found:
        return f"On {setting.label} no variant{among} could be measured."
    if all(latency.ratio is None for _, latency in found):
        return None
    clear = [(v, latency.ratio) for v, latency in found if latency.ratio is not None and latency.ratio.low > 1]
    if not clear:
        return f"On {setting.label} no variant{among} is clearly faster than {reference}."
    variant, best = max(clear, key=lambda pair: pair[1].value)
    winner = f"{labels[variant.name]}, {ratio(best)} as fast as {reference}"
    return f"Largest clear gain in speed{among} on {setting.label}: {winner}."


def _lowest(results: Results, grid: Grid, setting: Setting, candidates: tuple[VariantResult, ...]) -> str:
    found = [(v, latency) for v in candidates if (latency := grid.trusted(v.name, setting)) is not None]
    variant, latency = min(found, key=lambda pair: pair[1].latency_us)
    return f"on {setting.label}: {variant_labels(results)[variant.name]} ({decimal(latency.latency_us)} µs)"
