"""The section about sustained load: latency over time, throttling, ranking, energy. Pure."""

from collections.abc import Iterator

from common.numbers import ABSENT, clipped, decimal, listed
from common.schema.power import Energy, NoEnergy
from common.schema.results import Endured, Latency, Results
from jobs.report.document import Cell, Column, Row, Table
from jobs.report.names import BACKENDS, variant_labels

Key = tuple[str, str, int]
WHOLE_MINUTE_S = 60.0
REASON_LENGTH = 160
RULE = (
    "Each variant ran without a pause until the time was over. A window's latency is the median of its processes. It "
    "throttled when the median of every later window stays more than 10 % above the first one's."
)
ENERGY = (
    "Energy is the charge that the battery's counter lost, times the mean voltage, over all inferences: that of the "
    "whole device, and without what it took idle just before."
)


def groups(results: Results) -> dict[Key, list[Endured]]:
    """What ran under load, by target, backend and thread count, in the file's order."""
    found: dict[Key, list[Endured]] = {}
    for one in results.sustained:
        cell = one.result.cell
        found.setdefault((one.target, cell.backend, cell.threads), []).append(one)
    return found


def where(key: Key) -> str:
    """A group in words."""
    target, backend, threads = key
    return f"{target} · {BACKENDS.get(backend, backend)} · {threads} thread{'s' * (threads != 1)}"


def sentences(results: Results) -> tuple[str, ...]:
    """The rule, and for every group whether the ranking turned."""
    told = [one for one in results.sustained if isinstance(one.result.energy, Energy)]
    return (RULE, *((ENERGY,) if told else ()), *_turns(results))


def _turns(results: Results) -> Iterator[str]:
    shown = {target.name for target in results.targets if target.functional_only}
    labels = variant_labels(results)
    for key, members in groups(results).items():
        ranked = [one for one in members if one.result.first_us is not None and not _wrong(results, one)]
        # A device that only shows function ranks nothing.
        if key[0] in shown or len(ranked) < 2:  # noqa: PLR2004
            continue
        turned = tuple(
            f"{labels.get(b.result.cell.variant, b.result.cell.variant)} overtakes "
            f"{labels.get(a.result.cell.variant, a.result.cell.variant)}"
            for a in ranked
            for b in ranked
            if _ahead(a, b, first=True) and _ahead(b, a, first=False)
        )
        if turned:
            yield f"{where(key)}: the ranking turns under load: {listed(turned)}."
        else:
            yield f"{where(key)}: no variant clearly overtakes another under load."


def _ahead(one: Endured, other: Endured, *, first: bool) -> bool:
    """Whether one is faster by more than a file differs from itself there."""
    mine, its = (x.result.first_us if first else x.result.last_us for x in (one, other))
    margin = 1 + max(one.floor, other.floor)
    return mine is not None and its is not None and mine * margin < its


def _wrong(results: Results, one: Endured) -> bool:
    cell = one.result.cell
    return any(
        isinstance(m.result, Latency) and m.result.answers is not None and m.result.answers.wrong is not None
        for m in results.measurements
        if (m.target, m.variant, m.backend, m.threads, m.runner)
        == (one.target, cell.variant, cell.backend, cell.threads, cell.runner)
    )


def tables(results: Results) -> Iterator[Table]:
    """A folded table per target, backend and thread count."""
    labels = variant_labels(results)
    for key, members in groups(results).items():
        window = _window(members[0].result.window_s)
        columns = (
            Column(f"First {window} (µs)"),
            Column(f"Last {window} (µs)"),
            Column("Throttled after"),
            Column("Energy per inference (mJ)"),
        )
        rows = tuple(
            Row(labels.get(one.result.cell.variant, one.result.cell.variant), tuple(_cells(results, one)))
            for one in members
        )
        yield Table(f"Sustained load: {where(key)}", "Variant", columns, rows, folded=True)


def _window(seconds: float) -> str:
    return "minute" if seconds == WHOLE_MINUTE_S else f"{seconds:.0f} s"


def _cells(results: Results, one: Endured) -> Iterator[Cell]:
    found = one.result
    problem = "" if found.problem is None else clipped(found.problem, REASON_LENGTH)
    if _wrong(results, one):
        problem = "its answers are wrong"
    first = ABSENT if found.first_us is None else decimal(found.first_us)
    yield Cell(first, problem, "problem" if problem else "plain")
    yield Cell(ABSENT if found.last_us is None else decimal(found.last_us))
    if found.first_us is None:
        yield Cell(ABSENT)
    elif found.throttled_s is None:
        yield Cell("not", f"in {found.duration_s / 60:g} min")
    else:
        yield Cell(f"{found.throttled_s:.0f} s", tone="worse")
    yield _energy(found.energy)


def _energy(found: Energy | NoEnergy) -> Cell:
    if isinstance(found, NoEnergy):
        return Cell(ABSENT, clipped(found.reason, REASON_LENGTH))
    net = f"{decimal(found.net_mj)} without idle" if found.net_mj is not None else f"without idle: {found.no_net}"
    return Cell(decimal(found.mj), net)
