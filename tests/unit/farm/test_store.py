"""A node's files by content: verified on arrival and when they are used again, and no more than the bound."""

import hashlib
import os
from pathlib import Path

import pytest

from jobs.farm.manifest import Entry
from jobs.farm.store import DamagedError, Store


def entry(data: bytes, name: str = "a/b") -> Entry:
    return Entry(name, hashlib.sha256(data).hexdigest(), len(data))


def test_a_content_arrives_in_pieces_and_is_there_after_the_last(tmp_path: Path) -> None:
    store, wanted = Store(tmp_path / "store", 1 << 20), entry(b"onetwo")
    assert store.missing([wanted, wanted]) == (wanted.sha256,)
    store.take(wanted.sha256, b"one", last=False)
    assert store.missing([wanted]) == (wanted.sha256,)
    store.take(wanted.sha256, b"two", last=True)
    assert store.missing([wanted]) == ()
    assert Store(tmp_path / "store", 1 << 20).missing([wanted]) == ()


def test_what_arrives_damaged_is_not_kept(tmp_path: Path) -> None:
    store, wanted = Store(tmp_path / "store", 1 << 20), entry(b"onetwo")
    with pytest.raises(DamagedError, match="arrived damaged"):
        store.take(wanted.sha256, b"onetwX", last=True)
    assert store.missing([wanted]) == (wanted.sha256,)
    assert not list((tmp_path / "store").iterdir())


def test_a_file_that_was_changed_since_is_asked_for_again(tmp_path: Path) -> None:
    store, wanted = Store(tmp_path / "store", 1 << 20), entry(b"onetwo")
    store.take(wanted.sha256, b"onetwo", last=True)
    path = store.path(wanted.sha256)
    path.chmod(0o644)
    path.write_bytes(b"onetwX")
    assert store.missing([wanted]) == (wanted.sha256,)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedError, match="no sha256"):
        Store(tmp_path, 1).take(name, b"", last=True)


def test_what_is_read_is_shared_and_what_is_written_is_a_copy(tmp_path: Path) -> None:
    store, wanted = Store(tmp_path / "store", 1 << 20), entry(b"ledger")
    store.take(wanted.sha256, b"ledger", last=True)
    store.give(wanted, tmp_path / "job" / "read", written=False)
    store.give(wanted, tmp_path / "job" / "written", written=True)
    with (tmp_path / "job" / "written").open("ab") as stream:
        stream.write(b"more")
    assert (tmp_path / "job" / "read").samefile(store.path(wanted.sha256))
    assert store.missing([wanted]) == ()


def test_beyond_the_bound_what_was_used_last_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", 8)
    contents = [entry(bytes([number]) * 4) for number in range(3)]
    for number, each in enumerate(contents):
        store.take(each.sha256, bytes([number]) * 4, last=True)
        os.utime(store.path(each.sha256), (number, number))
    # Asked for, the oldest is the newest.
    assert store.missing([contents[0]]) == ()
    store.give(contents[1], tmp_path / "job", written=False)
    assert store.shrink() == 8
    assert store.missing(contents) == (contents[1].sha256,)
    assert (tmp_path / "job").read_bytes() == b"\1" * 4
