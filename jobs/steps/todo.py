"""The steps that a run has to do, as make lists them, and what each took."""

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# How graph.mk marks a step when it is asked for a list.
MARK = "step "
FIELDS = 3
UNKNOWN = "-"
# Larger than any artifact's JSON; what lies in a run's folder may be somebody else's.
MOST_BYTES = 32 << 20
# From the end of one step to the start of the next a process starts and loads its packages; more is a pause.
LONGEST_START_S = 30.0
# Folders of which each variant has one.
PER_VARIANT = ("variants", "evaluation")


@dataclass(frozen=True)
class Step:
    """A stage and the artifact that it makes, as a path below the run. `before_s`: what it took in the last run, None
    where nobody knows."""

    stage: str
    artifact: str
    before_s: float | None = None

    @property
    def variant(self) -> str:
        """Name of the variant that the step is for; empty where the stage runs once."""
        parts = self.artifact.split("/")
        return parts[1] if parts[0] in PER_VARIANT and len(parts) == FIELDS else ""


@dataclass(frozen=True)
class Span:
    """When an artifact was made, in seconds since the epoch."""

    started: float
    finished: float


def listed(text: str) -> tuple[Step, ...]:
    """The steps in what make printed."""
    words = (line.split() for line in text.splitlines() if line.startswith(MARK))
    return tuple(Step(each[1], each[2]) for each in words if len(each) == FIELDS)


def dump(steps: Iterable[Step]) -> str:
    """As lines, to be read by `load`."""
    return "".join(
        f"{step.stage} {step.artifact} {UNKNOWN if step.before_s is None else f'{step.before_s:.3f}'}\n"
        for step in steps
    )


def load(text: str) -> tuple[Step, ...]:
    """What `dump` wrote; lines that it cannot have written are left out."""
    return tuple(_loaded(text))


def _loaded(text: str) -> Iterator[Step]:
    for words in (line.split() for line in text.splitlines()):
        try:
            stage, artifact, before = words
            yield Step(stage, artifact, None if before == UNKNOWN else float(before))
        except ValueError:
            continue


def remembered(run: Path, steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps with what each took in the run's folder before; unknown where its settings have changed since."""
    steps = tuple(steps)
    # All of the run, since a step counts from the end of the one before.
    pieces = (path.relative_to(run / "plan").as_posix() for path in (run / "plan").rglob("*.json"))
    spans = {artifact: span(run / artifact) for artifact in {*pieces, *(step.artifact for step in steps)}}
    took = durations({artifact: found for artifact, found in spans.items() if found is not None})
    return tuple(
        Step(step.stage, step.artifact, took.get(step.artifact) if _as_planned(run, step.artifact) else None)
        for step in steps
    )


def _as_planned(run: Path, artifact: str) -> bool:
    """A piece of the plan is written anew only when it changes."""
    try:
        return (run / artifact).stat().st_mtime >= (run / "plan" / artifact).stat().st_mtime
    except OSError:
        return False


def durations(spans: Mapping[str, Span], since: float | None = None) -> dict[str, float]:
    """Seconds of each step with its start: from the end of the one before, or from `since`."""
    ends = [*([] if since is None else [since]), *(each.finished for each in spans.values())]
    return {name: each.finished - _began(each, ends) for name, each in spans.items()}


def _began(each: Span, ends: Iterable[float]) -> float:
    last = max((end for end in ends if end <= each.started), default=each.started)
    return last if each.started - last <= LONGEST_START_S else each.started


def span(path: Path) -> Span | None:
    """When an artifact was made, by its own word; None for what is no artifact."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                return None
            told = json.loads(stream.read(MOST_BYTES))["provenance"]
        # A report repeats the manifests of all; its own is the last.
        spans = [_span(each) for each in (told if isinstance(told, list) else [told])]
        last = max(spans, key=lambda each: each.finished)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, OverflowError):
        return None
    return last if last.started <= last.finished else None


def _span(manifest: Mapping[str, str]) -> Span:
    return Span(*(datetime.fromisoformat(manifest[key]).timestamp() for key in ("started_at", "finished_at")))
