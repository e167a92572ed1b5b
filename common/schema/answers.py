"""`evaluation.json` of a variant without labels: its answers beside the reference's, and what the user's own score
gives. Version history: 1 first."""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Count, FileRef, Model, Name, Proportion, Share
from common.schema.given import ModelPath
from common.schema.provenance import Artifact

Figure = Annotated[float, Field(ge=0)]
Part = Literal["choose", "judge"]
# Of a bound, what cannot be told takes so much.
BEYOND = 1e6


class Tolerance(Model):
    """How far the answers may lie from the reference's; what is None is not asked. Every bound that is given must
    hold for every output.

    `max_abs` and `mean_abs` are in the output's own unit, `snr_db` is the least signal-to-noise ratio in dB,
    `cosine` the least cosine similarity of any sample, `top1` the least share of samples with the same largest value.
    """

    max_abs: Figure | None = None
    mean_abs: Figure | None = None
    snr_db: float | None = None
    cosine: Annotated[float, Field(ge=-1, le=1)] | None = None
    top1: Share | None = None

    @property
    def bounds(self) -> dict[str, float]:
        """Those that are given, by name."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Evaluate(Model):
    """How answers are judged where no labels of classes are.

    `score` is a Python file with `score(outputs, target)` or `score_all(outputs, targets)`, its path starts at the
    experiment's folder. `targets` is the folder of the targets, by the names of the samples; without it a target is
    the array `target` of a sample's `.npz`. `tolerance` bounds the answers' distance from the reference's.

    `part` is for a search, which chooses on some images or samples and judges on others: validation images or test
    images, or parts of the samples (`jobs.inputs.part`). None: test images, if there are any, or all samples.
    """

    score: ModelPath | None = None
    targets: str = ""
    tolerance: Tolerance | None = None
    part: Part | None = None


class OutputAgreement(Model):
    """One output over all samples beside the reference's of the same name or place.

    `problem` says why it cannot be compared; then the figures are None. `snr_db` is None where the answers are
    equal (`max_abs` is 0) or the reference's are all zero, `cosine` is the least of any sample and None where one of
    both is zero throughout. `top1` is None where the output does not look like scores of classes, and where the
    reference names one and the same class for every sample (`one_class`), so that agreeing with it says nothing.
    """

    name: str
    shape: tuple[Count, ...]
    dtype: str
    max_abs: float | None = None
    mean_abs: float | None = None
    snr_db: float | None = None
    cosine: float | None = None
    top1: Proportion | None = None
    not_finite: Count = 0
    constant: bool = False
    one_class: bool = False
    problem: str | None = None

    def misses(self, tolerance: Tolerance) -> str | None:
        """The first bound that does not hold, in words; None where all do."""
        if self.problem is not None:
            return f"output {self.name} cannot be compared: {self.problem}"
        if self.one_class and tolerance.top1 is not None:
            return f"top1 of output {self.name} says nothing: the reference names one class for every sample"
        top1 = None if self.top1 is None else self.top1.value
        found = {"max_abs": self.max_abs, "mean_abs": self.mean_abs, "cosine": self.cosine, "top1": top1}
        found["snr_db"] = self.snr_db
        for name, bound in tolerance.bounds.items():
            value = found[name]
            if value is None:
                continue
            if value > bound if name in ("max_abs", "mean_abs") else value < bound:
                return f"{name} of output {self.name} is {value:.4g}, allowed {bound:g}"
        return None

    def taken(self, tolerance: Tolerance) -> float:
        """The largest share of a bound that is taken: more than 1 where one does not hold."""
        if self.misses(tolerance) is not None and (self.problem is not None or self.one_class):
            return BEYOND
        bounds = tolerance.bounds
        parts = [
            _share(value, bounds[name])
            for name, value in (("max_abs", self.max_abs), ("mean_abs", self.mean_abs))
            if value is not None and name in bounds
        ]
        if self.cosine is not None and tolerance.cosine is not None:
            parts.append(_share(1 - self.cosine, 1 - tolerance.cosine))
        if self.top1 is not None and tolerance.top1 is not None:
            parts.append(_share(1 - self.top1.value, 1 - tolerance.top1))
        if self.snr_db is not None and tolerance.snr_db is not None:
            # Of the noise's amplitude.
            parts.append(min(BEYOND, 10 ** ((tolerance.snr_db - self.snr_db) / 20)))
        return max(parts, default=0.0)


def _share(value: float, bound: float) -> float:
    return value / bound if bound else BEYOND if value else 0.0


class Score(Model):
    """What the user's function gives, higher is better. `function` is its name, `source_sha256` its file's hash.

    `differences` are of a paired bootstrap over the examples, sorted: the variant's score less the reference's; empty
    for the reference. `values` (float64 [n]) are the scores of the examples, None for a score of all together.
    """

    function: Literal["score", "score_all"]
    source_sha256: str
    value: float
    difference: float | None = None
    differences: tuple[float, ...] = ()
    values: FileRef | None = None


class Answers(Artifact):
    """`outputs` is a .npz with `output_0`, ... in the file's order, float32 [n, ...], dequantised, or integers.

    `agreement` compares each with the reference's; empty for the reference itself, whose outputs `alone` describes.
    `finite` and `constant` are over all outputs.
    """

    kind: Literal["answers"] = "answers"
    schema_version: Literal[1] = 1
    variant: Name
    model_sha256: str
    reference: Name | None
    count: Count
    drawn: bool
    agreement: tuple[OutputAgreement, ...]
    score: Score | None
    finite: bool
    constant: bool
    outputs: FileRef
