"""`choice.json`: which variants are worth considering, and the one to ship.

Version history: 1 first; 2 adds the judgement, on which everything rests, and may recommend nothing; 3 adds candidates
without an accuracy; 4 adds how sure the recommendation is, the runner-up, and the recommendation of every setting and
over all of them. All are still read.
"""

from typing import Literal

from common.schema.base import Count, FileRef, Interval, Model, Name, Proportion, Sha256
from common.schema.evaluation import McNemar
from common.schema.experiment import Choose
from common.schema.judgement import Difference, Judgement, Keeping, Setting
from common.schema.provenance import Artifact


class Candidate(Model):
    """What a variant is judged by.

    `mcnemar` and `ratio` compare with the reference and are None for it; `latency_us` is None where
    the deciding setting has none, `ratio` also where the variant is not compared. `difference` and `keeping` are the
    judge's words for speed and accuracy, None in version 1.
    `accuracy` is None where no labels are; `score` is the user's own.
    `other_network` tells a variant whose recipe trains another network from those of the trained one,
    `quantised` one whose numbers are not stored in float32.
    """

    name: Name
    model_sha256: Sha256
    size_bytes: Count
    accuracy: Proportion | None
    mcnemar: McNemar | None
    latency_us: float | None
    ratio: Interval | None
    other_network: bool
    quantised: bool
    difference: Difference | None = None
    keeping: Keeping | None = None
    score: float | None = None


Verdict = Literal[
    "best",
    "on the front",
    "dominated",
    "shown to lose",
    "not shown",
    "ruled out",
    "not measured",
    # Of version 1.
    "significantly worse",
    "beyond the margin",
]


class Standing(Model):
    """A candidate, its place and the sentence that says why.

    `eligible`: nothing that the judge found speaks against it.
    `dominated_by` names a variant that is no worse in every respect and better in one.
    """

    candidate: Candidate
    eligible: bool
    on_front: bool
    dominated_by: Name | None
    verdict: Verdict
    reason: str


class Confidence(Model):
    """How sure the recommendation is. clear: it is shown to keep the quality, measured well and faster or smaller;
    tentative: something was not shown; noisy: the machine was too busy, or differed from itself too much, to tell."""

    word: Literal["clear", "tentative", "noisy"]
    reason: str


class RunnerUp(Model):
    """The next best that may be shipped, and what it would buy or cost beside the recommended one, in words."""

    name: Name
    buys: str


class Winner(Model):
    """What to ship where only one setting counts; None where nothing is fit, or nothing can be ranked there."""

    setting: Setting
    best: Name | None
    reason: str


class Overall(Model):
    """The one file that is best over all settings, and the rule that says so; None where none is fit in all."""

    best: Name | None
    rule: str


class Choice(Artifact):
    """`setting` is None where no latency may be ranked; then size and accuracy decide and `fastest` is None.
    `best`, `smallest`, `model` and `card` are None where nothing can be recommended, not even the reference.

    `network` says whether another network gained more than the optimising did; None without another.
    `model` is the best variant's file with its metadata inside.
    """

    schema_version: Literal[1, 2, 3, 4] = 4
    reference: Name
    rules: Choose
    setting: Setting | None
    standings: tuple[Standing, ...]
    smallest: Name | None
    fastest: Name | None
    best: Name | None
    recommendation: tuple[str, ...]
    network: str | None
    model: FileRef | None
    card: FileRef | None
    judgement: Judgement | None = None
    confidence: Confidence | None = None
    runner_up: RunnerUp | None = None
    winners: tuple[Winner, ...] = ()
    overall: Overall | None = None
