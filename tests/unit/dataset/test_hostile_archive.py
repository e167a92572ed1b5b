"""Archives whose headers are made up, and folders that change while they are read: one line, soon, in little memory."""

import bz2
import gzip
import io
import lzma
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import UsageError
from jobs.dataset.archive import open_archive
from jobs.dataset.errors import UnusableFileError
from jobs.dataset.sources import _read
from tests.unit.dataset.test_archive import contents, special, tarred

MOST_S = 2.0
BLOCK = 512


def header(name: bytes, size: bytes, kind: bytes, magic: bytes = b"ustar\x0000") -> bytes:
    """One block of a tar with its checksum."""
    block = bytearray(BLOCK)
    for at, value in ((0, name), (100, b"0000644\0"), (124, size), (136, b"00000000000\0"), (156, kind), (257, magic)):
        block[at : at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


def member(kind: bytes, data: bytes, name: bytes = b"a/1.png") -> bytes:
    padded = data + bytes(-len(data) % BLOCK)
    return header(name, f"{len(data):011o}\0".encode(), kind) + padded


def pax(**records: str) -> bytes:
    lines = b""
    for key, value in records.items():
        body = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(body) + len(str(len(body) + 4))
        while len(str(length)) + len(body) != length:
            length = len(str(length)) + len(body)
        lines += str(length).encode() + body
    return member(b"x", lines)


END = bytes(2 * BLOCK)
FILE = member(b"0", b"one")
NEGATIVE = header(b"a/1.png", b"\xff" * 11 + b"\x00", b"0")
TARS = {
    "chained pax headers": pax(path="a/1.png") * 5000 + FILE + END,
    "chained long names": member(b"L", b"a/1.png\0") * 5000 + FILE + END,
    "a negative size": NEGATIVE + END,
    "a negative size in pax": pax(size="-512") + FILE + END,
    "a size of 5,000 digits": pax(size="9" * 5000) + FILE + END,
    "a pax record of 5,000 digits": member(b"x", b"9" * 5000 + b" path=a\n") + FILE + END,
    "a pax header of 1 GiB": header(b"p", b"10000000000\0", b"x") + END,
    "a malformed sparse map": pax(GNU__sparse__major="1", GNU__sparse__minor="0") + member(b"0", b"x\n" * 300) + END,
    "a sparse map of 5,000 digits": pax(GNU__sparse__major="1", GNU__sparse__minor="0")
    + member(b"0", b"9" * 5000 + b"\n")
    + END,
    "a sparse map 0.1": pax(GNU__sparse__map="1,2,x", GNU__sparse__size="9" * 30) + FILE + END,
    "an old sparse file": header(b"a/1.png", b"00000000003\0", b"S", b"ustar  \0") + END,
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["tar", "gz", "bz2", "xz"])
@pytest.mark.parametrize("data", TARS.values(), ids=TARS.keys())
def test_made_up_headers_are_one_line_and_soon(data: bytes, pack: Callable[[bytes], bytes]) -> None:
    start = time.process_time()
    # tarfile takes a size that is no number for none.
    with pytest.raises(UsageError, match="photos") if data != TARS["a size of 5,000 digits"] else nullcontext():
        contents(pack(data))
    assert time.process_time() - start < MOST_S


def test_headers_without_members_are_refused() -> None:
    """A megabyte of them per member would be read all the same."""
    with pytest.raises(UsageError, match="more headers than its members need"):
        contents(gzip.compress((pax(comment="x" * 500_000) * 4 + FILE) + END))


def test_a_list_of_members_beyond_the_limit_is_not_read() -> None:
    size = 64 << 20
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0)
    data = b"PK\x03\x04" + bytes(size) + end
    with pytest.raises(UsageError, match="at once"):
        contents(data)


def dictionary(data: bytes, code: int) -> bytes:
    """An xz whose first block asks for a dictionary of size `code`: 37 is 1.5 GiB, 40 what 4 GiB have room for."""
    packed = bytearray(lzma.compress(data))
    # The block header follows 12 bytes of the stream's: its length, flags, and the filter with its properties.
    end = 12 + (packed[12] + 1) * 4
    assert packed[14:16] == b"\x21\x01"
    packed[16] = code
    packed[end - 4 : end] = struct.pack("<I", zlib.crc32(packed[12 : end - 4]))
    return bytes(packed)


@pytest.mark.parametrize("code", [37, 40])
def test_a_dictionary_beyond_the_limit_is_refused(code: int) -> None:
    good = lzma.compress(FILE + END)
    for data in (dictionary(FILE + END, code), lzma.compress(FILE) + dictionary(END, code)):
        with pytest.raises(UsageError, match="photos takes more than the 256 MiB of memory allowed to unpack"):
            contents(data)
    assert contents(good) == contents(FILE + END)


def test_an_xz_of_several_streams_is_read_as_one() -> None:
    whole = tarred(special("c/1.png", size=3))
    parts = [lzma.compress(whole[at : at + 700], preset=9) for at in range(0, len(whole), 700)]
    assert contents(bytes(8).join(parts) + bytes(4)) == contents(whole)
    for damaged in (parts[0], b"".join(parts)[:-1], b"".join(parts) + b"noise"):
        with pytest.raises(UsageError, match="not a readable"):
            contents(damaged)


def test_a_damaged_zip_is_one_line() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/1.png", b"one")
        archive.writestr("b/1.png", b"two")
    whole = buffer.getvalue()
    for at in range(len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        try:
            contents(damaged)
        except (UsageError, UnusableFileError):
            continue


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=4 * BLOCK), st.integers(0, 3 * BLOCK))
def test_no_bytes_are_a_traceback(noise: bytes, at: int) -> None:
    whole = tarred(special("c/1.png", size=3))
    try:
        archive = open_archive(io.BytesIO(whole[:at] + noise + whole[at + len(noise) :]), "photos")
        for _, read in archive.open_members():
            read()
    except (UsageError, UnusableFileError):
        return


def test_a_file_swapped_for_a_link_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    root = tmp_path / "photos"
    root.mkdir()
    image = root / "1.png"
    image.write_bytes(b"image")
    real = os.open

    def swapped(path: str, flags: int) -> int:
        image.unlink()
        image.symlink_to(secret)
        return real(path, flags)

    monkeypatch.setattr("jobs.dataset.sources.os.open", swapped)
    with pytest.raises(UnusableFileError, match="leaves the folder"):
        _read(root, "1.png")


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(UnusableFileError, match="not a regular file"):
        _read(tmp_path, "1.png")
