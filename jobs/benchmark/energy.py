"""Energy per inference from the charge counter, and the rules for when the figure is valid. Pure.

energy = charge used x mean voltage; 1 uAh at 1 mV are 3.6e-6 J. The counter counts for the whole device.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from common.schema.power import Energy, NoEnergy, PowerReading

JOULES_PER_UAH_MV = 3.6e-6
MJ_PER_JOULE = 1000.0
LEAST_S = 120.0
# Below it phones begin to save power.
LEAST_LEVEL = 15
# Of the charge that was used: what one step of the counter may be.
MOST_RESOLUTION = 0.05
# Watts that a device can take under load; a counter in other units lies beyond.
LEAST_W, MOST_W = 0.05, 40.0
HOST = "this machine has no charge counter that could be read"


def energy(idle: Sequence[PowerReading], load: Sequence[PowerReading | None], inferences: int) -> Energy | NoEnergy:
    """Energy of a load from the readings before it, after each of its processes, and (`idle`) over a while before it.

    `inferences` are all that ran between the first and the last reading of `load`, the warm-up's too.
    """
    known = [reading for reading in load if reading is not None]
    if not known:
        return NoEnergy(reason=HOST)
    why = next(_faults([*idle, *known]), None) or next(_too_little(idle, known), None)
    if why is not None:
        return NoEnergy(reason=why)
    return _energy(idle, known, inferences)


def _faults(readings: Sequence[PowerReading]) -> Iterator[str]:
    """What makes any figure from these readings wrong, in words."""
    plugged = tuple(dict.fromkeys(name for reading in readings for name in reading.plugged))
    if plugged:
        yield f"it was plugged in ({', '.join(plugged)}); connect over Wi-Fi and pull the cable"
    if any(reading.frozen for reading in readings):
        yield "the battery's readings are held (adb shell dumpsys battery reset ends that)"
    if any(reading.charging for reading in readings):
        yield "the battery was not discharging throughout"
    if any(reading.charge_uah is None for reading in readings):
        yield "the device tells no charge counter"
    if len({reading.counter for reading in readings}) > 1:
        yield "the charge counter came from two places"
    if any(reading.voltage_mv is None for reading in readings):
        yield "the device tells no voltage that can be right"
    if any(reading.level is None or reading.level <= LEAST_LEVEL for reading in readings):
        yield f"the battery was at {LEAST_LEVEL} % or below"
    if len({reading.screen for reading in readings}) > 1:
        yield "the screen went on or off"
    if len({reading.connections for reading in readings}) > 1:
        yield "the connection was lost in between"


def _too_little(idle: Sequence[PowerReading], load: Sequence[PowerReading]) -> Iterator[str]:
    seconds, used, step = load[-1].at_s - load[0].at_s, _used(load), _step([*idle, *load])
    if seconds < LEAST_S:
        yield f"{seconds:.0f} s are too short; it needs {LEAST_S:.0f} s"
    if step is None or used <= 0:
        yield "the charge counter did not go down"
    elif any(after > before for before, after in pairwise(_charges(load))):
        yield "the charge counter went up though nothing charged"
    elif step > MOST_RESOLUTION * used:
        yield f"the charge counter moved by {used / step:.0f} of its steps only; sustain it for longer"
    elif not LEAST_W <= _joules(load, used) / seconds <= MOST_W:
        yield f"the charge counter says {_joules(load, used) / seconds:.3g} W, which no phone takes"


def _energy(idle: Sequence[PowerReading], load: Sequence[PowerReading], inferences: int) -> Energy | NoEnergy:
    if inferences < 1:
        return NoEnergy(reason="no inference was counted")
    used, step = _used(load), _step([*idle, *load]) or 0
    net, why = _net(idle, load, step)
    per_uah = _joules(load, 1) * MJ_PER_JOULE / inferences
    return Energy(
        mj=per_uah * used,
        net_mj=None if net is None else per_uah * net,
        no_net=why,
        charge_uah=used,
        voltage_mv=_voltage(load),
        inferences=inferences,
        seconds=load[-1].at_s - load[0].at_s,
        resolution=step / used,
    )


def _net(idle: Sequence[PowerReading], load: Sequence[PowerReading], step: int) -> tuple[float | None, str | None]:
    """The charge without what the device takes anyhow, or the reason why that cannot be told."""
    if not idle:
        return None, "the idle device was not measured"
    rest = load[0].at_s - idle[0].at_s
    took = _used([*idle, load[0]])
    if rest <= 0 or took < 0:
        return None, "the idle device used no charge"
    scale = (load[-1].at_s - load[0].at_s) / rest
    net = _used(load) - took * scale
    # Each of the two differences is known to a step.
    if net <= 0 or step * (1 + scale) > MOST_RESOLUTION * net:
        return None, "the counter is too coarse to tell what the idle device takes"
    return net, None


def _charges(readings: Sequence[PowerReading]) -> list[int]:
    return [reading.charge_uah or 0 for reading in readings]


def _used(load: Sequence[PowerReading]) -> int:
    charges = _charges(load)
    return charges[0] - charges[-1]


def _step(load: Sequence[PowerReading]) -> int | None:
    """The least move between two readings: no less than the counter's own step, however it is made. None when it
    never moved."""
    charges = _charges(load)
    return min((abs(b - a) for a, b in pairwise(charges) if a != b), default=None)


def _voltage(load: Sequence[PowerReading]) -> float:
    return sum(reading.voltage_mv or 0 for reading in load) / len(load)


def _joules(load: Sequence[PowerReading], charge_uah: float) -> float:
    return charge_uah * _voltage(load) * JOULES_PER_UAH_MV
