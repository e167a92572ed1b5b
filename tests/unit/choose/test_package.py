"""The file with metadata: the same model, readable labels, aligned weights."""

import io
import zipfile

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import number_types
from hypothesis import given
from hypothesis import strategies as st

from common.errors import EdgeproofError
from jobs.choose.labels import label_file, label_lines
from jobs.choose.metadata import Description, build_metadata, limits
from jobs.choose.package import minimum_runtime, package, require_same
from tests.conftest import Chain
from tests.unit.choose.metadata_reader import metadata_of

ABOUT = Description(name="Größe \udce4", text="Two classes", version="1", labels="labels.txt")


def packaged(chain: Chain, name: str, classes: tuple[str, ...] = ("fire", "no fire")) -> tuple[bytes, bytes]:
    variant, content = chain.variants[name], chain.model(name).read_bytes()
    metadata = build_metadata(ABOUT, variant.inputs[0], variant.outputs[0])
    return content, package(content, metadata, label_file(classes))


def outputs(content: bytes, images: np.ndarray) -> bytes:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    port = interpreter.get_input_details()[0]
    found = []
    for image in images:
        value = image.astype(np.float32)[None] / 255
        value = value if port["dtype"] == np.float32 else (image.astype(np.int16)[None] - 128).astype(np.int8)
        interpreter.set_tensor(port["index"], value)
        interpreter.invoke()
        found.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tobytes())
    return b"".join(found)


@pytest.mark.parametrize("name", ["baseline", "float16", "dynamic_range", "int8", "pruned"])
def test_every_output_bit_is_the_same(chain: Chain, name: str) -> None:
    images = np.load(chain.folder / "dataset" / "test_images.npy")
    before, after = packaged(chain, name)
    assert outputs(before, images) == outputs(after, images)
    require_same(before, after)
    assert packaged(chain, name)[1] == after


def outside(content: bytes) -> bytes:
    """The same file with its larger buffers behind the flatbuffer."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    behind = b""
    for buffer in [one for one in model.buffers if one.data is not None and len(one.data) > 256]:
        data = bytes(buffer.data)
        buffer.data, buffer.offset, buffer.size = None, len(content) + len(behind), len(data)
        behind += data + bytes(-len(data) % 16)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output()).ljust(len(content), b"\0") + behind


def test_what_lies_behind_the_flatbuffer_comes_along(chain: Chain) -> None:
    content = outside(chain.model("baseline").read_bytes())
    images = np.load(chain.folder / "dataset" / "test_images.npy")
    after = package(content, b"metadata", b"fire\n")
    assert outputs(content, images) == outputs(after, images)
    require_same(content, after)
    made = schema.ModelT.InitFromPackedBuf(after, 0)
    assert all(buffer.offset == 0 for buffer in made.buffers)


def test_another_model_is_noticed(chain: Chain) -> None:
    with pytest.raises(EdgeproofError, match="answers differently"):
        require_same(chain.model("baseline").read_bytes(), packaged(chain, "pruned")[1])


def test_the_labels_are_a_stored_file_of_a_zip(chain: Chain) -> None:
    with zipfile.ZipFile(io.BytesIO(packaged(chain, "baseline", ("Feuer", "kein Feuer ü"))[1])) as archive:
        assert archive.testzip() is None
        (info,) = archive.infolist()
        assert (info.filename, info.compress_type) == ("labels.txt", zipfile.ZIP_STORED)
        assert archive.read(info).decode() == "Feuer\nkein Feuer ü\n"


@pytest.mark.parametrize(("name", "low", "high"), [("baseline", 0, 1), ("int8", -128, 127)])
def test_the_metadata_can_be_read_back(chain: Chain, name: str, low: int, high: int) -> None:
    root = metadata_of(packaged(chain, name)[1])
    assert [root.text(field) for field in (0, 1, 2, 7)] == ["Größe ?", "Two classes", "1", "1.0.0"]
    (graph,) = root.nodes(3)
    (image,), (scores,) = graph.nodes(2), graph.nodes(3)
    content = image.node(3)
    assert content.number(0) == 2
    assert content.node(1).number(0) == 1
    size = content.node(1).node(1)
    assert [size.number(field, number_types.Uint32Flags) for field in (0, 1)] == [32, 32]
    (unit,) = image.nodes(4)
    assert unit.number(0) == 1
    assert (unit.node(1).floats(0), unit.node(1).floats(1)) == ([0.0], [255.0])
    assert (image.node(5).floats(1), image.node(5).floats(0))[0] == [low]
    assert image.node(5).floats(0) == [pytest.approx(high, abs=2)]
    (file,) = scores.nodes(6)
    assert (file.text(0), file.number(2)) == ("labels.txt", 2)


def test_limits_are_those_of_the_quantised_range(chain: Chain) -> None:
    port = chain.variants["int8"].inputs[0].model_copy(update={"scale": 1 / 255, "zero_point": -128})
    assert limits(port) == (-128, 127)


def test_constants_stay_aligned_and_notes_are_kept(chain: Chain) -> None:
    before, after = packaged(chain, "dynamic_range")
    model = schema.Model.GetRootAsModel(after, 0)
    tables = [model.Buffers(index)._tab for index in range(model.BuffersLength())]
    starts = [table.Vector(table.Offset(4)) for table in tables if table.Offset(4)]
    assert starts and all(start % 16 == 0 for start in starts)
    assert minimum_runtime(after) == minimum_runtime(before)
    assert len(str(minimum_runtime(before)).split(".")) == 3


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xff\xff\x7fTFL3" + bytes(20)])
def test_what_is_no_model_is_refused(damage: bytes) -> None:
    with pytest.raises(EdgeproofError, match=r"\.tflite file"):
        package(damage, b"", b"")


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6))
def test_every_class_has_one_line_whatever_its_name(classes: list[str]) -> None:
    content = label_file(classes).decode()
    assert content.endswith("\n")
    lines = content.splitlines()
    assert len(lines) == len(classes) == len(set(lines))
    assert all(line.strip() for line in lines)
    assert content.split("\n")[:-1] == lines


def test_an_ordinary_name_is_its_own_label() -> None:
    assert label_lines(["Fire", "kein Feuer", "火", "a\nb", "", "  "]) == (
        "Fire",
        "kein Feuer",
        "火",
        "a\ufffdb",
        "class 4",
        "class 5",
    )
