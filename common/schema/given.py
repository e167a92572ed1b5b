"""Variants that come from a file instead of a recipe for the trained network: a finished .tflite file, a post-training
quantisation of one, or the export of a saved Keras model."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from common.schema.base import Model, NpuTarget

# Any file name that can be shown in one line.
PATH_PATTERN = r"^[^\x00-\x1f\x7f]+$"
ModelPath = Annotated[str, Field(pattern=PATH_PATTERN, max_length=4096)]
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
# The TFLite converter's own, beside those; the integer ones are calibrated on samples.
ConverterFormat = Literal["float32", "float16", "dynamic_range", "int8", "int16x8"]
OtherFormats = dict[Pattern, FileFormat | Literal["float32"]]
CONVERTER, INTEGER = ("float32", "float16", "dynamic_range", "int8", "int16x8"), ("int8", "int16x8")
# Whole models as Keras saves them, in the format of Keras 3 and in the older one.
KERAS = (".keras", ".h5")
NO_PASSES = (
    "passes need tf_keras (Keras 2), as tfmot and their optimisers know no other; a saved Keras 3 model is converted "
    "as it is. For passes, build the network in a Python file with tf_keras and name it as [model] architecture"
)

PixelRange = tuple[float, float]


class GivenFile(Model):
    """A .tflite file as it is. `file` starts at the experiment's folder.

    `pixels` [low, high]: the numbers that an image input expects for 0 and 255; None takes what the file's metadata
    or its quantisation say, 0 to 1 where they say nothing.
    """

    file: ModelPath
    pixels: PixelRange | None = None

    @model_validator(mode="after")
    def _is_finished(self) -> Self:
        if self.file.endswith(KERAS):
            text = 'write from = in place of file =, and convert = { format = "float32" }'
            raise ValueError(f"{self.file} is a Keras model and no .tflite file: {text}")
        return self

    @property
    def is_calibrated(self) -> bool:
        """A file is taken as it is."""
        return False

    @property
    def unused(self) -> str | None:
        """A file is converted to nothing."""
        return None


class FileConvert(Model):
    """How a file is quantised after training.

    `layers` maps shell patterns of the names of operators' outputs to another format, or to "float32" for operators
    that stay as they are; the last match counts. A static format is calibrated on `calibration_samples` samples. `npu`
    (Qualcomm/SM8750) compiles the file for an NPU as well, which then runs that file.
    """

    format: FileFormat
    layers: OtherFormats = Field(default_factory=dict)
    calibration_samples: Annotated[int, Field(gt=0, le=100_000)] = 200
    npu: NpuTarget | None = None

    @property
    def is_static(self) -> bool:
        """Whether any format of it needs samples."""
        return any(format_ in STATIC for format_ in (self.format, *self.layers.values()))


class FromFile(Model):
    """A recipe that starts from a .tflite file. `source` (`from` in the file) starts at the experiment's folder."""

    source: ModelPath = Field(alias="from")
    convert: FileConvert
    pixels: PixelRange | None = None

    @property
    def is_calibrated(self) -> bool:
        """Whether it needs samples to be made."""
        return self.convert.is_static

    @property
    def unused(self) -> str | None:
        """A key of the conversion that was given and would be of no use, and why."""
        return _unused(self.convert, self.is_calibrated)


class KerasConvert(Model):
    """How a saved Keras model becomes a .tflite file: a format of the TFLite converter, or its float32 file in one of
    litert-quantizer's formats, with `layers` as of a file.

    With `integer_io` the model of an integer format takes and gives integers instead of floats. `npu` as of a file.
    """

    format: ConverterFormat | FileFormat
    integer_io: bool = False
    layers: OtherFormats = Field(default_factory=dict)
    calibration_samples: Annotated[int, Field(gt=0, le=100_000)] = 200
    npu: NpuTarget | None = None

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.integer_io and self.format not in INTEGER:
            raise ValueError(goes_with("integer_io", INTEGER, self.format))
        if reason := misplaced(self.layers, self.format):
            raise ValueError(reason)
        return self

    @property
    def of_file(self) -> FileConvert | None:
        """What litert-quantizer does to the float32 file; None where the converter itself makes the format."""
        if self.format in CONVERTER:
            return None
        kept = self.model_dump(include={"format", "layers", "calibration_samples"})
        return FileConvert.model_validate(kept)


class FromKeras(Model):
    """The export of a saved Keras model. `source` (`from` in the file) starts at the experiment's folder."""

    source: ModelPath = Field(alias="from")
    convert: KerasConvert
    pixels: PixelRange | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_no_passes(cls, given: Any) -> Any:
        if isinstance(given, dict) and "passes" in given:
            raise ValueError(NO_PASSES)
        return given

    @property
    def is_calibrated(self) -> bool:
        """Whether it needs samples to be made."""
        of_file = self.convert.of_file
        return self.convert.format in INTEGER if of_file is None else of_file.is_static

    @property
    def unused(self) -> str | None:
        """A key of the conversion that was given and would be of no use, and why."""
        return _unused(self.convert, self.is_calibrated)


def goes_with(key: str, formats: Sequence[str], format_: str) -> str:
    """That a key belongs to these formats, and not to `format_`."""
    known = " or ".join(filter(None, (", ".join(formats[:-1]), formats[-1])))
    return f"{key} goes with {known}, not with {format_}"


def misplaced(layers: OtherFormats, format_: str) -> str | None:
    """Why operators cannot have formats of their own beside `format_`; None where they can."""
    if not layers or format_ not in CONVERTER:
        return None
    return f"layers goes with litert-quantizer's formats, such as {STATIC[0]}, not with {format_}"


def _unused(convert: FileConvert | KerasConvert, is_calibrated: bool) -> str | None:
    if is_calibrated or "calibration_samples" not in convert.model_fields_set:
        return None
    return f"calibration_samples: {convert.format} is not calibrated; leave it out, or choose a format that is"


def kind(given: Any) -> str:
    """The tag of what makes a variant, by the keys of its table; no tag is a key itself, so that a message about a
    missing key never names a tag."""
    if isinstance(given, GivenFile | FromFile | FromKeras):
        return {GivenFile: "finished file", FromFile: "from a file", FromKeras: "from Keras"}[type(given)]
    if not isinstance(given, dict):
        return "recipe"
    source = given.get("from")
    if isinstance(source, str) and source.endswith(KERAS):
        return "from Keras"
    return "finished file" if "file" in given else "from a file" if "from" in given else "recipe"


# The tagged union of those that come from a file.
Given = Annotated[
    Annotated[GivenFile, Tag("finished file")]
    | Annotated[FromFile, Tag("from a file")]
    | Annotated[FromKeras, Tag("from Keras")],
    Discriminator(kind),
]
