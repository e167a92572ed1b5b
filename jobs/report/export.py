"""`results.csv`: raw figures, one row per variant, target, backend and thread count. Pure."""

import pandas as pd

from common.printable import clean
from common.schema.base import Interval
from common.schema.judgement import Speed
from common.schema.outcome import Failed, Unsupported
from common.schema.power import Energy
from common.schema.results import Latency, Results
from jobs.report.names import Grid, NoResult, Setting
from jobs.report.verdicts import spoken

# A spreadsheet would run a cell that begins like this.
FORMULA = ("=", "+", "-", "@")
INTEGERS = (
    "rounds_needed",
    "nodes_delegated",
    "nodes_total",
    "threads",
    "size_bytes",
    "deflated_bytes",
    "rounds",
    "failed_processes",
    "memory_processes",
)
COLUMNS = (
    "variant",
    "target",
    "functional_only",
    "backend",
    "threads",
    "runner",
    "outcome",
    "reason",
    "size_bytes",
    "deflated_bytes",
    "accuracy_share",
    "accuracy_low_share",
    "accuracy_high_share",
    "mcnemar_p",
    "latency_us",
    "latency_low_us",
    "latency_high_us",
    "p95_us",
    "interval_low_us",
    "interval_high_us",
    "rounds",
    "failed_processes",
    "ratio_to_reference",
    "ratio_low",
    "ratio_high",
    "speed_verdict",
    "rounds_needed",
    "not_compared_reason",
    "accuracy_verdict",
    "init_us",
    "first_us",
    "memory_mb",
    "memory_peak_mb",
    "memory_processes",
    "delegation",
    "nodes_delegated",
    "nodes_total",
    "app_ratio",
    "answers_agreement",
    "answers_largest_difference",
    "answers_wrong",
    "answers_relative_error",
    "sustained_s",
    "sustained_first_us",
    "sustained_last_us",
    "sustained_throttled_s",
    "sustained_problem",
    "energy_mj",
    "energy_net_mj",
    "no_energy_reason",
)


def results_csv(results: Results) -> bytes:
    """The table as UTF-8 text; cells without a figure are empty. Memory counts in 2**20 bytes."""
    grid = Grid(results)
    rows = [_row(results, grid, variant.name, s) for variant in results.variants for s in grid.settings or (None,)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(INTEGERS, "Int64"))
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _row(results: Results, grid: Grid, name: str, setting: Setting | None) -> dict[str, object]:
    variant = next(v for v in results.variants if v.name == name)
    row: dict[str, object] = {"variant": name, "outcome": "not measured"}
    row |= {"size_bytes": variant.size_bytes, "deflated_bytes": variant.deflated_bytes}
    row |= _accuracy(results, name)
    if setting is None:
        return row
    row |= {"target": _text(setting.target), "functional_only": setting.functional_only}
    row |= {"backend": _text(setting.backend), "threads": setting.threads, "runner": setting.runner}
    found = grid.result(name, setting)
    speed = grid.speed(name, setting)
    if isinstance(found, Unsupported | Failed | NoResult):
        row |= {"outcome": found.kind, "reason": _text(found.reason)}
    if isinstance(found, Latency):
        shown = (speed.ratio if speed is not None else found.ratio) if not setting.functional_only else None
        row |= {"outcome": "measured", **_figures(found, shown)}
    measured = grid.measured(name, setting)
    row |= _told(measured) if isinstance(measured, Latency) else {}
    row |= _sustained(results, name, setting)
    return row | _verdict(speed)


def _verdict(speed: Speed | None) -> dict[str, object]:
    if speed is None:
        return {}
    reason = "" if speed.obstacle is None else _text(speed.obstacle.text)
    return {"speed_verdict": speed.verdict, "rounds_needed": speed.rounds_needed, "not_compared_reason": reason}


def _accuracy(results: Results, name: str) -> dict[str, object]:
    found = next((e for e in results.evaluations if e.variant == name), None)
    if found is None:
        return {}
    share = found.accuracy
    row: dict[str, object] = {
        "accuracy_share": share.value,
        "accuracy_low_share": share.low,
        "accuracy_high_share": share.high,
    }
    judgement = spoken(results)
    row |= {"accuracy_verdict": None if judgement is None else judgement.of(name).accuracy}
    return row | {"mcnemar_p": None if found.mcnemar is None else found.mcnemar.p_value}


def _figures(latency: Latency, ratio: Interval | None) -> dict[str, object]:
    row: dict[str, object] = {"latency_us": latency.latency_us, "rounds": latency.rounds}
    row |= {"latency_low_us": latency.low_us, "latency_high_us": latency.high_us, "p95_us": latency.p95_us}
    row |= {"failed_processes": latency.failed_rounds}
    row |= {"init_us": latency.init_us, "first_us": latency.first_us, "memory_mb": latency.memory_mb}
    row |= {"memory_peak_mb": latency.memory_peak_mb, "memory_processes": latency.memory_processes}
    if latency.interval is not None:
        row |= {"interval_low_us": latency.interval.low, "interval_high_us": latency.interval.high}
    if ratio is not None:
        row |= {"ratio_to_reference": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high}
    return row


def _told(latency: Latency) -> dict[str, object]:
    """What devices tell besides the figures."""
    row: dict[str, object] = {}
    if (found := latency.delegation) is not None:
        row |= {"delegation": found.extent, "nodes_delegated": found.nodes_delegated, "nodes_total": found.nodes_total}
    if latency.app_ratio is not None:
        row["app_ratio"] = latency.app_ratio.value
    if (answers := latency.answers) is not None:
        agreed = answers.top1_agreement
        row |= {"answers_agreement": None if agreed is None else agreed.value}
        row |= {"answers_relative_error": answers.relative_error, "answers_wrong": _text(answers.wrong or "")}
        row["answers_largest_difference"] = answers.largest_difference
    return row


def _sustained(results: Results, name: str, setting: Setting) -> dict[str, object]:
    """The load without a pause, where there was one."""
    place = (setting.target, setting.backend, setting.threads, setting.runner)
    found = [x.result for x in results.sustained if (x.target, x.result.cell.variant) == (setting.target, name)]
    loads = [x for x in found if place == (setting.target, x.cell.backend, x.cell.threads, x.cell.runner)]
    if not loads:
        return {}
    load = loads[0]
    row: dict[str, object] = {"sustained_s": load.duration_s, "sustained_problem": _text(load.problem or "")}
    row |= {"sustained_first_us": load.first_us, "sustained_last_us": load.last_us}
    row["sustained_throttled_s"] = load.throttled_s
    if isinstance(load.energy, Energy):
        return row | {"energy_mj": load.energy.mj, "energy_net_mj": load.energy.net_mj}
    return row | {"no_energy_reason": _text(load.energy.reason)}


def _text(value: str) -> str:
    # Clean, it begins with no tab, line break or blank, which some programs pass over before a formula.
    shown = clean(value)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
