"""The judge between two runs: what changed from the base to the head, cell by cell. Pure: runs in, verdicts out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from common.errors import NotComparableError
from common.numbers import count
from common.run import latencies
from common.run.keeping import PairedTest, judged
from common.run.latencies import Measured, Pair
from common.run.qualities import quality
from common.run.setup import Side, setup, targets
from common.run.spread import spread
from common.schema.comparison import (
    CellChange,
    Comparison,
    Direction,
    FigureChange,
    LatencyChange,
    SetupChange,
    Spread,
    ToldChange,
    VariantChange,
)
from common.schema.comparison import Side as About
from common.schema.examination import OutputCheck
from common.schema.experiment import Choose
from common.schema.judgement import Setting
from common.schema.outcome import Delegation
from common.schema.results import Latency, Results

# Memory is the median of three processes; what differs by less may be a page or two of the runtime's.
MEMORY_SHARE, MEMORY_MIB = 0.05, 0.5
EXTENTS = ("none", "partial", "complete")
# Facts that name what runs a file; where one of them changed, the same file may well be slower.
RUNS_IT = ("Tool", "Runtime", "Android", "Build", "Kernel", "Frequency governor", "System", "ai-edge-litert")


@dataclass(frozen=True)
class Case:
    """Two runs. `tests` are paired counts on the same images, by variant, where the answers of both are at hand."""

    base: Side
    head: Side
    version: str
    tests: Mapping[str, PairedTest] = field(default_factory=dict)

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """Targets of both."""
        return targets(self.base, self.head)

    @cached_property
    def setup(self) -> tuple[SetupChange, ...]:
        """What else differs."""
        return tuple(setup(self.base, self.head, self.shared))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Variants of both, in the head's order."""
        before = {variant.name for variant in self.base.results.variants}
        return tuple(variant.name for variant in self.head.results.variants if variant.name in before)

    @property
    def rules(self) -> Choose:
        """Those of the head's choice."""
        choice = self.head.results.choice
        return Choose() if choice is None else choice.rules

    def same_file(self, name: str) -> bool | None:
        """Whether a variant's file is the same; None where a run does not tell."""
        old, new = self.base.hashes.get(name), self.head.hashes.get(name)
        return None if old is None or new is None else old == new

    @property
    def same_reference(self) -> bool:
        """Whether both runs compare with one and the same file."""
        old, new = (side.hashes.get(side.results.reference) for side in (self.base, self.head))
        return old is not None and old == new

    def refused(self, target: str) -> str:
        """Why latencies of a target are not compared; nothing where they are."""
        found = next((c for c in self.setup if c.refuses and c.target == target), None)
        return "" if found is None else f"{found.what} is {found.base} in the base and {found.head} in the head"

    def runs_alike(self, target: str) -> bool:
        """Whether what runs a file on a target is the same."""
        return not any(
            change.target in (target, None) and (change.what in RUNS_IT or "sha256" in change.what)
            for change in self.setup
        )


def between(case: Case) -> Comparison:
    """Every verdict on two runs. Raises NotComparableError where they have no variant or no target in common."""
    spreads = tuple(_spreads(case))
    update = {"spreads": spreads, "cells": tuple(_cells(case, spreads)), "variants": tuple(variants(case))}
    return of_case(case).model_copy(update=update)


def of_case(case: Case) -> Comparison:
    """What is known before anything is judged. Raises NotComparableError as `between` does."""
    base, head = case.base.results, case.head.results
    if not case.names:
        told = [", ".join(variant.name for variant in results.variants) for results in (base, head)]
        text = f"the base has the variants {told[0]}, the head {told[1]}"
        raise NotComparableError(text, hint="compare runs that have a variant in common")
    choice = head.choice
    return Comparison(
        version=case.version,
        base=_about(case.base),
        head=_about(case.head),
        interleaved=False,
        margin=case.rules.margin,
        alpha=case.rules.alpha,
        deciding=None if choice is None or choice.judgement is None else choice.judgement.deciding,
        best=None if choice is None else choice.best,
        setup=case.setup,
        spreads=(),
        variants=(),
        cells=(),
        only_base=tuple(_only(base, head)),
        only_head=tuple(_only(head, base)),
    )


def _about(side: Side) -> About:
    manifests = side.results.provenance
    return About(
        title=side.results.title,
        experiment=manifests[-1].experiment if manifests else "results",
        reference=side.results.reference,
        results_sha256=side.sha256,
        commit=manifests[-1].code.commit if manifests else None,
        # A time without a zone can be compared with none that has one.
        finished_at=max((m.finished_at for m in manifests if m.finished_at.tzinfo is not None), default=None),
        folder=side.folder,
    )


def _spreads(case: Case) -> Iterator[Spread]:
    sessions = (*case.base.sessions, *case.head.sessions)
    for target in case.shared:
        for beside in (True, False):
            yield spread(target, sessions, beside_reference=beside)


def _only(these: Results, those: Results) -> Iterator[str]:
    """Variants, and then settings, of one run alone."""
    others = {variant.name for variant in those.variants}
    yield from (f"variant {variant.name}" for variant in these.variants if variant.name not in others)
    known = {item.setting for item in those.measurements}
    mine = dict.fromkeys(item.setting for item in these.measurements)
    yield from (f"{p.target}, {p.backend}, {count(p.threads, 'thread')}, {p.runner}" for p in mine if p not in known)


# ---- cells ---------------------------------------------------------------------------------------


def _cells(case: Case, spreads: Sequence[Spread]) -> Iterator[CellChange]:
    old, new = cells_of(case.base.results), cells_of(case.head.results)
    shared = [key for key in new if key in old and key[0] in case.names]
    pairs = [pair(case, *key, old[key], new[key]) for key in shared]
    # What is the same file can never be claimed to be slower, and is none of those that are judged together.
    judged_together = sum(not found.same_file for found in pairs)
    for (name, place), found in zip(shared, pairs, strict=True):
        beside, alone = (
            next(s for s in spreads if (s.target, s.beside_reference) == (place.target, b)) for b in (1, 0)
        )
        yield cell(name, place, found, latencies.change(found, beside, alone, judged_together))


def cells_of(results: Results) -> dict[tuple[str, Setting], Measured]:
    """Every cell with what the judge said of it there."""
    judgement = None if results.choice is None else results.choice.judgement
    found = {}
    for item in results.measurements:
        place = item.setting
        found[item.variant, place] = Measured(
            item.result, None if judgement is None else judgement.speed(item.variant, place)
        )
    return found


def pair(case: Case, name: str, place: Setting, old: Measured, new: Measured) -> Pair:
    """A cell of both runs with what decides how it is compared."""
    floors = [
        trace.floor
        for side in (case.base, case.head)
        for trace in side.results.traces
        if (trace.target, trace.backend, trace.threads) == (place.target, place.backend, place.threads)
        and trace.floor is not None
    ]
    return Pair(
        base=old,
        head=new,
        same_file=case.same_file(name) is True and case.runs_alike(place.target),
        same_reference=case.same_reference,
        floor=max(floors, default=0.0),
        refused=case.refused(place.target),
    )


def cell(name: str, place: Setting, found: Pair, latency: LatencyChange) -> CellChange:
    """All that changed of a cell."""
    old, new = found.base.result, found.head.result
    both = isinstance(old, Latency) and isinstance(new, Latency) and not found.refused
    before, now = (one if isinstance(one, Latency) else None for one in (old, new))
    return CellChange(
        variant=name,
        setting=place,
        latency=latency,
        memory=_memory(before, now, compared=both),
        delegation=_delegation(*(None if one is None else one.delegation for one in (before, now))),
        answers=_answers(*(None if one is None else one.answers for one in (before, now))),
    )


def _memory(old: Latency | None, new: Latency | None, *, compared: bool) -> FigureChange:
    base, head = (None if one is None else one.memory_mb for one in (old, new))
    if base is None or head is None or not compared:
        return FigureChange(verdict="not compared", base=base, head=head)
    alike = abs(head - base) <= max(MEMORY_MIB, MEMORY_SHARE * base)
    return FigureChange(verdict="alike" if alike else "more" if head > base else "less", base=base, head=head)


def _delegation(old: Delegation | None, new: Delegation | None) -> ToldChange:
    base, head = _extent(old), _extent(new)
    if old is None or new is None:
        return ToldChange(direction="same" if base == head else "changed", base=base, head=head)
    before, now = ((EXTENTS.index(one.extent), one.nodes_delegated or 0) for one in (old, new))
    direction: Direction = (
        "same" if base == head else "worse" if now < before else "better" if now > before else "changed"
    )
    return ToldChange(direction=direction, base=base, head=head)


def _extent(found: Delegation | None) -> str | None:
    if found is None:
        return None
    nodes = "" if found.nodes_delegated is None or found.extent == "none" else f", {found.nodes_delegated} nodes"
    return f"{found.extent}{nodes}"


def _answers(old: OutputCheck | None, new: OutputCheck | None) -> ToldChange:
    base, head = (
        None if one is None else "agree" if one.wrong is None else f"wrong: {one.wrong}" for one in (old, new)
    )
    if old is None or new is None:
        return ToldChange(direction="same" if base == head else "changed", base=base, head=head)
    before, now = old.wrong is None, new.wrong is None
    return ToldChange(direction="same" if before == now else "better" if now else "worse", base=base, head=head)


# ---- files ---------------------------------------------------------------------------------------


def variants(case: Case) -> Iterator[VariantChange]:
    """What changed of every file that both have."""
    before = {variant.name: variant for variant in case.base.results.variants}
    now = {variant.name: variant for variant in case.head.results.variants}
    kept = dict(zip(case.tests, judged(list(case.tests.values()), case.rules.margin, case.rules.alpha), strict=True))
    for name in case.names:
        yield VariantChange(
            variant=name,
            same_file=case.same_file(name),
            base_sha256=case.base.hashes.get(name),
            head_sha256=case.head.hashes.get(name),
            size=_bytes(before[name].size_bytes, now[name].size_bytes),
            download=_bytes(before[name].deflated_bytes, now[name].deflated_bytes),
            quality=quality(
                case.base, case.head, name, same=case.same_file(name), test=case.tests.get(name), kept=kept.get(name)
            ),
        )


def _bytes(old: int | None, new: int | None) -> FigureChange:
    if old is None or new is None:
        return FigureChange(verdict="not compared", base=old, head=new)
    return FigureChange(verdict="alike" if new == old else "more" if new > old else "less", base=old, head=new)
