"""A comparison in words, for a terminal, Markdown and the report. Pure: nothing is decided or escaped here."""

from collections import Counter
from collections.abc import Callable, Iterator

from common.numbers import ABSENT, count, decimal, duration, listed, megabytes, percent, speedup
from common.run import directions
from common.schema.benchmark import RUNNERS
from common.schema.comparison import (
    CellChange,
    Comparison,
    Direction,
    FigureChange,
    FigureWord,
    LatencyWord,
    SetupChange,
    Side,
    Spread,
    ToldChange,
    VariantChange,
)
from common.schema.judgement import Setting

SIGNS: dict[Direction, str] = {"worse": "▼", "better": "▲", "changed": "•", "unsure": "?", "same": "="}
HEADS = ("Variant", "Where", "Latency", "Speed", "Memory (MiB)", "Delegation", "Answers")
FILE_HEADS = ("Variant", "Size (MB)", "Download (MB)", "Quality", "Verdict")
ARROW = "\N{RIGHTWARDS ARROW}"
SIZES: dict[FigureWord, str] = {"more": "larger", "less": "smaller"}
# What the verdicts say in a sentence, the gravest first.
SPOKEN: dict[LatencyWord, str] = {
    "lost": "no longer measured",
    "slower": "slower",
    "faster": "faster",
    "won": "newly measured",
    "as fast": "as fast",
    "same file": "the same file",
    "not resolved": "not resolved",
    "not compared": "not compared",
}


def place(setting: Setting) -> str:
    """Where a latency was measured."""
    threads = "" if setting.threads == 1 else f", {count(setting.threads, 'thread')}"
    return f"{setting.target} · {setting.backend}{RUNNERS[setting.runner]}{threads}"


def about(side: Side) -> str:
    """A run by its name, commit and day."""
    day = "" if side.finished_at is None else f", {side.finished_at:%Y-%m-%d %H:%M}"
    commit = "" if side.commit is None else f", commit {side.commit[:12]}"
    return f"{side.experiment}: {side.title}{commit}{day}, results {side.results_sha256[:12]}"


def differs(change: SetupChange) -> str:
    """A difference of the set-up with both values."""
    where = "" if change.target is None else f" on {change.target}"
    so = "; latencies and memory are not compared" if change.refuses else ""
    return f"{change.what}{where}: {change.base} {ARROW} {change.head}{so}"


def spread(found: Spread) -> str:
    """How much a file differs between two sessions, and how that is known."""
    what = "beside the reference" if found.beside_reference else "a latency alone"
    head = f"{found.target}, {what}: {percent(round(found.share, 3))} between two sessions"
    if not found.assumed:
        return f"{head}, shown by {count(found.sessions, 'session')}"
    told = "" if found.largest is None else f"; the largest difference seen is {percent(round(found.largest, 3))}"
    return f"{head}, assumed, since {count(found.sessions, 'session')} of one file cannot tell{told}"


def verdict(comparison: Comparison) -> tuple[str, str]:
    """The verdict in a few words, and the counts behind it. A file of another size is told, and makes none."""
    counts = Counter(change.latency.verdict for change in comparison.cells)
    cells = Counter(directions.of_cell(change) for change in comparison.cells)
    lost = sum(change.quality.verdict == "shown to lose" for change in comparison.variants)
    words = [word for word, holds in (("worse", cells["worse"] or lost), ("better", cells["better"])) if holds]
    told = " and ".join(words) or ("nothing shown to differ" if cells["unsure"] or not cells else "no difference")
    spoken = tuple(f"{number} {SPOKEN[word]}" for word in SPOKEN if (number := counts[word]))
    parts = [f"Latencies: {listed(spoken)}" if spoken else "No latencies in common"]
    parts += [f"quality lost: {count(lost, 'variant')}"] if lost else []
    sizes = Counter(change.size.verdict for change in comparison.variants)
    parts += [f"{count(sizes[word], 'file')} {name}" for word, name in SIZES.items() if sizes[word]]
    return f"{told[0].upper()}{told[1:]}.", f"{'; '.join(parts)}."


# The two need not give the same quotient.
ESTIMATES = "Latencies are medians over the processes; speeds compare all of them."


def method(comparison: Comparison) -> str:
    """How latencies were compared."""
    if comparison.interleaved:
        return f"Both runs' files were measured in turns in one session, round by round. {ESTIMATES}"
    of = ""
    if comparison.history is not None:
        further = count(comparison.history.sessions, "further session")
        of = f", as both runs and {further} of a history ({comparison.history.sha256[:12]}) show it"
    return (
        f"Two sessions: every interval carries the spread between sessions{of}; no difference inside of it is claimed. "
        f"{ESTIMATES}"
    )


def cell(change: CellChange) -> tuple[str, ...]:
    """A row of HEADS."""
    found = change.latency
    sign = SIGNS[directions.of_cell(change)]
    before, now = (ABSENT if us is None else duration(us) for us in (found.base_us, found.head_us))
    word = found.verdict if found.ratio is None else f"{speedup(found.ratio)} {found.verdict}"
    memory = _figures(change.memory, decimal)
    told = _told(change.delegation), _told(change.answers)
    return f"{sign} {change.variant}", place(change.setting), f"{before} {ARROW} {now}", word, memory, *told


def file(change: VariantChange) -> tuple[str, ...]:
    """A row of FILE_HEADS."""
    quality = change.quality
    told = (
        ABSENT if quality.base == quality.head is None else f"{quality.base or ABSENT} {ARROW} {quality.head or ABSENT}"
    )
    sizes = (_figures(figure, lambda bytes_: megabytes(round(bytes_))) for figure in (change.size, change.download))
    sign = SIGNS[directions.of_variant(change)]
    return f"{sign} {change.variant}", *sizes, told, f"{quality.verdict}{_grounds(change)}"


def _grounds(change: VariantChange) -> str:
    found = change.quality
    if found.kept is None or found.kept.lower is None:
        return ""
    only = f"{found.only_head_right} won, {found.only_base_right} lost"
    return f", {only}, may lose up to {percent(max(0.0, -found.kept.lower))}"


def _figures(change: FigureChange, write: Callable[[float], str]) -> str:
    before, now = (ABSENT if value is None else write(value) for value in (change.base, change.head))
    if change.base is not None and change.head is not None and change.verdict == "alike":
        return now if before == now else f"{before} {ARROW} {now}"
    sign = {"more": " ▼", "less": " ▲"}.get(change.verdict, "")
    return ABSENT if before == now == ABSENT else f"{before} {ARROW} {now}{sign}"


def _told(change: ToldChange) -> str:
    if change.base == change.head:
        return change.head or ABSENT
    return f"{change.base or ABSENT} {ARROW} {change.head or ABSENT}"


def reasons(comparison: Comparison) -> Iterator[str]:
    """Why something was not compared, each reason once."""
    found: dict[str, list[str]] = {}
    for change in directions.cells(comparison):
        if change.latency.reason:
            found.setdefault(change.latency.reason, []).append(f"{change.variant} on {place(change.setting)}")
    for file_ in directions.variants(comparison):
        if file_.quality.reason:
            found.setdefault(f"quality: {file_.quality.reason}", []).append(file_.variant)
    for reason, who in found.items():
        more = f" and {len(who) - 1} more" if len(who) > 1 else ""
        yield f"{who[0]}{more}: {reason}"


def alone(comparison: Comparison) -> Iterator[str]:
    """What only one of the runs has."""
    for who, names in (("the base", comparison.only_base), ("the head", comparison.only_head)):
        if names:
            yield f"only in {who}: {'; '.join(names)}"
