"""A recipe: the passes that a variant's model goes through, in order, and one conversion.

The settings of every pass live here, so that a whole experiment is checked before TensorFlow is
imported; the pass itself is `jobs/optimize/passes/<pass>.py`, the rules for combining them are
`common/schema/order.py`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.schema.augmentation import Augmentation
from common.schema.base import Count, Model, Share
from common.schema.convert import CALIBRATED, Convert
from common.schema.fine_tuning import FineTuning, Positive, Rate, Retraining
from common.schema.given import Pattern
from common.schema.network import Network
from common.schema.order import refusal

# tfmot's least number when one of them is kept for zero.
SPARSE_CLUSTERS = 3
# Of a fine-tuning: over so much of it the sparsity grows, and the rest lets the network recover.
RAMP = 0.75
Sparsity = Annotated[float, Field(gt=0, lt=1)]
Clusters = Annotated[int, Field(ge=2, le=256)]


class Prune(Retraining):
    """Magnitude pruning (tfmot `prune_low_magnitude`).

    The sparsity is there from `begin_step` on (`constant`) or grows to it from `initial_sparsity` by the
    cubic polynomial of Zhu and Gupta 2017 (`polynomial`), up to `end_step`; without one, over the first
    three quarters of the fine-tuning. `block` prunes dense kernels in blocks of [height, width],
    `m_by_n` sets m of every n consecutive input channels to zero. `layers` maps patterns of layer names
    to a sparsity of their own; 0 leaves a layer alone.
    """

    name: Literal["prune"] = Field(alias="pass")
    sparsity: Sparsity = 0.5
    schedule: Literal["constant", "polynomial"] = "constant"
    initial_sparsity: Annotated[float, Field(ge=0, lt=1)] = 0.0
    begin_step: Count = 0
    end_step: Positive | None = None
    frequency: Positive = 100
    block: tuple[Positive, Positive] = (1, 1)
    m_by_n: tuple[Positive, Positive] | None = None
    layers: dict[Pattern, Annotated[float, Field(ge=0, lt=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _schedules_agree(self) -> Self:
        if self.schedule == "constant" and (self.initial_sparsity or self.end_step is not None):
            raise ValueError("initial_sparsity and end_step belong to schedule = 'polynomial'")
        if self.schedule == "polynomial" and self.initial_sparsity >= self.sparsity:
            raise ValueError("initial_sparsity must be below sparsity")
        if self.end_step is not None and (self.end_step <= self.begin_step or self._lag(self.end_step)):
            # tfmot updates its masks every `frequency` steps: any other end is never reached.
            raise ValueError("end_step must be begin_step plus a multiple of frequency, or the sparsity stays below")
        return self

    def _lag(self, end_step: int) -> int:
        return (end_step - self.begin_step) % self.frequency

    def end(self, steps: int) -> int:
        """The step at which a polynomial schedule ends in a fine-tuning of `steps` steps."""
        updates = int(RAMP * (steps - self.begin_step)) // self.frequency
        return self.end_step or self.begin_step + updates * self.frequency

    def refusal(self, steps: int) -> str | None:
        """Why the schedule has no room in a fine-tuning of `steps` steps; None where it has.

        tfmot counts steps from 1 and makes its masks at `begin_step` and every `frequency` steps after it, those of
        `m_by_n` at the first step alone.
        """
        if self.m_by_n is not None:
            return None
        if self.schedule == "polynomial":
            end = self.end(steps)
            late = not self.begin_step < end <= steps
            return f"the schedule would end at step {end}, and the fine-tuning has {steps} steps" if late else None
        first = self.begin_step or self.frequency
        return f"it would begin at step {first}, and the fine-tuning has {steps} steps" if first > steps else None

    @model_validator(mode="after")
    def _patterns_agree(self) -> Self:
        if self.m_by_n is None:
            return self
        zeros, group = self.m_by_n
        if zeros >= group or self.sparsity != zeros / group:
            raise ValueError(f"m_by_n = [{zeros}, {group}] goes with sparsity = {zeros / group:g}, m below n")
        if self.block != (1, 1) or self.schedule != "constant" or any(self.layers.values()):
            raise ValueError("m_by_n goes with neither block, schedule nor a sparsity per layer")
        return self


class Cluster(Retraining):
    """Weight clustering: each kernel keeps `clusters` distinct values (per channel if asked).

    `preserve_sparsity` keeps the zeros of an earlier pruning. `layers` maps patterns of layer names to
    a number of their own; 0 leaves a layer alone.
    """

    name: Literal["cluster"] = Field(alias="pass")
    clusters: Clusters = 8
    initialization: Literal["KMEANS_PLUS_PLUS", "LINEAR", "DENSITY_BASED", "RANDOM"] = "KMEANS_PLUS_PLUS"
    per_channel: bool = True
    preserve_sparsity: bool = False
    layers: dict[Pattern, Clusters | Literal[0]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _zero_takes_one(self) -> Self:
        if self.preserve_sparsity and min(self.clusters, *filter(None, self.layers.values()), 256) < SPARSE_CLUSTERS:
            raise ValueError(f"preserve_sparsity needs at least {SPARSE_CLUSTERS} clusters, since zero is one")
        return self


class QuantizeAware(FineTuning):
    """Quantisation-aware training to int8 (tfmot's 8-bit scheme), simulated in every layer where that can be; ranges
    that it leaves out are calibrated at the conversion.

    `preserve` keeps what earlier passes made while it trains: PQAT (`sparsity`), CQAT (`clusters`) or
    PCQAT (both).
    """

    name: Literal["quantize_aware"] = Field(alias="pass")
    preserve: Literal["nothing", "sparsity", "clusters", "sparsity_and_clusters"] = "nothing"


class Factorize(Retraining):
    """Layers as two smaller ones, one after the other (truncated SVD).

    A dense layer or 1 x 1 convolution becomes two of `rank`, which is given or the smallest that keeps the
    share `energy` of the kernel's squared singular values; a layer of fewer than `min_weights` weights is
    left alone. A larger convolution becomes a column and a row with `spatial_rank` channels between them.
    `ranks` maps patterns of layer names to a rank of their own, whatever the layer's kind and size; 0 leaves a layer
    alone. Nothing is changed that would not save weights.
    """

    name: Literal["factorize"] = Field(alias="pass")
    rank: Positive | None = None
    energy: Annotated[float, Field(gt=0, lt=1)] | None = None
    spatial_rank: Positive | None = None
    min_weights: Positive = 4096
    layers: tuple[Pattern, ...] = ("*",)
    ranks: dict[Pattern, Count] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.rank is not None and self.energy is not None:
            raise ValueError("give either rank or energy")
        if (self.rank, self.energy, self.spatial_rank) == (None, None, None) and not any(self.ranks.values()):
            raise ValueError("give rank, energy, spatial_rank or ranks")
        return self


class FoldBatchNorm(Model):
    """Multiply BatchNormalization into neighbouring layers wherever the function stays the same, of the layers that
    `layers`, patterns of names, match."""

    name: Literal["fold_batch_norm"] = Field(alias="pass")
    layers: tuple[Pattern, ...] = ("*",)


class MergeSeparable(Model):
    """Turn separable convolutions of at most `max_input_channels` into one convolution each: more
    arithmetic, but less time where a runtime has no kernel for the depthwise half. Only those that `layers`, patterns
    of names, match."""

    name: Literal["merge_separable"] = Field(alias="pass")
    max_input_channels: Positive = 4
    layers: tuple[Pattern, ...] = ("*",)


class Distill(Retraining):
    """Train a smaller network on the trained one's outputs and on the labels (Hinton et al. 2015).

    `alpha` is the weight of the outputs, softened by `temperature`; the labels have the rest. Without
    `student` it is a CompactNet of `width` and `stride`.
    """

    name: Literal["distill"] = Field(alias="pass")
    student: Network | None = None
    width: Annotated[float, Field(gt=0, le=16)] | None = None
    stride: Annotated[int, Field(ge=1, le=4)] | None = None
    temperature: Annotated[float, Field(ge=1, le=20)] = 3.0
    alpha: Share = 0.1
    epochs: Positive = 40
    batch_size: Positive = 32
    learning_rate: Rate = 3e-3
    schedule: Literal["constant", "cosine"] = "cosine"
    augmentation: Augmentation = Augmentation(flip=True, crop=0.3, colour=0.3)

    @property
    def network(self) -> Network:
        """The student, given or derived."""
        return self.student or Network(architecture="CompactNet", width=self.width, stride=self.stride)

    @model_validator(mode="after")
    def _one_student(self) -> Self:
        if self.student is not None and (self.width, self.stride) != (None, None):
            raise ValueError("width and stride stand beside no student; write them into the student's table")
        return self


Pass = Annotated[
    Distill | Prune | Cluster | QuantizeAware | Factorize | FoldBatchNorm | MergeSeparable,
    Field(discriminator="name"),
]


class Recipe(Model):
    """An ordered list of passes, then a conversion. No passes: the trained model as it is.

    Without `fine_tune` no pass trains: each does what it does to the network's structure, with the weights that there
    are. The file is as fast and as large as the trained one would be, and as accurate as chance has it.
    """

    passes: tuple[Pass, ...] = ()
    convert: Convert
    fine_tune: bool = True

    @property
    def trains(self) -> bool:
        """Whether some pass trains."""
        return self.fine_tune and any(isinstance(settings, FineTuning) for settings in self.passes)

    @property
    def student(self) -> Network | None:
        """The network that the recipe trains anew; None where it keeps the trained one."""
        return next((settings.network for settings in self.passes if isinstance(settings, Distill)), None)

    @property
    def unused(self) -> str | None:
        """A key of the conversion that was given and would be of no use, and why."""
        if "calibration_images" not in self.convert.model_fields_set:
            return None
        if any(isinstance(settings, QuantizeAware) for settings in self.passes):
            return "calibration_images: quantize_aware learns the ranges itself; leave it out"
        if not self.convert.is_calibrated:
            known = " and ".join((", ".join(CALIBRATED[:-1]), CALIBRATED[-1]))
            return f"calibration_images: {known} are calibrated, {self.convert.format} is not; leave it out"
        return None

    @model_validator(mode="after")
    def _passes_go_together(self) -> Self:
        aware = [settings.preserve for settings in self.passes if isinstance(settings, QuantizeAware)]
        reason = refusal(
            [settings.name for settings in self.passes],
            cluster_keeps_zeros=all(item.preserve_sparsity for item in self.passes if isinstance(item, Cluster)),
            preserve=aware[0] if aware else None,
            conversion=self.convert.format,
            sparse=self.convert.sparse,
        )
        if reason is not None:
            raise ValueError(reason)
        return self
