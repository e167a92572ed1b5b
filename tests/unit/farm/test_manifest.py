"""What is sent: every file of a job by its content, and no name that leads elsewhere comes back."""

from pathlib import Path

import pytest

from common.artifact import sha256_file
from common.errors import UsageError
from jobs.farm.manifest import entries, inside, moved, name_of


def test_each_file_is_named_once_by_its_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "a" / "x.bin").write_bytes(b"one")
    (tmp_path / "data" / ".lock").touch()
    (tmp_path / "data" / ".x.partial").touch()
    (tmp_path / "file").write_bytes(b"two")
    found = entries([Path("data"), Path("data/a"), tmp_path / "file"], tmp_path)
    names = {entry.name: entry for entry in found}
    assert set(names) == {f"{tmp_path}/data/a/x.bin"[1:], f"{tmp_path}/file"[1:]}
    assert len(found) == 2
    one = names[f"{tmp_path}/data/a/x.bin"[1:]]
    assert (one.sha256, one.size_bytes) == (sha256_file(tmp_path / "data" / "a" / "x.bin"), 3)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"one")
    [before] = entries([Path("f")], tmp_path)
    (tmp_path / "f").write_bytes(b"two!")
    [after] = entries([Path("f")], tmp_path)
    assert after.sha256 == sha256_file(tmp_path / "f") != before.sha256


def test_what_cannot_be_sent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing does not exist"):
        entries([Path("nothing")], tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "away").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="is a link to a folder"):
        entries([Path("folder")], tmp_path)
    (tmp_path / "folder" / "away").unlink()
    (tmp_path / "folder" / "gone").symlink_to(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no plain file"):
        entries([Path("folder")], tmp_path)


def test_absolute_paths_of_a_command_are_told_from_the_folder_on() -> None:
    argv = ("-m", "jobs.train", "--dataset", "/mnt/run/dataset/", "--output", "runs/x", "--name", "/mnt/other")
    found = moved(argv, [Path("/mnt/run/dataset"), Path("runs/x")], Path("/home/me/edgeproof"))
    assert found[3] == "../../../mnt/run/dataset"
    assert found[5:] == ("runs/x", "--name", "/mnt/other")


@pytest.mark.parametrize(
    "name",
    ["../x", "run/out/../../x", "/run/out/x", "run/out", "run/other/x", "run/out//x", "run/out/./x", "run/out/\0", ""],
)
def test_a_name_that_leads_elsewhere_is_not_inside(name: str) -> None:
    assert not inside(name, ["run/out"])


def test_a_name_below_the_folder_is_inside() -> None:
    assert inside("run/out/logs/a.txt", ["elsewhere", "run/out"])
    assert name_of(Path("a/../b"), Path("/x")) == "x/b"
