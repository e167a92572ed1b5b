"""What the measuring protocol claims, beside what is true, in sessions on a simulated target.

    python -m tests.benchmarks.simulated [rounds|equal|found] [--sessions 2000]

Prints the tables of docs/benchmarks.md, all three unless one is named: called different at every number of rounds, by
chance among 36 equal variants, and how many true differences are found.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import chain
from typing import Annotated

import numpy as np
import typer

from common.schema.experiment import Backend
from tests.benchmarks.simulated import before
from tests.benchmarks.simulated.noises import BURSTS, CALM, NOISES, PHONE, Array
from tests.benchmarks.simulated.sessions import Scene, Session, simulate
from tests.benchmarks.simulated.tables import compared_before, found, of, percent, table

ROUNDS = tuple(range(3, 16))
BOTH: tuple[Backend, ...] = ("cpu", "xnnpack")
# Ten of eighteen are as fast as the reference, two each are faster and slower by 5 and by 10 %.
MIXED = (1.0,) * 10 + (1.05, 1 / 1.05) * 2 + (1.1, 1 / 1.1) * 2


class Part(StrEnum):
    """A table."""

    rounds = "rounds"
    equal = "equal"
    found = "found"


def by_rounds(sessions: int, seed: int) -> Iterator[str]:
    """Two equal variants at every number of rounds: called different, and how often the interval holds the truth."""
    rows: list[list[object]] = []
    for noise in NOISES:
        scene = Scene(noise, (1.0, 1.0, 1.05, 1.1), rounds=ROUNDS[-1], most_rounds=ROUNDS[-1])
        ended = simulate(scene, sessions, seed, at=ROUNDS)
        at = [[session[place] for session in ended] for place in range(len(ROUNDS))]
        rows.append([noise.name, "called different", *(percent(t.differs for t in of(s, 1.0)) for s in at)])
        rows.append(["", "interval excludes the truth", *(percent(not t.covers for t in of(s)) for s in at)])
        rows.append(["", "a true 5 % called as fast", *(percent(t.word == "as fast" for t in of(s, 1.05)) for s in at)])
        past = [compared_before(Scene(noise, (1.0,) * 4), sessions, seed, n) for n in ROUNDS]
        rows.append(["", "called different before", *(different(before.called(one.noise[:, 0])) for one in past)])
    return table(["%", "", *map(str, ROUNDS)], rows)


def all_equal(sessions: int, seed: int) -> Iterator[str]:
    """18 variants on two backends, all of them the reference's equals: any called different in a session."""
    rows: list[list[object]] = []
    for noise in NOISES:
        scene = Scene(noise, (1.0,) * 18, BOTH)
        ended = [session[0] for session in simulate(scene, sessions, seed)]
        past = compared_before(scene, sessions, seed)
        row: list[object] = [noise.name, *_cost(ended)]
        row.append(percent(any(told.differs for told in session.told) for session in ended))
        row += [percent(one.differs for one in of(ended)), percent(one.covers for one in of(ended))]
        row.append(percent(one.word == "as fast" for one in of(ended)))
        row += [different(np.abs(called).max(axis=1)) for called in (past.called(), past.called_in_practice())]
        rows.append(row)
    heads = ["noise", "rounds", "processes", "too busy %", "any different %", "each %", "covered %", "as fast %"]
    return table([*heads, "any, before %", "any, usual practice %"], rows)


def differences_found(sessions: int, seed: int) -> Iterator[str]:
    """38 cells of which some truly differ: found, by the protocol, the rules before, and usual practice."""
    rows: list[list[object]] = []
    for noise in (CALM, PHONE, BURSTS):
        scene = Scene(noise, MIXED, BOTH)
        ended = [session[0] for session in simulate(scene, sessions, seed)]
        past = compared_before(scene, sessions, seed)
        row: list[object] = [noise.name, *_cost(ended)[:2]]
        for gain in (1.05, 1.1):
            row.append(found(of(ended, gain)))
            row += [past.found(called, gain) for called in (past.called(), past.called_in_practice())]
        row.append(percent(one.word == "as fast" for one in of(ended, 1.05)))
        row += [percent(one.covers for one in of(ended)), percent(one.differs for one in of(ended, 1.0))]
        rows.append(row)
    heads = ["noise", "rounds", "processes", "5 % found", "before", "usual practice", "10 % found", "before"]
    return table([*heads, "usual practice", "5 % called as fast", "covered %", "equal called different %"], rows)


def different(called: Array) -> float:
    """Percent that are called faster or slower."""
    return 100 * float(np.mean(called != 0))


def _cost(ended: list[Session]) -> tuple[float, float, float]:
    """Mean rounds and processes, and percent that were too busy."""
    rounds, processes = (
        sum(values) / len(ended) for values in ([s.rounds for s in ended], [s.processes for s in ended])
    )
    return float(rounds), float(processes), percent(session.too_busy for session in ended)


PARTS: dict[Part, Callable[[int, int], Iterator[str]]] = {
    Part.rounds: by_rounds,
    Part.equal: all_equal,
    Part.found: differences_found,
}


def main(
    part: Annotated[Part | None, typer.Argument()] = None,
    sessions: Annotated[int, typer.Option(min=1)] = 2000,
    seed: int = 1,
) -> None:
    """Print the tables."""
    for one in [part] if part else list(Part):
        print(f"{one}, {sessions} sessions each\n", flush=True)
        for line in chain(PARTS[one](sessions, seed), [""]):
            print(line, flush=True)


if __name__ == "__main__":
    typer.run(main)
