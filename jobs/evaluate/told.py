"""An evaluation of answers in one line for the terminal. Pure."""

from common.schema.answers import Answers


def told(found: Answers) -> str:
    """How many samples, and what was found."""
    parts = [f"{found.variant}: {found.count} samples"]
    if found.score is not None:
        parts.append(f"score {found.score.value:.4g}")
    if found.reference is None:
        return ", ".join([*parts, "the others are compared with it"])
    problems = [row.problem for row in found.agreement if row.problem is not None]
    furthest = max((row.max_abs for row in found.agreement if row.max_abs is not None), default=None)
    if problems:
        parts.append(problems[0])
    elif furthest is not None:
        parts.append("the same answers" if furthest == 0 else f"largest difference {furthest:.4g}")
    return ", ".join(parts)
