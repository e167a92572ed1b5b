"""The tools for devices: pinned or trusted at their first use, verified ever after, and never in the checkout."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common import binaries
from common.artifact import sha256_file
from common.binaries import Binary, Lock, ensure, held, known, read_lock, record, render
from common.download import GoneError
from common.errors import EdgeproofError, TryLaterError, UsageError
from common.provenance import ROOT
from common.used_binaries import FILE, is_mutable, uses
from tests.devices.standin.phone import fake_binary
from tests.publisher import Answer, Publisher, publisher

FIRST, OTHER = fake_binary(), fake_binary(size=5000)
NIGHTLY = "/tools/nightly/latest/android_aarch64_benchmark_model"
FIXED = "/binaries/2.2.0/android_arm64/benchmark_model"


@pytest.fixture
def served() -> Iterator[Publisher]:
    with publisher() as found:
        yield found


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def entry(url: str, name: str = "tool") -> Binary:
    return Binary(name=name, tool="benchmark_model", dialect="classic", abi="arm64-v8a", url=url)


def written(path: Path, *entries: Binary) -> Path:
    path.write_text(render(Lock(binary=entries)), encoding="utf-8")
    return path


def test_the_first_use_downloads_and_records_beside_the_copies(
    served: Publisher, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = entry(served.publish(NIGHTLY, FIRST))
    assert (held(tool, cache), known(tool, cache).sha256) == (None, None)
    path = ensure(tool, cache)
    sha256 = sha256_file(path)
    assert path.read_bytes() == FIRST
    [use] = uses(cache).values()
    assert (use.url, use.size_bytes, use.sha256, use.since) == (tool.url, 4096, sha256, datetime.now(UTC).date())
    told = capsys.readouterr().err
    assert "note: downloading tool from 127.0.0.1" in told
    assert f"note: tool: 4096 bytes, sha256 {sha256} (recorded, and verified from now on)" in told
    # From now on the network is not needed.
    served.answers.clear()
    assert ensure(tool, cache) == held(tool, cache) == path
    assert (served.asked, capsys.readouterr().err) == ([NIGHTLY], "")


def test_a_nightly_that_changed_is_a_new_build_and_says_so(
    served: Publisher, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = entry(served.publish(NIGHTLY, FIRST))
    path = ensure(tool, cache)
    served.publish(NIGHTLY, OTHER)
    # What is here is what is measured with, whatever the publisher does.
    assert ensure(tool, cache) == path
    path.write_bytes(b"damaged")
    assert held(tool, cache) is None
    capsys.readouterr()
    assert ensure(tool, cache).read_bytes() == OTHER
    since = datetime.now(UTC).date()
    assert f"note: the publisher of tool has a new build since {since} (sha256 " in capsys.readouterr().err
    assert [use.size_bytes for use in uses(cache).values()] == [5000]


def test_a_version_that_changed_is_refused(served: Publisher, cache: Path) -> None:
    tool = entry(served.publish(FIXED, FIRST))
    path = ensure(tool, cache)
    path.unlink()
    served.publish(FIXED, OTHER)
    with pytest.raises(EdgeproofError, match=r"is not what was recorded: 5000 bytes, .*instead of 4096 bytes"):
        ensure(tool, cache)
    served.publish(FIXED, FIRST)
    assert ensure(tool, cache) == path


def test_what_is_pinned_comes_first(served: Publisher, cache: Path, tmp_path: Path) -> None:
    url = served.publish(NIGHTLY, FIRST)
    lock = written(tmp_path / "binaries.toml", entry(url))
    [done] = record(lock, cache)
    pinned = read_lock(lock).binary[0]
    assert (done.error, done.binary, pinned.size_bytes) == (None, pinned, 4096)
    served.publish(NIGHTLY, OTHER)
    assert ensure(pinned, cache).read_bytes() == FIRST
    # Another cache has no copy of what is pinned, and the publisher has it no more.
    with pytest.raises(EdgeproofError, match=r"is not what was recorded: .*RENEW=1"):
        ensure(pinned, tmp_path / "empty")
    [refused] = record(lock, tmp_path / "empty")
    assert "is not what was recorded" in str(refused.error)
    assert read_lock(lock).binary[0] == pinned
    [renewed] = record(lock, cache, renew=True)
    assert renewed.binary.size_bytes == 5000 == read_lock(lock).binary[0].size_bytes
    assert ensure(renewed.binary, cache).read_bytes() == OTHER


def test_what_is_pinned_is_what_was_measured_with(served: Publisher, cache: Path, tmp_path: Path) -> None:
    url = served.publish(NIGHTLY, FIRST)
    sha256 = sha256_file(ensure(entry(url), cache))
    served.publish(NIGHTLY, OTHER)
    [done] = record(written(tmp_path / "binaries.toml", entry(url)), cache)
    assert done.binary.sha256 == sha256


def test_one_that_fails_keeps_no_other_from_being_pinned(served: Publisher, tmp_path: Path) -> None:
    lock = written(
        tmp_path / "binaries.toml",
        entry(served.publish("/a", FIRST), "a"),
        entry(served.address + "/gone", "gone"),
        entry(served.url("/busy", Answer(b"", status=503)), "busy"),
        entry(served.url("/login", Answer(b"<!DOCTYPE html><title>Welcome to the hotel</title>")), "login"),
        entry(served.publish("/z", OTHER), "z"),
    )
    argv = [sys.executable, "-m", "jobs.binaries", "--lock", str(lock), "--cache", str(tmp_path / "cache")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == "error: not recorded: gone, busy, login (the other 2 are)"
    assert "warning: gone: http" in done.stderr
    assert "the publisher has no such file any more" in done.stderr
    assert "gives no program for arm64-v8a: it begins with b'<!DOCTYPE html><titl'" in done.stderr
    assert [binary.sha256 is not None for binary in read_lock(lock).binary] == [True, False, False, False, True]
    assert [line.split("  ")[0] for line in done.stdout.splitlines() if "  " in line] == ["a", "z"]
    # Only what may be there later is left: then the status says so.
    served.publish("/gone", FIRST)
    served.publish("/login", FIRST)
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (75, "error: not recorded: busy (the other 4 are)")


def test_a_page_of_the_network_is_never_trusted(served: Publisher, cache: Path) -> None:
    tool = entry(served.publish(NIGHTLY, b"<html>please log in</html>"))
    with pytest.raises(EdgeproofError, match=r"does this network ask to log in first"):
        ensure(tool, cache)
    assert uses(cache) == {}
    other = entry(served.publish("/arm", fake_binary("armeabi-v7a")))
    with pytest.raises(EdgeproofError, match=r"gives no program for arm64-v8a"):
        ensure(other, cache)
    app = tool.model_copy(update={"tool": "benchmark_model_app", "url": served.publish("/app.apk", FIRST)})
    with pytest.raises(EdgeproofError, match=r"gives no archive"):
        ensure(app, cache)


def test_several_at_once_download_once(served: Publisher, cache: Path) -> None:
    tool = entry(served.url(NIGHTLY, Answer(FIRST, pause_s=0.05)))
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(ensure(tool, cache))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert served.asked == [NIGHTLY]


def test_whoever_waits_says_so(served: Publisher, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WAIT_S", 0.1)
    tool = entry(served.url(NIGHTLY, Answer(FIRST, pause_s=0.1)))
    first = threading.Thread(target=ensure, args=(tool, cache))
    first.start()
    while not served.asked:
        pass
    said: list[str] = []
    ensure(tool, cache, said.append)
    first.join()
    assert said == [f"note: waiting for another download into {cache}"]


def test_no_network_leaves_nothing_behind_but_the_folder(served: Publisher, cache: Path) -> None:
    tool = entry(served.url(NIGHTLY, Answer(FIRST, cuts=2)))
    with pytest.raises(TryLaterError, match=r"broke off"):
        ensure(tool, cache)
    with pytest.raises(GoneError):
        ensure(entry(served.address + "/gone"), cache)
    assert [path.name for path in cache.iterdir()] == [".lock"]


def test_what_a_killed_download_left_is_removed(served: Publisher, cache: Path) -> None:
    cache.mkdir()
    (cache / ".download.abc.partial").write_bytes(b"half")
    ensure(entry(served.publish(NIGHTLY, FIRST)), cache)
    assert not (cache / ".download.abc.partial").exists()


@pytest.mark.parametrize("text", ["[[use]]\nurl = 3\n", "use = 3\n", "\x00", "other = 1\n", "[[use]]\nurl = [\n"])
def test_a_record_that_is_damaged_is_named(cache: Path, text: str) -> None:
    cache.mkdir()
    (cache / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"used\.toml.*remove it"):
        ensure(entry("http://127.0.0.1:9/tool"), cache)


@pytest.mark.parametrize(
    "url", ["http://[bad/tool", "https:///tool", 'http://a/"', "ftp://a/tool", "http://a/\N{SNOWMAN}", 3]
)
def test_an_address_that_is_none_is_a_line(tmp_path: Path, url: object) -> None:
    shown = url if isinstance(url, int) else f"'{url}'"
    text = f'[[binary]]\nname = "t"\ntool = "benchmark_model"\ndialect = "classic"\nabi = "arm64-v8a"\nurl = {shown}\n'
    (tmp_path / "lock.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"lock\.toml: (url: |must be an address)"):
        read_lock(tmp_path / "lock.toml")


def test_addresses_that_change_are_told_apart() -> None:
    changing = {binary.name for binary in read_lock().binary if is_mutable(binary.url)}
    assert changing == {binary.name for binary in read_lock().binary if binary.dialect == "classic"}
    assert not is_mutable("https://storage.example/litert/binaries/2.2.0/android_arm64/benchmark_model")


def test_the_lock_file_is_as_it_would_be_written() -> None:
    assert render(read_lock()) == binaries.LOCK.read_text(encoding="utf-8")
