"""Data sources: what is refused before anything is read or fetched, and how it is worded."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UsageError
from common.experiment import load
from common.schema.source import checked, is_url, public
from common.source import local_path
from tests.artifacts import EXPERIMENT

ZEROS = "0" * 64


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "must name a folder"),
        ("  ", "must name a folder"),
        ("a\0b", "must name a folder"),
        ("ftp://example.org/x.zip", "ftp:// is not supported"),
        ("s3://bucket/x.zip", "s3:// is not supported"),
        ("file:///tmp/photos", "must be the path itself, without file://"),
        ("https://[::1/x.zip", "is not a valid URL: Invalid IPv6 URL"),
        ("https://example.org:http/x.zip", "is not a valid URL: Port could not be cast"),
        ("https://example.org:99999/x.zip", "is not a valid URL: Port out of range"),
        ("https://example.org:/x.zip", "without a port"),
        ("https:///x.zip", "without a host"),
        ("https://exa mple.org/x.zip", "write %20 for a space"),
        ("https://example.org/a b.zip", "write %20 for a space"),
        ("https://ex\u00e4mple.org/x.zip", "a host's name in ASCII"),
    ],
)
def test_what_can_be_no_source_is_refused(source: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        checked(source)


@pytest.mark.parametrize("source", ["photos", "a b/\u00e4.zip", "C:/x", "synthetic-flames", "https://[::1]:8443/x.zip"])
def test_a_source_stays_as_it_is(source: str) -> None:
    assert checked(source) == source


def test_a_scheme_in_capitals_is_the_same_scheme() -> None:
    assert checked("HTTPS://Example.org/X.zip?A=b") == "https://Example.org/X.zip?A=b"
    assert is_url("HTTPS://Example.org/X.zip")


@given(st.text(max_size=40) | st.text(max_size=30).map("https://".__add__))
def test_any_text_is_a_source_or_refused(text: str) -> None:
    try:
        source = checked(text)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    if is_url(source):
        public(source)


def test_secrets_in_a_refused_url_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    for url in ("https://user:secret@example.org:x/y", "https://user:secret@[::1/y", "ftp://user:secret@example.org/y"):
        with pytest.raises(UsageError) as caught:
            load(tmp_path / "tiny.toml", data=url, data_sha256=ZEROS)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "digest", "told"),
    [
        ("https://[::1/x.zip", ZEROS, "--data: source: is not a valid URL: Invalid IPv6 URL"),
        ("https://example.org/x.zip", "", "--data: a URL source needs its sha256"),
        ("x", "abc", "--data: sha256: must be 64 hexadecimal digits"),
        ("", ZEROS, "--data-sha256 was given without --data"),
        ("photos\udcff", "", r"--data 'photos\udcff' is not UTF-8"),
    ],
)
def test_data_is_to_blame_for_its_own_mistakes(tmp_path: Path, data: str, digest: str, told: str) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "tiny.toml", data=data, data_sha256=digest)
    assert told in str(caught.value)
    assert "tiny.toml" not in str(caught.value)


def test_a_hash_in_capitals_is_the_same_hash(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(EXPERIMENT, encoding="utf-8")
    loaded = load(tmp_path / "tiny.toml", data="https://example.org/x.zip", data_sha256="AB" * 32)
    assert loaded.settings.data.sha256 == "ab" * 32


def test_neither_folder_nor_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UsageError, match="is neither a folder nor a file"):
            local_path(str(path))
    with pytest.raises(UsageError, match=r"does not exist \(give a folder"):
        local_path(str(tmp_path / "none"))
    assert local_path(str(tmp_path)) == tmp_path
