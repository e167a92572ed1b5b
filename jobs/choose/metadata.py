"""TFLite metadata of an image classifier, as the flatbuffer that Android's task libraries read.

Format: tensorflow/tflite-support, tensorflow_lite_support/metadata/metadata_schema.fbs, schema version 1.1.0; a
field's number is its position in its table, where a union takes two. Written by hand because the library that
does it (tflite-support) has no release for Python 3.12 and later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np

from common.schema.tflite import Port

IDENTIFIER = b"M001"
# No field younger than 1.0.0 is used.
MIN_PARSER_VERSION = "1.0.0"
# Enumerations and unions.
TENSOR_AXIS_LABELS = 2
RGB = 1
FEATURE_PROPERTIES, IMAGE_PROPERTIES = 1, 2
NORMALIZATION_OPTIONS = 1
# (pixel - mean) / std: pixels from 0 to 255 become 0 to 1.
MEAN, STD = 0.0, 255.0
# Bytes to start with; the builder grows.
ROOM = 1024
# A place in the buffer.
Offset = int


@dataclass(frozen=True)
class Description:
    """What the metadata says in words. `labels` is the name of the label file inside the model file."""

    name: str
    text: str
    version: str
    labels: str


def build_metadata(about: Description, image: Port, scores: Port) -> bytes:
    """Metadata of a model with one RGB image [1, height, width, 3] in and one score per class out."""
    builder = flatbuffers.Builder(ROOM)
    inputs, outputs = _input(builder, image), _output(builder, scores, about.labels)
    graph = _table(builder, 7, {2: _vector(builder, [inputs]), 3: _vector(builder, [outputs])})
    texts = {0: about.name, 1: about.text, 2: about.version, 7: MIN_PARSER_VERSION}
    strings = {field: _text(builder, text) for field, text in texts.items()}
    builder.Finish(_table(builder, 8, {**strings, 3: _vector(builder, [graph])}), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def limits(port: Port) -> tuple[float, float]:
    """What 0 and 1 are in the tensor's own numbers."""
    if port.scale is None or port.zero_point is None:
        return 0.0, 1.0
    ends = np.iinfo(port.dtype)
    low, high = (min(max(round(value / port.scale) + port.zero_point, ends.min), ends.max) for value in (0, 1))
    return float(low), float(high)


def _input(builder: Any, port: Port) -> Offset:
    _, height, width, _ = port.shape
    size = _table(builder, 2, {}, uint32={0: width, 1: height})
    properties = _table(builder, 2, {1: size}, int8={0: RGB})
    normalization = _table(builder, 2, {0: _floats(builder, MEAN), 1: _floats(builder, STD)})
    unit = _table(builder, 2, {1: normalization}, uint8={0: NORMALIZATION_OPTIONS})
    content = _table(builder, 3, {1: properties}, uint8={0: IMAGE_PROPERTIES})
    text = f"RGB image of {height} x {width} pixels, brought to the range from 0 to 1."
    return _tensor(builder, port, "image", text, {3: content, 4: _vector(builder, [unit])})


def _output(builder: Any, port: Port, labels: str) -> Offset:
    content = _table(builder, 3, {1: _table(builder, 0, {})}, uint8={0: FEATURE_PROPERTIES})
    strings = {0: _text(builder, labels), 1: _text(builder, "The name of each class, a line each.")}
    file = _table(builder, 4, strings, int8={2: TENSOR_AXIS_LABELS})
    return _tensor(builder, port, "score", "Score of each class.", {3: content, 6: _vector(builder, [file])})


def _tensor(builder: Any, port: Port, name: str, text: str, parts: Mapping[int, Offset]) -> Offset:
    low, high = limits(port)
    stats = _table(builder, 2, {0: _floats(builder, high), 1: _floats(builder, low)})
    strings = {0: _text(builder, name), 1: _text(builder, text)}
    return _table(builder, 7, {**strings, **parts, 5: stats})


def _text(builder: Any, text: str) -> Offset:
    # A lone surrogate, as in the name of a folder that is no valid UTF-8, cannot be written.
    offset: Offset = builder.CreateString(text.encode("utf-8", "replace"))
    return offset


def _floats(builder: Any, value: float) -> Offset:
    offset: Offset = builder.CreateNumpyVector(np.array([value], np.float32))
    return offset


def _vector(builder: Any, offsets: Sequence[Offset]) -> Offset:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    end: Offset = builder.EndVector()
    return end


def _table(
    builder: Any,
    fields: int,
    offsets: Mapping[int, Offset],
    *,
    int8: Mapping[int, int] | None = None,
    uint8: Mapping[int, int] | None = None,
    uint32: Mapping[int, int] | None = None,
) -> Offset:
    """A table of so many fields, by position: what lies elsewhere, enumerations, union types, numbers."""
    builder.StartObject(fields)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    for field, number in (int8 or {}).items():
        builder.PrependInt8Slot(field, number, 0)
    for field, number in (uint8 or {}).items():
        builder.PrependUint8Slot(field, number, 0)
    for field, number in (uint32 or {}).items():
        builder.PrependUint32Slot(field, number, 0)
    end: Offset = builder.EndObject()
    return end
