"""Archives: good ones are read whole, bad ones are refused by name before anything is decoded."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from common.errors import UsageError
from jobs.dataset.archive import LIMITS, Limits, open_archive
from jobs.dataset.errors import UnusableFileError
from tests.unit.dataset.pictures import zipped

FILES = {"a/1.png": b"one", "a/2.png": b"two" * 1000, "b/sub/3.png": b""}
Pack = Callable[[bytes], bytes]


def tarred(*members: tarfile.TarInfo, files: dict[str, bytes] = FILES) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)) if member.isreg() else None)
    return buffer.getvalue()


def special(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


def contents(data: bytes, limits: Limits = LIMITS) -> dict[str, bytes]:
    archive = open_archive(io.BytesIO(data), "photos", limits)
    return {path: read() for path, read in archive.open_members()}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"])
def test_a_tar_gives_its_files(pack: Pack) -> None:
    assert contents(pack(tarred())) == FILES


def test_a_zip_gives_its_files() -> None:
    assert contents(zipped(FILES)) == FILES


def test_backslashes_are_slashes() -> None:
    assert contents(zipped({"a\\1.png": b"one"})) == {"a/1.png": b"one"}


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.png", "a/../../up.png", "C:\\x.png", "..\\up.png"])
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_paths_that_lead_out_are_refused(name: str, form: str) -> None:
    data = zipped({name: b"x"}) if form == "zip" else tarred(special(name))
    with pytest.raises(UsageError, match=r"photos: member .* (absolute path|leaves the archive)"):
        contents(data)


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_devices_and_sparse_files_in_a_tar_are_refused(kind: bytes) -> None:
    with pytest.raises(UsageError, match=r"'a/odd.png' is a link, a device"):
        contents(tarred(special("a/odd.png", kind, "a/1.png")))


def test_a_link_in_a_zip_is_refused() -> None:
    link = zipfile.ZipInfo("a/link.png")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UsageError, match=r"'a/link.png' is a link"):
        contents(buffer.getvalue())


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(zipped({"a/1.png": b"secret"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(UsageError, match=r"'a/1.png' is encrypted"):
        contents(bytes(data))


SMALL = Limits(entries=3, entry_bytes=5000, total_bytes=8000, ratio=50, ratio_from_bytes=1000)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({f"a/{n}.png": b"x" for n in range(4)}, "more than 3 entries"),
        ({"a/big.png": bytes(range(256)) * 20}, "'a/big.png' has 5120 bytes"),
        ({f"a/{n}.png": bytes(range(256)) * 16 for n in range(3)}, "more than 8000 bytes"),
    ],
)
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_limits(files: dict[str, bytes], complaint: str, form: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        contents(zipped(files) if form == "zip" else tarred(files=files), SMALL)


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_what_shrinks_like_a_bomb_is_refused(form: str) -> None:
    bomb = {"a/bomb.png": bytes(4_000_000)}
    limits = Limits(ratio_from_bytes=100_000)
    with pytest.raises(UsageError, match=r"'a/bomb.png' unpacks to more than 200 times"):
        contents(zipped(bomb) if form == "zip" else gzip.compress(tarred(files=bomb)), limits)


def test_a_bomb_behind_the_end_of_a_tar_is_refused() -> None:
    data = gzip.compress(tarred() + bytes(40_000_000))
    with pytest.raises(UsageError, match="unpacks to more than"):
        contents(data, Limits(ratio_from_bytes=1_000_000))


def test_a_tar_header_cannot_ask_for_all_the_memory() -> None:
    header = special("a/1.png", tarfile.XHDTYPE, size=3 << 30).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(UsageError, match=r"photos.*asks for"):
        contents(gzip.compress(header + bytes(10_000)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive at all",
        zipped(FILES)[:-30],
        gzip.compress(tarred())[:-40],
        gzip.compress(tarred())[:-8] + bytes(8),
        b"PK\x03\x04 and then nothing",
        b"\xfd7zXZ\x00" + bytes(50),
    ],
    ids=["empty", "text", "cut-zip", "cut-gz", "wrong-crc", "fake-zip", "fake-xz"],
)
def test_damaged_archives_are_one_clear_error(data: bytes) -> None:
    with pytest.raises(UsageError, match="photos is not a readable zip or tar archive"):
        contents(data)


def test_one_damaged_member_of_a_zip_spares_the_others() -> None:
    good, bad = b"good" * 50, b"bad" * 50
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a/good.png", good)
        archive.writestr("a/bad.png", bad)
    data = buffer.getvalue().replace(bad, b"BAD" * 50)
    readers = dict(open_archive(io.BytesIO(data), "photos").open_members())
    assert readers["a/good.png"]() == good
    with pytest.raises(UnusableFileError, match="damaged in the archive"):
        readers["a/bad.png"]()
