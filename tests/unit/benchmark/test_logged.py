"""A log gives the outcome that was read when it was written."""

import pytest

from common.schema.outcome import Measured
from jobs.benchmark.android import classic
from jobs.benchmark.follows.logged import logged
from tests.unit.benchmark.android.transcripts import NAMES, recorded


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_run_is_read_again_from_its_log(name: str) -> None:
    printed = recorded(name)
    # As executable.py writes it.
    parts = ("+ tool --graph=x", printed.stdout, "--- stderr", printed.stderr, f"--- {printed.status}\n")
    assert logged("\n".join(parts), "cpu", printed.log) == classic.parse(printed, "cpu")


def test_some_of_them_are_measurements() -> None:
    assert any(isinstance(classic.parse(recorded(name), "cpu"), Measured) for name in NAMES)


@pytest.mark.parametrize("text", ["", "+ tool\n", "INFO: x\n--- stderr\n\n--- 0\n", "+ t\n\n--- stderr\n\n--- x\n"])
def test_another_form_is_none(text: str) -> None:
    assert logged(text, "cpu", "log") is None
