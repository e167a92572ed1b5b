"""The recommendation and the front. Pure: a choice to sentences and a table."""

from common.numbers import decimal, megabytes, proportion
from common.schema.choice import Candidate, Choice, Standing
from common.schema.results import Results
from jobs.report import verdicts
from jobs.report.document import Cell, Column, Row, Section, Table, Tone, number
from jobs.report.names import Setting, variant_labels

# The column of what stands for quality; none where nothing does.
QUALITY = {"accuracy": "Accuracy", "score": "Score", "agreement": "Answers"}
TONES: dict[str, Tone] = {
    **{"best": "better", "shown to lose": "worse", "ruled out": "problem"},
    # Of version 1.
    **{"significantly worse": "worse", "beyond the margin": "worse"},
}


def sentences(choice: Choice) -> tuple[str, ...]:
    """What to ship, and whether the network or the quantiser mattered more."""
    return (choice.recommendation[0], *((choice.network,) if choice.network else ()))


def section(results: Results, choice: Choice) -> Section:
    """The chapter: the reasons, then every variant with its verdict."""
    paragraphs = (*choice.recommendation, *((choice.network,) if choice.network else ()))
    return Section("choice", "Which one to ship", paragraphs, (_table(results, choice),))


def _table(results: Results, choice: Choice) -> Table:
    labels = variant_labels(results)
    where = choice.setting
    basis = "accuracy" if choice.judgement is None else choice.judgement.basis
    columns = (
        Column("Verdict", numeric=False),
        Column("On the front", numeric=False),
        Column("Size (MB)"),
        *(
            ()
            if where is None
            else (Column("Latency (µs)"), Column(f"Ratio to {labels.get(choice.reference, choice.reference)}"))
        ),
        *((Column(QUALITY[basis]),) if basis in QUALITY else ()),
    )
    rows = tuple(Row(labels.get(s.candidate.name, s.candidate.name), _cells(choice, s)) for s in choice.standings)
    notes = [
        "On the front: no other variant is at least as good in every respect and better in one, by point estimates; "
        "differences within the intervals may be chance."
    ]
    if where is not None:
        setting = Setting(where.target, where.backend, where.threads, functional_only=False)
        notes.append(
            f"Measured on {setting.label}. Speeds are compared by the ratio, which pairs rounds, not by the latency."
        )
    return Table("Every variant's verdict", "Variant", columns, rows, tuple(notes))


def _cells(choice: Choice, standing: Standing) -> tuple[Cell, ...]:
    candidate, timed = standing.candidate, choice.setting is not None
    latency = None if candidate.latency_us is None else decimal(candidate.latency_us)
    judged = choice.judgement
    found = None if judged is None or choice.setting is None else judged.speed(candidate.name, choice.setting)
    ratio = Cell("reference") if candidate.name == choice.reference else verdicts.speed(found, candidate.ratio)
    return (
        Cell(standing.verdict, standing.reason, TONES.get(standing.verdict, "plain")),
        Cell("yes" if standing.on_front else "no"),
        Cell(megabytes(candidate.size_bytes)),
        *((number(latency), ratio) if timed else ()),
        *_quality(candidate, "accuracy" if judged is None else judged.basis),
    )


def _quality(candidate: Candidate, basis: str) -> tuple[Cell, ...]:
    """What stands for quality; no cell where nothing does."""
    if basis not in QUALITY:
        return ()
    if candidate.accuracy is not None:
        return (Cell(proportion(candidate.accuracy), candidate.keeping or ""),)
    if candidate.score is not None:
        return (Cell(f"{candidate.score:.4g}", candidate.keeping or ""),)
    within = {"shown to keep": "within the tolerance", "shown to lose": "beyond the tolerance"}
    return (Cell(within.get(candidate.keeping or "", "reference")),)
