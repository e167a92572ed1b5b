"""The cost table: what kernels took where they were measured, and what that says of files that were not. Pure.

A file's latency is the sum of its kernels' times. The profile says how an inference divides among them, and the latency
that was measured without it how long they all are: what lies between two kernels counts for them. A kernel that the
table has takes the median of its samples; another one what its work takes in kernels of the same operator and numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls
from scipy.stats import spearmanr

from common.schema.base import MOST
from common.schema.costs import CostTable, HeldOut, Kernel, Observation, Prediction, Timed
from common.tflite.operators import KERNELS
from common.tflite.tensors import elements
from jobs.search.shapes import JOINED, joined, kernels

# Fewer say nothing of a rank correlation.
FEWEST_HELD_OUT = 4
# Fewer kernels of a kind say less than all of its numbers.
FEWEST_FITTED = 3
# A profiler counts whole microseconds: errors of less weigh no more.
RESOLUTION_US = 1.0
MOST_ITERATIONS = 1000
WINDOW_RANK = 4
# An operator and its numbers; empty for any.
Kind = tuple[str, str]


def merged(table: CostTable, observations: Sequence[Observation]) -> CostTable:
    """The table with what was measured of further files. In which order they come does not matter; one that comes twice
    counts twice. Raises EdgeproofError for a file that is none."""
    seen = [_Seen.of(observation) for observation in observations]
    return table.model_copy(update={"entries": _entries(table.entries, seen)})


def predict(table: CostTable, content: bytes) -> Prediction:
    """The latency of a .tflite file on the table's target. Raises EdgeproofError for a file that is none."""
    return Predictor(table.entries).predict(content)


def held_out(observations: Sequence[Observation]) -> HeldOut:
    """Each file predicted from all others, beside what was measured of it. Raises EdgeproofError for a file that is
    none."""
    seen = [_Seen.of(observation) for observation in observations]
    found = ((_from_others(one, seen).us, one.latency_us) for one in seen)
    told = [(us, measured) for us, measured in found if us is not None]
    if len(told) < FEWEST_HELD_OUT:
        return HeldOut(spearman=None, median_error=None, n=len(told))
    predicted, measured = np.array(told).T
    alike = len(set(predicted)) == 1 or len(set(measured)) == 1
    return HeldOut(
        spearman=None if alike else float(np.clip(spearmanr(predicted, measured).statistic, -1, 1)),
        median_error=float(np.median(np.abs(predicted - measured) / measured)),
        n=len(told),
    )


class Predictor:
    """A table's entries made ready to predict many files."""

    def __init__(self, entries: Sequence[Timed]) -> None:
        self._entries = [(one.kernel, median(one.samples_us)) for one in entries]
        self._known = {kernel.key: us for kernel, us in self._entries}
        self._fits: dict[Kind, _Fit] = {}

    def predict(self, content: bytes) -> Prediction:
        """The latency of a .tflite file. Raises EdgeproofError for a file that is none."""
        return self.of(kernels(content))

    def of(self, operators: Sequence[Kernel]) -> Prediction:
        """The latency of a file of these kernels."""
        if not self._entries:
            return Prediction(us=None, known_share=0.0)
        parts = self._parts(operators)
        unknown = [one for one in parts if one.key not in self._known]
        measured = sum(self._known[one.key] for one in parts if one.key in self._known)
        whole = measured + sum(map(self._guess, unknown))
        return Prediction(us=whole, known_share=measured / whole if whole else float(not unknown))

    def _parts(self, operators: Sequence[Kernel]) -> list[Kernel]:
        """The kernels, those that were never timed alone as one where a delegate took such as one."""
        alone = [one for one in operators if self._fit((one.operator, one.domain)).entries]
        if len(alone) == len(operators) or not self._fit((JOINED, "")).entries:
            return list(operators)
        inside = [one for one in operators if not self._fit((one.operator, one.domain)).entries]
        return [*alone, joined(inside)]

    def _guess(self, kernel: Kernel) -> float:
        """Microseconds of a kernel that was not measured."""
        kinds: tuple[Kind, ...] = ((kernel.operator, kernel.domain), ("", kernel.domain), ("", ""))
        fits = (self._fit(kind) for kind in kinds)
        return next((fit for fit in fits if fit.entries >= FEWEST_FITTED), self._fit(kinds[-1])).us(kernel)

    def _fit(self, kind: Kind) -> "_Fit":
        if kind not in self._fits:
            operator, domain = kind
            alike = [
                (kernel, us)
                for kernel, us in self._entries
                if operator in ("", kernel.operator) and domain in ("", kernel.domain)
            ]
            self._fits[kind] = _Fit.of(alike)
        return self._fits[kind]


@dataclass(frozen=True)
class _Fit:
    """What kernels of a kind take: microseconds for each unit of work (`_work`)."""

    entries: int
    rates: npt.NDArray[np.float64]

    @classmethod
    def of(cls, entries: Sequence[tuple[Kernel, float]]) -> "_Fit":
        """Fitted so that the relative errors are least, none of the rates below zero."""
        if not entries:
            return cls(0, np.zeros(0))
        times = np.array([us for _, us in entries])
        weights = 1 / np.maximum(times, RESOLUTION_US)
        rows = np.array([_work(kernel) for kernel, _ in entries]) * weights[:, None]
        # Columns of one size: their units are as they come.
        sizes = np.linalg.norm(rows, axis=0)
        sizes[sizes == 0] = 1.0
        return cls(len(entries), nnls(rows / sizes, times * weights, maxiter=MOST_ITERATIONS)[0] / sizes)

    def us(self, kernel: Kernel) -> float:
        """Microseconds of one more kernel."""
        return float(self.rates @ _work(kernel))


def _work(kernel: Kernel) -> npt.NDArray[np.float64]:
    """Multiply-accumulates, bytes, one, positions of the output, and positions times the window's: a matrix product is
    made of tiles, and one that the channels do not fill takes as long as a full one."""
    shape = kernel.outputs[0].shape if kernel.outputs else ()
    positions = min(MOST, elements(shape[:-1]))
    weights = kernel.inputs[1] if kernel.operator in KERNELS and len(kernel.inputs) > 1 else None
    window = weights.shape[1:3] if weights is not None and len(weights.shape) == WINDOW_RANK else ()
    taps = min(MOST, elements(window))
    return np.array([kernel.macs or 0, kernel.bytes, 1, positions, float(positions) * taps], np.float64)


@dataclass(frozen=True)
class _Seen:
    """An observation taken apart: its kernels, and the times of those that have one."""

    content: bytes
    operators: tuple[Kernel, ...]
    times: tuple[tuple[Kernel, float], ...]
    latency_us: float

    @classmethod
    def of(cls, observation: Observation) -> "_Seen":
        """Raises EdgeproofError for a file that is none."""
        operators, latency_us = kernels(observation.content), observation.latency_us
        own = {one.index: max(0.0, one.mean_us) for one in observation.layers if one.index < len(operators)}
        # What a delegate takes as a whole has an index behind the file's; without a profile the whole file is one.
        behind = [max(0.0, one.mean_us) for one in observation.layers if one.index >= len(operators)]
        rest = [kernel for index, kernel in enumerate(operators) if index not in own]
        parts = [(operators[index], us) for index, us in own.items()]
        if rest and (behind or not own):
            parts.append((joined(rest), sum(behind)))
        spent = sum(us for _, us in parts)
        scaled = [(kernel, latency_us * us / spent if spent else latency_us / len(parts)) for kernel, us in parts]
        return cls(observation.content, operators, tuple(scaled), latency_us)


def _entries(known: Sequence[Timed], seen: Sequence[_Seen]) -> tuple[Timed, ...]:
    """Those and what was seen beside them, by key."""
    found = {one.kernel.key: (one.kernel, list(one.samples_us)) for one in known}
    for kernel, us in (each for one in seen for each in one.times):
        found.setdefault(kernel.key, (kernel, []))[1].append(us)
    return tuple(
        Timed(kernel=kernel, samples_us=tuple(sorted(all_us))) for _, (kernel, all_us) in sorted(found.items())
    )


def _from_others(one: _Seen, seen: Sequence[_Seen]) -> Prediction:
    """A file from all that are not the same."""
    return Predictor(_entries((), [other for other in seen if other.content != one.content])).of(one.operators)
