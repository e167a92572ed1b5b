"""Whether a run keeps its budgets: kept, broken, or it cannot be said. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import exp, log, log1p

from common.numbers import decimal, duration, megabytes, percent, speedup
from common.run.between import cells_of
from common.run.keeping import PairedTest, judged, tested
from common.run.latencies import Measured
from common.schema.budget import Budget, Checked, Limit, Status
from common.schema.comparison import CellChange, Comparison, QualityChange
from common.schema.judgement import Setting
from common.schema.results import Latency, Results, VariantResult

PLAIN = "cpu"
BYTES_PER_MB, US_PER_MS = 1_000_000, 1000
NO_BASE = "there is nothing to compare with: give BASE"
GONE = "the base has this variant, and the head has not"
Verdict = tuple[Status, str]
Cell = tuple[str, Setting]


def default(comparison: Comparison) -> tuple[Budget, ...]:
    """What is asked without a file: nothing shown to be slower, and, where something judges the answers, no more lost
    than the head's rules allow."""
    judged_ = any(change.quality.head is not None for change in comparison.variants)
    return (Budget(accuracy_loss=comparison.margin if judged_ else None, regression=0.0),)


def overall(checked: Sequence[Checked]) -> Status:
    """One word for all: broken where one is, and kept where all are."""
    found = {each.status for each in checked}
    return "broken" if "broken" in found else "kept" if found == {"kept"} else "cannot say"


def gate(
    comparison: Comparison, base: Results | None, head: Results, budgets: Sequence[Budget], lacking: str = NO_BASE
) -> Iterator[Checked]:
    """Every limit of every budget on everything that it names. Without a `base` what asks for one cannot be said, for
    the reason `lacking`."""
    before, now = None if base is None else cells_of(base), cells_of(head)
    for number, budget in enumerate(budgets, 1):
        yield from _Gate(comparison, before, now, head, budget, number, lacking).checked()


@dataclass(frozen=True)
class _Gate:
    """One budget, and all that it is held against."""

    comparison: Comparison
    before: Mapping[Cell, Measured] | None
    now: Mapping[Cell, Measured]
    head: Results
    budget: Budget
    number: int
    lacking: str

    def checked(self) -> Iterator[Checked]:
        """What each of its limits says; that it names nothing where it does."""
        if self.budget.variants == "recommended" and self.comparison.best is None:
            yield self._one("applies", None, None, ("broken", "the head recommends no variant"))
            return
        variants = [variant for variant in self.head.variants if self._names(variant.name)]
        cells = [cell for cell in self.now if self._holds(cell)]
        found = [*self._of_files(variants), *self._of_quality(variants), *self._of_cells(cells), *self._gone()]
        found += self._without_base() if self.before is None else []
        if not found:
            found = [self._one("applies", None, None, ("cannot say", "it names no variant and setting that there is"))]
        yield from found

    def _names(self, variant: str) -> bool:
        wanted = self.budget.variants
        return variant == self.comparison.best if wanted == "recommended" else _matches(variant, wanted)

    def _holds(self, cell: Cell) -> bool:
        name, place = cell
        here = _matches(place.target, self.budget.targets) and _matches(place.backend, self.budget.backends)
        return self._names(name) and here and (not self.budget.threads or place.threads in self.budget.threads)

    def _one(self, limit: Limit, variant: str | None, setting: Setting | None, verdict: Verdict) -> Checked:
        status, text = verdict
        return Checked(budget=self.number, limit=limit, variant=variant, setting=setting, status=status, text=text)

    def _of_files(self, variants: Sequence[VariantResult]) -> Iterator[Checked]:
        if (most := self.budget.size_mb) is None:
            return
        for variant in variants:
            text = f"{megabytes(variant.size_bytes)} MB, allowed {decimal(most)} MB"
            verdict: Verdict = ("kept" if variant.size_bytes <= most * BYTES_PER_MB else "broken", text)
            yield self._one("size", variant.name, None, verdict)

    def _of_quality(self, variants: Sequence[VariantResult]) -> Iterator[Checked]:
        if (margin := self.budget.accuracy_loss) is None or self.before is None:
            return
        known = {change.variant: change.quality for change in self.comparison.variants}
        shared = [variant.name for variant in variants if variant.name in known]
        tests = {name: test for name in shared if (test := _test(known[name])) is not None}
        # Whoever looks at many finds one by chance: they are corrected for their number, as variants are.
        kept = dict(zip(tests, judged(list(tests.values()), margin, self.comparison.alpha), strict=True))
        for name in shared:
            if name in kept:
                words: dict[str, Status] = {"shown to keep": "kept", "shown to lose": "broken"}
                told = f"{known[name].base} before, {known[name].head} now; {_grounds(kept[name].lower, margin)}"
                yield self._one("accuracy loss", name, None, (words.get(kept[name].verdict, "cannot say"), told))
            else:
                yield self._one("accuracy loss", name, None, _word(known[name]))

    def _of_cells(self, cells: Sequence[Cell]) -> Iterator[Checked]:
        changes = {(change.variant, change.setting): change for change in self.comparison.cells}
        hosts = {target.name for target in self.head.targets if target.kind == "host"}
        for cell in cells:
            found, budget = self.now[cell], self.budget
            if budget.latency_ms is not None:
                yield self._one("latency", *cell, _latency(found, budget.latency_ms))
            if budget.memory_mib is not None:
                yield self._one("memory", *cell, _memory(found, budget.memory_mib))
            if budget.regression is not None and cell in changes and self.before is not None:
                yield self._one("regression", *cell, self._regression(changes[cell], budget.regression))
            if budget.full_delegation and cell[1].backend != PLAIN:
                yield self._one("full delegation", *cell, _delegation(found))
            # The app gives no answers; those of the binary stand for it.
            if budget.output_check and cell[1].runner != "app":
                yield self._one("output check", *cell, _answers(found, host=cell[1].target in hosts))

    def _regression(self, change: CellChange, limit: float) -> Verdict:
        found = change.latency
        if found.verdict in ("same file", "won") or found.base_us is None:
            return "kept", "the same file" if found.verdict == "same file" else "the base has no latency here"
        if found.verdict == "lost":
            return "broken", f"it has no latency any more: {found.reason}"
        if found.ratio is None or found.judged is None:
            return "cannot say", f"not compared: {found.reason}"
        allowed = 1 / (1 + max(limit, found.floor or 0.0))
        text = f"{speedup(found.ratio)} as fast as the base, allowed {allowed:.2f}"
        if found.judged.high < allowed:
            return "broken", text
        noise = exp(log(found.ratio.high / found.ratio.low) / 2) - 1
        if found.judged.low < allowed and log1p(noise) > log1p(self.budget.noise):
            return "cannot say", f"{text}; {percent(round(noise, 3))} of uncertainty: {self._advice()}"
        return "kept", text

    def _without_base(self) -> Iterator[Checked]:
        if self.budget.accuracy_loss is not None:
            yield self._one("accuracy loss", None, None, ("cannot say", self.lacking))
        if self.budget.regression is not None:
            yield self._one("regression", None, None, ("cannot say", self.lacking))

    def _advice(self) -> str:
        """What makes an interval narrower."""
        again = "measure for longer: remove the head's rerun folder and give a larger BUDGET"
        return again if self.comparison.interleaved else "measure with RERUN=1"

    def _gone(self) -> Iterator[Checked]:
        """What the base has and the head has not: a variant that is renamed must not slip through."""
        there = {variant.name for variant in self.head.variants}
        lost = [cell for cell in self.before or () if cell not in self.now and self._holds(cell)]
        if self.budget.regression is not None:
            for cell in lost:
                why = "measured in the base, and not in the head" if cell[0] in there else GONE
                yield self._one("regression", *cell, ("cannot say", why))
        if self.budget.accuracy_loss is not None:
            for name in dict.fromkeys(cell[0] for cell in lost if cell[0] not in there):
                yield self._one("accuracy loss", name, None, ("cannot say", GONE))


def _matches(value: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(value, pattern) for pattern in patterns)


def _test(change: QualityChange) -> PairedTest | None:
    lost, won, kept = change.only_base_right, change.only_head_right, change.kept
    if lost is None or won is None or kept is None:
        return None
    return tested(lost, won, kept.images)


def _grounds(lower: float | None, margin: float) -> str:
    lost = "" if lower is None else f"it may lose up to {percent(max(0.0, -lower))}, "
    return f"{lost}allowed {percent(margin)}"


def _word(change: QualityChange) -> Verdict:
    """Where nothing was counted image by image."""
    told = f"{change.base or 'nothing'} before, {change.head or 'nothing'} now"
    if change.verdict == "same file":
        return "kept", f"the same file: {told}"
    words: dict[str, Status] = {"shown to keep": "kept", "shown to lose": "broken"}
    return words.get(change.verdict, "cannot say"), f"{told}; {change.reason}".removesuffix("; ")


def _latency(found: Measured, most_ms: float) -> Verdict:
    if found.problem is not None:
        return "broken", f"it has no latency: {found.problem}"
    if found.busy is not None or found.interval is None:
        return "cannot say", found.busy or "one round has no interval"
    limit, value = most_ms * US_PER_MS, found.interval
    ends = f"{duration(value.value)} ({duration(value.low)} to {duration(value.high)})"
    text = f"{ends}, allowed {duration(limit)}"
    return "kept" if value.high <= limit else "broken" if value.low > limit else "cannot say", text


def _memory(found: Measured, most_mib: float) -> Verdict:
    memory = found.result.memory_mb if isinstance(found.result, Latency) else None
    if memory is None:
        return "cannot say", found.problem or "no memory was told"
    return "kept" if memory <= most_mib else "broken", f"{decimal(memory)} MiB, allowed {decimal(most_mib)} MiB"


def _delegation(found: Measured) -> Verdict:
    if not isinstance(found.result, Latency):
        return "broken", found.problem or "it did not run"
    told = found.result.delegation
    if told is None:
        return "cannot say", "nothing tells what ran in the delegate"
    nodes = (
        ""
        if told.nodes_delegated is None or told.nodes_total is None
        else (f", {told.nodes_delegated} of {told.nodes_total} nodes")
    )
    return "kept" if told.extent == "complete" else "broken", f"{told.extent}{nodes}"


def _answers(found: Measured, *, host: bool) -> Verdict:
    if not isinstance(found.result, Latency):
        return "cannot say", found.problem or "it did not run"
    told = found.result.answers
    if told is None:
        return ("kept", "this machine's own answers") if host else ("broken", "its answers were not checked")
    return ("kept", "the answers agree") if told.wrong is None else ("broken", f"wrong answers: {told.wrong}")
