"""How candidates are spoken of. Pure."""

from common.numbers import count, duration, percent, proportion, speedup
from common.schema.choice import Candidate
from common.schema.judgement import Setting


def label(name: str) -> str:
    """A variant's name as the report writes it."""
    return name.replace("_", " ")


def place(setting: Setting) -> str:
    """Where latencies were measured; the names of backends are abbreviations."""
    return f"{setting.target} · {setting.backend.upper()} · {count(setting.threads, 'thread')}"


def measured(setting: Setting | None) -> str:
    """The begin of a sentence: where the latency counts that a card tells of."""
    return "No latency could be ranked" if setting is None else f"Latency was measured on {place(setting)}"


def points(share: float) -> str:
    """A difference of two shares."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " percentage points"


def quality(candidate: Candidate) -> str:
    """The accuracy with its interval, the score, or whether the answers lie within the tolerance, and the judge's word
    beside a reference."""
    word = "" if candidate.keeping in (None, "reference") else f", {candidate.keeping}"
    if candidate.accuracy is not None:
        return f"accuracy {proportion(candidate.accuracy)}{word}"
    if candidate.score is not None:
        return f"score {candidate.score:.4g}{word}"
    within = {"shown to keep": "within", "shown to lose": "beyond"}.get(candidate.keeping or "")
    return "quality not judged" if within is None else f"answers {within} the tolerance"


def speed(candidate: Candidate, reference: str) -> str:
    """The ratio of latencies with its interval and the judge's word; what is known where there is none."""
    if candidate.latency_us is None:
        return "no latency"
    if candidate.ratio is None:
        return f"{duration(candidate.latency_us)}, not compared"
    told = candidate.difference in ("faster", "slower")
    return f"{speedup(candidate.ratio)} as fast as {label(reference)}{'' if told else f' ({candidate.difference})'}"


def figures(candidate: Candidate, reference: Candidate) -> str:
    """Everything that a candidate is judged by, beside the reference."""
    if candidate.name == reference.name:
        told = "" if candidate.accuracy is None and candidate.score is None else f"{quality(candidate)}; "
        return f"{told}the others are compared with it"
    size = f"{percent(candidate.size_bytes / reference.size_bytes)} of {label(reference.name)}'s size"
    return f"{size}, {speed(candidate, reference.name)}, {quality(candidate)}"
