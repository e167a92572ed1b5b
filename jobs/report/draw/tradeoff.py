# ruff: noqa: ARG001
"""Latency, download size or memory against quality. Pure."""

from typing import Literal

from common.schema.results import Results
from jobs.report.document import Chart
from jobs.report.names import Setting

View = Literal["latency", "download", "memory"]


def tradeoff(results: Results, setting: Setting, by: View) -> Chart | None:
    """What each variant costs against how good its answers are; None where there is nothing to draw."""
    return None
