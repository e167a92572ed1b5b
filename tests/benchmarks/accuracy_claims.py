"""How often a variant that truly loses accuracy is recommended: enumerated exactly, and simulated where one is picked.

    python -m tests.benchmarks.accuracy_claims

Uses the rules of `common.run.keeping`, beside the rule before them: at most the margin below the reference, and not
significantly different by McNemar's exact test. Takes about a minute.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
from scipy.stats import binom, binomtest

from common.run.keeping import Pairs, hochberg_levels, loss_p_value

ALPHA, MARGIN = 0.05, 0.02
IMAGES = (300, 462)
# Shares of the images that only the variant gets right: a conversion, a fine-tuning, another training.
ONLY_VARIANT = (0.005, 0.015, 0.03)
LOSSES = (0.0, 0.01, 0.02, 0.03, 0.05)
ACCURACY = 0.91
VARIANTS = 18
# True losses, the fastest variant first.
SCENARIOS = {
    "fast half loses 3 points": (0.03,) * 9 + (0.0,) * 9,
    "losses of 6 to 0 points": tuple(float(loss) for loss in np.linspace(0.06, 0.0, VARIANTS)),
    "all lose the margin": (MARGIN,) * VARIANTS,
}
NEGLIGIBLE = 1e-9
Rule = Callable[[int, int, int], bool]
# Images that only the reference and only the variant got right, and all.
Counts = tuple[int, int, int]
Passing = Callable[[Sequence[Counts]], list[bool]]


@cache
def loss_p(lost: int, won: int, images: int) -> float:
    """The product's p value for a loss of the margin."""
    return loss_p_value(Pairs(lost, won, images), MARGIN)


def tango(lost: int, won: int, images: int) -> bool:
    """Today's rule for a single variant."""
    return loss_p(lost, won, images) < ALPHA


@cache
def earlier(lost: int, won: int, images: int) -> bool:
    """The rule before: the observed loss within the margin, and McNemar not significant against it."""
    within = round((lost - won) / images, 9) <= MARGIN
    return within and (lost <= won or float(binomtest(won, lost + won).pvalue) >= ALPHA)


def passes(rule: Rule, images: int, only_variant: float, loss: float) -> float:
    """Chance that a variant of this true loss passes, over all pairs of counts that matter."""
    only_reference = only_variant + loss
    total = 0.0
    decided = np.arange(images + 1)
    weights = binom.pmf(decided, images, only_reference + only_variant)
    for both in decided[weights > NEGLIGIBLE]:
        lost = np.arange(both + 1)
        shares = binom.pmf(lost, both, only_reference / (only_reference + only_variant))
        chance = sum(
            share
            for one, share in zip(lost, shares, strict=True)
            if share > NEGLIGIBLE and rule(int(one), int(both - one), images)
        )
        total += float(weights[both] * chance)
    return total


def picked(  # noqa: PLR0917
    images: int, only_variant: float, losses: Sequence[float], runs: int, seed: int, passing: Passing
) -> tuple[float, float]:
    """Shares of runs in which the fastest that passes truly loses the margin or more, and in which any passes. All
    variants share the images and the reference's answers to them."""
    random = np.random.default_rng(seed)
    right = random.binomial(images, ACCURACY, runs)
    lost = [random.binomial(right, (only_variant + loss) / ACCURACY) for loss in losses]
    won = [random.binomial(images - right, only_variant / (1 - ACCURACY)) for _ in losses]
    bad = found = 0
    for run in range(runs):
        counts = [(int(b[run]), int(c[run]), images) for b, c in zip(lost, won, strict=True)]
        passed = passing(counts)
        if any(passed):
            found += 1
            bad += losses[passed.index(True)] >= MARGIN
    return bad / runs, found / runs


def corrected(counts: Sequence[Counts]) -> list[bool]:
    """The product's rule: corrected for the number of variants."""
    values = [loss_p(*count) for count in counts]
    return [value < level for value, level in zip(values, hochberg_levels(values, ALPHA), strict=True)]


def each(rule: Rule) -> Passing:
    """A rule that looks at one variant at a time."""
    return lambda counts: [rule(*count) for count in counts]


def report(runs: int = 20_000) -> Iterator[str]:
    """The tables, in Markdown."""
    yield "Said to keep the accuracy (margin 2 points), new rule / rule before, in %:"
    yield "| images | only variant right | " + " | ".join(f"loses {100 * loss:g}" for loss in LOSSES) + " |"
    yield "| --- | --- |" + " --- |" * len(LOSSES)
    for images in IMAGES:
        for share in ONLY_VARIANT:
            cells = (
                f"{100 * passes(tango, images, share, loss):.1f} / {100 * passes(earlier, images, share, loss):.0f}"
                for loss in LOSSES
            )
            yield f"| {images} | {100 * share:g} % | {' | '.join(cells)} |"
    yield f"The fastest of {VARIANTS} that pass truly loses 2 points or more, {runs} runs (in brackets: any passes), %:"
    yield "| images | only variant right | true losses | new rule | without its correction | rule before |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for images in IMAGES:
        for share in ONLY_VARIANT:
            for name, losses in SCENARIOS.items():
                rules = (corrected, each(tango), each(earlier))
                told = (picked(images, share, losses, runs, 7, rule) for rule in rules)
                cells = (f"{100 * bad:.1f} ({100 * found:.0f})" for bad, found in told)
                yield f"| {images} | {100 * share:g} % | {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    for line in report():
        print(line, flush=True)
