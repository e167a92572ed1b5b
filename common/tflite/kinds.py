"""What a file that is no .tflite file is instead, as far as its bytes tell, and what can be done with it. Pure.

Formats: the magic numbers of each; ONNX (onnx/onnx.proto: ModelProto), TensorFlow (tensorflow/core/protobuf:
SavedModel and GraphDef) have none, and are told by the fields of their protocol buffers.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from common.errors import EdgeproofError

MISSING = "not a .tflite file: the identifier TFL3 is missing"
WHOLE = "is it a whole .tflite file?"
WAYS_IN = "convert it first: docs/ways-in.md"
UNPACK = "unpack it, and give a .tflite file that it holds"
DOWNLOAD = "download the file itself again"
# How much of a file is looked at for text, and how many names of an archive are told.
HEAD, MOST_NAMES = 4096, 3
# Where a .tflite file says that it is one, and of how many parts of an archive that is read.
IDENTIFIER, IDENTIFIER_AT, MOST_MEMBERS = b"TFL3", 4, 200
# Of a text that is nothing else.
SHOWN_CHARACTERS = 60
# The first bytes, what they mean, and what to do.
STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "git lfs pull fetches it"),
    (
        b"LITERTLM",
        "a LiteRT-LM container (.litertlm), which holds several models",
        "unpack it with litert-lm-peek of the package litert-lm-builder, and give a .tflite file that it holds",
    ),
    (b"/annex/objects/", "a git-annex pointer, not the file itself", "git annex get fetches it"),
    (b"\x1f\x8b", "compressed with gzip", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xfd7zXZ\0", "compressed with xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, which Keras saves models and weights in (.h5)", WAYS_IN),
    (b"GGUF", "a GGUF file of llama.cpp", "edgeproof has no way in for it"),
    (b"\x80\x02", "a PyTorch or pickle file", WAYS_IN),
    (b"\x80\x04", "a PyTorch or pickle file", WAYS_IN),
    (b"\x93NUMPY", "a numpy array (.npy)", WAYS_IN),
    (b"\x7fELF", "a program or library", DOWNLOAD),
)
# Identifiers of other flatbuffers, which stand where TFL3 does.
IDENTIFIERS = {
    b"TFL1": ("a .tflite file of the first format, of 2017", "convert the model anew"),
    b"TFL2": ("a .tflite file of the second format, of 2017", "convert the model anew"),
    b"ORTM": ("an ONNX Runtime file (.ort)", WAYS_IN),
    b"ET12": ("an ExecuTorch program (.pte)", "export the model for LiteRT: docs/ways-in.md"),
    b"M001": ("the metadata of a .tflite file without the file", DOWNLOAD),
}
# Names in a zip that tell what it is: an ending, what the zip is, and what to do.
MODEL = ".tflite"
MEMBERS: tuple[tuple[str, str, str], ...] = (
    ("model.weights.h5", "a Keras 3 model (.keras)", WAYS_IN),
    ("saved_model.pb", "a zip archive of a SavedModel", WAYS_IN),
    ("data.pkl", "a PyTorch file", WAYS_IN),
    (".npy", "numpy arrays (.npz)", WAYS_IN),
)
TEXTS: tuple[tuple[bytes, str, str], ...] = (
    (b"<!doctype html", "a web page", DOWNLOAD),
    (b"<html", "a web page", DOWNLOAD),
    (b"<?xml", "an XML text, such as a server's error", DOWNLOAD),
    (b"{", "a JSON text, such as a server's error or a TensorFlow.js model", DOWNLOAD),
)
# What zipfile raises for a damaged archive.
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError)
# Fields of ModelProto that every ONNX file has: ir_version, graph.
ONNX = {1, 7}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MOST_FIELDS = 100_000


def other_kind(content: bytes | memoryview) -> EdgeproofError:
    """The error for a file that is no .tflite file, which says what it is where that is known."""
    found = _kind(content)
    if found is None:
        return EdgeproofError(MISSING, hint=WHOLE)
    return EdgeproofError(f"not a .tflite file: it is {found[0]}", hint=found[1])


def _kind(content: bytes | memoryview) -> tuple[str, str] | None:
    head = bytes(content[:HEAD])
    if not head.strip(b"\0"):
        return ("empty" if not head else "nothing but zeros to begin with"), DOWNLOAD
    if head[4:8] in IDENTIFIERS:
        return IDENTIFIERS[head[4:8]]
    for start, what, todo in STARTS:
        if head.startswith(start):
            return what, todo
    if head[:2] == b"PK":
        return _archive(content)
    if head[257:262] == b"ustar":
        return "a tar archive", UNPACK
    return _text(head) or _message(content) or _line(head)


class _Read(io.RawIOBase):
    """Bytes or a map of them as a stream, so that a bundle of gigabytes is not copied."""

    def __init__(self, content: bytes | memoryview) -> None:
        self._content, self._at = memoryview(content), 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as there is."""
        part = self._content[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Raises ValueError for a place before the beginning."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning")
        self._at = start + offset
        return self._at


def _archive(content: bytes | memoryview) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(io.BufferedReader(_Read(content))) as archive:
            names = archive.namelist()
            # A bundle of a language model calls it TF_LITE_PREFILL_DECODE.
            found = [name for name in names[:MOST_MEMBERS] if name.endswith(MODEL) or _is_model(archive, name)]
    except BROKEN:
        return "a damaged zip archive or .task bundle", DOWNLOAD
    if found:
        return f"a .task bundle or zip archive that holds {_listed(found)}", UNPACK
    for ending, what, todo in MEMBERS:
        if any(name.endswith(ending) for name in names):
            return what, todo
    return f"a zip archive or .task bundle without a .tflite file in it (it holds {_listed(names)})", DOWNLOAD


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(map(ascii, names[:MOST_NAMES])) or 'nothing'}{more}"


def _is_model(archive: zipfile.ZipFile, name: str) -> bool:
    try:
        with archive.open(name) as part:
            return part.read(IDENTIFIER_AT + len(IDENTIFIER))[IDENTIFIER_AT:] == IDENTIFIER
    except (*BROKEN, RuntimeError):  # RuntimeError: it wants a password.
        return False


def _text(head: bytes) -> tuple[str, str] | None:
    # Eight bytes of length come before the JSON of a safetensors file.
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < 1 << 32:
        return "a safetensors file, which holds weights and no model", WAYS_IN
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, what, todo in TEXTS:
        if text.startswith(start):
            return what, todo
    if b"const unsigned char" in text or b"const uint8_t" in text:
        return "C source with a model as an array", "give the .tflite file that it was made of, or turn it with xxd -r"
    return None


def _line(head: bytes) -> tuple[str, str] | None:
    """A text that is nothing else, such as a server's answer, by how it begins."""
    try:
        first = head[: head.index(b"\n")] if b"\n" in head else head
        text = first.decode().strip()
    except UnicodeDecodeError:
        return None
    shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return (f"a text that begins with {shown!a}", DOWNLOAD) if text and text.isprintable() else None


def _message(content: bytes | memoryview) -> tuple[str, str] | None:
    """What a protocol buffer is, by its fields."""
    try:
        fields = list(islice(_fields(content), MOST_FIELDS))
        numbers = {number for number, _ in fields}
        if numbers >= ONNX:
            return "an ONNX model", WAYS_IN
        # SavedModel: a version, then graphs with their meta_info.
        if [number for number, _ in fields[:2]] == [1, 2] and numbers == {1, 2}:
            return "the saved_model.pb of a SavedModel", WAYS_IN
        # GraphDef: nodes with a name and an operation first.
        if numbers <= {1, 2, 3, 4, 5} and fields and fields[0][1] is not None:
            node = dict(islice(_fields(fields[0][1]), MOST_FIELDS))
            if all(text is not None and bytes(text).isascii() for text in (node.get(1), node.get(2))):
                return "a frozen TensorFlow graph (.pb)", WAYS_IN
    except (ValueError, IndexError):
        pass
    return None


def _fields(content: bytes | memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Numbers of the fields of a protocol buffer, with what those of bytes hold. Raises ValueError or IndexError where
    it is none."""
    data, at = memoryview(content), 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        held = None
        if kind == VARINT:
            _, at = _varint(data, at)
        elif kind == BYTES:
            size, at = _varint(data, at)
            held, at = data[at : at + size], at + size
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        else:
            raise ValueError("no protocol buffer")
        if number == 0 or at > len(data):
            raise ValueError("no protocol buffer")
        yield number, held


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:  # noqa: PLR2004
            return value, at
    raise ValueError("no protocol buffer")
