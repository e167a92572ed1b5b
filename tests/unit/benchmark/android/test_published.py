"""A run with what is published: the tool, and Hexagon's library under the name that the tool loads it by."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.binaries import Lock, read_lock
from common.schema.benchmark import Benchmark, Summary
from common.schema.outcome import Unsupported
from tests.devices.phone.personality import Behaviour, Delegate, Delegates, Personality, load
from tests.devices.standin.device import StandIn
from tests.devices.standin.phone import fake_binary
from tests.publisher import Publisher, publisher
from tests.unit.benchmark.android.conftest import Bench, left_behind

TOOL, LIBRARY = "/android_aarch64_benchmark_model", "/android_aarch64_libhexagon_interface.so"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with publisher() as found:
        published = [b.model_copy(update={"url": f"{found.address}/{b.name}"}) for b in read_lock().binary]
        monkeypatch.setattr("jobs.benchmark.android.binaries.read_lock", lambda: Lock(binary=tuple(published)))
        monkeypatch.setenv("EDGEPROOF_BINARIES", str(tmp_path / "cache"))
        found.publish(TOOL, fake_binary())
        yield found


@pytest.fixture
def phone(stand_ins: Callable[..., StandIn]) -> StandIn:
    """A phone with a DSP of the kind that Hexagon's delegate knows."""
    personality = load("pixel")
    delegates = Delegates(hexagon=Delegate(Behaviour.FULL, speed=2.0))
    return stand_ins(Personality(**{**personality.__dict__, "delegates": delegates}))


def on_hexagon(result: Benchmark) -> set[type]:
    return {type(row.result) for row in result.rows if row.cell.backend == "hexagon"}


def test_hexagon_runs_with_the_published_library(
    benches: Callable[..., Bench], phone: StandIn, served: Publisher
) -> None:
    served.publish(LIBRARY, fake_binary(size=5000))
    result = benches(("cpu", "hexagon")).run(phone.serial, binary=None)
    assert on_hexagon(result) == {Summary}
    # The app and the tools of other devices are not asked for.
    assert sorted(served.asked) == [TOOL, LIBRARY]
    assert left_behind(phone) == []


def test_without_it_only_hexagon_is_unsupported(
    benches: Callable[..., Bench], phone: StandIn, served: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    result = benches(("cpu", "hexagon")).run(phone.serial, binary=None)
    assert on_hexagon(result) == {Unsupported}
    assert {type(row.result) for row in result.rows if row.cell.backend == "cpu"} == {Summary}
    assert "the publisher has no such file any more" in capsys.readouterr().err


def test_a_tool_of_ones_own_asks_nobody(benches: Callable[..., Bench], phone: StandIn, served: Publisher) -> None:
    assert on_hexagon(benches(("cpu", "hexagon")).run(phone.serial)) == {Unsupported}
    assert served.asked == []
