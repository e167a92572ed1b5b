"""What a device is asked between its processes. None where it does not tell, or vanishes at every try."""

from common.adb.errors import NotReadyError, TimeLimitError, TransportError
from common.adb.facts import thermal_status
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.android import power, state
from jobs.benchmark.android.recovery import Recovery


def power_of(found: Recovery, at_s: float) -> PowerReading | None:
    """Battery and screen."""
    try:
        return found.persist(lambda: power.ask(found.device, at_s=at_s, connections=found.connections))
    except TransportError:
        return None


def state_of(found: Recovery, cores: int) -> DeviceState | None:
    """Battery, heat, screen and clocks."""
    try:
        return found.persist(lambda: state.ask(found.device, cores))
    except TransportError:
        return None


def thermal_status_of(found: Recovery) -> int | None:
    """The device's own word, without waiting for one that is away."""
    try:
        return thermal_status(found.device.run(["dumpsys", "thermalservice"]).stdout)
    except (TransportError, TimeLimitError, NotReadyError):
        return None
