"""Number formats by groups of layers: each is left in float32 alone, and those that are better so together."""

from common.schema.given import STATIC
from common.schema.search_result import Mixed
from common.tflite.formats import CONVERT
from jobs.search.judge import Standing
from jobs.search.rewrites import Cost, changed, mixed
from jobs.search.screening import Screening
from jobs.search.space import groups, left_in_float

INTEGERS = (*STATIC, "dynamic_wi8_afp32", "dynamic_wi4_afp32")
FEWEST = 2


def mix(screening: Screening, share: float) -> Mixed | None:
    """Measure the fastest so far in a format of litert-quantizer's with each group of its layers in float32, and
    with those groups that are better so. None where there is no such candidate, or not two groups of layers."""
    found = (one for one in screening.standings() if _mixable(one))
    whole = min(found, key=lambda one: (one.time, one.candidate.name), default=None)
    if whole is None:
        return None
    base = whole.candidate
    parts = groups(changed(screening.made[base.name].variant, CONVERT))
    if len(parts) < FEWEST:
        return None
    alone = [left_in_float(base, f"float_{number}", part) for number, part in enumerate(parts)]
    screening.screen("groups", "every group of layers left in float32, alone", alone, share)
    costs = {one.candidate.name: Cost(one.time, one.loss) for one in screening.standings()}
    measured = {number: costs[one.name] for number, one in enumerate(alone) if one.name in costs}
    decided = mixed(base.recipe.convert.format, base.name, Cost(whole.time, whole.loss), parts, measured)
    # One group alone was measured, and of none or of all there is nothing to mix.
    if FEWEST <= len(decided.in_float) < len(parts):
        layers = [layer for group in decided.in_float for layer in group]
        together = left_in_float(base, "mixed", layers)
        screening.screen("mixed", "the groups together that are better left in float32", [together], share)
    return decided


def _mixable(one: Standing) -> bool:
    """Whether it computes in integers, as litert-quantizer makes it; what has float kernels only stored as integers has
    nothing to win."""
    return one.candidate.kind in ("rewrite", "quantised") and one.candidate.recipe.convert.format in INTEGERS
