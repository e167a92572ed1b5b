"""A results file as runs of an experiment tracker: one of the whole, and one per variant and target below it. Pure.

Metrics of a cell are called `<backend>/threads-<n>/<figure>`, those of the file itself `<figure>` alone; units are in
the names: `_us` microseconds, `_bytes`, `_mib` 2**20 bytes, `_s` seconds, `_mj` millijoules; shares are from 0 to 1.
`process_us` has a step for every process that counts. What the judge takes for no result of its backend has no metrics,
and a tag that says why.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from common.markdown import escape
from common.numbers import clipped
from common.printable import clean
from common.schema.judgement import Setting
from common.schema.results import Latency, Results, VariantResult
from jobs.formats import figures
from jobs.formats.cells import Cell, cells, verdict
from jobs.formats.figures import Labelled, Metric
from jobs.formats.names import backend, distinct, plain, short

# What older servers take.
LONGEST_VALUE, LONGEST_KEY = 500, 250
# Of the folder report/; the results file itself goes with every export.
REPORT = ("report.html", "report.md", "summary.md", "results.csv")
Pairs = tuple[tuple[str, str], ...]
Known = Mapping[tuple[str, Setting], Cell]


@dataclass(frozen=True)
class Record:
    """A run. `key` tells it from the others of its results file, `files` are artifacts by their paths in the run's
    folder, as far as they are there, and `model` is the variant whose file belongs to it."""

    key: str
    name: str
    params: Pairs
    metrics: tuple[Metric, ...]
    tags: Pairs
    files: tuple[str, ...]
    model: str | None = None


@dataclass(frozen=True)
class Export:
    """A results file's runs. `experiment` is what they are gathered under, `at_ms` when the results were made
    (milliseconds since 1970), 0 where nothing tells it."""

    experiment: str
    at_ms: int
    whole: Record
    parts: tuple[Record, ...]


def export(results: Results) -> Export:
    """The runs of a results file."""
    own = results.provenance[-1] if results.provenance else None
    known = {(cell.measurement.variant, cell.measurement.setting): cell for cell in cells(results)}
    places = [(variant, target) for target in _targets(results) for variant in results.variants]
    return Export(
        experiment=own.experiment if own is not None else short(results.title) or "edgeproof",
        at_ms=0 if own is None else int(own.finished_at.timestamp() * 1000),
        whole=_whole(results),
        parts=tuple(_part(results, known, variant, target) for variant, target in places),
    )


def _targets(results: Results) -> tuple[str, ...]:
    """By name; a published table has latencies of targets that it says nothing of."""
    names = (*(place.name for place in results.targets), *(one.target for one in results.measurements))
    return tuple(dict.fromkeys(names))


def _whole(results: Results) -> Record:
    choice = results.choice
    best = None if choice is None else choice.best
    confidence = None if choice is None else choice.confidence
    told = (("recommended", best or "nothing"), *(() if confidence is None else (("confidence", confidence.word),)))
    return Record(
        key="whole",
        name=short(results.title),
        params=_kept([("reference", results.reference), *_setup(results)]),
        metrics=(),
        tags=_kept([("source", results.source), *told]),
        files=(*(f"report/{name}" for name in REPORT), "best/model_card.md"),
    )


def _part(results: Results, known: Known, variant: VariantResult, target: str) -> Record:
    own = [one for one in results.measurements if (one.variant, one.target) == (variant.name, target)]
    labels = distinct(f"{plain(backend(one.backend, one.runner))}/threads-{one.threads}" for one in own)
    settings = [
        Labelled(label, one, known.get((variant.name, one.setting)), verdict(results, one))
        for label, one in zip(labels, own, strict=True)
    ]
    return Record(
        key=f"{variant.name} {short(target)} {sha256(target.encode()).hexdigest()[:8]}",
        name=f"{variant.name} on {short(target)}",
        params=_kept([*_params(results, variant), *_place(results, target), *_setup(results)]),
        metrics=(*figures.of_file(results, variant), *figures.of_settings(results, settings)),
        tags=_kept([*_verdicts(results, variant, target), *_outcomes(settings)]),
        files=(f"variants/{variant.name}/variant.json", f"evaluation/{variant.name}/evaluation.json"),
        model=variant.name,
    )


def _params(results: Results, variant: VariantResult) -> Iterator[tuple[str, str]]:
    yield "variant", variant.name
    yield "label", variant.label
    yield "recipe", ", then ".join(variant.steps)
    yield "reference", results.reference
    if (digest := model_sha256(results, variant.name)) is not None:
        yield "model_sha256", digest


def _place(results: Results, target: str) -> Iterator[tuple[str, str]]:
    yield "target", target
    place = next((each for each in results.targets if each.name == target), None)
    if place is None:
        return
    yield "target_kind", place.kind
    yield "target_fingerprint", place.fingerprint
    names = distinct(f"target.{plain(label)}" for label, _ in place.lasting)
    yield from zip(names, (value for _, value in place.lasting), strict=True)


def _setup(results: Results) -> Iterator[tuple[str, str]]:
    if results.provenance:
        own = results.provenance[-1]
        yield "experiment_sha256", own.experiment_sha256
        yield "seed", str(own.seed)
        yield "edgeproof", own.code.version


def _verdicts(results: Results, variant: VariantResult, target: str) -> Iterator[tuple[str, str]]:
    if any(place.functional_only for place in results.targets if place.name == target):
        yield "functional_only", "yes"
    choice = results.choice
    if choice is None:
        return
    yield "recommended", "yes" if variant.name == choice.best else "no"
    standing = next((each for each in choice.standings if each.candidate.name == variant.name), None)
    if standing is not None:
        yield "verdict", standing.verdict
        # What MLflow's page shows as the description, in Markdown.
        yield "mlflow.note.content", escape(standing.reason)


def _outcomes(settings: Sequence[Labelled]) -> Iterator[tuple[str, str]]:
    """In words what the figures do not say: the judge's word for the speed, or why there is no latency."""
    for each in settings:
        found = each.measurement.result
        if not isinstance(found, Latency):
            yield f"outcome.{each.label}", f"{found.kind}: {found.reason}"
        elif each.speed is not None:
            yield f"speed.{each.label}", each.speed.verdict
            if each.speed.obstacle is not None:
                yield f"outcome.{each.label}", each.speed.obstacle.text


def model_sha256(results: Results, variant: str) -> str | None:
    """The hash of a variant's file, where the results tell it."""
    standings = () if results.choice is None else results.choice.standings
    return next((each.candidate.model_sha256 for each in standings if each.candidate.name == variant), None)


def _kept(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """What an older server takes too: no empty value, none that is long."""
    told = ((clipped(key, LONGEST_KEY), clipped(clean(value), LONGEST_VALUE)) for key, value in pairs)
    return tuple((key, value) for key, value in told if value)
