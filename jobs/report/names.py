"""What backends, targets and variants are called in the report."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from common.numbers import count
from common.schema.benchmark import RUNNERS, Runner
from common.schema.judgement import Setting as Place
from common.schema.judgement import Speed
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Latency, Measurement, Results

BACKENDS = {"cpu": "CPU", "xnnpack": "XNNPACK", "gpu": "GPU", "npu": "NPU", "nnapi": "NNAPI", "hexagon": "Hexagon"}


@dataclass(frozen=True)
class NoResult:
    """A latency that is none of its backend: what it is instead, and why."""

    kind: str
    reason: str


Result = Latency | Unsupported | Failed | NoResult


@dataclass(frozen=True)
class Setting:
    """Where a latency was measured. `functional_only`: it must not be ranked."""

    target: str
    backend: str
    threads: int
    functional_only: bool
    runner: Runner = "binary"

    @property
    def backend_name(self) -> str:
        """The backend's usual spelling."""
        return BACKENDS.get(self.backend, self.backend)

    @property
    def program(self) -> str:
        """What measured it; nothing for the classic executable."""
        return RUNNERS[self.runner].strip()

    @property
    def backend_label(self) -> str:
        """Both."""
        return f"{self.backend_name} {self.program}".rstrip()

    @property
    def label(self) -> str:
        """All of it on one line."""
        return f"{self.target} · {self.backend_label} · {count(self.threads, 'thread')}"


@dataclass(frozen=True)
class Grid:
    """The measurements of a results file by variant and setting, in the file's order."""

    results: Results

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """Every combination of target, backend and threads that has a measurement."""
        return tuple(dict.fromkeys(self.setting(item) for item in self.results.measurements))

    def key(self, setting: Setting) -> str:
        """The name of a setting in the page: short, and safe as a class or an identifier."""
        return f"s{self.settings.index(setting)}"

    @cached_property
    def first(self) -> Setting | None:
        """The setting that decides, even where its latencies could not be ranked; without one the first that may be
        ranked, or the first of all."""
        choice = self.results.choice
        judged = None if choice is None or choice.judgement is None else choice.judgement.deciding
        place = judged or (None if choice is None else choice.setting)
        decided = [s for s in self.settings if place is not None and self.place(s) == place]
        ranked = [s for s in self.settings if not s.functional_only]
        return next(iter((*decided, *ranked, *self.settings)), None)

    @staticmethod
    def place(setting: Setting) -> Place:
        """The setting in the judge's terms."""
        return Place(target=setting.target, backend=setting.backend, threads=setting.threads, runner=setting.runner)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target that has a measurement."""
        return tuple(dict.fromkeys(item.target for item in self.results.measurements))

    def of_target(self, target: str) -> tuple[Setting, ...]:
        """The settings of one target."""
        return tuple(setting for setting in self.settings if setting.target == target)

    def setting(self, item: Measurement) -> Setting:
        """Where `item` was measured."""
        functional = any(env.functional_only for env in self.results.targets if env.name == item.target)
        return Setting(item.target, item.backend, item.threads, functional, item.runner)

    def result(self, variant: str, setting: Setting) -> Result | None:
        """What was measured, or why it is no result; None where nothing was."""
        found = self.measured(variant, setting)
        return None if found is None else self._result(found, self.speed(variant, setting))

    def measured(self, variant: str, setting: Setting) -> Latency | Unsupported | Failed | None:
        """What was measured, as it is; None where nothing was."""
        wanted = (variant, setting.target, setting.backend, setting.threads, setting.runner)
        for item in self.results.measurements:
            if (item.variant, item.target, item.backend, item.threads, item.runner) == wanted:
                return item.result
        return None

    @staticmethod
    def _result(found: Latency | Unsupported | Failed, speed: Speed | None) -> Result:
        if not isinstance(found, Latency):
            return found
        if speed is not None and speed.obstacle is not None and not speed.is_result:
            return NoResult(speed.obstacle.cause, speed.obstacle.text)
        if found.answers is not None and found.answers.wrong is not None:
            # Of results that nobody judged.
            return NoResult("wrong answers", found.answers.wrong)
        return found

    def speed(self, variant: str, setting: Setting) -> Speed | None:
        """The judge's verdict; None in results that nobody judged."""
        judgement = None if self.results.choice is None else self.results.choice.judgement
        if judgement is None:
            return None
        return judgement.speed(variant, self.place(setting))

    def latency(self, variant: str, setting: Setting) -> Latency | None:
        """The figures; None where the variant did not run to its end."""
        found = self.result(variant, setting)
        return found if isinstance(found, Latency) else None


def variant_labels(results: Results) -> dict[str, str]:
    """Label by variant name; the name itself where two variants have the same label."""
    known = Counter(variant.label for variant in results.variants)
    return {v.name: v.label if known[v.label] == 1 else v.name for v in results.variants}
