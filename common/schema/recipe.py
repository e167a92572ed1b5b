"""A recipe: the passes that a variant's model goes through, in order, and one conversion.

The settings of every pass live here, so that a whole experiment is checked before TensorFlow is
imported; the pass itself is `jobs/optimize/passes/<pass>.py`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.schema.augmentation import Augmentation
from common.schema.base import Count, Model, Share
from common.schema.network import Network

Positive = Annotated[int, Field(gt=0)]
# Formats whose activations are quantised with ranges seen on data.
CALIBRATED = ("int8", "int16x8")
Rate = Annotated[float, Field(gt=0, le=1)]


class FineTuning(Model):
    """How a pass trains on after it changed the model; the loss and batch are the training's.

    `reestimate_batch_norm` then measures BatchNormalization's statistics anew.
    """

    epochs: Positive = 5
    learning_rate: Rate = 1e-5
    reestimate_batch_norm: bool = True


class Prune(FineTuning):
    """Magnitude pruning to a constant sparsity (tfmot `ConstantSparsity`)."""

    name: Literal["prune"] = Field(alias="pass")
    sparsity: Annotated[float, Field(gt=0, lt=1)] = 0.5
    begin_step: Count = 0
    frequency: Positive = 100


class Cluster(FineTuning):
    """Weight clustering: each kernel keeps `clusters` distinct values (per channel if asked)."""

    name: Literal["cluster"] = Field(alias="pass")
    clusters: Annotated[int, Field(ge=2, le=256)] = 8
    initialization: Literal["KMEANS_PLUS_PLUS", "LINEAR", "DENSITY_BASED", "RANDOM"] = "KMEANS_PLUS_PLUS"
    per_channel: bool = True


class FoldBatchNorm(Model):
    """Multiply BatchNormalization into neighbouring layers wherever the function stays the same."""

    name: Literal["fold_batch_norm"] = Field(alias="pass")


class MergeSeparable(Model):
    """Turn separable convolutions of at most `max_input_channels` into one convolution each: more
    arithmetic, but less time where a runtime has no kernel for the depthwise half."""

    name: Literal["merge_separable"] = Field(alias="pass")
    max_input_channels: Positive = 4


class Distill(FineTuning):
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


Pass = Annotated[Prune | Cluster | FoldBatchNorm | MergeSeparable | Distill, Field(discriminator="name")]


class Convert(Model):
    """The numeric format of the .tflite file.

    `int8` and `int16x8` (16-bit activations, 8-bit weights) are calibrated on `calibration_images` of the
    training split; with `integer_io` the model takes and gives integers instead of floats.
    """

    format: Literal["float32", "float16", "dynamic_range", "int8", "int16x8"]
    integer_io: bool = False
    calibration_images: Positive = 200

    @model_validator(mode="after")
    def _integers_need_calibration(self) -> Self:
        if self.integer_io and self.format not in CALIBRATED:
            raise ValueError(f"integer_io goes with {' or '.join(CALIBRATED)}, not with {self.format}")
        return self


class Recipe(Model):
    """An ordered list of passes, then a conversion. No passes: the trained model as it is."""

    passes: tuple[Pass, ...] = ()
    convert: Convert

    @property
    def student(self) -> Network | None:
        """The network that the recipe trains anew; None where it keeps the trained one."""
        return next((settings.network for settings in self.passes if isinstance(settings, Distill)), None)

    @model_validator(mode="after")
    def _distils_first(self) -> Self:
        for settings in self.passes[1:]:
            if isinstance(settings, Distill):
                before = self.passes[0].name
                raise ValueError(f"distill must be the first pass: its new network has nothing of what {before} did")
        return self
