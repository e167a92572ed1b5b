"""A large case from recorded results: more variants, devices and backends with the recorded figures, scaled."""

from collections.abc import Iterator
from itertools import cycle, islice

from common.schema.choice import Choice
from common.schema.environment import Environment
from common.schema.judgement import Judgement, Setting, Speed
from common.schema.results import Flips, Latency, Measurement, Results, Trace, VariantResult

VARIANTS, DEVICES, BACKENDS = 20, ("pixel 9 (a)", "galaxy s24 (b)", "nord 3 (c)"), ("cpu", "xnnpack", "gpu", "nnapi")
# How much slower a device and a backend are than what was recorded.
SLOWER = (1.0, 1.7, 3.1)
BACKEND_SLOWER = (1.0, 1.0, 0.6, 1.9)


def enlarge(recorded: Results, variants: int = VARIANTS) -> Results:
    """The recorded results with `variants` variants on three devices and four backends.

    The recorded variants are repeated under new names, the recorded settings under new devices and backends; ratios
    stay, times are scaled. The results need measurements with a judgement.
    """
    names = _names(recorded, variants)
    settings = list(dict.fromkeys(item.setting for item in recorded.measurements))
    changes: dict[str, object] = {
        "variants": tuple(_variant(recorded, new, old) for new, old in names.items()),
        "measurements": tuple(_measurements(recorded, names, settings)),
        "targets": tuple(_target(recorded.targets[0], name) for name in DEVICES),
        "evaluations": tuple(
            e.model_copy(update={"variant": new})
            for new, old in names.items()
            for e in recorded.evaluations
            if e.variant == old
        ),
        "traces": tuple(_traces(recorded, names, settings)),
        "flips": tuple(_flips(recorded, names)),
        "choice": None if recorded.choice is None else _choice(recorded.choice, names, settings),
    }
    return recorded.model_copy(update=changes)


def _names(recorded: Results, variants: int) -> dict[str, str]:
    """New name by recorded name: the recorded ones first, then copies of all but the reference."""
    old = [variant.name for variant in recorded.variants]
    others = [name for name in old if name != recorded.reference]
    copies = islice(((f"{name}_{turn}", name) for turn, name in _turns(others)), max(0, variants - len(old)))
    return {name: name for name in old} | dict(copies)


def _turns(names: list[str]) -> Iterator[tuple[int, str]]:
    for place, name in enumerate(cycle(names)):
        yield 2 + place // len(names), name


def _variant(recorded: Results, new: str, old: str) -> VariantResult:
    found = next(variant for variant in recorded.variants if variant.name == old)
    return found.model_copy(update={"name": new, "label": new.replace("_", " ")})


def _places(settings: list[Setting]) -> Iterator[tuple[Setting, Setting, float]]:
    """A new setting, the recorded one that stands for it, and the factor of its times."""
    for device, slower in zip(DEVICES, SLOWER, strict=True):
        for backend, factor, old in zip(BACKENDS, BACKEND_SLOWER, cycle(settings), strict=False):
            yield Setting(target=device, backend=backend, threads=old.threads), old, slower * factor


def _measurements(recorded: Results, names: dict[str, str], settings: list[Setting]) -> Iterator[Measurement]:
    found = {(item.variant, item.setting): item for item in recorded.measurements}
    for new, old, factor in _places(settings):
        for name, source in names.items():
            item = found[source, old]
            result = _scaled(item.result, factor) if isinstance(item.result, Latency) else item.result
            place = {"target": new.target, "backend": new.backend, "threads": new.threads, "runner": new.runner}
            yield item.model_copy(update={"variant": name, "result": result, **place})


def _scaled(latency: Latency, factor: float) -> Latency:
    times = ("latency_us", "low_us", "high_us", "init_us", "first_us", "p95_us")
    known = {name: getattr(latency, name) for name in times if getattr(latency, name) is not None}
    changes: dict[str, object] = {name: value * factor for name, value in known.items()}
    if latency.interval is not None:
        ends = {name: getattr(latency.interval, name) * factor for name in ("value", "low", "high")}
        changes["interval"] = latency.interval.model_copy(update=ends)
    return latency.model_copy(update=changes)


def _target(host: Environment, name: str) -> Environment:
    return host.model_copy(update={"name": name})


def _traces(recorded: Results, names: dict[str, str], settings: list[Setting]) -> Iterator[Trace]:
    for new, old, _ in _places(settings):
        for trace in recorded.traces:
            if (trace.target, trace.backend, trace.threads) != (old.target, old.backend, old.threads):
                continue
            copies = [
                process.model_copy(update={"variant": name})
                for process in trace.processes
                for name, source in names.items()
                if source == process.variant
            ]
            yield trace.model_copy(update={"target": new.target, "backend": new.backend, "processes": tuple(copies)})


def _flips(recorded: Results, names: dict[str, str]) -> Iterator[Flips]:
    for new, old in names.items():
        yield from (flips.model_copy(update={"variant": new}) for flips in recorded.flips if flips.variant == old)


def _choice(choice: Choice, names: dict[str, str], settings: list[Setting]) -> Choice:
    deciding = None if choice.setting is None else next(n for n, old, _ in _places(settings) if old == choice.setting)
    standings = tuple(
        s.model_copy(update={"candidate": s.candidate.model_copy(update={"name": new})})
        for new, old in names.items()
        for s in choice.standings
        if s.candidate.name == old
    )
    winners = [
        winner.model_copy(update={"setting": new})
        for new, old, _ in _places(settings)
        for winner in choice.winners
        if winner.setting == old
    ]
    judged = None if choice.judgement is None else _judgement(choice.judgement, names, settings, deciding)
    return choice.model_copy(
        update={"setting": deciding, "standings": standings, "winners": tuple(winners), "judgement": judged}
    )


def _judgement(
    judged: Judgement, names: dict[str, str], settings: list[Setting], deciding: Setting | None
) -> Judgement:
    return judged.model_copy(
        update={
            "deciding": deciding,
            "speeds": tuple(_speeds(judged, names, settings)),
            "variants": tuple(judged.of(old).model_copy(update={"variant": new}) for new, old in names.items()),
            "gains": tuple(
                gain.model_copy(update={"setting": new})
                for new, old, _ in _places(settings)
                for gain in judged.gains
                if gain.setting == old
            ),
        }
    )


def _speeds(judged: Judgement, names: dict[str, str], settings: list[Setting]) -> Iterator[Speed]:
    for new, old, _ in _places(settings):
        for name, source in names.items():
            found = judged.speed(source, old)
            if found is not None:
                yield found.model_copy(update={"variant": name, "setting": new})
