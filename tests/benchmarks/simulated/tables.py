"""Shares of sessions, as the tables of docs/benchmarks.md show them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.simulated import before
from tests.benchmarks.simulated.noises import Array, draw
from tests.benchmarks.simulated.sessions import Scene, Session, Told

# The rounds of the protocol before, unless an experiment said otherwise.
ROUNDS_BEFORE = 5


@dataclass(frozen=True)
class Compared:
    """Logarithms of ratios (sessions, comparisons, rounds) by the rules before, less the truth; and what the truth is
    (comparisons)."""

    noise: Array
    truth: Array

    def called(self) -> Array:
        """What the rules before call each (sessions, comparisons): 1 faster, -1 slower, 0 neither."""
        return before.called(self.noise + self.truth[:, None])

    def called_in_practice(self) -> Array:
        """What one process each and 3 % call each (sessions, comparisons)."""
        return before.called_in_practice(self.noise[:, :, 0] + self.truth)

    def found(self, called: Array, gain: float) -> float:
        """Percent of those with this true ratio or its inverse that are called what they are."""
        chosen = np.isclose(np.abs(self.truth), np.log(gain))
        return 100 * float((called[:, chosen] == np.sign(self.truth[chosen])).mean())


def compared_before(scene: Scene, sessions: int, seed: int, rounds: int = ROUNDS_BEFORE) -> Compared:
    """The same scene by the rules before: one reference per backend and round, all cells shuffled."""
    count, backends = len(scene.gains), len(scene.backends)
    cells = (count + 1) * backends
    draws = draw(scene.noise, sessions, cells * rounds, (seed, 1, rounds))
    found = before.latencies(draws, cells, rounds, (seed, 2, rounds)).reshape(sessions, rounds, backends, count + 1)
    noise = (found[..., :1] - found[..., 1:]).reshape(sessions, rounds, backends * count)
    return Compared(np.moveaxis(noise, 1, -1), np.log(np.tile(scene.gains, backends)))


def of(sessions: Iterable[Session], gain: float | None = None) -> list[Told]:
    """What was told of all variants, or of those with this true ratio or its inverse."""
    return [told for session in sessions for told in session.told if gain is None or is_gain(told.gain, gain)]


def is_gain(truth: float, gain: float) -> bool:
    """Whether a true ratio is this one, as much faster or as much slower."""
    return bool(np.isclose(abs(np.log(truth)), np.log(gain)))


def percent(hits: Iterable[bool]) -> float:
    """Share of hits in percent."""
    return 100 * float(np.mean(list(hits)))


def found(told: Iterable[Told]) -> float:
    """Percent that are called faster where they are, or slower where they are."""
    return percent(one.word == ("faster" if one.gain > 1 else "slower") for one in told)


def row(cells: Sequence[object]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(_shown(cell) for cell in cells) + " |"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A Markdown table, line by line."""
    yield row(heads)
    yield row(["---"] + ["---:"] * (len(heads) - 1))
    for cells in rows:
        yield row(cells)


def _shown(cell: object) -> str:
    return f"{cell:.1f}" if isinstance(cell, float) else str(cell)
