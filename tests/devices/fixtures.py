"""Fixtures for tests that need a phone; a conftest takes them with `pytest_plugins` or by import."""

from collections.abc import Callable, Iterator

import pytest

from tests.devices.adb_server import AdbServer
from tests.devices.phone.personality import Personality
from tests.devices.standin.device import StandIn


@pytest.fixture(scope="session")
def adb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbServer]:
    """A private adb server for the whole session; tests that kill it start their own."""
    with AdbServer(tmp_path_factory.mktemp("adb")) as server:
        yield server


@pytest.fixture
def stand_ins(adb_server: AdbServer) -> Iterator[Callable[..., StandIn]]:
    """Makes connected stand-ins: `stand_ins()`, `stand_ins("old")`, `stand_ins(personality)`."""
    made: list[StandIn] = []

    def make(personality: Personality | str = "pixel") -> StandIn:
        device = StandIn(personality).start()
        made.append(device)
        answer = adb_server.connect(device.serial)
        assert answer.startswith("connected"), answer
        return device

    yield make
    for device in made:
        device.stop()
        adb_server.adb("disconnect", device.serial)
    assert not [problem for device in made for problem in device.phone.problems]


@pytest.fixture
def stand_in(stand_ins: Callable[..., StandIn]) -> StandIn:
    """One connected phone of the kind `pixel`."""
    return stand_ins()
