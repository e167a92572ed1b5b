"""Artifacts: whole or not at all, one writer, and refused when they are not what they say."""

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from common.artifact import atomic, file_ref, read, verified, write_bytes, write_model, writing
from common.errors import TryLaterError, UsageError
from common.schema.base import Interval


def test_a_failure_while_writing_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(RuntimeError, match="halfway"), atomic(path) as temporary:
        temporary.write_bytes(b"ne")
        raise RuntimeError("halfway")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_models_are_read_back_equal(tmp_path: Path) -> None:
    model = Interval(value=1.5, low=1.0, high=2.0)
    write_model(tmp_path / "deep" / "i.json", model)
    assert read(tmp_path / "deep" / "i.json", Interval) == model


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Invalid JSON"),
        ('{"value": 1.0, "low": 0.0}', "high: is missing"),
        ('{"value": "1.0", "low": 0.0, "high": 1.0}', "value: must be a valid number"),
        ('{"value": 1.0, "low": 0.0, "high": 1.0, "hihg": 1}', "hihg: is not a known key"),
        ('{"value": NaN, "low": 0.0, "high": 1.0}', "value: must be a finite number"),
    ],
)
def test_a_bad_artifact_is_refused_with_file_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "i.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read(path, Interval)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_artifact_that_is_no_text_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "i.json").write_bytes(b'{"value": "\xff"}')
    with pytest.raises(UsageError, match=r"i\.json cannot be read: .* \(delete it and run make again"):
        read(tmp_path / "i.json", Interval)


def test_a_missing_artifact_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run the stage that writes it first"):
        read(tmp_path / "none.json", Interval)


def test_a_file_changed_behind_its_artifact_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"one")
    ref = file_ref(path, tmp_path)
    assert verified(tmp_path, ref) == path
    path.write_bytes(b"two")
    with pytest.raises(UsageError, match=r"model\.bin was changed"):
        verified(tmp_path, ref)
    path.unlink()
    with pytest.raises(UsageError, match=r"model\.bin is missing"):
        verified(tmp_path, ref)


def test_the_old_json_is_gone_while_a_stage_writes(tmp_path: Path) -> None:
    (tmp_path / "stage.json").write_text("{}", encoding="utf-8")
    (tmp_path / ".model.x.partial").write_text("left by a killed job", encoding="utf-8")
    with writing(tmp_path, "stage.json"):
        assert not (tmp_path / "stage.json").exists()
        assert not (tmp_path / ".model.x.partial").exists()


def _hold(folder: Path, held: Event, done: Event) -> None:
    with writing(folder, "stage.json"):
        held.set()
        done.wait(20)


def test_two_jobs_never_write_one_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, done))
    other.start()
    try:
        assert held.wait(20)
        with pytest.raises(TryLaterError, match="another job is writing"), writing(tmp_path, "stage.json"):
            pass
    finally:
        done.set()
        other.join()
    with writing(tmp_path, "stage.json"):
        pass


@pytest.mark.parametrize(
    ("output", "told"),
    [("in", "is also"), ("x/../in", "is also"), ("link", "is also"), ("in/x", "lies in"), (".", "holds")],
)
def test_a_stage_never_writes_where_it_reads(tmp_path: Path, output: str, told: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "stage.json").write_text("precious", encoding="utf-8")
    inputs = (tmp_path / "other", tmp_path / "in")
    with pytest.raises(UsageError, match=f" {told} the input "), writing(tmp_path / output, "stage.json", *inputs):
        pass
    assert (tmp_path / "in" / "stage.json").read_text(encoding="utf-8") == "precious"
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["stage.json"]


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file, not a folder"), writing(path, "stage.json"):
        pass
    assert path.read_text(encoding="utf-8") == "precious"
