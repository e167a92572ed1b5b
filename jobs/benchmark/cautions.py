"""What a reader should be warned of. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from common.intervals import FEWEST_FOR_RANKS
from common.schema.benchmark import Cell, Noise, Row, SessionFacts, Summary
from common.schema.caution import (
    BusyMachine,
    Caution,
    Disturbed,
    FailedProcesses,
    FewRounds,
    FunctionalOnly,
    LookedAtByAnother,
    NotExamined,
    OtherInputs,
    StillWide,
    TooBusy,
    Unfixed,
    WideSpread,
    WrongAnswers,
)
from common.schema.environment import Environment
from common.schema.power import StateLine
from jobs.benchmark.rounds import WIDE_SHARE
from jobs.benchmark.states import FIXED, REFUSED, cautions_of

# Between processes of one and the same model; above it, small differences mean little.
WIDE_SPREAD = 0.2
# Share of the cores that others use.
BUSY = 0.25
# Too busy has a caution of its own, with the backend.
ENDS = ("budget", "most rounds")


def cautions(
    made: Sequence[Row],
    environment: Environment,
    noises: Sequence[Noise],
    sessions: Sequence[SessionFacts],
    *,
    cores: int,
    busy: float,
    unfed: Mapping[Cell, str],
    states: Sequence[StateLine] = (),
) -> tuple[Caution, ...]:
    """Of a benchmark; `busy` are the cores that others used, 0 where the measuring does not share them. `unfed` says
    why cells were measured with other inputs than the samples, `states` how the place was meanwhile."""
    found: list[Caution] = []
    if environment.functional_only:
        found.append(FunctionalOnly())
    if busy > BUSY * cores:
        found.append(BusyMachine(used=busy, cores=cores))
    if not environment.functional_only:
        found += _of_noise(noises, sessions)
        found += cautions_of(states)
        found += [
            Unfixed(reason=said) for label, said in environment.facts if label == FIXED and said.startswith(REFUSED)
        ]
    found += _of_rows(made)
    found += _examined(made)
    found += _unfed(made, unfed)
    return tuple(found)


def _of_noise(noises: Sequence[Noise], sessions: Sequence[SessionFacts]) -> Iterator[Caution]:
    for noise in noises:
        if noise.too_busy:
            told = noise.model_dump(include={"session", "backend", "threads", "runner", "segments", "redone"})
            yield TooBusy.model_validate(told)
    for one in sessions:
        if one.stopped in ENDS and one.wide > WIDE_SHARE * one.ratios:
            told = one.model_dump(include={"session", "stopped", "rounds", "wide", "ratios", "width"})
            yield StillWide.model_validate(told)


def _of_rows(made: Sequence[Row]) -> Iterator[Caution]:
    summaries = [(row.cell.variant, row.result) for row in made if isinstance(row.result, Summary)]
    fewest = min((summary.rounds for _, summary in summaries), default=FEWEST_FOR_RANKS)
    if fewest < FEWEST_FOR_RANKS:
        yield FewRounds(rounds=fewest, fewest=FEWEST_FOR_RANKS)
    wide = {name for name, s in summaries if s.latency_high_us - s.latency_low_us > WIDE_SPREAD * s.latency_us}
    if wide:
        yield WideSpread(variants=tuple(sorted(wide)), share=WIDE_SPREAD)
    disturbed = {name for name, summary in summaries if summary.from_cpu}
    if disturbed:
        yield Disturbed(variants=tuple(sorted(disturbed)))
    failures = sum(row.failed_rounds for row in made)
    if failures:
        yield FailedProcesses(count=failures)


def _unfed(made: Sequence[Row], unfed: Mapping[Cell, str]) -> Iterator[Caution]:
    cells = [row.cell for row in made if isinstance(row.result, Summary) and row.cell in unfed]
    for runner, reason in dict.fromkeys((cell.runner, unfed[cell]) for cell in cells):
        names = dict.fromkeys(cell.variant for cell in cells if (cell.runner, unfed[cell]) == (runner, reason))
        yield OtherInputs(variants=tuple(names), runner=runner, reason=reason)


def _examined(made: Sequence[Row]) -> Iterator[Caution]:
    others = [row.cell for row in made if row.examination is not None and row.examination.by is not None]
    for runner in dict.fromkeys(cell.runner for cell in others):
        backends = dict.fromkeys(cell.backend for cell in others if cell.runner == runner)
        yield LookedAtByAnother(runner=runner, backends=tuple(backends))
    for row in made:
        if row.examination is None:
            continue
        variant, backend = row.cell.variant, row.cell.backend
        outputs = row.examination.outputs
        if outputs is not None and outputs.wrong is not None:
            yield WrongAnswers(variant=variant, backend=backend, reason=outputs.wrong)
        for problem in row.examination.problems:
            yield NotExamined(variant=variant, backend=backend, problem=problem)
