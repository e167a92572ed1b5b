"""Quality without labels: a score of the user's, and the distance from the reference's answers."""

import numpy as np
import pytest

from common.run.quality import answers_kept, basis, scores_kept
from common.schema.answers import Answers, OutputAgreement, Score, Tolerance
from tests.unit.report import factories as f

SHA = "0" * 64


def score(drawn: list[float], value: float = 0.8) -> Score:
    difference = float(np.mean(drawn)) if drawn else None
    return Score(
        function="score", source_sha256=SHA, value=value, difference=difference, differences=tuple(sorted(drawn))
    )


def answers(name: str, rows: tuple[OutputAgreement, ...] = (), told: Score | None = None) -> Answers:
    return Answers(
        provenance=f.provenance("evaluate"),
        variant=name,
        model_sha256=SHA,
        reference="a",
        count=10,
        drawn=False,
        agreement=rows,
        score=told,
        finite=True,
        constant=False,
        outputs=f.file("outputs.npz"),
    )


def test_what_there_is_decides_what_is_judged() -> None:
    plain, scored = answers("b"), answers("b", told=score([0.0]))
    assert basis([plain], None) == "cost"
    assert basis([plain], Tolerance()) == "cost"
    assert basis([plain], Tolerance(max_abs=1.0)) == "agreement"
    assert basis([plain, scored], Tolerance(max_abs=1.0)) == "score"


def test_a_score_is_kept_lost_or_neither() -> None:
    random = np.random.default_rng(0)
    same, worse, unsure = (list(random.normal(at, wide, 2000)) for at, wide in ((0, 0.004), (-0.1, 0.01), (0, 0.05)))
    found = scores_kept([score(same), score(worse), score(unsure)], 0.02, 0.05, 40)
    assert [kept.verdict for kept in found] == ["shown to keep", "shown to lose", "not shown"]
    lower = found[0].lower
    assert lower is not None and lower > -0.02


def test_a_score_that_loses_the_margin_is_rarely_shown_to_keep() -> None:
    """The truth lies at the margin; the data of each trial are drawn, and so is its bootstrap."""
    random, kept = np.random.default_rng(1), 0
    for _ in range(400):
        gained = random.normal(-0.02, 0.05, 60)
        drawn = random.choice(gained, (300, 60)).mean(axis=1)
        kept += scores_kept([score(list(drawn))], 0.02, 0.05, 60)[0].verdict == "shown to keep"
    # 5 % of 400, and four standard deviations.
    assert kept <= 20 + 4 * 4.4


def test_many_variants_are_corrected_for_their_number() -> None:
    drawn = list(np.random.default_rng(2).normal(-0.002, 0.01, 2000))
    alone = scores_kept([score(drawn)], 0.02, 0.05, 40)[0]
    lost = list(np.random.default_rng(3).normal(-0.5, 0.01, 2000))
    among = scores_kept([score(drawn), *[score(lost)] * 9], 0.02, 0.05, 40)[0]
    assert alone.verdict == "shown to keep"
    assert among.verdict == "not shown"


@pytest.mark.parametrize(
    ("drawn", "samples", "word"),
    [
        ([0.0] * 400, 1, "not shown"),
        ([0.0] * 400, 149, "not shown"),
        ([0.0] * 400, 150, "shown to keep"),
        (list(np.linspace(-0.001, 0.001, 400)), 19, "not shown"),
        (list(np.linspace(-0.001, 0.001, 400)), 20, "shown to keep"),
    ],
)
def test_few_samples_show_nothing(drawn: list[float], samples: int, word: str) -> None:
    """A bootstrap of one sample, or of equal differences, has no width."""
    assert scores_kept([score(drawn)], 0.02, 0.05, samples)[0].verdict == word


ROW = {
    **{"name": "x", "shape": (2,), "dtype": "float32"},
    **{"max_abs": 0.1, "mean_abs": 0.01, "snr_db": 30.0, "cosine": 0.999},
}


@pytest.mark.parametrize(
    ("tolerance", "missed"),
    [
        (Tolerance(max_abs=0.1, mean_abs=0.01, snr_db=30.0, cosine=0.999), None),
        (Tolerance(max_abs=0.09), "max_abs of output x is 0.1, allowed 0.09"),
        (Tolerance(snr_db=31), "snr_db of output x is 30, allowed 31"),
        (Tolerance(cosine=0.9999), "cosine of output x is 0.999, allowed 0.9999"),
        # It does not look like classes, so there is no largest one.
        (Tolerance(top1=1.0), None),
    ],
)
def test_every_bound_of_a_tolerance_is_asked(tolerance: Tolerance, missed: str | None) -> None:
    kept, found = answers_kept(answers("b", (OutputAgreement.model_validate(ROW, strict=False),)), tolerance, 0.02)
    assert found == missed
    assert kept.verdict == ("shown to keep" if missed is None else "shown to lose")


def test_an_output_that_cannot_be_compared_is_beyond_any_tolerance() -> None:
    row = OutputAgreement(name="x", shape=(2,), dtype="float32", problem="some values are no numbers")
    kept, missed = answers_kept(answers("b", (row,)), Tolerance(max_abs=1e9), 0.02)
    assert kept.verdict == "shown to lose"
    assert missed == "output x cannot be compared: some values are no numbers"
