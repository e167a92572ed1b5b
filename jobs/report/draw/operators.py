# ruff: noqa: ARG001
"""Where the work and the time go. Pure."""

from common.schema.results import Results
from jobs.report.document import Chart
from jobs.report.names import Setting


def work(results: Results, setting: Setting) -> Chart | None:
    """Multiply-accumulates by number type beside time by operator; None where neither is known."""
    return None


def beside(results: Results, setting: Setting, first: str, second: str) -> Chart | None:
    """What `second` takes more or less than `first` by kind of operator; None where one was not profiled."""
    return None
