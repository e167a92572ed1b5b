"""The test phones' own fixtures."""

from tests.devices.fixtures import adb_server, stand_in, stand_ins

__all__ = ["adb_server", "stand_in", "stand_ins"]
