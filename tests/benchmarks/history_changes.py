"""How often a history names a change: where there is none, and where one is a tenth.

    python -m tests.benchmarks.history_changes

Draws latencies of sessions with lognormal noise, and with bursts of half as much again in a tenth of the sessions.
Thirty series are judged together. Prints Markdown.
"""

import sys

import numpy as np

from jobs.history.pettitt import changes, needed, together

SERIES, HISTORIES, SHIFTS, LEVEL = 30, 400, 400, 0.05
FACTOR = 1.1


def drawn(random: np.random.Generator, sessions: int, noise: float, bursts: float, factor: float = 1.0) -> list[float]:
    """The latencies of a series that is longer by a factor from its middle on."""
    values = np.exp(random.normal(0, noise, sessions)) * np.where(random.random(sessions) < bursts, 1.5, 1.0)
    values[sessions // 2 :] *= factor
    return [float(value) for value in values]


def main() -> None:
    """Print a row per noise and number of sessions."""
    print(f"{SERIES} series need {needed(LEVEL / SERIES)} sessions.\n")
    print("| noise | bursts | sessions | histories with a false change | a tenth found | within two sessions of it |")
    print("| --- | --- | --- | --- | --- | --- |")
    for noise, bursts in ((0.01, 0.0), (0.03, 0.0), (0.03, 0.1), (0.05, 0.0), (0.1, 0.0)):
        for sessions in (16, 24, 40):
            random = np.random.default_rng([sessions, round(1000 * noise), round(100 * bursts)])
            level = LEVEL / together([sessions] * SERIES, LEVEL)
            false = sum(
                any(changes(drawn(random, sessions, noise, bursts), level) for _ in range(SERIES))
                for _ in range(HISTORIES)
            )
            found = [changes(drawn(random, sessions, noise, bursts, FACTOR), level) for _ in range(SHIFTS)]
            near = sum(any(abs(one.place - sessions // 2) <= 2 for one in each) for each in found)
            some = sum(bool(each) for each in found)
            told = (f"{share:.1%}" for share in (false / HISTORIES, some / SHIFTS, near / SHIFTS))
            print(f"| {noise:.0%} | {bursts:.0%} | {sessions} | {' | '.join(told)} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
