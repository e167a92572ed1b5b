"""Where the way of every candidate ended. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.schema.search_result import Candidate, Confirmed, Fate, Outcome, Rung, Screened


@dataclass(frozen=True)
class Ways:
    """What is known of the candidates, by name, and the finalists."""

    screened: Mapping[str, Screened]
    problems: Mapping[str, str]
    rungs: Mapping[str, tuple[Rung, ...]]
    kept: frozenset[str]
    finalists: tuple[str, ...]
    confirmed: Mapping[str, Confirmed]
    longest: int


def outcomes(candidates: Sequence[Candidate], ways: Ways) -> tuple[Outcome, ...]:
    """An outcome for each, in their order. `ways.kept` keep the margin as they are in the end; `longest` is the number
    of rungs that there were."""
    return tuple(
        Outcome(
            candidate=one,
            fate=_fate(one, ways),
            screened=ways.screened.get(one.name),
            rungs=ways.rungs.get(one.name, ()),
            confirmed=ways.confirmed.get(one.name),
            problem=ways.problems.get(one.name),
        )
        for one in candidates
    )


def _fate(one: Candidate, ways: Ways) -> Fate:
    name = one.name
    if name in ways.problems:
        return "failed"
    if name in ways.finalists:
        return "finalist"
    if name not in ways.screened:
        return "not reached"
    rungs = ways.rungs.get(name, ())
    if one.trains and not rungs:
        return "beaten before training"
    if one.trains and len(rungs) < ways.longest:
        return "beaten in training"
    return "beaten by a finalist" if name in ways.kept else "lost accuracy"
