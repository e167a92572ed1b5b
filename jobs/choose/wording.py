"""How candidates are spoken of. Pure."""

from common.numbers import count, p_value, percent, proportion, ratio
from common.schema.choice import Candidate, Setting


def label(name: str) -> str:
    """A variant's name as the report writes it."""
    return name.replace("_", " ")


def place(setting: Setting) -> str:
    """Where latencies were measured; the names of backends are abbreviations."""
    return f"{setting.target} · {setting.backend.upper()} · {count(setting.threads, 'thread')}"


def points(share: float) -> str:
    """A difference of two shares."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " percentage points"


def accuracy(candidate: Candidate) -> str:
    """The accuracy with its interval and, beside a reference, the p value of their comparison."""
    beside = "" if candidate.mcnemar is None else f", {p_value(candidate.mcnemar.p_value)}"
    return proportion(candidate.accuracy) + beside


def speed(candidate: Candidate, reference: str) -> str:
    """The ratio of latencies with its interval; what is known where there is none."""
    if candidate.latency_us is None:
        return "no latency"
    if candidate.ratio is None:
        return f"{candidate.latency_us:.0f} µs without an interval"
    unclear = candidate.ratio.low <= 1 <= candidate.ratio.high
    return f"{ratio(candidate.ratio)} as fast as {label(reference)}{', no clear difference' if unclear else ''}"


def figures(candidate: Candidate, reference: Candidate) -> str:
    """Everything that a candidate is judged by, beside the reference."""
    if candidate.name == reference.name:
        return f"accuracy {accuracy(candidate)}; the others are compared with it"
    size = f"{percent(candidate.size_bytes / reference.size_bytes)} of {label(reference.name)}'s size"
    return f"{size}, {speed(candidate, reference.name)}, accuracy {accuracy(candidate)}"
