"""Read TFLite metadata back, by the fields of metadata_schema.fbs."""

from collections.abc import Callable
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types as types
from flatbuffers.table import Table


def metadata_of(content: bytes) -> "Node":
    """The root of the metadata in a .tflite file."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (entry,) = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    data = bytes(model.buffers[entry.buffer].data)
    assert data[4:8] == b"M001"
    return Node(Table(data, flatbuffers.encode.Get(flatbuffers.packer.uoffset, data, 0)))


class Node:
    """A table, read by field numbers."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def _at(self, field: int, read: Callable[[int], Any], default: Any = None) -> Any:
        offset = self._table.Offset(4 + 2 * field)
        return read(offset + self._table.Pos) if offset else default

    def text(self, field: int) -> str:
        """A string."""
        return str(self._at(field, self._table.String).decode())

    def number(self, field: int, kind: Any = types.Uint8Flags) -> int:
        """A scalar; 0 where it is left out."""
        return int(self._at(field, lambda position: self._table.Get(kind, position), 0))

    def node(self, field: int) -> "Node":
        """A table below."""
        return Node(Table(self._table.Bytes, self._at(field, self._table.Indirect)))

    def nodes(self, field: int) -> list["Node"]:
        """A vector of tables."""
        offset = self._table.Offset(4 + 2 * field)
        start = self._table.Vector(offset)
        places = (start + 4 * index for index in range(self._table.VectorLen(offset)))
        return [Node(Table(self._table.Bytes, self._table.Indirect(place))) for place in places]

    def floats(self, field: int) -> list[float]:
        """A vector of float32."""
        offset = self._table.Offset(4 + 2 * field)
        start = self._table.Vector(offset)
        count = self._table.VectorLen(offset)
        return [self._table.Get(types.Float32Flags, start + 4 * index) for index in range(count)]
