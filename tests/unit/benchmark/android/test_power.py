"""What phones say of their batteries, and what a hostile one might."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.schema.power import PowerReading
from jobs.benchmark.android.power import reading

# The form of AOSP's BatteryService, Android 14.
PIXEL = """Current Battery Service state:
  AC powered: false
  USB powered: false
  Wireless powered: false
  Dock powered: false
  Max charging current: 0
  Max charging voltage: 5000000
  Charge counter: 3900123
  status: 3
  health: 2
  present: true
  level: 87
  scale: 100
  voltage: 4210
  temperature: 271
  technology: Li-ion
"""
POWER = "POWER MANAGER (dumpsys power)\n\nPower Manager State:\n  mDirty=0x0\n  mWakefulness=Awake\n"


def read(battery: str = PIXEL, counter: str = "", power: str = POWER) -> PowerReading:
    return reading(battery, counter, power, at_s=1.0, connections=2)


def test_a_pixel_is_read() -> None:
    assert read() == PowerReading(
        at_s=1.0,
        charge_uah=3_900_123,
        counter="service",
        voltage_mv=4210,
        level=87,
        celsius=27.1,
        charging=False,
        plugged=(),
        frozen=False,
        screen="Awake",
        connections=2,
    )


def test_the_kernels_counter_is_preferred() -> None:
    found = read(counter="3890000\n")
    assert (found.charge_uah, found.counter) == (3_890_000, "kernel")


@pytest.mark.parametrize("counter", ["", "cat: Permission denied", "12 34", "9" * 40, "\u0661\u0662\u0663"])
def test_a_counter_that_is_no_number_is_not_read(counter: str) -> None:
    assert read(counter=counter).counter == "service"


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("USB powered: false", "USB powered: true", "plugged", ("USB",)),
        ("Dock powered: false", "Dock powered: true", "plugged", ("Dock",)),
        ("status: 3", "status: 2", "charging", True),
        ("status: 3", "status: 5", "charging", True),
        ("status: 3", "status: 4", "charging", False),
        ("status: 3", "status: what", "charging", True),
        ("state:\n", "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n", "frozen", True),
        ("voltage: 4210", "voltage: 4", "voltage_mv", None),
        ("voltage: 4210", "voltage: 4210000", "voltage_mv", None),
        ("  Charge counter: 3900123\n", "", "counter", None),
        ("level: 87", "level: -1", "level", None),
    ],
)
def test_every_word_counts(old: str, new: str, field: str, value: object) -> None:
    assert getattr(read(PIXEL.replace(old, new)), field) == value


@given(st.text(), st.text(), st.text())
def test_any_text_is_a_reading(battery: str, counter: str, power: str) -> None:
    found = read(battery, counter, power)
    assert found.voltage_mv is None or 2500 <= found.voltage_mv <= 10_000
    assert (found.charge_uah is None) == (found.counter is None)


@given(st.lists(st.sampled_from([*PIXEL.splitlines(keepends=True), "  status: 2\n", "\n", " " * 50])))
def test_lines_in_any_order_and_number_are_a_reading(lines: list[str]) -> None:
    read("".join(lines))


@pytest.mark.parametrize("hostile", [" " * 10**7, "  status: " * 10**6, "\n" * 10**7, "mWakefulness=" * 10**6])
def test_endless_output_costs_no_time(hostile: str) -> None:
    begin = time.process_time()
    read(hostile, hostile, hostile)
    assert time.process_time() - begin < 1.0
