"""A folder of runs to its history: real ledgers of a device that pretends, day after day."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from common import history_words as words
from common.artifact import read, sha256_file, write_model
from common.errors import UsageError
from common.ledger import read_lines
from common.provenance import ROOT
from common.run.spread import of_ledger, spread
from common.schema.benchmark import Benchmark
from common.schema.history import History
from common.schema.provenance import InputRef
from common.schema.results import Results
from jobs.history.stage import history
from jobs.history.terminal import show
from tests.unit.compare.runs import results, write
from tests.unit.history.conftest import NEW_BUILD, NEW_FILE, SESSIONS
from tests.unit.history.runs import Day, history_of, measure
from tests.unit.report import factories as f
from tests.unit.report.rich import SCRIPT, hostile, rich

PHONE = "Phone (one)"
Made = tuple[History, Path]


def test_every_session_of_every_run_is_there_in_order(made: Made) -> None:
    found, folder = made
    assert read(folder / "history.json", History) == found and found.left_out == () and found.older == 0
    assert [past.run for past in found.sessions] == [f"day-{number:03}" for number in range(SESSIONS)]
    assert [past.at.day for past in found.sessions] == list(range(1, SESSIONS + 1))
    assert all(past.ledger and len(past.figures) == 2 and past.experiment == "history" for past in found.sessions)
    [device] = found.devices
    assert (device.target, device.serial, device.processor, device.sessions) == (PHONE, "one", "Tensor G3", SESSIONS)


def test_figures_are_those_of_the_ledger(made: Made, runs: Path) -> None:
    ledger = runs / "day-004" / "benchmark" / "one" / "ledger.jsonl"
    [told] = of_ledger(PHONE, "baseline", tuple(read_lines(ledger)))
    past = made[0].sessions[4]
    assert {(x.model_sha256, x.backend, x.threads, x.runner): x.us for x in past.figures} == told.typical_us
    assert all(x.low_us <= x.us <= x.high_us for x in past.figures)
    # The reference stands before, between and after the two rounds.
    assert {x.variants: x.processes for x in past.figures}[("baseline",)] == 3


def test_what_changed_is_found_with_what_changed_at_the_same_time(made: Made) -> None:
    found = made[0]
    assert (found.testing.series, found.testing.sessions_needed) == (3, 10)
    files, build = words.events(found)
    assert build.longer and abs(build.session - NEW_BUILD) <= 1
    assert {(one.variant, one.measure) for one, _ in build.members} == {
        ("baseline", "latency"), ("v01", "latency")
    }  # fmt: skip
    assert all(shift.share == pytest.approx(0.125, abs=0.04) for _, shift in build.members)
    assert [(mark.what, mark.before, mark.after) for mark in build.marks] == [("Build", "AP1A", "AP2B")]
    # The slower file is slower beside the reference too, where nothing of the device shows.
    slow = {one.measure: shift for one, shift in files.members if one.variant == "v01"}
    assert slow["beside the reference"].session == NEW_FILE and slow["beside the reference"].share > 0.2
    assert {mark.kind for mark in files.marks} == {"file"}
    told = words.event(found, files)
    assert f"day-{NEW_FILE:03} on Phone (one)" in told and "at the same time the file of v01 of history: " in told


def test_the_spread_is_that_of_the_judge(made: Made, runs: Path) -> None:
    sessions = [
        each
        for path in sorted(runs.glob("*/benchmark/one/benchmark.json"))
        for each in of_ledger(PHONE, "baseline", tuple(read_lines(path.parent / "ledger.jsonl")))
    ]
    [device] = made[0].devices
    assert device.spreads == tuple(spread(PHONE, sessions, beside_reference=beside) for beside in (True, False))
    assert not device.spreads[0].assumed and device.spreads[0].share < 0.05


def test_a_table_for_other_programs_has_every_cell(made: Made) -> None:
    rows = duckdb.read_parquet(str(made[1] / "history.parquet"))
    assert rows.count("*").fetchall() == [(2 * SESSIONS,)]
    found = rows.filter("variant = 'v01' AND run = 'day-004'").project("latency_us, beside_reference, began").fetchall()
    own, reference = (
        next(x.us for x in made[0].sessions[4].figures if x.variants == (n,)) for n in ("v01", "baseline")
    )
    assert found == [(own, pytest.approx(own / reference), datetime(2026, 1, 5))]


def test_the_same_runs_give_the_same_bytes(made: Made, runs: Path, tmp_path: Path) -> None:
    history(runs, None, tmp_path)
    for name in ("history.json", "history.parquet"):
        assert (tmp_path / name).read_bytes() == (made[1] / name).read_bytes()


def test_without_duckdb_it_says_what_to_do(runs: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nsys.modules['duckdb'] = None\nfrom common import cli\nfrom jobs.history.__main__ import main\n"
        "cli.run(main)\n"
    )
    argv = [sys.executable, "-c", code, "--runs", str(runs), "--output", str(tmp_path / "out")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error: DuckDB is not installed (make history installs it")


def test_the_terminal_says_it(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    show(*made)
    out = capsys.readouterr().out
    assert f"{SESSIONS} sessions of {SESSIONS} runs" in out and "the newest 20 of 25 sessions" in out
    assert "spread: Phone (one), beside the reference" in out and "Pettitt's test" in out
    assert sum(line.startswith("change: ") for line in out.splitlines()) == 2


def test_a_few_sessions_are_too_few_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, folder = history(history_of(tmp_path / "runs", [Day(1.0), Day(2.0), Day(2.0)]), None, tmp_path / "out")
    assert not any(series.tested or series.shifts for series in found.series) and found.testing.series == 0
    show(found, folder)
    out = capsys.readouterr().out
    assert "A change can be shown in series of 10 sessions or more: none has them." in out and "no change" not in out
    assert "assumed, since 3 sessions of one file cannot tell" in out


def test_processors_are_apart_and_their_change_is_marked(tmp_path: Path) -> None:
    days = [Day(soc="Tensor G3" if number < 2 else "Tensor G4", num_runs=50 + number // 3) for number in range(4)]
    found, _ = history(history_of(tmp_path / "runs", days), None, tmp_path / "out")
    assert [device.processor for device in found.devices] == ["Tensor G3", "Tensor G4"]
    assert {len(series.points) for series in found.series} == {2}
    told = [(mark.session, mark.kind, mark.what) for mark in found.marks]
    assert told == [(2, "processor", "System on chip"), (3, "settings", "[benchmark] num_runs")]


def test_damaged_runs_and_links_are_named_and_left_out(tmp_path: Path) -> None:
    runs = history_of(tmp_path / "runs", [Day()] * 5)
    ledger = runs / "day-000" / "benchmark" / "one" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b"xnnpack", b"xnnpacx", 1))
    (runs / "day-001" / "benchmark" / "one" / "benchmark.json").write_text("{", encoding="utf-8")
    (runs / "day-002").rename(tmp_path / "elsewhere")
    (runs / "day-002").symlink_to(tmp_path / "elsewhere")
    shutil.move(runs / "day-003" / "benchmark" / "one", tmp_path / "one")
    (runs / "day-003" / "benchmark" / "one").symlink_to(tmp_path / "one")
    (runs / "begun" / "plan").mkdir(parents=True)
    (runs / "notes").mkdir()
    found, _ = history(runs, None, tmp_path / "out")
    assert [past.run for past in found.sessions] == ["day-004"]
    told = {one.run: one.reason for one in found.left_out}
    assert "was changed after its stage wrote it" in told["day-000"] and "not a valid Benchmark" in told["day-001"]
    assert told["day-002"] == "it is a link" and "is reached through a link" in told["day-003"]
    assert told["begun"] == "it holds no finished benchmark and no report" and len(told) == 5


def test_a_session_that_two_runs_hold_is_one(tmp_path: Path) -> None:
    runs = history_of(tmp_path / "runs", [Day(), Day()])
    shutil.copytree(runs / "day-000", runs / "copy")
    found, _ = history(runs, None, tmp_path / "out")
    assert [past.run for past in found.sessions] == ["copy", "day-001"]


def test_one_device_may_be_asked_for(tmp_path: Path) -> None:
    runs = history_of(tmp_path / "runs", [Day(), Day()])
    measure(runs, 2, Day(), "another")
    for name in ("another", "Phone (another)"):
        assert history(runs, name, tmp_path / "out")[0].targets == ("Phone (another)",)
    assert len(history(runs, None, tmp_path / "out")[0].devices) == 2
    with pytest.raises(UsageError, match=r"no run in .* was measured on R5 \(there are another, one\)"):
        history(runs, "R5", tmp_path / "out")
    assert not (tmp_path / "out" / "history.json").exists()


def test_where_there_are_no_runs_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        history(tmp_path / "none", None, tmp_path / "out")
    (tmp_path / "runs" / "x" / "plan").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"holds no finished benchmark \(x: it holds no finished benchmark"):
        history(tmp_path / "runs", None, tmp_path / "out")


def test_an_emulators_latencies_are_left_out(tmp_path: Path) -> None:
    runs = history_of(tmp_path / "runs", [Day(), Day()])
    path = runs / "day-001" / "benchmark" / "one" / "benchmark.json"
    benchmark = read(path, Benchmark)
    write_model(
        path, benchmark.model_copy(update={"target": benchmark.target.model_copy(update={"functional_only": True})})
    )
    found, _ = history(runs, None, tmp_path / "out")
    assert len(found.sessions) == 1 and "it is an emulator" in found.left_out[0].reason


def test_of_too_much_the_newest_is_kept_and_no_run_has_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = history_of(tmp_path / "runs", [Day()] * 3)
    monkeypatch.setattr("jobs.history.stage.MOST_SESSIONS", 2)
    found, _ = history(runs, None, tmp_path / "out")
    assert [past.run for past in found.sessions] == ["day-001", "day-002"] and found.older == 1
    monkeypatch.setattr("jobs.history.stage.MOST_FIGURES_OF_RUN", 1)
    with pytest.raises(UsageError, match=r"day-000: it has more than the 1 latencies allowed"):
        history(runs, None, tmp_path / "out")


def finished(given: Results, *inputs: InputRef) -> Results:
    """Results that say when and of what they were made."""
    return given.model_copy(update={"provenance": (f.provenance("report").model_copy(update={"inputs": inputs}),)})


def test_a_results_file_stands_for_its_run_and_its_copy_for_nothing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write(runs / "results-alone", finished(rich()))
    write(runs / "the-same", finished(rich()))
    write(runs / "without-processes", finished(results()))
    found, _ = history(runs, None, tmp_path / "out")
    [past] = found.sessions
    assert (past.run, past.ledger, past.at) == ("results-alone", False, f.WHEN) and past.at.tzinfo == UTC
    assert {one.run: one.reason.partition(" holds ")[2][:12] for one in found.left_out} == {
        "without-processes": "no processes"
    }
    # Its settings are not known: it stands for itself, and shows no spread.
    assert {one.sessions for one in found.devices[0].spreads} == {1}


def test_a_results_file_of_a_ledger_that_is_at_hand_counts_once(tmp_path: Path) -> None:
    runs = history_of(tmp_path / "runs", [Day()])
    digest = sha256_file(runs / "day-000" / "benchmark" / "one" / "benchmark.json")
    given = finished(rich(), InputRef(role="benchmark host", sha256=digest))
    write(runs / "a-copy", given)
    assert [past.run for past in history(runs, None, tmp_path / "out")[0].sessions] == ["day-000"]


def test_words_from_outside_are_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    write(runs / "'; DROP TABLE sessions; --\x1b[31m", finished(hostile()))
    measure(runs, 0, Day(build=f"x'); COPY sessions TO '/tmp/pwned'; {SCRIPT}\x1b[2J\u202e"))
    measure(runs, 1, Day(build="y"))
    found, folder = history(runs, None, tmp_path / "out")
    show(found, folder)
    assert len(found.sessions) == 3 and not {"\x1b", "\u202e"} & set(capsys.readouterr().out)
    assert not Path("/tmp/pwned").exists()  # noqa: S108


@pytest.mark.parametrize("change", [{"typical": 0.0}, {"typical": 1e300}, {"typical": -1.0}, {"typical": 5e-324}])
def test_figures_that_are_no_latencies_are_none(tmp_path: Path, change: Mapping[str, float]) -> None:
    given = finished(rich())
    traces = tuple(
        trace.model_copy(
            update={"processes": tuple(p.model_copy(update={"latency_us": change["typical"]}) for p in trace.processes)}
        )
        for trace in given.traces
    )
    runs = history_of(tmp_path / "runs", [Day()])
    write(runs / "strange", given.model_copy(update={"traces": traces}))
    assert [past.run for past in history(runs, None, tmp_path / "out")[0].sessions] == ["day-000"]
