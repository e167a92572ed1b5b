"""How candidates are spoken of. Pure."""

from common.numbers import count, percent, proportion, ratio
from common.schema.choice import Candidate
from common.schema.judgement import Setting


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
    """The accuracy with its interval and, beside a reference, the judge's word."""
    word = "" if candidate.keeping in (None, "reference") else f", {candidate.keeping}"
    return proportion(candidate.accuracy) + word


def speed(candidate: Candidate, reference: str) -> str:
    """The ratio of latencies with its interval and the judge's word; what is known where there is none."""
    if candidate.latency_us is None:
        return "no latency"
    if candidate.ratio is None:
        return f"{candidate.latency_us:.0f} µs, not compared"
    told = candidate.difference in ("faster", "slower")
    return f"{ratio(candidate.ratio)} as fast as {label(reference)}{'' if told else f' ({candidate.difference})'}"


def figures(candidate: Candidate, reference: Candidate) -> str:
    """Everything that a candidate is judged by, beside the reference."""
    if candidate.name == reference.name:
        return f"accuracy {accuracy(candidate)}; the others are compared with it"
    size = f"{percent(candidate.size_bytes / reference.size_bytes)} of {label(reference.name)}'s size"
    return f"{size}, {speed(candidate, reference.name)}, accuracy {accuracy(candidate)}"
