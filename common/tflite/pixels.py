"""What an image input takes for a pixel's 0 and 255, from the metadata in a .tflite file.

Format: tensorflow/tflite-support, tensorflow_lite_support/metadata/metadata_schema.fbs; a field's number is its
position in its table, where a union takes two. ModelMetadata.subgraph_metadata[0].input_tensor_metadata[0]
.process_units[].options as NormalizationOptions {mean, std}.
"""

import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import encode, number_types, packer
from flatbuffers.table import Table

from common.tflite.opened import Content

METADATA, IDENTIFIER = b"TFLITE_METADATA", b"M001"
SUBGRAPHS, INPUTS, UNITS, UNIT_KIND, UNIT, MEAN, STD = 3, 2, 4, 0, 1, 0, 1
NORMALIZATION = 1
BRIGHTEST = 255.0
DAMAGE = (struct.error, LookupError, TypeError, ValueError, AttributeError, OverflowError)


def metadata_pixels(content: Content) -> tuple[float, float] | None:
    """What 0 and 255 become by the normalization of the first input; None where the file has none, or none that can
    be read."""
    return next(iter(input_pixels(content)), None)


def input_pixels(content: Content) -> tuple[tuple[float, float] | None, ...]:
    """The same of every input of the first subgraph that the metadata lists, in order."""
    try:
        buffer = _metadata(content)
        if buffer is None or buffer[4:8] != IDENTIFIER:
            return ()
        root = Table(buffer, encode.Get(packer.uoffset, buffer, 0))
        for graph in _tables(root, SUBGRAPHS):
            return tuple(_normalization(tensor) for tensor in _tables(graph, INPUTS))
    except DAMAGE:
        pass
    return ()


def _normalization(tensor: Any) -> tuple[float, float] | None:
    return next(filter(None, (_ends(unit) for unit in _tables(tensor, UNITS))), None)


def _metadata(content: Content) -> bytes | None:
    model = schema.Model.GetRootAs(content)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == METADATA:
            data = model.Buffers(entry.Buffer()).DataAsNumpy()
            return bytes(data) if np.ndim(data) else None
    return None


def _field(table: Any, number: int) -> int:
    # The first two entries of a table's list of fields are sizes.
    return int(table.Offset(4 + 2 * number))


def _tables(table: Any, number: int) -> Iterator[Any]:
    offset = _field(table, number)
    if offset:
        start = table.Vector(offset)
        for index in range(min(table.VectorLen(offset), 16)):
            yield Table(table.Bytes, table.Indirect(start + 4 * index))


def _ends(unit: Any) -> tuple[float, float] | None:
    kind, options = _field(unit, UNIT_KIND), _field(unit, UNIT)
    if not kind or not options or unit.Get(number_types.Uint8Flags, kind + unit.Pos) != NORMALIZATION:
        return None
    found = Table(unit.Bytes, unit.Indirect(options + unit.Pos))
    mean, std = _first(found, MEAN), _first(found, STD)
    if mean is None or std is None or not (math.isfinite(mean) and math.isfinite(std)) or std == 0:
        return None
    return -mean / std, (BRIGHTEST - mean) / std


def _first(table: Any, number: int) -> float | None:
    offset = _field(table, number)
    if not offset or not table.VectorLen(offset):
        return None
    return float(table.Get(number_types.Float32Flags, table.Vector(offset)))
