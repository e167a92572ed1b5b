"""The decision card: what to ship beside the reference, and what speaks against believing it. Pure."""

from collections.abc import Iterator

from common.numbers import ABSENT, count, decimal, duration, megabytes, percent, speedup
from common.schema.choice import Choice, Standing
from common.schema.results import Results
from jobs.report import verdicts
from jobs.report.blocks import Card, Tile, Tone
from jobs.report.names import Grid, Setting, variant_labels
from jobs.report.sections.master import BYTES_PER_KB
from jobs.report.sections.problems import problems
from jobs.report.sections.unjudged import doubt, measured

CHIPS: dict[str, Tone] = {"clear": "better", "tentative": "problem", "noisy": "worse"}
# Classes whose answers change the most; the section about accuracy has them all.
CLASSES_SHOWN = 3
# Bytes: files below are told in kB.
SHOWN_IN_KB = 100_000


def card(results: Results) -> Card:
    """The card of any results file; one that nobody judged claims nothing."""
    choice = results.choice
    if choice is None:
        return _unjudged(results)
    if choice.best is None:
        return Card("Nothing to ship", "No variant", choice.recommendation[0], problems=problems(results))
    file = choice.model
    sure = choice.confidence
    return Card(
        lead="Ship",
        name=variant_labels(results).get(choice.best, choice.best),
        reason=_sentence(_standing(choice, choice.best).reason if sure is None else sure.reason),
        file="" if file is None else file.path,
        sha256="" if file is None else file.sha256,
        chip=("", "plain") if sure is None else (sure.word, CHIPS[sure.word]),
        tiles=tuple(_tiles(results, choice, choice.best)),
        points=tuple(_points(results, choice, choice.best)),
        problems=problems(results),
    )


def _unjudged(results: Results) -> Card:
    settings = len(Grid(results).settings)
    where = f" in {count(settings, 'setting')}" if settings else ""
    name = f"{count(len(results.variants), 'variant')}{where}"
    told = tuple(measured(results))
    return Card("Measured, not judged", name, doubt(results), points=told, problems=problems(results))


def _sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _standing(choice: Choice, name: str) -> Standing:
    return next(standing for standing in choice.standings if standing.candidate.name == name)


def _tiles(results: Results, choice: Choice, best: str) -> Iterator[Tile]:
    setting = Grid(results).first
    if setting is not None and not setting.functional_only:
        yield _speedup(results, choice, best, setting)
        yield _latency(results, best, setting)
    yield _download(results, best)
    quality = _quality(results, choice, best)
    if quality is not None:
        yield quality


def _reference(results: Results) -> str:
    return variant_labels(results).get(results.reference, results.reference)


def _speedup(results: Results, choice: Choice, best: str, setting: Setting) -> Tile:
    beside = f"{_reference(results)} is 1"
    if best == results.reference:
        return Tile("Speed-up", "1", "it is the reference", "")
    found = Grid(results).speed(best, setting)
    bare = _standing(choice, best).candidate.ratio
    ratio = bare if found is None else found.ratio
    if ratio is None:
        why = "" if found is None or found.obstacle is None else found.obstacle.cause
        return Tile("Speed-up", "not compared", f"{why} on {setting.backend_label}" if why else "", beside, "problem")
    value, _, ends = speedup(ratio).partition(" ")
    word = "" if found is None else f" · {found.verdict}"
    tone = "plain" if found is None else verdicts.SPEED_TONES.get(found.verdict, "plain")
    return Tile("Speed-up", value, f"{ends.strip('()')}{word}", beside, tone)


def _latency(results: Results, best: str, setting: Setting) -> Tile:
    grid = Grid(results)
    own, other = grid.latency(best, setting), grid.latency(results.reference, setting)
    tail = "" if own is None or own.p95_us is None else f"p95 {duration(own.p95_us)}"
    beside = "" if other is None or best == results.reference else f"{_reference(results)} {duration(other.latency_us)}"
    return Tile("Latency", ABSENT if own is None else duration(own.latency_us), tail or setting.backend_label, beside)


def _download(results: Results, best: str) -> Tile:
    sizes = {variant.name: variant for variant in results.variants}
    own, other = sizes[best], sizes[results.reference]
    zipped = own.deflated_bytes is not None and other.deflated_bytes is not None
    mine, its = (v.deflated_bytes if zipped else v.size_bytes for v in (own, other))
    note = f"{_size(own.size_bytes)} unpacked" if zipped else "as a file"
    same = best == results.reference
    beside = "" if same else f"{_reference(results)} {_size(its or 0)}"
    smaller = not same and (mine or 0) < (its or 0)
    return Tile("Download", _size(mine or 0), note, beside, "better" if smaller else "plain")


def _size(bytes_: int) -> str:
    """With its unit: MB, or kB where MB would be a fraction that nobody reads at a glance."""
    return f"{decimal(bytes_ / BYTES_PER_KB)} kB" if bytes_ < SHOWN_IN_KB else f"{megabytes(bytes_)} MB"


def _quality(results: Results, choice: Choice, best: str) -> Tile | None:
    """What stands for quality; None where nothing does."""
    own, other = _standing(choice, best).candidate, _standing(choice, choice.reference).candidate
    tone = verdicts.KEPT_TONES.get(own.keeping or "", "plain")
    beside = _reference(results)
    if own.accuracy is not None:
        test = own.mcnemar
        note = f"{own.accuracy.successes} of {own.accuracy.total} right"
        if test is not None:
            note = f"{test.only_variant_right} won, {test.only_reference_right} lost of {own.accuracy.total}"
        its = "" if other.accuracy is None or best == choice.reference else f"{beside} {percent(other.accuracy.value)}"
        return Tile("Accuracy", percent(own.accuracy.value), note, its, tone)
    if own.score is not None:
        its = "" if other.score is None or best == choice.reference else f"{beside} {other.score:.4g}"
        return Tile("Score", f"{own.score:.4g}", own.keeping or "", its, tone)
    found = next((a for a in results.answers if a.variant == best and a.agreement), None)
    if found is None or best == choice.reference:
        return None
    top1 = next((row.top1 for row in found.agreement if row.top1 is not None), None)
    if top1 is not None:
        return Tile("Top-1 agreement", percent(top1.value), f"with {beside}", "", tone)
    worst = max((row.max_abs for row in found.agreement if row.max_abs is not None), default=None)
    return Tile("Answers", ABSENT if worst is None else f"{worst:.2g}", f"at most off {beside}", "", tone)


def _points(results: Results, choice: Choice, best: str) -> Iterator[tuple[str, str]]:
    changes = tuple(class_changes(results, best))
    if changes:
        more = len(changes) - CLASSES_SHOWN
        rest = f"; and {more} more classes" if more > 0 else ""
        yield "What changes", "; ".join(changes[:CLASSES_SHOWN]) + rest
    if choice.runner_up is not None:
        label = variant_labels(results).get(choice.runner_up.name, choice.runner_up.name)
        yield "Runner-up", f"{label}: {choice.runner_up.buys}"
    if choice.network is not None:
        yield "Network", choice.network


def class_changes(results: Results, name: str) -> Iterator[str]:
    """Per class what is missed and what is wrongly taken for it beside the reference, largest change first; nothing
    for the reference. Of two classes the second would say the same again."""
    found = {evaluation.variant: evaluation for evaluation in results.evaluations}
    own, other = found.get(name), found.get(results.reference)
    if own is None or other is None or own is other or own.classes != other.classes:
        return
    counts = []
    for index, label in enumerate(own.classes[: 1 if len(own.classes) == 2 else None]):  # noqa: PLR2004
        (missed, alarms), (missed_before, before) = (_wrong(e.confusion, index) for e in (own, other))
        change = abs(missed - missed_before) + abs(alarms - before)
        images = sum(own.confusion[index])
        misses = f"{label}: misses {missed} of {images} instead of {missed_before}"
        counts.append((change, f"{misses}, {count(alarms, 'false alarm')} instead of {before}"))
    if not any(change for change, _ in counts):
        yield "as many right and wrong in every class"
        return
    yield from (text for change, text in sorted(counts, key=lambda pair: -pair[0]) if change)


def _wrong(confusion: tuple[tuple[int, ...], ...], index: int) -> tuple[int, int]:
    """Images of a class that were taken for another, and those of others that were taken for it."""
    right = confusion[index][index]
    return sum(confusion[index]) - right, sum(row[index] for row in confusion) - right
