"""Variants that come from a finished .tflite file instead of a recipe: the file itself, or a post-training
quantisation of it."""

from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Model

# Any file name that can be shown in one line.
ModelPath = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=4096)]
Pattern = Annotated[str, Field(min_length=1)]
# litert-quantizer's recipes of these names. The static ones are calibrated on samples.
FileFormat = Literal[
    "dynamic_wi8_afp32",
    "dynamic_wi4_afp32",
    "weight_only_wi8_afp32",
    "weight_only_wi4_afp32",
    "static_wi8_ai8",
    "static_wi8_ai16",
]
STATIC = ("static_wi8_ai8", "static_wi8_ai16")


PixelRange = tuple[float, float]


class GivenFile(Model):
    """A .tflite file as it is. `file` starts at the experiment's folder.

    `pixels` [low, high]: the numbers that an image input expects for 0 and 255; None takes what the file's metadata
    or its quantisation say, 0 to 1 where they say nothing.
    """

    file: ModelPath
    pixels: PixelRange | None = None


class FileConvert(Model):
    """How a file is quantised after training.

    `layers` maps patterns of tensor names (shell patterns) to another format, or to "float32" for operators that
    stay as they are; the last match counts. A static format is calibrated on `calibration_samples` samples.
    """

    format: FileFormat
    layers: dict[Pattern, FileFormat | Literal["float32"]] = Field(default_factory=dict)
    calibration_samples: Annotated[int, Field(gt=0, le=100_000)] = 200

    @property
    def is_static(self) -> bool:
        """Whether any format of it needs samples."""
        return any(format_ in STATIC for format_ in (self.format, *self.layers.values()))


class FromFile(Model):
    """A recipe that starts from a .tflite file. `source` (`from` in the file) starts at the experiment's folder."""

    source: ModelPath = Field(alias="from")
    convert: FileConvert
    pixels: PixelRange | None = None
