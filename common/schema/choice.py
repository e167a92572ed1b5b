"""`choice.json`: which variants are worth considering, and the one to ship. Version history: 1 first."""

from typing import Literal

from common.schema.base import Count, FileRef, Interval, Model, Name, Proportion, Sha256
from common.schema.evaluation import McNemar
from common.schema.experiment import Choose
from common.schema.provenance import Artifact


class Setting(Model):
    """Where the latencies that decide were measured."""

    target: str
    backend: str
    threads: int


class Candidate(Model):
    """What a variant is judged by.

    `mcnemar` and `ratio` compare with the reference and are None for it; `latency_us` is None where
    the deciding setting has none, `ratio` also where one round or no common round leaves no interval.
    `other_network` tells a variant whose recipe trains another network from those of the trained one,
    `quantised` one whose numbers are not stored in float32.
    """

    name: Name
    model_sha256: Sha256
    size_bytes: Count
    accuracy: Proportion
    mcnemar: McNemar | None
    latency_us: float | None
    ratio: Interval | None
    other_network: bool
    quantised: bool


Verdict = Literal["best", "on the front", "dominated", "significantly worse", "beyond the margin", "not measured"]


class Standing(Model):
    """A candidate, its place and the sentence that says why.

    `eligible`: measured, not significantly less accurate than the reference and within the margin.
    `dominated_by` names a variant that is no worse in every respect and better in one.
    """

    candidate: Candidate
    eligible: bool
    on_front: bool
    dominated_by: Name | None
    verdict: Verdict
    reason: str


class Choice(Artifact):
    """`setting` is None where no latency may be ranked; then size and accuracy decide and `fastest` is None.

    `network` says whether another network gained more than the optimising did; None without another.
    `model` is the best variant's file with its metadata inside.
    """

    schema_version: Literal[1] = 1
    reference: Name
    rules: Choose
    setting: Setting | None
    standings: tuple[Standing, ...]
    smallest: Name
    fastest: Name | None
    best: Name
    recommendation: tuple[str, ...]
    network: str | None
    model: FileRef
    card: FileRef
