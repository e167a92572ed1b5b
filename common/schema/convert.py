"""How a network that was trained here becomes a .tflite file."""

from typing import Literal, Self

from pydantic import Field, model_validator

from common.schema.base import Model, NpuTarget
from common.schema.fine_tuning import Positive
from common.schema.given import (
    CONVERTER,
    STATIC,
    ConverterFormat,
    FileConvert,
    FileFormat,
    OtherFormats,
    goes_with,
    misplaced,
)

# Formats whose activations are quantised with ranges seen on data.
CALIBRATED = ("int8", "int16x8", *STATIC)
SPARSE = ("float32", "float16")
Format = Literal[ConverterFormat, FileFormat]


class Convert(Model):
    """The numeric format of the .tflite file.

    `int8`, `int16x8` (16-bit activations, 8-bit weights) and the static formats are calibrated on
    `calibration_images` of the training split; with `integer_io` the model takes and gives integers instead
    of floats. The formats with `_wi4_` and `_wi8_` are litert-quantizer's recipes of these names, and go with
    `layers`: patterns of layer names to another of them or to "float32", of which the last match counts.
    `sparse` stores kernels without their zeros where that makes the file smaller. `npu` (Qualcomm/SM8750)
    compiles the file for an NPU as well, which then runs that file.
    """

    format: Format
    integer_io: bool = False
    sparse: bool = False
    layers: OtherFormats = Field(default_factory=dict)
    calibration_images: Positive = 200
    npu: NpuTarget | None = None

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.integer_io and self.format not in CALIBRATED:
            raise ValueError(goes_with("integer_io", CALIBRATED, self.format))
        if self.sparse and self.format not in SPARSE:
            # XNNPACK cannot prepare sparse kernels that are quantised too.
            raise ValueError(goes_with("sparse", SPARSE, self.format))
        if reason := misplaced(self.layers, self.format):
            raise ValueError(reason)
        return self

    @property
    def of_file(self) -> FileConvert | None:
        """What litert-quantizer does to the float32 file; None where the converter itself makes the format."""
        if self.format in CONVERTER:
            return None
        return FileConvert.model_validate(self.model_dump(include={"format", "layers"}))

    @property
    def is_calibrated(self) -> bool:
        """Whether ranges of activations are measured for it."""
        return self.format in CALIBRATED or any(format_ in STATIC for format_ in self.layers.values())
