"""The line of a step. Pure."""

import unicodedata
from collections.abc import Sequence

from common.numbers import MINUTE, elapsed
from jobs.steps.estimate import Left
from jobs.steps.todo import Step

# Below it an estimate says less than the next line will.
LEAST_LEFT_S = 2
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def place(steps: Sequence[Step], step: Step) -> str:
    """`[3/7] optimize 4/7 pruned`: the stage among those of the run, and the variant where it has one."""
    stages = list(dict.fromkeys(each.stage for each in steps))
    numbered = f"[{stages.index(step.stage) + 1}/{len(stages)}] {step.stage}" if step.stage in stages else step.stage
    same = [each.artifact for each in steps if each.stage == step.stage]
    which = f" {same.index(step.artifact) + 1}/{len(same)}" if len(same) > 1 and step.artifact in same else ""
    return f"{numbered}{which}{f' {step.variant}' if step.variant else ''}"


def line(where: str, elapsed_s: float, left: Left | None) -> str:
    """The place with the time since the run began, and what is left of it."""
    parts = [where, elapsed(elapsed_s)]
    if left is not None and left.seconds >= LEAST_LEFT_S:
        parts.append(f"about {about(left.seconds)} left{f' of {left.stage}' if left.stage else ''}")
    return " \N{MIDDLE DOT} ".join(parts)


def about(seconds: float) -> str:
    """As exact as an estimate is: `8 s`, `40 s`, `3 min`, `1 h 10 min`."""
    whole = round(seconds)
    if whole < 10:  # noqa: PLR2004
        return f"{whole} s"
    if whole < MINUTE - 2:
        return f"{5 * round(whole / 5)} s"
    minutes = max(1, round(whole / MINUTE))
    if minutes < MINUTE:
        return f"{minutes} min"
    minutes = 10 * round(minutes / 10)
    return f"{minutes // MINUTE} h {minutes % MINUTE:02} min"


def clipped(text: str, columns: int) -> str:
    """As much of a text as a line of a terminal has room for; wide characters take two columns."""
    shown, used = "", 0
    for character in text:
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if used > columns:
            return shown[:-1] + ELLIPSIS
        shown += character
    return shown
