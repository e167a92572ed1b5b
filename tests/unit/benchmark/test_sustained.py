"""Which cells are sustained, and what an experiment may ask for."""

import pytest
from pydantic import ValidationError

from common.problems import first_problem
from common.schema.benchmark import Cell, Row
from common.schema.duration import seconds
from common.schema.experiment import Benchmark, Choose
from common.schema.outcome import Unsupported
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.heat import settle
from jobs.benchmark.sustained import chosen, part_settings
from jobs.benchmark.wanted import want
from tests.unit.benchmark.scripted import Scripted, measured
from tests.unit.report.factories import summary

SPEEDS = {"baseline": 100.0, "slow": 200.0, "quick": 20.0, "middle": 50.0, "float16": 90.0}


def rows(backend: str, threads: int = 1, factor: float = 1.0) -> list[Row]:
    return [
        Row(
            cell=Cell(variant=name, model_sha256="a" * 64, backend=backend, threads=threads),
            session=0,
            result=summary(us * factor, None),
            failed_rounds=0,
        )
        for name, us in SPEEDS.items()
    ]


def names(found: tuple[Row, ...]) -> list[tuple[str, str, int]]:
    return [(row.cell.variant, row.cell.backend, row.cell.threads) for row in found]


SETTINGS = Benchmark(sustained="10m", threads=(1, 2))
ALL = [*rows("cpu"), *rows("xnnpack"), *rows("xnnpack", threads=2)]


def test_the_reference_and_the_two_fastest_where_it_is_decided() -> None:
    assert names(chosen(ALL, SETTINGS, Choose(), "baseline")) == [
        ("baseline", "xnnpack", 1),
        ("quick", "xnnpack", 1),
        ("middle", "xnnpack", 1),
    ]
    assert names(chosen(ALL, SETTINGS, Choose(backend="cpu"), "baseline"))[0] == ("baseline", "cpu", 1)
    assert names(chosen(ALL, SETTINGS, Choose(threads=2), "baseline"))[0] == ("baseline", "xnnpack", 2)
    assert names(chosen(rows("cpu"), SETTINGS, Choose(), "baseline"))[0] == ("baseline", "cpu", 1)


def test_the_experiment_names_others_and_what_was_not_measured_is_left_out() -> None:
    given = {"sustained_variants": ("slow", "float16"), "sustained_backends": ("cpu", "xnnpack")}
    settings = SETTINGS.model_copy(update=given)
    gone = [
        row.model_copy(update={"result": Unsupported(reason="no")}) if row.cell.variant == "slow" else row
        for row in rows("xnnpack")
    ]
    assert names(chosen([*rows("cpu"), *gone], settings, Choose(), "baseline")) == [
        ("slow", "cpu", 1),
        ("float16", "cpu", 1),
        ("float16", "xnnpack", 1),
    ]


def test_a_process_of_a_load_is_long_but_no_round() -> None:
    short, long = (part_settings(SETTINGS, duration_s) for duration_s in (60.0, 600.0))
    assert (short.min_secs, long.min_secs) == (5.0, 10.0)
    assert (long.warmup_runs, long.warmup_min_secs, long.num_runs) == (1, 0.0, 1)
    assert part_settings(SETTINGS.model_copy(update={"max_secs": 1.0}), 600.0).max_secs == 10.0


def test_asking_for_it_later_measures_no_round_again() -> None:
    def digest(settings: Benchmark) -> str:
        return want(
            {"baseline": "a" * 64}, settings, reference="baseline", seed=1, fingerprint="f" * 64
        ).settings_sha256

    assert digest(SETTINGS) == digest(SETTINGS.model_copy(update={"sustained": None}))


@pytest.mark.parametrize(("given", "expected"), [("90s", 90.0), ("10m", 600.0), ("2h", 7200.0)])
def test_durations(given: str, expected: float) -> None:
    assert seconds(given) == expected
    assert Benchmark(sustained=given).sustained == given


@pytest.mark.parametrize("given", ["", "0m", "10", "m", "-5m", "1.5h", "10m\n", "\u0661\u0660m", "9999999s", 600])
def test_what_is_no_duration_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Benchmark.model_validate({"sustained": given})


@pytest.mark.parametrize("key", ["sustained", "budget"])
def test_nothing_may_take_longer_than_a_day(key: str) -> None:
    for given in ("24h", "1440m", "86400s"):
        assert getattr(Benchmark.model_validate({key: given}), key) == given
    for given in ("25h", "1441m", "86401s", "999999h"):
        with pytest.raises(ValidationError) as found:
            Benchmark.model_validate({key: given})
        assert first_problem(found.value, {key: given}) == f"{key}: must be at most 24h, not {given}"


def test_what_is_no_duration_is_said_in_words() -> None:
    with pytest.raises(ValidationError) as found:
        Benchmark.model_validate({"sustained": "10"})
    words = "must be a whole number of seconds, minutes or hours as in 90s, 10m or 2h, not '10'"
    assert first_problem(found.value, {"sustained": "10"}) == f"sustained: {words}"


@pytest.mark.parametrize(
    "given",
    [
        {"sustained_variants": ("baseline",)},
        {"sustained": "10m", "sustained_backends": ("gpu",)},
    ],
)
def test_what_would_not_run_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Benchmark.model_validate(given)


class Cooling(Scripted):
    """Throttles until it has rested for `rest_s`; its battery loses a degree a minute from 40."""

    def __init__(self, rest_s: float, *, battery: bool) -> None:
        super().__init__(lambda _cell, _seen: measured(1.0))
        self.rest_s, self.battery = rest_s, battery

    def thermal_status(self) -> int | None:
        return 1 if sum(self.slept) < self.rest_s else 0

    def state(self) -> DeviceState | None:
        return None

    def power(self, at_s: float) -> PowerReading | None:
        known = {"level": 80, "celsius": 40.0 - sum(self.slept) / 60} if self.battery else {}
        return PowerReading.model_validate(dict.fromkeys(PowerReading.model_fields) | ALIVE | known | {"at_s": at_s})


ALIVE = {"charging": False, "plugged": (), "frozen": False, "connections": 0}


@pytest.mark.parametrize(
    ("rest_s", "battery", "coolest", "waits"),
    [
        (0, False, None, 0),
        (25, False, None, 30),
        (1e6, False, None, 300),
        (0, True, 40.0, 0),
        (0, True, 37.0, 120),
        (150, True, 37.0, 150),
        (0, True, 20.0, 300),
    ],
)
def test_a_place_settles_before_a_load(rest_s: float, battery: bool, coolest: float | None, waits: float) -> None:
    said: list[str] = []
    place = Cooling(rest_s, battery=battery)
    assert settle(place, coolest, place, said.append) == waits == sum(place.slept)
    assert len(said) == (waits > 0)
    assert all(line.startswith("note: still warm" if waits == 300 else "note: cool") for line in said)
