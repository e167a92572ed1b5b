"""Where a run stands: what make tells of it, and what its artifacts do."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.steps import todo
from jobs.steps.estimate import Left, Now, left

# Of make with -j, in its own variable.
SIDE_BY_SIDE = "--jobserver"


@dataclass(frozen=True)
class Course:
    """A run's folder, its steps, when it began (seconds since the epoch), and whether steps run side by side."""

    run: Path
    steps: tuple[todo.Step, ...]
    since: float
    parallel: bool

    @classmethod
    def of(cls, run: Path, environment: Mapping[str, str]) -> "Course":
        """What make tells in STEPS, START and MAKEFLAGS."""
        since = environment.get("START", "")
        began = float(since) if since.isdecimal() else time.time()
        return cls(
            run, todo.load(environment.get("STEPS", "")), began, SIDE_BY_SIDE in environment.get("MAKEFLAGS", "")
        )

    def step(self, stage: str, artifact: str) -> todo.Step:
        """The step that makes an artifact."""
        return next((each for each in self.steps if each.artifact == artifact), todo.Step(stage, artifact))

    def done(self) -> dict[str, float]:
        """Seconds of every step that this run has finished, by artifact."""
        spans = {step.artifact: todo.span(self.run / step.artifact) for step in self.steps}
        ours = {name: each for name, each in spans.items() if each is not None and each.started >= self.since}
        return todo.durations(ours, self.since)

    def left(self, done: Mapping[str, float], now: Now) -> Left | None:
        """What is left; nothing is said of steps that run side by side, whose times do not add up."""
        return None if self.parallel or now.step not in self.steps else left(self.steps, done, now)
