"""What to measure, and in which order. Pure: matrix and ledger to a seeded plan."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.schema.benchmark import Cell, LedgerLine, RunLine, Runner, SessionLine
from common.schema.experiment import Benchmark as Settings

SUSTAINED = ("sustained", "sustained_variants", "sustained_backends")


@dataclass(frozen=True)
class Slot:
    """One process to run: `order` counts from 0 within the session, `round` from 0."""

    round: int
    order: int
    cell: Cell


@dataclass(frozen=True)
class Wanted:
    """All that should be measured, and under which conditions; runs under others are not mixed in.

    `reference` is the variant that the others are paired with; `fingerprint` names the machine. `facts` and
    `settings` are what the two hashes stand for, in words.
    """

    cells: tuple[Cell, ...]
    reference: str
    rounds: int
    seed: int
    fingerprint: str
    settings_sha256: str
    facts: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def allows(self, session: SessionLine) -> bool:
        """Whether a session was measured on this machine with these settings."""
        return session.fingerprint == self.fingerprint and session.settings_sha256 == self.settings_sha256


def want(
    models: Mapping[str, str],
    settings: Settings,
    *,
    reference: str,
    seed: int,
    fingerprint: str,
    runners: Sequence[Runner] = ("binary",),
    facts: tuple[tuple[str, str], ...] = (),
) -> Wanted:
    """The matrix of an experiment, given the sha256 of each variant's file."""
    cells = tuple(
        Cell(variant=name, model_sha256=sha256, backend=backend, threads=threads, runner=runner)
        for name, sha256 in models.items()
        for backend in settings.backends
        for threads in settings.threads
        for runner in runners
    )
    # What does not change how a process runs is left out: asking for it later costs no new measurement.
    aside = {"outputs_images", "profile", "app", *SUSTAINED} | ({"extra_flags"} if not settings.extra_flags else set())
    digest = hashlib.sha256(settings.model_dump_json(exclude=aside).encode()).hexdigest()
    told = settings.model_dump(mode="json", exclude=aside)
    listed = tuple((f"[benchmark] {key}", str(value)) for key, value in told.items())
    return Wanted(cells, reference, settings.rounds, seed, fingerprint, digest, facts, listed)


def group(cell: Cell) -> tuple[str, int, Runner]:
    """Cells of one group differ in their variant alone, and are compared."""
    return cell.backend, cell.threads, cell.runner


def binary_of(cell: Cell) -> Cell:
    """The same measured with the binary, which the app is compared with."""
    return cell.model_copy(update={"runner": "binary"})


def slots(session: SessionLine) -> tuple[Slot, ...]:
    """All processes of a session: every round holds each cell once, in an order of its own, so that
    drift and heat meet every variant alike."""
    random = np.random.default_rng((session.seed, session.session))
    planned: list[Slot] = []
    for number in range(session.rounds):
        for index in random.permutation(len(session.cells)):
            planned.append(Slot(number, len(planned), session.cells[int(index)]))
    return tuple(planned)


def remaining(session: SessionLine, lines: Sequence[LedgerLine]) -> tuple[Slot, ...]:
    """The processes of a session that the ledger does not hold yet."""
    done = {line.order for line in lines if isinstance(line, RunLine) and line.session == session.session}
    return tuple(slot for slot in slots(session) if slot.order not in done)


def resumable(lines: Sequence[LedgerLine], wanted: Wanted) -> SessionLine | None:
    """The last session if it was interrupted and everything in it is still wanted."""
    sessions = [line for line in lines if isinstance(line, SessionLine)]
    if not sessions or not wanted.allows(sessions[-1]):
        return None
    last = sessions[-1]
    return last if set(last.cells) <= set(wanted.cells) and remaining(last, lines) else None


def unmeasured(lines: Sequence[LedgerLine], wanted: Wanted) -> tuple[Cell, ...]:
    """Cells for a new session: those without a complete set of rounds here, and with them the
    reference's cells of the same backend and threads, and the binary's of the app's, since only one
    session's rounds can be paired."""
    missing = {cell for cell in wanted.cells if session_of(lines, cell, wanted) is None}
    groups = {group(cell) for cell in missing}
    beside = {binary_of(cell) for cell in missing}
    return tuple(
        cell
        for cell in wanted.cells
        if cell in missing | beside or (cell.variant == wanted.reference and group(cell) in groups)
    )


def session_of(lines: Sequence[LedgerLine], cell: Cell, wanted: Wanted) -> SessionLine | None:
    """The latest session in which every round of `cell` ended alike and without a failure: a backend that is
    there in one round only has failed in the others."""
    for line in reversed(lines):
        if isinstance(line, SessionLine) and cell in line.cells and wanted.allows(line):
            runs = runs_of(lines, line.session, cell)
            kinds = {run.outcome.kind for run in runs}
            if len(runs) == line.rounds and len(kinds) == 1 and "failed" not in kinds:
                return line
    return None


def shown_session(lines: Sequence[LedgerLine], cell: Cell, wanted: Wanted) -> SessionLine:
    """The session that a cell's row is made from: the latest complete one, else the latest."""
    complete = session_of(lines, cell, wanted)
    return complete or [line for line in lines if isinstance(line, SessionLine) and cell in line.cells][-1]


def runs_of(lines: Sequence[LedgerLine], session: int, cell: Cell) -> list[RunLine]:
    """The runs of a cell in a session, by round."""
    runs = [line for line in lines if isinstance(line, RunLine) and line.session == session and line.cell == cell]
    return sorted(runs, key=lambda run: run.round)
