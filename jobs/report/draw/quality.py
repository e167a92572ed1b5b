# ruff: noqa: ARG001
"""What changes in the answers: images won and lost, recall by class, confusion. Pure."""

from common.schema.results import Results
from jobs.report.document import Chart


def won_lost(results: Results) -> Chart | None:
    """Images that one of variant and reference alone gets right; None without such counts."""
    return None


def recalls(results: Results) -> Chart | None:
    """The recommended variant's change of recall by class; None where it is the reference, or nothing is."""
    return None


def confusion(results: Results) -> Chart | None:
    """The recommended variant's confusion less the reference's; None as above."""
    return None
