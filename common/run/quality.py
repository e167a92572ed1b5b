"""Whether variants keep their quality where no labels of classes are: by the user's score, or by how far their answers
lie from the reference's. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from common.run.keeping import hochberg_levels, holm
from common.schema.answers import Answers, Score, Tolerance
from common.schema.judgement import Basis, Keeping, Kept
from common.schema.variant import Variant

# Fewer tell a bootstrap nothing of the tails.
FEWEST_SAMPLES = 20
RULE_OF_THREE = 3.0


def basis(answers: Sequence[Answers], tolerance: Tolerance | None) -> Basis:
    """What a run without labels is judged by."""
    return without_labels(tolerance, scored=any(found.score is not None for found in answers))


def without_labels(tolerance: Tolerance | None, *, scored: bool) -> Basis:
    """A score comes before a tolerance."""
    if scored:
        return "score"
    return "agreement" if tolerance is not None and tolerance.bounds else "cost"


def scores_kept(scores: Sequence[Score], margin: float, alpha: float, samples: int) -> tuple[Kept, ...]:
    """Verdicts on the scores of all variants beside the reference's, in their order, from the paired bootstrap over
    the samples: kept where a loss of `margin` is ruled out, lost where any gain is, both corrected for the number of
    variants as shares of right answers are."""
    losses = [_tail(score, -margin) for score in scores]
    levels = hochberg_levels(losses, alpha)
    losing = holm([min(1.0, 2 * (1 - _tail(score, 0.0))) for score in scores])
    enough = [_enough(score, margin, samples) for score in scores]
    return tuple(
        Kept(
            verdict=_word(score, loss < level, lose < alpha) if told else "not shown",
            margin=margin,
            images=samples,
            difference=score.difference or 0.0,
            lower=_quantile(score.differences, level),
            level=level,
            p_lose=lose,
        )
        for score, loss, level, lose, told in zip(scores, losses, levels, losing, enough, strict=True)
    )


def _enough(score: Score, margin: float, samples: int) -> bool:
    """Whether there are samples enough for a bootstrap to say anything. Where every resample gives the same, it has no
    width at all; then, as for shares, none of n rules out 3 / n at 5 % (the rule of three), on a scale from 0 to 1."""
    same = not score.differences or score.differences[0] == score.differences[-1]
    return samples >= FEWEST_SAMPLES and (not same or samples * margin >= RULE_OF_THREE)


def _word(score: Score, kept: bool, lost: bool) -> Keeping:
    if kept:
        return "shown to keep"
    return "shown to lose" if lost and (score.difference or 0.0) < 0 else "not shown"


def _tail(score: Score, edge: float) -> float:
    """Share of the resamples at or below `edge`; one more counts on either side, so that it is never 0 or 1."""
    drawn = score.differences
    below = (bisect_right(drawn, edge) + bisect_left(drawn, edge)) / 2
    return (below + 1) / (len(drawn) + 2)


def _quantile(drawn: Sequence[float], level: float) -> float | None:
    return drawn[min(len(drawn) - 1, int(level * len(drawn)))] if drawn else None


def answers_kept(answers: Answers, tolerance: Tolerance, margin: float) -> tuple[Kept, str | None]:
    """Whether every output lies within the tolerance, and the first bound that is missed, in words."""
    missed = next(filter(None, (row.misses(tolerance) for row in answers.agreement)), None)
    word: Keeping = "shown to keep" if missed is None else "shown to lose"
    return Kept(verdict=word, margin=margin, images=answers.count), missed


def same_file(one: Variant, other: Variant) -> bool:
    """Whether two given files are copies of each other."""
    given = one.recipe is None and other.recipe is None
    return given and one.model.sha256 == other.model.sha256
