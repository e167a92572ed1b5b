"""results.csv holds the raw figures."""

import io

import pandas as pd
import pytest

from common.schema.outcome import Failed, Unsupported
from common.schema.results import Results
from jobs.report.export import results_csv
from tests.unit.report import factories as f
from tests.unit.report.test_sustained import SPENT, load


def _table(results: Results) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(results_csv(results)))


def test_figures_come_back_as_they_were() -> None:
    results = f.results()
    table = _table(results)
    assert len(table) == 10
    for number, name in enumerate(f.NAMES):
        row = table[(table.variant == name) & (table.backend == "xnnpack")].iloc[0]
        latency = f.measurements("xnnpack", 0.31)[number].result
        assert latency.kind == "latency" and latency.interval is not None
        assert row.latency_us == latency.latency_us and row.interval_high_us == latency.interval.high
        assert row.accuracy_share == results.evaluations[number].accuracy.value
        assert row.size_bytes == f.SIZES[number]
    assert table[table.variant == "baseline"].ratio_to_reference.isna().all()


def test_sustained_loads_and_memory_have_columns() -> None:
    warm = load("float16", 100.0, 150.0, throttled_s=90.0, energy=SPENT)
    lost = load("baseline", None, None, problem="3 of 3 processes failed")
    told = {"memory_processes": 3, "memory_peak_mb": 61.5, "p95_us": 130.5, "failed_rounds": 2}
    cells = [m.model_copy(update={"result": m.result.model_copy(update=told)}) for m in f.measurements()]
    table = _table(f.results(measurements=cells, sustained=(warm, lost))).set_index("variant")
    found = table.loc["float16"]
    assert (found.sustained_s, found.sustained_first_us, found.sustained_last_us) == (600.0, 100.0, 150.0)
    assert (found.sustained_throttled_s, found.energy_mj, found.energy_net_mj) == (90.0, 24.0, 21.6)
    assert (found.memory_peak_mb, found.memory_processes) == (61.5, 3)
    assert (found.p95_us, found.failed_processes) == (130.5, 2)
    failed = table.loc["baseline"]
    assert failed.sustained_problem == "3 of 3 processes failed"
    assert failed.no_energy_reason == "it was plugged in (USB)"
    assert table[["sustained_first_us", "energy_mj"]].notna().sum().to_list() == [1, 1]
    assert table.sustained_s.notna().sum() == 2
    # Another place's load is not this row's.
    elsewhere = warm.model_copy(update={"target": "phone"})
    assert _table(f.results(sustained=(elsewhere,))).sustained_s.isna().all()


def test_outcomes_are_words_and_have_no_figures() -> None:
    cells = [
        f.measurement("baseline", f.latency(100, None, rounds=1)),
        f.measurement("float16", Failed(reason="=cmd|' /C calc'!A0", log="l")),
        f.measurement("dynamic_range", Unsupported(reason='no, such\n"operator"')),
    ]
    table = _table(f.results(measurements=cells)).set_index("variant")
    assert table.outcome.to_dict() == {
        "baseline": "measured",
        "float16": "failed",
        "dynamic_range": "unsupported",
        "clustered_dynamic_range": "not measured",
        "pruned_dynamic_range": "not measured",
    }
    assert table.latency_us.notna().sum() == 1 and table.interval_low_us.isna().all()
    assert table.reason["float16"] == "'=cmd|' /C calc'!A0"
    assert table.reason["dynamic_range"] == 'no, such "operator"'


def test_a_functional_target_has_no_ratios() -> None:
    emulator = f.host("emulator", functional_only=True)
    table = _table(f.results(measurements=f.measurements(target="emulator"), targets=(emulator,)))
    assert table.functional_only.all() and table.ratio_to_reference.isna().all()


def test_without_measurements_every_variant_has_a_row() -> None:
    table = _table(f.results(measurements=()))
    assert list(table.variant) == list(f.NAMES)
    assert set(table.outcome) == {"not measured"}


@pytest.mark.parametrize("before", ["\t", "\r", "\n", " ", "\N{NO-BREAK SPACE}", "\v"])
def test_no_blank_hides_a_formula(before: str) -> None:
    measured = [f.measurement("float16", Failed(reason=f"{before}=cmd()", log="l"))]
    assert "'=cmd()" in results_csv(f.results(measurements=measured)).decode()


def test_a_cell_sets_no_title() -> None:
    measured = [f.measurement("float16", Failed(reason="\x1b]0;owned\x07", log="l"))]
    assert b"\x1b" not in results_csv(f.results(measurements=measured))
