"""What to measure, and which sessions of the ledger can be used for it. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from common.schema.benchmark import Cell, Runner, SessionLine
from common.schema.environment import Environment
from common.schema.experiment import Benchmark as Settings
from common.schema.variant import Variant
from jobs.benchmark.ledger import Index
from jobs.benchmark.order import group
from jobs.benchmark.rounds import Limits, limits, next_step
from jobs.benchmark.session import Session

# Settings that do not change how a process runs: asking for something else later costs no new measurement.
SUSTAINED = frozenset({"sustained", "sustained_variants", "sustained_backends"})
ASIDE = SUSTAINED | {"outputs_images", "profile", "app", "tool", "rounds", "most_rounds", "budget"}
# Younger than the first ledgers: where they are not asked for everything is as it was before they were there.
YOUNGEST = frozenset({"fixed_performance", "cores"})
YOUNGER = YOUNGEST | {"extra_flags"}
SHOWN_DIGITS = 12
# Those of the ones above that a session of the form before was told apart by.
ASIDE_BEFORE = ASIDE - {"rounds"}


@dataclass(frozen=True)
class Wanted:
    """All that should be measured, and under which conditions; runs under others are not mixed in.

    `reference` is the variant that the others are paired with; `fingerprint` names the machine. `facts` and
    `settings` are what the two hashes stand for, in words. `examined` is what is asked for apart from latencies: the
    number of images to answer, and whether to profile.
    """

    cells: tuple[Cell, ...]
    reference: str
    seed: int
    fingerprint: str
    settings_sha256: str
    limits: Limits
    examined: tuple[int, bool | None] = (0, False)
    settings_before_sha256: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    app_sha256: str | None = None
    tools: tuple[tuple[str, str], ...] = ()

    def allows(self, session: SessionLine) -> bool:
        """Whether a session was measured on this machine with these settings."""
        settings = self.settings_before_sha256 if session.reference is None else self.settings_sha256
        return session.fingerprint == self.fingerprint and session.settings_sha256 == settings

    def accepts(self, session: SessionLine, cell: Cell) -> bool:
        """Whether a cell of a session was measured so, by the same program: the fingerprint tells the one that is
        usual, and sessions of earlier versions do not tell which app it was."""
        if cell.runner == "app":
            same = session.app_sha256 in (None, self.app_sha256)
        else:
            before, now = dict(session.tools), dict(self.tools)
            beside = (cell.runner, *(("npu",) if cell.backend == "npu" else ()))
            same = all(before.get(name) == now.get(name) for name in beside)
        return same and self.allows(session)


def want(
    models: Mapping[str, str],
    settings: Settings,
    *,
    reference: str,
    seed: int,
    fingerprint: str,
    runners: Mapping[str, Sequence[Runner]] | None = None,
    facts: tuple[tuple[str, str], ...] = (),
    kind: Literal["host", "android"] = "host",
    ranked: bool = True,
    app_sha256: str | None = None,
    tools: tuple[tuple[str, str], ...] = (),
    samples_sha256: str | None = None,
    npu: Mapping[str, str] | None = None,
) -> Wanted:
    """The matrix of an experiment, given the sha256 of each variant's file; `ranked`: latencies are compared here.
    `runners` are the programs that measure a backend, the executable where it is not among them.
    `samples_sha256` is of what the models are fed with, None where they are fed with anything; `npu` are the hashes of
    the files that were compiled for an NPU."""
    compiled = {name: (npu or {}).get(name, sha256) for name, sha256 in models.items()}
    cells = tuple(
        Cell(variant=name, model_sha256=files[name], backend=backend, threads=threads, runner=runner)
        for name in models
        for backend, files in ((backend, compiled if backend == "npu" else models) for backend in settings.backends)
        for threads in settings.threads
        for runner in (runners or {}).get(backend, ("binary",))
    )
    shown = settings.model_dump(mode="json", exclude=set(ASIDE | _unset(settings, YOUNGEST)))
    told = {f"[benchmark] {key}": value for key, value in shown.items()}
    told |= {} if samples_sha256 is None else {"the samples": samples_sha256[:SHOWN_DIGITS]}
    return Wanted(
        cells=cells,
        reference=reference,
        seed=seed,
        fingerprint=fingerprint,
        settings_sha256=_digest(settings, ASIDE, samples_sha256),
        limits=limits(settings, kind, ranked=ranked),
        examined=(settings.outputs_images, settings.profile),
        settings_before_sha256=_digest(settings, ASIDE_BEFORE),
        facts=facts,
        settings=tuple((key, str(value)) for key, value in told.items()),
        app_sha256=app_sha256,
        tools=tools,
    )


def want_on(
    target: Environment,
    made: Mapping[str, Variant],
    settings: Settings,
    *,
    reference: str,
    seed: int,
    runners: Mapping[str, Sequence[Runner]],
    samples_sha256: str | None,
) -> Wanted:
    """The same of variants that were made, on a target that tells what it is."""
    return want(
        {name: variant.model.sha256 for name, variant in made.items()},
        settings,
        reference=reference,
        seed=seed,
        fingerprint=target.fingerprint,
        runners=runners,
        facts=target.lasting,
        kind=target.kind,
        ranked=not target.functional_only,
        app_sha256=target.app_sha256,
        tools=target.tools,
        samples_sha256=samples_sha256,
        npu={name: one.compiled.model.sha256 for name, one in made.items() if one.compiled is not None},
    )


def _digest(settings: Settings, aside: frozenset[str], samples_sha256: str | None = None) -> str:
    text = settings.model_dump_json(exclude=set(aside | _unset(settings, YOUNGER))) + (samples_sha256 or "")
    return hashlib.sha256(text.encode()).hexdigest()


def _unset(settings: Settings, names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if not getattr(settings, name))


def binary_of(cell: Cell) -> Cell:
    """The same measured with the binary, which the app is compared with."""
    return cell.model_copy(update={"runner": "binary"})


def resumable(index: Index, wanted: Wanted) -> Session | None:
    """The last session if it is not over and everything in it is still wanted."""
    last = index.last
    if last is None or not wanted.allows(last.line) or next_step(last, wanted.limits) is None:
        return None
    cells = last.line.cells
    return last if set(cells) <= set(wanted.cells) and all(wanted.accepts(last.line, c) for c in cells) else None


def unmeasured(index: Index, wanted: Wanted) -> tuple[Cell, ...]:
    """Cells for a new session: those without a complete set of rounds here, the binary's of the app's, and the
    reference's of the same backend and threads, since only one session's processes can be compared."""
    missing = {cell for cell in wanted.cells if complete_session(index, cell, wanted) is None}
    missing |= {binary_of(cell) for cell in missing if cell.runner == "app"}
    groups = {group(cell) for cell in missing}
    return tuple(
        cell for cell in wanted.cells if cell in missing or (cell.variant == wanted.reference and group(cell) in groups)
    )


def complete_session(index: Index, cell: Cell, wanted: Wanted) -> Session | None:
    """The latest session that has all rounds of `cell`, all of them ended alike and without a failure: a backend that
    is there in one round only has failed in the others."""
    for session in reversed(index.sessions_of(cell)):
        if not (session.sound and wanted.accepts(session.line, cell)):
            continue
        runs = session.kept[cell]
        kinds = {run.outcome.kind for run in runs}
        fewest = wanted.limits.fewest if session.bracketed else session.line.rounds
        if len({run.round for run in runs}) >= fewest and len(kinds) == 1 and "failed" not in kinds:
            return session
    return None


def shown_session(index: Index, cell: Cell, wanted: Wanted) -> Session:
    """The session that a cell's row is made from: the latest complete one, else the latest that has something."""
    complete = complete_session(index, cell, wanted)
    if complete is not None:
        return complete
    return [session for session in index.sessions_of(cell) if session.kept[cell]][-1]
