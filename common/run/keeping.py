"""Whether a variant keeps the reference's share of right answers, from paired counts on the same images. Pure.

`only_reference` and `only_variant` count the images that only one of two gets right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist

from common.schema.judgement import Keeping, Kept

# Chance that a variant that loses nothing is shown to keep it, for the number of images that would do.
POWER = 0.8
MOST_IMAGES = 10_000_000
STEPS = 60


@dataclass(frozen=True)
class Pairs:
    """Images that only the reference got right, only the variant, and all."""

    only_reference: float
    only_variant: float
    images: float

    @property
    def difference(self) -> float:
        """The variant's share of right answers less the reference's."""
        return (self.only_variant - self.only_reference) / self.images


@dataclass(frozen=True)
class PairedTest:
    """Paired counts and their exact McNemar p value (two-sided)."""

    pairs: Pairs
    p_value: float


def tango_lower(pairs: Pairs, alpha: float) -> float:
    """Lower bound of `difference` at one-sided `alpha` (0 to 1) for at least one image.

    The score interval for the difference of paired proportions: Tango, Statistics in Medicine 17, 1998, 891.
    """
    z = NormalDist().inv_cdf(1 - alpha)
    low, high = -1.0, pairs.difference
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _score(pairs, middle) > z:
            low = middle
        else:
            high = middle
    return low


def _score(pairs: Pairs, difference: float) -> float:
    """Falls in `difference`: how far the observed one lies above it, in its standard error under that hypothesis."""
    b, c, n = pairs.only_reference, pairs.only_variant, pairs.images
    linear = -(b + c) + (2 * n - c + b) * difference
    constant = -b * difference * (1 - difference)
    nuisance = (sqrt(max(0.0, linear * linear - 8 * n * constant)) - linear) / (4 * n)
    variance = n * (2 * nuisance + difference * (1 - difference))
    return (c - b - n * difference) / sqrt(variance) if variance > 0 else inf


def images_needed(pairs: Pairs, margin: float, alpha: float) -> int | None:
    """About how many images show with a chance of 80 % that a variant keeps its share within `margin`, if it truly
    loses nothing and as large a share of the images is decided by only one of two as here; None where no number does.
    The bound itself is asked, at the counts that 80 % of such variants exceed."""
    decided = (pairs.only_reference + pairs.only_variant) / pairs.images
    spread = NormalDist().inv_cdf(POWER)

    def enough(images: int) -> bool:
        both, behind = decided * images, spread * sqrt(decided * images)
        counts = Pairs(min(both, (both + behind) / 2), max(0.0, (both - behind) / 2), images)
        return tango_lower(counts, alpha) > -margin

    low, high = 1, MOST_IMAGES
    if margin <= 0 or not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def tested(lost: int, won: int, images: int) -> PairedTest:
    """The sign test on images of which only the reference got `lost` right and only the variant `won`."""
    return PairedTest(Pairs(lost, won, images), sign_test(min(lost, won), lost + won))


def sign_test(fewer: int, all_: int) -> float:
    """Two-sided p value of at most `fewer` of `all_` fair coins on one side, exact."""
    term = tail = 1
    for count in range(1, fewer + 1):
        term = term * (all_ - count + 1) // count
        tail += term
    return min(1.0, float(2 * tail / 2**all_))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p values corrected for their number, in their order (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, largest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = largest
    return tuple(corrected)


def hochberg_levels(p_values: Sequence[float], alpha: float) -> tuple[float, ...]:
    """The level at which each p value is tested, so that the chance of any wrong rejection is at most `alpha`: alpha
    itself where all are below it, alpha / (1 + those that are not rejected) for the rest.

    Hochberg, Biometrika 75, 1988, 800; valid for tests that depend on each other positively, as these do: they share
    the reference and the images.
    """
    order = sorted(range(len(p_values)), key=lambda index: -p_values[index])
    levels = [alpha] * len(p_values)
    rejecting = False
    for place, index in enumerate(order):
        levels[index] = levels[order[place - 1]] if rejecting else alpha / (place + 1)
        rejecting = rejecting or p_values[index] < levels[index]
    return tuple(levels)


def loss_p_value(pairs: Pairs, margin: float) -> float:
    """Chance of a difference as high as this one if the variant truly loses `margin`: Tango's score test, one-sided.
    It is below alpha exactly where `tango_lower` lies above -`margin`."""
    if margin >= 1:
        # Nobody loses more than everything.
        return 0.0
    return 1 - NormalDist().cdf(_score(pairs, -margin))


def judged(tests: Sequence[PairedTest], margin: float, alpha: float) -> tuple[Kept, ...]:
    """The verdicts on one share (the accuracy, or a class's recall) of all variants, in their order.

    Whoever picks one of many that passed picks the luckiest, so that both tests are corrected for the number of
    variants: the chance that any is shown to keep what it does not is at most `alpha`. What is within the margin is
    kept, even where a smaller loss is certain.
    """
    losing = holm([test.p_value for test in tests])
    levels = hochberg_levels([loss_p_value(test.pairs, margin) for test in tests], alpha)
    words = tuple(_word(*each, margin, alpha) for each in zip(tests, losing, levels, strict=True))
    # Those that lose will fail with more images too, so that the others are tested at so much less.
    strict = alpha / (1 + words.count("shown to lose"))
    return tuple(
        Kept(
            verdict=word,
            margin=margin,
            images=round(test.pairs.images),
            difference=test.pairs.difference,
            lower=tango_lower(test.pairs, level),
            level=level,
            p_lose=lose,
            images_needed=images_needed(test.pairs, margin, strict) if word == "not shown" else None,
        )
        for test, word, lose, level in zip(tests, words, losing, levels, strict=True)
    )


def _word(test: PairedTest, losing: float, level: float, margin: float, alpha: float) -> Keeping:
    if loss_p_value(test.pairs, margin) < level:
        return "shown to keep"
    worse = test.pairs.only_reference > test.pairs.only_variant
    return "shown to lose" if losing < alpha and worse else "not shown"


def all_kept(verdicts: Sequence[Keeping]) -> Keeping:
    """One word for several shares: lost where one is lost, kept where all are."""
    if "shown to lose" in verdicts:
        return "shown to lose"
    return "shown to keep" if all(verdict == "shown to keep" for verdict in verdicts) else "not shown"


def whole(images: float) -> int:
    """A number of images for people: two leading digits, rounded up."""
    step: int = 10 ** max(0, len(str(ceil(images))) - 2)
    return ceil(images / step) * step
