"""A run folder that somebody else made: links that lead out of it, documents that are too large, words that act."""

import os
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from common import artifact, cli
from common.artifact import new_text, own_file, own_folder, read, verified
from common.dataset import read_split
from common.errors import EdgeproofError, UsageError
from common.markdown import code
from common.schema.base import FileRef
from common.schema.provenance import Code
from common.schema.training import Training
from jobs.benchmark.ledger import Ledger
from tests.artifacts import write_dataset, write_experiment

TITLE = "\x1b]0;owned\x07"
DIGEST = "0" * 64


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("precious, without an end of line")
    return path


def test_a_ledger_that_is_a_link_is_refused(victim: Path, tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").symlink_to(victim)
    with pytest.raises(UsageError, match="is a link"):
        Ledger(tmp_path / "ledger.jsonl")
    assert victim.read_text().startswith("precious")


@pytest.mark.parametrize("flags", [0, os.O_APPEND])
def test_what_is_written_to_is_a_file_of_the_folder_alone(flags: int, victim: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    os.link(victim, tmp_path / "second name")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "dangling", "second name", "pipe", "folder"):
        with pytest.raises(UsageError, match="is a link, or no plain file"):
            own_file(tmp_path / name, flags)
    assert victim.read_text().startswith("precious")
    assert not (tmp_path / "nothing").exists()


def test_a_file_of_the_folder_is_appended_to(tmp_path: Path) -> None:
    for text in (b"a", b"b"):
        with own_file(tmp_path / "file", os.O_APPEND) as stream:
            stream.write(text)
    assert (tmp_path / "file").read_bytes() == b"ab"


def test_a_log_takes_the_place_of_a_link(victim: Path, tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(victim)
    with new_text(tmp_path / "log") as stream:
        stream.write("a log")
    assert victim.read_text().startswith("precious")
    assert (tmp_path / "log").read_text() == "a log"


def test_a_folder_of_logs_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "logs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is a link"):
        own_folder(tmp_path / "logs")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", ".", "", "a\\b", "a\nb", "\x1b[2J"])
def test_a_reference_stays_in_its_folder(path: str) -> None:
    with pytest.raises(ValidationError, match="inside the artifact's folder"):
        FileRef(path=path, sha256=DIGEST, size_bytes=0)


def test_a_referenced_link_out_of_the_folder_is_refused(victim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "model.h5").symlink_to(victim)
    ref = FileRef(path="model.h5", sha256=artifact.sha256_file(victim), size_bytes=1)
    with pytest.raises(UsageError, match="leads out of"):
        verified(folder, ref)


def test_a_document_beyond_the_limit_is_one_line(tmp_path: Path) -> None:
    with (tmp_path / "training.json").open("wb") as stream:
        stream.truncate(artifact.MOST_JSON_BYTES + 1)
    with pytest.raises(UsageError, match="more than the 32 MiB allowed"):
        read(tmp_path / "training.json", Training)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_document_without_end_is_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="is no plain file"):
        read(path, Training)


@pytest.mark.parametrize("size", [artifact.MOST_FILE_BYTES + 1, 1 << 30])
def test_a_file_of_holes_is_not_hashed(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "sha256_file", lambda _: pytest.fail("hashed"))
    with (tmp_path / "model.h5").open("wb") as stream:
        stream.truncate(size)
    claimed = FileRef(path="model.h5", sha256=DIGEST, size_bytes=artifact.MOST_FILE_BYTES + 1)
    with pytest.raises(UsageError, match=r"2048 MiB allowed|was changed"):
        verified(tmp_path, claimed)


@pytest.mark.parametrize("commit", ["<img src=x onerror=alert(1)>", "`|x", "", "HEAD"])
def test_a_commit_is_hexadecimal(commit: str) -> None:
    with pytest.raises(ValidationError):
        Code(version="0.1.0", commit=commit, dirty=False, tree_sha256=DIGEST)


@pytest.fixture
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["job"])


@pytest.mark.usefixtures("no_arguments")
def test_an_error_line_sets_no_title(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise UsageError(f"the server answered 404 {TITLE}", hint=f"ask {TITLE}")

    with pytest.raises(SystemExit):
        cli.run(main)
    told = capsys.readouterr().err
    assert told.startswith("error: the server answered 404")
    assert not {"\x1b", "\x07"} & set(told)


@pytest.mark.usefixtures("no_arguments")
def test_the_systems_words_set_no_title(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        Path(f"{TITLE}/x").read_bytes()

    with pytest.raises(SystemExit):
        cli.run(main)
    assert not {"\x1b", "\x07"} & set(capsys.readouterr().err)


def test_a_reason_of_a_megabyte_is_cut() -> None:
    told = str(EdgeproofError("x" * (1 << 20), hint="do something"))
    assert len(told) < 3000
    assert told.endswith("(do something)")


def test_code_in_a_table_stays_code() -> None:
    assert code("`|<img src=x onerror=alert(1)>\n| x") == "`'\\|<img src=x onerror=alert(1)> \\| x`"


@pytest.mark.parametrize("kind", ["objects", "a huge shape", "another type", "noise"])
def test_arrays_that_are_none_are_one_line(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    card = write_dataset(folder, write_experiment(tmp_path))
    path = folder / card.train.labels.path
    with path.open("wb") as stream:
        match kind:
            case "objects":
                np.save(stream, np.array([{}], dtype=object), allow_pickle=True)
            case "a huge shape":
                header = {"descr": "<i4", "fortran_order": False, "shape": (1 << 40,)}
                np.lib.format.write_array_header_1_0(stream, header)
            case "another type":
                np.save(stream, np.zeros(card.train.count))
            case _:
                stream.write(b"\x93NUMPY" + bytes(40))
    labels = card.train.labels.model_copy(update={"sha256": artifact.sha256_file(path)})
    forged = card.model_copy(update={"train": card.train.model_copy(update={"labels": labels})})
    with pytest.raises(UsageError, match=r"train_labels\.npy"):
        read_split(folder, forged, "train")
