"""What backends, targets and variants are called in the report."""

from dataclasses import dataclass

from common.numbers import count
from common.schema.benchmark import Runner
from common.schema.outcome import Failed, Unsupported
from common.schema.results import Latency, Measurement, Results

BACKENDS = {"cpu": "CPU", "xnnpack": "XNNPACK", "gpu": "GPU", "nnapi": "NNAPI", "hexagon": "Hexagon"}
Result = Latency | Unsupported | Failed


@dataclass(frozen=True)
class Setting:
    """Where a latency was measured. `functional_only`: it must not be ranked."""

    target: str
    backend: str
    threads: int
    functional_only: bool
    runner: Runner = "binary"

    @property
    def backend_label(self) -> str:
        """The backend's usual spelling, and whether the app measured it."""
        name = BACKENDS.get(self.backend, self.backend)
        return f"{name} app" if self.runner == "app" else name

    @property
    def label(self) -> str:
        """All of it on one line."""
        return f"{self.target} · {self.backend_label} · {count(self.threads, 'thread')}"


@dataclass(frozen=True)
class Grid:
    """The measurements of a results file by variant and setting, in the file's order."""

    results: Results

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Every combination of target, backend and threads that has a measurement."""
        return tuple(dict.fromkeys(self.setting(item) for item in self.results.measurements))

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
        """What was measured; None where nothing was."""
        wanted = (variant, setting.target, setting.backend, setting.threads, setting.runner)
        for item in self.results.measurements:
            if (item.variant, item.target, item.backend, item.threads, item.runner) == wanted:
                return item.result
        return None

    def latency(self, variant: str, setting: Setting) -> Latency | None:
        """The figures; None where the variant did not run to its end."""
        found = self.result(variant, setting)
        return found if isinstance(found, Latency) else None

    def trusted(self, variant: str, setting: Setting) -> Latency | None:
        """The figures, unless the device is known to have answered wrongly."""
        found = self.latency(variant, setting)
        return None if found is None or found.wrong else found


def variant_labels(results: Results) -> dict[str, str]:
    """Label by variant name; the name itself where two variants have the same label."""
    labels = [variant.label for variant in results.variants]
    return {v.name: v.label if labels.count(v.label) == 1 else v.name for v in results.variants}
