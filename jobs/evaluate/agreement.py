"""How the answers of a file lie beside the reference's. Pure: arrays in, figures out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from common.proportion import wilson
from common.schema.answers import OutputAgreement

# Scores of classes are not negative and add up to one, as far as quantisation lets them.
SUM_TOLERANCE = 0.05
MATRIX = 2


def agreement(name: str, dtype: str, mine: Any, reference: Any) -> OutputAgreement:
    """One output over all samples, both [n, ...]."""
    alone = alone_of(name, dtype, mine)
    if mine.shape != reference.shape:
        problem = f"its shape is {list(mine.shape[1:])}, the reference's {list(reference.shape[1:])}"
        return alone.model_copy(update={"problem": problem})
    found, wanted = (values.reshape(len(values), -1).astype(np.float64) for values in (mine, reference))
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        return alone.model_copy(update={"problem": "some values are no numbers"})
    difference = np.abs(found - wanted)
    figures = {
        "max_abs": float(difference.max(initial=0.0)),
        "mean_abs": float(difference.mean()) if difference.size else 0.0,
        "snr_db": _snr_db(wanted, difference),
        "cosine": _cosine(found, wanted),
        "top1": _top1(mine, reference),
        "one_class": _one_class(reference),
    }
    return alone.model_copy(update=figures)


def alone_of(name: str, dtype: str, values: Any) -> OutputAgreement:
    """What can be said of an output [n, ...] by itself."""
    kept = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    constant = len(values) > 1 and bool((values == values[:1]).all())
    return OutputAgreement(
        name=name, shape=values.shape[1:], dtype=dtype, not_finite=int((~kept).sum()), constant=constant
    )


def _snr_db(wanted: Any, difference: Any) -> float | None:
    signal, noise = float((wanted**2).sum()), float((difference**2).sum())
    return 10 * math.log10(signal / noise) if signal > 0 and noise > 0 else None


def _cosine(found: Any, wanted: Any) -> float | None:
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    told = lengths > 0
    if not told.any():
        return None
    return float(np.clip(((found * wanted).sum(axis=1)[told] / lengths[told]).min(), -1, 1))


def _top1(mine: Any, reference: Any) -> Any:
    if not looks_like_classes(reference) or _one_class(reference):
        return None
    rows = [values.reshape(-1, values.shape[-1]) for values in (mine, reference)]
    same = int((rows[0].argmax(axis=1) == rows[1].argmax(axis=1)).sum())
    return wilson(same, len(rows[0]))


def _one_class(reference: Any) -> bool:
    """Whether scores of classes name the same class for every one of several samples."""
    if len(reference) < MATRIX or not looks_like_classes(reference):
        return False
    named = reference.argmax(axis=-1)
    return bool((named == named[:1]).all())


def looks_like_classes(values: Any) -> bool:
    """Whether an output [n, 1, classes] holds scores that add up to one in every row."""
    if values.ndim != MATRIX + 1 or values.shape[1] != 1 or values.shape[2] < MATRIX or values.dtype.kind != "f":
        return False
    sums = values.sum(axis=-1)
    return bool((values >= -SUM_TOLERANCE).all() and (np.abs(sums - 1) < SUM_TOLERANCE).all())


def paired(names: Sequence[str], theirs: Sequence[str], outputs: Sequence[Any]) -> list[int | None]:
    """For each output of the reference, by `theirs`, which of `outputs` belongs to it: the one of its name where all
    names are known, else the one in its place; None where there is none."""
    if set(names) == set(theirs):
        return [names.index(name) for name in theirs]
    return [place if place < len(outputs) else None for place in range(len(theirs))]
