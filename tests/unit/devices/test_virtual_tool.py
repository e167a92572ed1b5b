"""The virtual phone's tool, which really runs the model, on models with inputs of any kind."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.benchmark.android.command import Fed, one_run
from tests.devices.virtual.tool import binary
from tests.given import adding, lookup, open_side


def answered(tmp_path: Path, content: bytes, values: Sequence[tuple[str, Any]], *more: str) -> bytes:
    """The bytes of all outputs for these inputs."""
    (tmp_path / "model.tflite").write_bytes(content)
    fed = []
    for place, (tensor, array) in enumerate(values):
        (tmp_path / f"{place}.bin").write_bytes(array.tobytes())
        fed.append((tensor, array.shape, str(tmp_path / f"{place}.bin")))
    written = tmp_path / "out.bin"
    assert binary(["tool", *one_run(str(tmp_path / "model.tflite"), fed, str(written)), *more]) == 0
    return written.read_bytes()


def test_two_inputs_with_colons_and_two_outputs(tmp_path: Path) -> None:
    left, right = np.array([[1, 2, 3]], np.float32), np.array([[10, 20, 30]], np.float32)
    content = adding(("left:0", "right:0", "sum:0", "twice:0"))
    found = answered(tmp_path, content, [("left:0", left), ("right:0", right)], "--use_xnnpack=true")
    assert np.frombuffer(found, np.float32).tolist() == [11, 22, 33, 2, 4, 6]


def test_token_ids(tmp_path: Path) -> None:
    found = answered(tmp_path, lookup(), [("ids", np.array([[6, 0, 3, 3, 1]], np.int32))])
    assert np.frombuffer(found, np.float32).tolist() == [12, 13, 0, 1, 6, 7, 6, 7, 2, 3]


def test_an_open_side_is_as_long_as_the_shape_says(tmp_path: Path) -> None:
    found = answered(tmp_path, open_side(), [("tokens:0", np.arange(5, dtype=np.float32).reshape(1, 5))])
    assert np.frombuffer(found, np.float32).tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("fed", "said"),
    [
        ([("left", (1, 3), "a.bin")], "Inputs mismatch: Model inputs #:2 expected: 1"),
        ([("left", (1, 3), "a.bin"), ("right", (1, 3), "b.bin")], "It should be 12 bytes."),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fed: Fed, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.tflite").write_bytes(adding())
    for name, size in (("a.bin", 12), ("b.bin", 8)):
        (tmp_path / name).write_bytes(bytes(size))
    assert binary(["tool", *one_run("model.tflite", fed, "out.bin")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.bin").exists()
