"""Files that are no .tflite files, told by what they are; made by their own makers where these are installed."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from common.errors import EdgeproofError
from common.tflite.kinds import other_kind
from common.tflite.opened import opened
from common.tflite.reader import inspect


def field(number: int, data: bytes) -> bytes:
    """A field of bytes of a protocol buffer, shorter than 128."""
    return bytes([number << 3 | 2, len(data)]) + data


def archive(*names: str, **parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in {**dict.fromkeys(names, b"x"), **parts}.items():
            made.writestr(name, content)
    return stream.getvalue()


def hdf5(folder: Path) -> bytes:
    import h5py

    with h5py.File(folder / "model.h5", "w") as made:
        made["a"] = 1
    return (folder / "model.h5").read_bytes()


def gz(_: Path) -> bytes:
    import gzip

    return gzip.compress(b"TFL3")


# ModelProto: ir_version, producer, graph, opset_import. SavedModel: version, a graph. GraphDef: a node of name and op.
ONNX = b"\x08\x08" + field(2, b"pytorch") + field(7, field(2, b"main")) + field(8, b"\x10\x0e")
SAVED = b"\x08\x01" + field(2, field(1, b"\x0a\x00"))
FROZEN = field(1, field(1, b"input") + field(2, b"Placeholder")) + field(4, b"\x08\x1b")


@pytest.mark.parametrize(
    ("content", "told", "todo"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", "a Git LFS pointer", "git lfs pull"),
        (b"LITERTLM" + bytes(80), "a LiteRT-LM container", "litert-lm-peek"),
        (archive("a/det.tflite", "lm.tflite"), "holds 'a/det.tflite', 'lm.tflite'", "unpack it"),
        (archive("metadata.json", "config.json", "model.weights.h5"), "a Keras 3 model", "docs/ways-in.md"),
        (archive("net/data.pkl", "net/version"), "a PyTorch file", "docs/ways-in.md"),
        (archive("readme.txt"), "without a .tflite file in it (it holds 'readme.txt')", "download"),
        (archive("TOKENIZER_MODEL", PREFILL=b"\x20\0\0\0TFL3"), "holds 'PREFILL'", "unpack it"),
        (b"/annex/objects/SHA256E-s5--ab.tflite\n", "a git-annex pointer", "git annex get"),
        (b"Rar!\x1a\x07\0" + bytes(40), "a RAR archive", "unpack it"),
        (b"404: Not Found", "a text that begins with '404: Not Found'", "download"),
        (archive("a.tflite")[:30], "a damaged zip archive", "download"),
        (pickle.dumps({"a": 1}, protocol=2), "a PyTorch or pickle file", "docs/ways-in.md"),
        (b"\n<!DOCTYPE html><html><body>Sign in", "a web page", "download"),
        (b'{"error": "not found"}', "a JSON text", "download"),
        (ONNX, "an ONNX model", "docs/ways-in.md"),
        (SAVED, "the saved_model.pb", "docs/ways-in.md"),
        (FROZEN, "a frozen TensorFlow graph", "docs/ways-in.md"),
        (b"\x1c\0\0\0TFL2" + bytes(40), "of the second format", "convert"),
        (b"alignas(16) const unsigned char g_model[] = {0x1c", "C source", "xxd -r"),
        (b"", "empty", "download"),
        (bytes(5000), "nothing but zeros", "download"),
    ],
    # An archive has the time in it.
    ids=lambda value: "file" if isinstance(value, bytes) else value,
)
def test_other_files_are_told_by_what_they_are(content: bytes, told: str, todo: str) -> None:
    error = other_kind(content)
    assert error.message.startswith("not a .tflite file: it is ")
    assert told in error.message
    assert error.hint is not None
    assert todo in error.hint


@pytest.mark.parametrize(("make", "told"), [(hdf5, "HDF5"), (gz, "gzip")])
def test_files_of_their_own_makers_are_known(tmp_path: Path, make: object, told: str) -> None:
    assert callable(make)
    assert told in other_kind(make(tmp_path)).message


def test_a_saved_keras_model_and_a_saved_model_are_known(tmp_path: Path) -> None:
    import tf_keras

    net = tf_keras.Sequential([tf_keras.layers.Input((2,)), tf_keras.layers.Dense(1)])
    net.save(tmp_path / "net.keras")
    net.export(str(tmp_path / "saved"))
    assert "Keras" in other_kind((tmp_path / "net.keras").read_bytes()).message
    assert "saved_model.pb" in other_kind((tmp_path / "saved" / "saved_model.pb").read_bytes()).message


def test_a_bundle_is_looked_into_without_being_copied(tmp_path: Path) -> None:
    (tmp_path / "llm.task").write_bytes(archive("TF_LITE_PREFILL_DECODE.tflite"))
    with pytest.raises(EdgeproofError, match=r"TF_LITE_PREFILL_DECODE\.tflite.*\(unpack it"):
        inspect(opened(tmp_path / "llm.task"))


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_nothing_and_ends_soon(seed: int) -> None:
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, 50_000, dtype=np.uint8).tobytes()
    assert other_kind(b"\x41\x41" + noise).message.startswith("not a .tflite file: ")
    # Small fields without end, as in a large file that only looks like a protocol buffer.
    assert "identifier TFL3 is missing" in other_kind(b"\x08\x01" * 3_000_000).message
