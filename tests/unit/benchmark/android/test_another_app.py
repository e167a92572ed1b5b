"""What measures besides the executable, the app and Hexagon's libraries: with another one it is measured anew."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.binaries import Binary, Lock, read_lock, record, render
from common.schema.benchmark import SessionLine
from jobs.benchmark.ledger import Ledger
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.unit.benchmark.android.conftest import Bench


@pytest.fixture
def publish(served: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Publishes an app and records it, in a lock file and a cache of its own."""
    address, file = served
    lock, cache = tmp_path / "binaries.toml", tmp_path / "cache"
    entry = Binary(name="app.apk", tool="benchmark_model_app", dialect="classic", abi="arm64-v8a", url=address)
    lock.write_text(render(Lock(binary=(entry,))), encoding="utf-8")
    monkeypatch.setattr("jobs.benchmark.android.binaries.read_lock", lambda: read_lock(lock))
    monkeypatch.setenv("EDGEPROOF_BINARIES", str(cache))

    def publish(content: bytes) -> None:
        file.write_bytes(content)
        list(record(lock, cache, renew=True))

    return publish


def test_another_published_app_is_measured_anew_and_the_same_is_not(
    benches: Callable[..., Bench],
    stand_in: StandIn,
    publish: Callable[[bytes], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench = benches(("cpu",), more="app = true")
    seen = []
    for content in (b"PK\x03\x04one", b"PK\x03\x04one", b"PK\x03\x04two"):
        publish(content)
        seen.append(bench.run(stand_in.serial))
    assert [{row.session for row in result.rows} for result in seen] == [{0}, {0}, {1}]
    sessions = [line for line in Ledger(bench.output / "ledger.jsonl").lines if isinstance(line, SessionLine)]
    assert [line.app_sha256 for line in sessions] == [seen[0].target.app_sha256, seen[2].target.app_sha256]
    assert sessions[0].app_sha256 != sessions[1].app_sha256
    # The app alone is another one: what the executable measured would count as before.
    assert sessions[0].fingerprint == sessions[1].fingerprint
    assert f"the app's sha256 changed from {str(sessions[0].app_sha256)[:12]}" in capsys.readouterr().out


def test_another_app_costs_those_nothing_who_do_not_ask_for_one(
    benches: Callable[..., Bench], stand_in: StandIn, tmp_path: Path
) -> None:
    bench = benches(("cpu",))
    apk = tmp_path / "own.apk"
    for content in (b"PK\x03\x04one", b"PK\x03\x04two"):
        apk.write_bytes(content)
        result = bench.run(stand_in.serial, apk=apk)
        assert result.target.app_sha256 is None
        assert {row.session for row in result.rows} == {0}


@pytest.mark.parametrize("kind", ["app", "hexagon"])
def test_another_app_or_library_is_measured_anew(benches: Callable[..., Bench], stand_in: StandIn, kind: str) -> None:
    bench = benches(("cpu",) if kind == "app" else ("cpu", "hexagon"), more="app = true" if kind == "app" else "")
    given = bench.folder / ("own.apk" if kind == "app" else "libhexagon_interface.so")
    options: dict[str, Any] = {"apk": given} if kind == "app" else {"hexagon": bench.folder}
    seen = []
    head = b"PK\x03\x04" if kind == "app" else fake_binary()
    for content in (b"one", b"one", b"two"):
        given.write_bytes(head + content)
        target = bench.run(stand_in.serial, **options).target
        seen.append(target.app_sha256 if kind == "app" else target.fingerprint)
    assert seen[0] == seen[1] != seen[2]
    sessions = [line for line in Ledger(bench.output / "ledger.jsonl").lines if isinstance(line, SessionLine)]
    assert len(sessions) == len({(line.fingerprint, line.app_sha256) for line in sessions}) == 2
