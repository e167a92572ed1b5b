"""A .tflite file with metadata and labels inside: the same model, and what an app needs to use it.

Formats: tensorflow/compiler/mlir/lite/schema/schema.fbs for the model, whose `metadata` names a buffer; the label
file follows the flatbuffer as a zip archive, stored and not deflated, as Android's task libraries demand.
"""

import io
import struct
import zipfile
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from common.errors import EdgeproofError
from common.tflite.flat import FIRST_OUTSIDE
from common.tflite.kinds import IDENTIFIER

METADATA = b"TFLITE_METADATA"
RUNTIME = b"min_runtime_version"
LABELS = "labels.txt"
# schema.fbs: `data` of Buffer has force_align 16; kernels rely on it.
ALIGNMENT = 16
# The first moment that a zip archive can hold: the same input gives the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


class _AlignedBuffer(schema.BufferT):  # type: ignore[misc]
    """The generated writer forgets the alignment of a buffer's data."""

    def Pack(self, builder: Any) -> Any:  # noqa: N802
        if self.data is not None:
            builder.Prep(ALIGNMENT, len(self.data))
        return super().Pack(builder)


def package(content: bytes, metadata: bytes, labels: bytes) -> bytes:
    """The bytes of a .tflite file, with `metadata` (a flatbuffer) and the label file inside.

    Raises EdgeproofError when it is not a .tflite file.
    """
    model = _unpacked(content)
    model.metadata = [entry for entry in model.metadata or [] if entry.name != METADATA]
    model.metadata.append(schema.MetadataT(METADATA, len(model.buffers)))
    model.buffers.append(schema.BufferT(np.frombuffer(metadata, np.uint8)))
    model.buffers = [_AlignedBuffer(buffer.data) for buffer in model.buffers]
    builder = flatbuffers.Builder(len(content) + len(metadata))
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return _with_file(bytes(builder.Output()), LABELS, labels)


def minimum_runtime(content: bytes) -> str | None:
    """The oldest TensorFlow Lite release that has the file's operators, as its converter noted; None without a note."""
    model = _unpacked(content)
    for entry in model.metadata or []:
        if entry.name == RUNTIME:
            return bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode("ascii", "replace") or None
    return None


def _unpacked(content: bytes) -> Any:
    if content[4:8] != IDENTIFIER:
        raise EdgeproofError("not a .tflite file: the identifier TFL3 is missing")
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        for buffer in model.buffers:
            # litert-quantizer puts large ones behind the flatbuffer, where they do not stay when it grows.
            if buffer.offset >= FIRST_OUTSIDE:
                buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
        return model
    except (struct.error, IndexError, TypeError, ValueError, AttributeError) as error:
        raise EdgeproofError(f"damaged .tflite file: {error}") from None


def _with_file(content: bytes, name: str, data: bytes) -> bytes:
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(name, EPOCH), data)
    return stream.getvalue()


def require_same(before: bytes, after: bytes) -> None:
    """Run both models on the same random input. Raises EdgeproofError unless every bit of the output agrees."""
    if _run(before).tobytes() != _run(after).tobytes():
        raise EdgeproofError("the file with metadata answers differently", hint="please report this experiment")


def _run(content: bytes) -> Any:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    port = interpreter.get_input_details()[0]
    random, dtype = np.random.default_rng(0), np.dtype(port["dtype"])
    if dtype.kind == "f":
        value = random.random(port["shape"]).astype(dtype)
    else:
        ends = np.iinfo(dtype)
        value = random.integers(ends.min, ends.max, port["shape"], dtype=dtype, endpoint=True)
    interpreter.set_tensor(port["index"], value)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
