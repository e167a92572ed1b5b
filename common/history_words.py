"""A history in words, for a terminal and its page. Pure: nothing is decided or escaped here."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from common.numbers import count, decimal, duration, listed, percent
from common.schema.benchmark import RUNNERS
from common.schema.history import Device, History, Mark, Measure, PastSession, Series, Shift

ARROW = "\N{RIGHTWARDS ARROW}"
# Of what changed at the same time, in a sentence.
MOST_MARKS = 6
Member = tuple[Series, Shift]


@dataclass(frozen=True)
class Event:
    """Series of a target that get longer, or shorter, from the same session on, or one beside it, and what changed at
    the same time."""

    target: str
    session: int
    longer: bool
    members: tuple[Member, ...]
    marks: tuple[Mark, ...]


def events(history: History) -> tuple[Event, ...]:
    """Every change that is shown, the newest first, what got longer before what got shorter, the largest first."""
    found = [
        _event(history, target, longer, members)
        for target in history.targets
        for longer in (True, False)
        for members in _clusters(history, target, longer)
    ]
    return tuple(sorted(found, key=lambda event: -event.session))


def _clusters(history: History, target: str, longer: bool) -> Iterator[list[Member]]:
    """Series that change at the same time: where exactly one did is known to a session or so."""
    order = {place: number for number, place in enumerate(places(history, target))}
    members = [
        (series, shift)
        for series in history.series
        for shift in series.shifts
        if series.target == target and (shift.share > 0) == longer
    ]
    cluster: list[Member] = []
    for member in sorted(members, key=lambda one: one[1].session):
        if cluster and order[member[1].session] - order[cluster[-1][1].session] > 1:
            yield cluster
            cluster = []
        cluster.append(member)
    if cluster:
        yield cluster


def _event(history: History, target: str, longer: bool, members: list[Member]) -> Event:
    sessions = Counter(shift.session for _, shift in members)
    numbers = sorted({number for _, shift in members for number in shift.marks})
    return Event(
        target=target,
        session=sessions.most_common(1)[0][0],
        longer=longer,
        members=tuple(sorted(members, key=lambda member: -abs(member[1].share))),
        marks=tuple(history.marks[number] for number in numbers),
    )


def places(history: History, target: str) -> tuple[int, ...]:
    """Where the sessions of a target stand in the history."""
    return tuple(place for place, past in enumerate(history.sessions) if past.target == target)


def event(history: History, found: Event) -> str:
    """An event in a sentence."""
    past = history.sessions[found.session]
    beside = f"at the same time {coincides(found)}" if found.marks else coincides(found)
    return f"{when(past)}, {past.run} on {found.target}: {together(found)}; {beside}"


def together(found: Event) -> str:
    """How many series change, and by how much."""
    parts = (_together(found, measure) for measure in ("latency", "beside the reference"))
    return listed(tuple(filter(None, parts)))


def _together(found: Event, measure: Measure) -> str:
    shares = [abs(shift.share) for series, shift in found.members if series.measure == measure]
    if not shares:
        return ""
    what = count(len(shares), "latency", "latencies")
    beside = " as a share of the reference's" if measure == "beside the reference" else ""
    low, high = percent(round(min(shares), 3)), percent(round(max(shares), 3))
    much = low if low == high else f"{low} to {high}"
    return f"{what}{beside} {much} {'longer' if found.longer else 'shorter'}"


def coincides(found: Event) -> str:
    """What else changed then."""
    told = tuple(mark(one) for one in found.marks[:MOST_MARKS])
    more = len(found.marks) - len(told)
    told = (*told, f"{more} more") if more else told
    return "; ".join(told) or "nothing that is told changed at that time"


def mark(found: Mark) -> str:
    """What changed, with both values."""
    of = "" if found.experiment is None else f" of {found.experiment}"
    return f"{found.what}{of}: {found.before} {ARROW} {found.after}"


def when(past: PastSession) -> str:
    """The day and the minute, UTC."""
    return f"{past.at:%Y-%m-%d %H:%M}"


def setting(series: Series) -> str:
    """Where it was measured, without the target."""
    threads = "" if series.threads == 1 else f", {count(series.threads, 'thread')}"
    return f"{series.backend}{RUNNERS[series.runner]}{threads}"


def figure(series: Series, value: float) -> str:
    """A latency with its unit, or a share of the reference's."""
    return duration(value) if series.measure == "latency" else decimal(value)


def value(series: Series, of: float) -> str:
    """The same in a sentence."""
    return figure(series, of) if series.measure == "latency" else f"{figure(series, of)} of the reference's"


def shift(series: Series, found: Shift) -> str:
    """A change of a series with both medians."""
    word = "longer" if found.share > 0 else "shorter"
    before, after = figure(series, found.before), figure(series, found.after)
    return f"{before} {ARROW} {after}, {percent(round(abs(found.share), 3))} {word}"


def verdict(series: Series) -> str:
    """The last change in a word."""
    if not series.tested:
        return "too few sessions"
    if not series.shifts:
        return "no change shown"
    return "longer" if series.shifts[-1].share > 0 else "shorter"


def device(found: Device) -> str:
    """A device with the time that its sessions span."""
    days = f"{found.first_at:%Y-%m-%d} to {found.last_at:%Y-%m-%d}"
    return f"{found.target}, {found.processor}: {count(found.sessions, 'session')}, {days}"


def heading(history: History) -> str:
    """What it is made of."""
    runs = len({past.run for past in history.sessions})
    older = f", {count(history.older, 'older one')} left out" if history.older else ""
    sessions, devices = count(len(history.sessions), "session"), count(len(history.targets), "device")
    return f"{sessions} of {count(runs, 'run')} in {history.folder} on {devices}{older}"


def method(history: History) -> Iterator[str]:
    """How changes were looked for, and where there are too few sessions for that."""
    testing, total = history.testing, len(history.series)
    yield (
        f"Changes are looked for by {testing.test}. Where nothing changed, any at all is named with a chance of at "
        f"most {percent(testing.level)}, which the series share that have enough sessions (Bonferroni's correction as "
        f"modified by Tarone). Changes of less than {percent(testing.floor)} are not named."
    )
    short = total - testing.series
    have = "none has" if testing.series == 0 else f"{testing.series} of {total} have"
    yield (
        f"A change can be shown in series of {testing.sessions_needed} sessions or more: {have} them."
        if short
        else f"All {total} series have the {testing.sessions_needed} sessions that a change needs to be shown."
    )
