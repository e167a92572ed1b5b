"""A bundle is anybody's: what is not exactly as make bundle writes it is refused, and nothing is written elsewhere."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import UsageError
from jobs.evidence.archive import END, MANIFEST, MOST_FILES, TIME, Unpacker, header
from jobs.evidence.verify import verify
from tests import forgery


def tar(*members: tuple[str, bytes], change: Callable[[tarfile.TarInfo], None] = lambda _: None) -> bytes:
    """An archive by Python's own writer, the last member changed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, (name, content) in enumerate(members, 1):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), TIME
            if number == len(members):
                change(info)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def of_type(kind: bytes, target: str = "") -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, target, 0

    return change


def refused(tmp_path: Path, content: bytes) -> str:
    """What is said of an archive that is refused; nothing stands anywhere but in the folder."""
    bundle, folder = tmp_path / "in" / "bundle.tar", tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    bundle.write_bytes(content)
    with pytest.raises(UsageError) as error:
        list(Unpacker(bundle, folder).unpack())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["bundle.tar", "folder"]
    with pytest.raises(UsageError):
        verify(bundle)
    return str(error.value)


FIRST = (MANIFEST, b"{}")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links(tmp_path: Path, kind: bytes) -> None:
    said = refused(tmp_path, tar(FIRST, ("report/x", b""), change=of_type(kind, "/etc/passwd")))
    assert "holds a link: 'report/x'" in said


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.DIRTYPE, "a folder"),
    ],
)
def test_what_is_no_plain_file(tmp_path: Path, kind: bytes, word: str) -> None:
    assert f"holds {word}" in refused(tmp_path, tar(FIRST, ("x", b""), change=of_type(kind)))


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE, b"7"]
)
def test_headers_of_other_forms(tmp_path: Path, kind: bytes) -> None:
    assert "bundle.tar holds a " in refused(tmp_path, tar(FIRST, ("x", b""), change=of_type(kind)))


NAMES = (
    *("/etc/cron.d/x", "../x", "a/../../x", "a/./b", "a//b", "./a", ".ssh/x", "a/.hidden", "~/x", "C:/x", "a\\b"),
    *("a b", "a\nb", "$(id)", "`id`", "a;b", "<script>alert(1)</script>", "\x1b[2J", "a\u202eb", "-rf", "a/-x", "é"),
    "a" + "/b" * 20,
)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_elsewhere_or_mean_something(tmp_path: Path, name: str) -> None:
    said = refused(tmp_path, tar(FIRST, (name, b"x")))
    assert "name that is not plain" in said or "is no bundle, or damaged" in said
    assert said.isprintable()
    with pytest.raises(UsageError, match="cannot be in a bundle"):
        header(name, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda info: setattr(info, "mtime", TIME + 1),
        lambda info: setattr(info, "mode", 0o4755),
        lambda info: setattr(info, "uid", 1000),
        lambda info: setattr(info, "uname", "root"),
        lambda info: setattr(info, "linkname", "x"),
    ],
)
def test_times_modes_and_owners(tmp_path: Path, change: Callable[[tarfile.TarInfo], None]) -> None:
    assert "of its own" in refused(tmp_path, tar(FIRST, ("x", b"x"), change=change))


def test_names_twice_and_out_of_order(tmp_path: Path) -> None:
    for number, names in enumerate((("a", "a"), ("b", "a"), (MANIFEST, "a"), ("a", MANIFEST))):
        (tmp_path / str(number)).mkdir()
        said = refused(tmp_path / str(number), tar(FIRST, *((name, b"") for name in names)))
        assert "out of order, or one twice" in said
    (tmp_path / "first").mkdir()
    assert "out of order" in refused(tmp_path / "first", tar(("a", b""), FIRST))


def test_a_file_that_is_a_folder_too(tmp_path: Path) -> None:
    for number, names in enumerate((("a", "a/b"), ("a/b", "a/b/c"))):
        (tmp_path / str(number)).mkdir()
        said = refused(tmp_path / str(number), tar(FIRST, *((name, b"") for name in names)))
        assert "a file and a folder of one name" in said


def test_what_stands_behind_the_end_or_between(tmp_path: Path) -> None:
    whole = forgery.archived({MANIFEST: b"{}", "a": b"abc"})
    place = whole.index(b"abc") + 4
    for number, (content, word) in enumerate(
        (
            (whole + b"\0", "does not end"),
            (whole + whole, "does not end"),
            (whole[:-1], "does not end"),
            (whole[: -len(END)], "is cut off"),
            (whole[:700], "is cut off"),
            (whole[:place] + b"x" + whole[place + 1 :], "hides something behind 'a'"),
        )
    ):
        (tmp_path / str(number)).mkdir()
        assert word in refused(tmp_path / str(number), content)


def test_bombs(tmp_path: Path) -> None:
    packed = gzip.compress(bytes(100 << 20))
    (tmp_path / "gzip").mkdir()
    assert "is compressed (gzip)" in refused(tmp_path / "gzip", packed)
    # A size that only the header has, and one beyond what a file may have.
    for size, word in ((1 << 30, "is cut off"), (3 << 30, "are allowed")):
        (tmp_path / str(size)).mkdir()
        content = header(MANIFEST, 2) + b"{}" + bytes(510) + header("a", size) + b"x" * 512
        assert word in refused(tmp_path / str(size), content)
    (tmp_path / "first").mkdir()
    assert "are allowed" in refused(tmp_path / "first", header(MANIFEST, 64 << 20) + b"x" * 512)


def test_holes_and_pipes(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse.tar"
    with sparse.open("wb") as stream:
        stream.truncate(17 << 30)
    with pytest.raises(UsageError, match="more than the 16 GiB allowed"):
        verify(sparse)
    with pytest.raises(UsageError, match="no plain file"):
        verify(Path("/dev/zero"))


def test_no_number_of_files_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_FILES == 100_000
    monkeypatch.setattr("jobs.evidence.archive.MOST_FILES", 3)
    content = forgery.archived({MANIFEST: b"{}", "a": b"", "b": b"", "c": b""})
    assert "more than 3 files" in refused(tmp_path, content)


@pytest.mark.parametrize("content", [b"", b"x", END, b"PK\x03\x04" + bytes(600), bytes(5000)])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(content)
    with pytest.raises(UsageError):
        verify(bundle)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{}", b"[" * 100_000, b'{"schema_version": 2}', b"\xff", b"null"],
)
def test_a_manifest_that_is_none(tmp_path: Path, manifest: bytes) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(forgery.archived({MANIFEST: manifest}))
    with pytest.raises(UsageError, match=r"manifest\.json"):
        verify(bundle)
