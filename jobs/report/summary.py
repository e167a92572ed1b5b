"""The paragraph at the top: what was decided, and no more than that. Pure."""

from collections.abc import Iterator

from common.numbers import count, decimal, listed, megabytes, percent, proportion, speedup
from common.schema.judgement import Gain, Judgement, Keeping
from common.schema.results import Results
from jobs.report import choice
from jobs.report.names import Grid, Setting, variant_labels
from jobs.report.verdicts import spoken


def summarise(results: Results) -> tuple[str, ...]:
    """Sentences about the variant to ship, accuracy, the smallest and the fastest variant; of results that nobody
    judged only what was measured."""
    chosen = () if results.choice is None else choice.sentences(results.choice)
    return (*chosen, *_sentences(results))


def _sentences(results: Results) -> Iterator[str]:
    yield from _reference(results)
    judgement = spoken(results)
    if judgement is None:
        yield from _measured(results)
        return
    yield from _accuracy(results, judgement)
    yield from _smallest(results)
    grid = Grid(results)
    yield from (_gain(results, grid, gain) for gain in judgement.gains)


def _reference(results: Results) -> Iterator[str]:
    own = next((e for e in results.evaluations if e.variant == results.reference), None)
    if own is None:
        return
    beside = ""
    if results.dataset is not None:
        beside = f"; a classifier that sees only colours gets {percent(results.dataset.colour_baseline.value)}"
    yield (
        f"Of {count(own.count, f'{own.split} image')}, {variant_labels(results)[results.reference]} gets "
        f"{proportion(own.accuracy)} right (95 % interval in brackets){beside}."
    )


def _accuracy(results: Results, judgement: Judgement) -> Iterator[str]:
    labels = variant_labels(results)
    reference = labels[results.reference]

    def of(word: Keeping) -> str:
        return listed(tuple(labels[found.variant] for found in judgement.variants if found.accuracy == word))

    if judgement.basis in ("agreement", "cost"):
        return
    what = judgement.basis
    if kept := of("shown to keep"):
        margin = percent(judgement.margin) if what == "accuracy" else f"{judgement.margin:g}"
        yield f"Shown to keep the {what} of {reference} within {margin}: {kept}."
    if lost := of("shown to lose"):
        yield f"Shown to lose {what}: {lost}."
    if unsure := of("not shown"):
        yield f"Not shown to keep the {what}, nor to lose it: {unsure}."


def _smallest(results: Results) -> Iterator[str]:
    """The smallest of those that may be shipped."""
    found = None if results.choice is None else results.choice.smallest
    if results.choice is None or found is None:
        return
    sizes = {v.name: v.size_bytes for v in results.variants}
    eligible = [s.candidate.name for s in results.choice.standings if s.eligible]
    # Compared as printed: files that differ by some bytes are the same size to a reader.
    same = tuple(name for name in eligible if megabytes(sizes[name]) == megabytes(sizes[found]))
    labels = variant_labels(results)
    own = sizes[results.reference]
    beside = ""
    if results.reference not in same and own:
        beside = f", {percent(sizes[found] / own)} of {labels[results.reference]}'s"
    names = listed(tuple(labels[name] for name in same))
    yield f"Smallest{_keeps(spoken(results))}: {names} ({megabytes(sizes[found])} MB{beside})."


# What a variant that may be shipped keeps, by what stands for quality.
KEEPS = {"accuracy": " that keeps the accuracy", "score": " that keeps the score", "agreement": " within the tolerance"}


def _keeps(judgement: Judgement | None) -> str:
    return "" if judgement is None else KEEPS.get(judgement.basis, "")


def _gain(results: Results, grid: Grid, gain: Gain) -> str:
    labels = variant_labels(results)
    reference = labels[results.reference]
    where = next(
        s.label
        for s in grid.settings
        if (s.target, s.backend, s.threads, s.runner)
        == (gain.setting.target, gain.setting.backend, gain.setting.threads, gain.setting.runner)
    )
    if gain.best is None or gain.ratio is None:
        return f"On {where} no variant{_keeps(spoken(results))} is shown to be faster than {reference}."
    winner = f"{labels[gain.best]}, {speedup(gain.ratio)} as fast as {reference}"
    rivals = listed(tuple(labels[name] for name in gain.rivals))
    told = f"; not told from it: {rivals}" if rivals else ""
    return f"Largest gain in speed{_keeps(spoken(results))} on {where}: {winner}{told}."


def _measured(results: Results) -> Iterator[str]:
    """What stands in the tables; nothing follows from it."""
    if results.variants:
        labels = variant_labels(results)
        size = min(v.size_bytes for v in results.variants)
        same = tuple(labels[v.name] for v in results.variants if megabytes(v.size_bytes) == megabytes(size))
        yield f"Smallest: {listed(same)} ({megabytes(size)} MB)."
    grid = Grid(results)
    lowest = tuple(_lowest(results, grid, s) for s in grid.settings if not s.functional_only)
    known = tuple(part for part in lowest if part is not None)
    if known:
        spread = any(m.result.kind == "latency" and m.result.low_us is not None for m in results.measurements)
        why = "Nobody judged these results" if spread else "Without a spread nobody can tell"
        end = "so that nothing is claimed of them" if spread else "which of these differences are real"
        yield f"Lowest inference time {'; '.join(known)}. {why}{',' if spread else ''} {end}."


def _lowest(results: Results, grid: Grid, setting: Setting) -> str | None:
    found = [(v.name, x) for v in results.variants if (x := grid.latency(v.name, setting)) is not None]
    if not found:
        return None
    name, latency = min(found, key=lambda pair: pair[1].latency_us)
    return f"on {setting.label}: {variant_labels(results)[name]} ({decimal(latency.latency_us)} µs)"
