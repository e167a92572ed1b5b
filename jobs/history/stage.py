"""The history stage: all runs of a folder to every session of their devices, and what changed when."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

import duckdb

from common.artifact import write_model, writing
from common.errors import EdgeproofError, UsageError
from common.printable import clean
from common.provenance import VERSION
from common.run.past import session
from common.run.spread import spread
from common.schema.history import Device, Figure, History, LeftOut, PastSession
from jobs.history.facts import called
from jobs.history.read import Past, benchmarks, of_benchmark, of_results
from jobs.history.series import judged, marks
from jobs.history.table import Tables

ARTIFACT, CELLS, PAGE = "history.json", "history.parquet", "history.html"
PACKAGES = ("duckdb", "numpy")
# Of a target, and of all of them: what a page can show and a JSON of 32 MiB hold. A run has some hundreds.
MOST_SESSIONS, MOST_FIGURES, MOST_FIGURES_OF_RUN = 400, 40_000, 10_000
# Folders beside a run's, and files, that say that a folder is one.
OF_A_RUN = ("plan", "benchmark", "report")


@dataclass
class Found:
    """What the runs held: sessions by their number in the tables, and what is left out."""

    pasts: dict[int, Past] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


def history(runs: Path, device: str | None, output: Path) -> tuple[History, Path]:
    """Read every run in `runs`, of `device` alone where one is named, and write what they show.

    A run that is damaged is named and left out. Raises UsageError where there are no sessions.
    """
    if not runs.is_dir():
        raise UsageError(f"{runs} is no folder", hint="make all writes runs into runs/; give another folder with RUNS")
    with writing(output, ARTIFACT, runs):
        for old in (CELLS, PAGE):
            (output / old).unlink(missing_ok=True)
        with closing(Tables(output / CELLS)) as tables:
            made = _made(tables, runs, device)
        write_model(output / ARTIFACT, made)
    return made, output


def _made(tables: Tables, runs: Path, device: str | None) -> History:
    found = Found()
    try:
        _read(tables, runs, device, found)
        older = tables.keep(MOST_SESSIONS, MOST_FIGURES)
        sessions = tuple(_sessions(tables, found))
        changed = marks(tables.marks(), tables.files())
        series, testing = judged(tuple(tables.series()), changed)
        tables.export()
    except duckdb.OutOfMemoryException:
        raise EdgeproofError(f"the runs in {runs} hold more than fits into memory", hint="move some away") from None
    return History(
        version=VERSION,
        versions={name: metadata.version(name) for name in PACKAGES},
        folder=clean(str(runs)),
        device=device,
        sessions=sessions,
        devices=tuple(_devices(sessions, found)),
        marks=changed,
        series=series,
        testing=testing,
        older=older,
        left_out=tuple(found.left_out),
    )


# ---- the runs ------------------------------------------------------------------------------------


def _read(tables: Tables, runs: Path, device: str | None, found: Found) -> None:
    """Fill the tables. Raises UsageError where no session is of the device, or there is none."""
    others: set[str] = set()
    for past in _pasts(runs, found):
        if device is not None and device not in (past.session.target, past.machine.serial):
            others.add(past.machine.serial or past.session.target)
            continue
        number = tables.add(past)
        # Of what stands in the tables no second copy is kept.
        found.pasts[number] = replace(past, processes=())
    if found.pasts:
        return
    if others:
        raise UsageError(f"no run in {runs} was measured on {device}", hint=f"there are {', '.join(sorted(others))}")
    first = f" ({found.left_out[0].run}: {found.left_out[0].reason})" if found.left_out else ""
    raise UsageError(f"{runs} holds no finished benchmark{first}", hint="make all makes one; RUNS names another folder")


def _pasts(runs: Path, found: Found) -> Iterator[Past]:
    """Every session. Results files come last, so that a copy of one whose ledger is at hand is known."""
    digests: set[str] = set()
    waiting = []
    for folder in _folders(runs, found):
        name = clean(folder.name)
        try:
            paths = benchmarks(folder)
            if not paths:
                waiting.append(folder)
            for path in paths:
                pasts, digest = of_benchmark(name, path)
                digests.add(digest)
                yield from _taken(name, pasts, found)
        except (EdgeproofError, OSError) as error:
            found.left_out.append(LeftOut(run=name, reason=_reason(error)))
    for folder in waiting:
        try:
            yield from _taken(clean(folder.name), of_results(clean(folder.name), folder, frozenset(digests)), found)
        except (EdgeproofError, OSError) as error:
            found.left_out.append(LeftOut(run=clean(folder.name), reason=_reason(error)))


def _folders(runs: Path, found: Found) -> Iterator[Path]:
    with os.scandir(runs) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        if entry.is_symlink():
            found.left_out.append(LeftOut(run=clean(entry.name), reason="it is a link"))
        elif entry.is_dir() and any((Path(entry.path) / part).is_dir() for part in OF_A_RUN):
            yield Path(entry.path)


def _taken(name: str, pasts: tuple[Past, ...], found: Found) -> tuple[Past, ...]:
    """The sessions of a run's target, or nothing with the reason."""
    if pasts and pasts[0].machine.functional_only:
        reason = f"latencies of {clean(pasts[0].machine.name)} mean nothing: it is an emulator"
    elif sum(len(past.session.typical_us) for past in pasts) > MOST_FIGURES_OF_RUN:
        reason = f"it has more than the {MOST_FIGURES_OF_RUN:,} latencies allowed"
    else:
        return pasts
    found.left_out.append(LeftOut(run=name, reason=reason))
    return ()


def _reason(error: EdgeproofError | OSError) -> str:
    if isinstance(error, EdgeproofError):
        return str(error)
    return clean(f"{error.filename}: {error.strerror}")


# ---- what they show ------------------------------------------------------------------------------


def _sessions(tables: Tables, found: Found) -> Iterator[PastSession]:
    figures: dict[int, list[Figure]] = {}
    for row in tables.figures():
        made = Figure(
            variants=row.variants,
            model_sha256=row.model,
            backend=row.backend,
            threads=row.threads,
            runner=row.runner,
            us=row.us,
            low_us=row.low_us,
            high_us=row.high_us,
            processes=row.processes,
        )
        figures.setdefault(row.place, []).append(made)
    for kept in tables.places():
        past = found.pasts[kept.number]
        yield PastSession(
            run=past.run,
            experiment=past.experiment,
            target=past.session.target,
            at=past.at,
            began=past.session.began,
            conditions=past.session.conditions,
            processor_sha256=past.processor,
            reference_sha256=past.session.reference,
            ledger=past.ledger,
            load=kept.load,
            figures=tuple(figures.get(kept.place, ())),
        )


def _devices(sessions: tuple[PastSession, ...], found: Found) -> Iterator[Device]:
    """Every target, by processor, with the spread that its sessions show."""
    known = {(past.session.target, past.processor): past for past in found.pasts.values()}
    for target, processor in dict.fromkeys((past.target, past.processor_sha256) for past in sessions):
        own = [past for past in sessions if (past.target, past.processor_sha256) == (target, processor)]
        example = known[target, processor]
        taken = [session(past) for past in own]
        yield Device(
            target=target,
            serial=example.machine.serial,
            processor=called(example.facts),
            processor_sha256=processor,
            sessions=len(own),
            first_at=own[0].at,
            last_at=own[-1].at,
            spreads=tuple(spread(target, taken, beside_reference=beside) for beside in (True, False)),
        )
