"""The binary messages that a tool writes: the fields that are read, described for the protobuf library.

In pools of their own. The modules that packages ship are no use: TensorFlow and ai-edge-litert both register theirs in
the pool of the whole process, and refuse each other; of one message there is none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "edgeproof"
Field = descriptor_pb2.FieldDescriptorProto
FLOAT, INT32, INT64, TEXT = Field.TYPE_FLOAT, Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_STRING
# A name, a number, and a type: one of those above, or the name of a message. With `*` before it there are many.
Fields = Sequence[tuple[str, int, int | str]]


def message(name: str, messages: Mapping[str, Fields]) -> Any:
    """The class of the message `name` (proto2) among those that are described."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=PACKAGE, syntax="proto2")
    for label, fields in messages.items():
        described = file.message_type.add(name=label)
        for field, number, kind in fields:
            many = field.startswith("*")
            added = described.field.add(name=field.lstrip("*"), number=number)
            added.label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                added.type, added.type_name = Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
