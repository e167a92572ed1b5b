"""What disturbs a process, in five kinds of places, as factors of its latency. Pure; everything in logarithms.

    latency = true latency x process x spike x slow load x episode x heat

The figures were fitted to A/A sessions: the spread of two processes of one file by their distance in time.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# Slow noise is drawn on a grid of so many seconds.
GRID_S = 0.5
# A process takes so long, from session to session, and within a session up to a fifth less or more: 38 of them make
# a round of 40 to 80 seconds.
PROCESS_S = (1.05, 2.1)
WITHIN = (0.8, 1.2)
# Bursts: 30 % at least, four times at most.
LEAST_BURST, MOST_BURST = np.log(1.3), np.log(4.0)
# Heat: a latency of 1.6 times after three minutes, gone after two more; the period differs from phone to phone.
HEAT, HEATING_S, COOLING_S, PERIODS = 0.6, 180.0, 120.0, (0.9, 1.1)


@dataclass(frozen=True)
class Slow:
    """Load that comes and goes: an Ornstein-Uhlenbeck process with this standard deviation and time constant."""

    sd: float
    seconds: float


@dataclass(frozen=True)
class Noise:
    """One kind of place. `process` is the standard deviation between processes, `spikes` the share of them that a
    burst hits, `episodes` the mean length of a burst and of the quiet between two, in seconds."""

    name: str
    process: float
    spikes: float = 0.0
    slow: tuple[Slow, ...] = ()
    episodes: tuple[float, float] | None = None
    heat: bool = False


CALM = Noise("calm host", process=0.012, spikes=0.01, slow=(Slow(0.008, 60),))
PHONE = Noise("phone with heat", process=0.016, spikes=0.01, slow=(Slow(0.008, 60),), heat=True)
LOADED = Noise("loaded machine", process=0.08, spikes=0.05, slow=(Slow(0.14, 15), Slow(0.367, 100)))
# A third of that: not busy enough to claim nothing, and the hardest for claims.
A_THIRD = Noise("a third of its load", process=0.027, spikes=0.017, slow=(Slow(0.047, 15), Slow(0.122, 100)))
BURSTS = Noise("quiet with bursts", process=0.005, slow=(Slow(0.015, 60),), episodes=(3, 24))
NOISES = (CALM, PHONE, LOADED, A_THIRD, BURSTS)


@dataclass(frozen=True)
class Draws:
    """The noise of many sessions: `path` (sessions, moments of the grid) and `process` (sessions, processes) are
    logarithms of factors, `seconds` (sessions, processes) how long each process takes."""

    path: Array
    process: Array
    seconds: Array


def draw(noise: Noise, sessions: int, processes: int, seed: tuple[int, ...]) -> Draws:
    """The noise of `sessions` sessions of at most `processes` processes each."""
    random = np.random.default_rng(seed)
    moments = int(processes * PROCESS_S[1] * WITHIN[1] / GRID_S) + 1
    shape = (sessions, processes)
    path = np.zeros((sessions, moments))
    for slow in noise.slow:
        path += _wandering(random, path.shape, slow)
    if noise.heat:
        path += _heat(random, path.shape)
    if noise.episodes is not None:
        path += _episodes(random, path.shape, *noise.episodes)
    process = noise.process * random.standard_normal(shape)
    process += np.where(random.random(shape) < noise.spikes, _bursts(random, shape, 0.2), 0.0)
    seconds = random.uniform(*PROCESS_S, (sessions, 1)) * random.uniform(*WITHIN, shape)
    return Draws(path, process, seconds)


def _wandering(random: np.random.Generator, shape: tuple[int, int], slow: Slow) -> Array:
    keep = np.exp(-GRID_S / slow.seconds)
    steps = slow.sd * random.standard_normal(shape)
    steps[:, 1:] *= np.sqrt(1 - keep**2)
    for moment in range(1, shape[1]):
        steps[:, moment] += keep * steps[:, moment - 1]
    return steps


def _heat(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Heat rises straight and falls straight, from a moment of its own in every session."""
    period = (HEATING_S + COOLING_S) * random.uniform(*PERIODS, (shape[0], 1))
    phase = (GRID_S * np.arange(shape[1]) / period + random.random((shape[0], 1))) % 1
    top = HEATING_S / (HEATING_S + COOLING_S)
    logs: Array = np.log1p(HEAT * np.where(phase < top, phase / top, (1 - phase) / (1 - top)))
    return logs


def _episodes(random: np.random.Generator, shape: tuple[int, int], length_s: float, quiet_s: float) -> Array:
    """Bursts that last: each has one size, and begins and ends at any moment with the same probability."""
    begins = random.random(shape) < -np.expm1(-GRID_S / quiet_s)
    ends = random.random(shape) < -np.expm1(-GRID_S / length_s)
    sizes = _bursts(random, shape, 0.15)
    path = np.zeros(shape)
    path[:, 0] = np.where(random.random(shape[0]) < length_s / (length_s + quiet_s), sizes[:, 0], 0.0)
    for moment in range(1, shape[1]):
        before = path[:, moment - 1]
        going_on = np.where(ends[:, moment], 0.0, before)
        path[:, moment] = np.where(before > 0, going_on, np.where(begins[:, moment], sizes[:, moment], 0.0))
    return path


def _bursts(random: np.random.Generator, shape: tuple[int, int], mean: float) -> Array:
    logs: Array = np.minimum(LEAST_BURST + random.exponential(mean, shape), MOST_BURST)
    return logs
