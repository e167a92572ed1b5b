"""What else differs between two runs than their files, and what of it forbids to compare their latencies. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from common.errors import NotComparableError
from common.run.spread import Session
from common.schema.comparison import SetupChange
from common.schema.environment import Environment
from common.schema.results import Results

# Another processor runs other kernels, so that a latency of it says nothing of a change in a file.
PROCESSOR = (
    *(
        "CPU",
        "CPU vendor",
        "CPU family",
        "CPU model",
        "CPU stepping",
        "Instruction sets",
        "Cores usable",
        "Architecture",
    ),
    *("System on chip", "Model", "Emulator"),
)
# How a process runs. The rest of [benchmark] says what is measured and how often.
PROCESS = (
    *("warmup_runs", "warmup_min_secs", "num_runs", "min_secs", "max_secs", "extra_flags"),
    *("fixed_performance", "cores"),
)
ONLY_TOLD = ("threads", "backends", "rounds", "most_rounds", "budget")
DIGITS = 12
# Degrees Celsius; a battery is read with one decimal.
BAND = 5
CELSIUS = re.compile(r"(-?\d{1,3}\.\d) °C")
HEAT, BATTERY = "Thermal status before", "Battery before"
UNKNOWN = "not told"


@dataclass(frozen=True)
class Side:
    """A run as it is compared. `settings` are those of [benchmark] as text, by target, empty where only the results
    file is at hand; `sessions` are all that its ledgers or its results file show; `celsius` is the battery's typical
    temperature while a target was measured, where a ledger tells it; `folder`: its artifacts are there."""

    results: Results
    sha256: str
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sessions: tuple[Session, ...] = ()
    folder: bool = False
    celsius: Mapping[str, float] = field(default_factory=dict)

    def environment(self, target: str) -> Environment | None:
        """The machine of this name."""
        return next((one for one in self.results.targets if one.name == target), None)

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of each variant's file, where the results tell it."""
        results = self.results
        standings = () if results.choice is None else results.choice.standings
        found = {standing.candidate.name: standing.candidate.model_sha256 for standing in standings}
        found |= {evaluation.variant: evaluation.model_sha256 for evaluation in results.evaluations}
        return found | {answers.variant: answers.model_sha256 for answers in results.answers}


def targets(base: Side, head: Side) -> tuple[str, ...]:
    """Those that both runs measured on. Raises NotComparableError where both measured and none is the same."""
    names = [tuple(dict.fromkeys(m.target for m in side.results.measurements)) for side in (base, head)]
    both = tuple(name for name in names[1] if name in names[0])
    if all(names) and not both:
        told = [", ".join(each) for each in names]
        text = f"the base was measured on {told[0]}, the head on {told[1]}"
        raise NotComparableError(text, hint="compare runs on one device, or measure again")
    return both


def setup(base: Side, head: Side, shared: Sequence[str]) -> Iterator[SetupChange]:
    """Every difference with both values, those that forbid to compare first; of one value on each side once."""
    found = [*_throughout(base.results, head.results)]
    for target in shared:
        found += _machine(target, base, head)
        found += _settings(target, base.settings.get(target), head.settings.get(target))
    yield from sorted(found, key=lambda change: not change.refuses)


def _throughout(base: Results, head: Results) -> Iterator[SetupChange]:
    versions = [_versions(results) for results in (base, head)]
    for name in ("edgeproof", "ai-edge-litert", "tensorflow"):
        yield from _change(None, name, versions[0].get(name), versions[1].get(name))
    data = [_images(results) for results in (base, head)]
    yield from _change(None, "the reported images", data[0], data[1])
    asked = [_samples(results) for results in (base, head)]
    yield from _change(None, "the samples", asked[0], asked[1])


def _versions(results: Results) -> dict[str, str]:
    found: dict[str, str] = {}
    for manifest in results.provenance:
        found |= {**manifest.versions, "edgeproof": manifest.code.version}
    return found


def _images(results: Results) -> str | None:
    """The hash of the images' content, where labelled ones are."""
    split = None if results.dataset is None else dict(results.dataset.splits)[results.dataset.reported]
    return None if split is None else split.images.sha256[:DIGITS]


def _samples(results: Results) -> str | None:
    return None if results.samples is None else results.samples.arrays.sha256[:DIGITS]


def _machine(target: str, base: Side, head: Side) -> Iterator[SetupChange]:
    old, new = base.environment(target), head.environment(target)
    if old is None or new is None:
        return
    yield from _change(target, "the kind of target", old.kind, new.kind, refuses=True)
    before, now = dict(old.lasting), dict(new.lasting)
    for label in dict.fromkeys([*before, *now]):
        yield from _change(target, label, before.get(label), now.get(label), refuses=label in PROCESSOR)
    if old.app_sha256 != new.app_sha256:
        yield from _change(target, "the app's sha256", _short(old.app_sha256), _short(new.app_sha256))
    beside = dict(old.tools), dict(new.tools)
    for runner in dict.fromkeys([*beside[0], *beside[1]]):
        what = f"the sha256 of {'the NPU libraries' if runner == 'npu' else f'the tool {runner}'}"
        yield from _change(target, what, _short(beside[0].get(runner)), _short(beside[1].get(runner)))
    yield from _change(target, "the thermal status", dict(old.facts).get(HEAT), dict(new.facts).get(HEAT))
    bands = (_band(side.celsius.get(target), one) for side, one in ((base, old), (head, new)))
    yield from _change(target, "the temperature band", *bands)


def _band(celsius: float | None, environment: Environment) -> str | None:
    """Of the battery, in steps of some degrees: while it measured, or before where only that is told."""
    if celsius is None:
        found = CELSIUS.search(dict(environment.facts).get(BATTERY, ""))
        if found is None:
            return None
        celsius = float(found[1])
    low = floor(celsius / BAND) * BAND
    return f"{low} to {low + BAND} °C"


def _settings(target: str, base: Mapping[str, str] | None, head: Mapping[str, str] | None) -> Iterator[SetupChange]:
    if base is None or head is None:
        return
    for key in (*PROCESS, *ONLY_TOLD):
        yield from _change(target, f"[benchmark] {key}", base.get(key), head.get(key), refuses=key in PROCESS)


def _change(
    target: str | None, what: str, base: str | None, head: str | None, *, refuses: bool = False
) -> Iterator[SetupChange]:
    if base != head:
        yield SetupChange(target=target, what=what, base=base or UNKNOWN, head=head or UNKNOWN, refuses=refuses)


def _short(digest: str | None) -> str | None:
    return None if digest is None else digest[:DIGITS]
