"""A recipe: the passes that a variant's model goes through, in order, and one conversion.

The settings of every pass live here, so that a whole experiment is checked before TensorFlow is
imported; the pass itself is `jobs/optimize/passes/<pass>.py`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from common.schema.base import Count, Model

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


Pass = Annotated[Prune | Cluster | FoldBatchNorm | MergeSeparable, Field(discriminator="name")]


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
