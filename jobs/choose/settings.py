"""What to ship where only one setting counts, and the one file that is best over all of them. Pure."""

from statistics import geometric_mean

from common.numbers import count
from common.schema.choice import Candidate, Overall, Winner
from common.schema.judgement import Setting, Speed
from jobs.choose.recommend import Case, Recommendation
from jobs.choose.wording import label

# The judge's words in a sentence.
BESIDE = {
    "faster": ", faster than {}",
    "slower": ", slower than {}",
    "as fast": ", as fast as {}",
    "not resolved": ", its speed beside {} not resolved",
}


def winners(case: Case, chosen: Recommendation) -> tuple[Winner, ...]:
    """One for every setting in which anything was measured, by the rule of the deciding one: the least size times
    latency of those that may be shipped there."""
    return tuple(_winner(case, chosen, setting) for setting in _settings(case))


def overall(case: Case, chosen: Recommendation) -> Overall | None:
    """The best file over all settings in which latencies can be compared; None with fewer than two."""
    compared = [setting for setting in _settings(case) if _compared(case, setting)]
    if len(compared) < 2:  # noqa: PLR2004
        return None
    costs = {c.name: cost for c in case.candidates if (cost := _cost_everywhere(case, c, compared)) is not None}
    where = f"all {count(len(compared), 'setting')}"
    if not costs:
        return Overall(best=None, rule=f"no variant may be shipped in {where}")
    names = sorted(costs, key=lambda name: (costs[name], name != case.reference, name != chosen.best))
    rule = f"the least size times latency, by the geometric mean over {where}, of those that may be shipped in all"
    return Overall(best=names[0], rule=rule)


def _settings(case: Case) -> tuple[Setting, ...]:
    return tuple(dict.fromkeys(speed.setting for speed in case.judgement.speeds))


def _compared(case: Case, setting: Setting) -> bool:
    return any(s.setting == setting and s.ratio is not None for s in case.judgement.speeds)


def _winner(case: Case, chosen: Recommendation, setting: Setting) -> Winner:
    if setting == case.setting:
        return Winner(setting=setting, best=chosen.best, reason="it decides the recommendation")
    if not _compared(case, setting):
        return Winner(setting=setting, best=None, reason=_why_not(case, setting))
    fit = {c.name: cost for c in case.candidates if (cost := _cost(case, c, setting)) is not None}
    if not fit:
        return Winner(setting=setting, best=None, reason="no variant may be shipped here")
    best = min(fit, key=lambda name: (fit[name], name != case.reference))
    speed = case.judgement.speed(best, setting)
    told = "" if speed is None else BESIDE.get(speed.verdict, "").format(label(case.reference))
    return Winner(setting=setting, best=best, reason=f"the least size times latency here{told}")


def _why_not(case: Case, setting: Setting) -> str:
    obstacles = [s.obstacle for s in case.judgement.speeds if s.setting == setting and s.obstacle is not None]
    return obstacles[0].text if obstacles else "nothing was compared here"


def _cost(case: Case, candidate: Candidate, setting: Setting) -> float | None:
    """Size times latency as a share of the reference's; None where it must not be shipped."""
    speed = case.judgement.speed(candidate.name, setting)
    if speed is None or speed.verdict == "not compared" or not case.verdicts(candidate).may_ship_elsewhere:
        return None
    return candidate.size_bytes * _time(speed)


def _time(speed: Speed) -> float:
    return 1.0 if speed.ratio is None else 1 / speed.ratio.value


def _cost_everywhere(case: Case, candidate: Candidate, settings: list[Setting]) -> float | None:
    costs = [_cost(case, candidate, setting) for setting in settings]
    known = [cost for cost in costs if cost]
    return geometric_mean(known) if len(known) == len(settings) else None
