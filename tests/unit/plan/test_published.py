"""The published tools are part of what a measurement depends on, and are fetched while it is planned."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.artifact import write_bytes
from common.binaries import Binary, Lock
from common.errors import TryLaterError, UsageError
from common.schema.experiment import Benchmark
from jobs.plan import published
from jobs.plan.pieces import pieces
from jobs.plan.places import HERE, Place, Tools
from jobs.plan.published import fetch_published, to_measure, with_published
from jobs.plan.stage import made
from tests.artifacts import write_experiment
from tests.devices.standin.phone import fake_binary
from tests.publisher import Answer, Publisher, publisher

SETTINGS = Benchmark()
PHONE = Place("phone1", {"ro.product.cpu.abilist": "arm64-v8a,armeabi-v7a"}, {}, live=True)
NAME = "published benchmark_model-classic"
PATH = "/nightly/latest/tool"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with publisher() as found:
        url = found.address + PATH
        tool = Binary(name="tool", tool="benchmark_model", dialect="classic", abi="arm64-v8a", url=url)
        monkeypatch.setattr(published, "read_lock", lambda: Lock(binary=(tool,)))
        monkeypatch.setenv("EDGEPROOF_BINARIES", str(tmp_path / "cache"))
        yield found


PLAIN = Tools()


def told(place: Place, run: Path, tools: Tools = PLAIN) -> dict[str, str]:
    [found] = with_published([place], SETTINGS, tools, run)
    return dict(found.tools)


def planned(run: Path, place: Place) -> None:
    experiment = write_experiment(run)
    [place] = with_published([place], SETTINGS, Tools(), run)
    for name, content in pieces(experiment, made(), [place]).items():
        write_bytes(run / "plan" / name, content)


def test_what_is_downloaded_while_planning_does_not_change_the_next_plan(served: Publisher, tmp_path: Path) -> None:
    assert told(PHONE, tmp_path) == {}
    assert served.asked == []
    served.publish(PATH, fake_binary())
    fetch_published([PHONE, HERE], SETTINGS, Tools())
    first = told(PHONE, tmp_path)
    assert set(first) == {NAME}
    planned(tmp_path, PHONE)
    served.publish(PATH, fake_binary(size=5000))
    fetch_published([PHONE], SETTINGS, Tools())
    assert (told(PHONE, tmp_path), served.asked) == (first, [PATH])
    # Copies and record are gone: what was measured with is known by the plan, until something is measured.
    for path in sorted((tmp_path / "cache").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert told(PHONE, tmp_path) == first
    fetch_published([PHONE], SETTINGS, Tools())
    assert told(PHONE, tmp_path)[NAME] != first[NAME]
    # What was measured on a device that is away is taken as it is.
    assert told(replace(PHONE, live=False), tmp_path) == first


def test_only_what_can_be_asked_and_is_needed_is_fetched(served: Publisher, tmp_path: Path) -> None:
    for place in (HERE, replace(PHONE, live=False), replace(PHONE, facts=None, live=False)):
        fetch_published([place], SETTINGS, Tools())
        assert told(place, tmp_path) == {}
    fetch_published([PHONE], SETTINGS, Tools(binary=tmp_path / "own"))
    assert told(PHONE, tmp_path, Tools(binary=tmp_path / "own")) == {}
    assert served.asked == []
    with pytest.raises(UsageError, match=r"nobody publishes benchmark_model for x86_64"):
        fetch_published([replace(PHONE, facts={"ro.product.cpu.abilist": "x86_64"})], SETTINGS, Tools())
    assert told(replace(PHONE, facts={"ro.product.cpu.abilist": "x86_64"}), tmp_path) == {}


def test_a_server_that_is_away_is_said_before_the_work(served: Publisher, tmp_path: Path) -> None:
    served.url(PATH, Answer(status=503))
    with pytest.raises(TryLaterError, match=r"try later"):
        fetch_published([PHONE], SETTINGS, Tools())
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_a_run_measures_where_anything_that_it_depends_on_is_made(tmp_path: Path) -> None:
    wanted = ("variants/a/variant.json", "evaluation/a/evaluation.json", "benchmark/phone1/benchmark.json")
    assert to_measure(tmp_path, wanted, ())
    for name in wanted:
        write_bytes(tmp_path / name, b"{}")
    assert not to_measure(tmp_path, wanted, ())
    assert not to_measure(tmp_path, wanted, ("evaluation/a/evaluation.json",))
    assert to_measure(tmp_path, wanted, ("variants/a/variant.json",))
    (tmp_path / "evaluation/a/evaluation.json").unlink()
    assert not to_measure(tmp_path, (*wanted, "report/results.json"), ())
