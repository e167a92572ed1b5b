"""The words for what a reader should know before trusting a benchmark, each with the next step. Pure."""

from common.adb.facts import THERMAL_WORDS
from common.numbers import listed
from common.schema.benchmark import RUNNERS
from common.schema.caution import (
    BatterySaver,
    BusyMachine,
    Caution,
    Disturbed,
    FailedProcesses,
    FewRounds,
    FunctionalOnly,
    Heated,
    LookedAtByAnother,
    LowBattery,
    NotExamined,
    OtherInputs,
    ScreenOff,
    SlowedCores,
    StillWide,
    TooBusy,
    Unfixed,
    WideSpread,
    WrongAnswers,
)

STOPPED = {"budget": "the budget ended", "most rounds": "most_rounds was reached"}


def words(caution: Caution | str) -> str:
    """A sentence or two; benchmarks of earlier versions hold them as such."""
    match caution:
        case str():
            return caution
        case FunctionalOnly():
            return "This target shows that variants run, not how fast: its latencies are never ranked."
        case BusyMachine(used=used, cores=cores):
            return f"The machine was busy before the first process ({used:.1f} of {cores} cores); close other programs."
        case TooBusy():
            return _too_busy(caution)
        case FewRounds(fewest=fewest):
            return f"Fewer than {fewest} rounds: the intervals are wide; raise [benchmark] rounds."
        case StillWide():
            return _still_wide(caution)
        case Heated() | BatterySaver() | LowBattery() | SlowedCores() | ScreenOff() | Unfixed():
            return _of_the_phone(caution)
        case _:
            return _of_variants(caution)


def _of_the_phone(caution: Heated | BatterySaver | LowBattery | SlowedCores | ScreenOff | Unfixed) -> str:
    match caution:
        case Heated(status=status, segments=segments, looks=looks):
            word = THERMAL_WORDS[min(status, len(THERMAL_WORDS) - 1)]
            return (
                f"The device was hot ({word}) before {segments} of {looks} segments: ratios hold, latencies are too "
                "long; take it out of its case, let it cool, and measure again."
            )
        case BatterySaver(segments=segments, looks=looks):
            return (
                f"The battery saver was on before {segments} of {looks} segments and slows the cores down; switch it "
                "off and measure again."
            )
        case LowBattery(level=level, least=least):
            return (
                f"The battery was at {level} %, below {least} %, where phones slow down; charge it and measure again."
            )
        case SlowedCores(share=share, cores=cores, segments=segments, looks=looks):
            held = listed(tuple(str(core) for core in cores))
            return (
                f"Before {segments} of {looks} segments cores {held} might not reach their highest clock ({share:.0%} "
                "of it at least): by heat, a power mode or the vendor; let the device cool, switch power modes off, "
                "and compare its ratios rather than its latencies."
            )
        case ScreenOff(segments=segments, looks=looks):
            return (
                f"The screen was off before {segments} of {looks} segments, where some phones work on few cores; plug "
                "the device in, or keep the screen on in its settings."
            )
        case Unfixed(reason=reason):
            return f"Fixed-performance mode was asked for and is not on: {reason}; leave fixed_performance out."


def _too_busy(caution: TooBusy) -> str:
    where = f"{caution.backend} x{caution.threads}{_program(caution.runner)}"
    return (
        f"Too busy for a claim on {where}: {caution.redone} repetitions of {caution.segments} segments, since the "
        "reference differed from itself; measure on a quieter machine."
    )


def _still_wide(caution: StillWide) -> str:
    why = STOPPED.get(caution.stopped, caution.stopped)
    return (
        f"{caution.wide} of {caution.ratios} ratios are less certain than {caution.width:.0%} after {caution.rounds} "
        f"rounds ({why}); raise it in [benchmark], or measure on a quieter machine."
    )


def _program(runner: str) -> str:
    """What measured, after a word; nothing of the usual one."""
    names: dict[str, str] = {name: f" by{words}" for name, words in RUNNERS.items()}
    return (names | {"binary": "", "app": " in the app"}).get(runner, f" by {runner}")


def _of_variants(
    caution: WideSpread | Disturbed | FailedProcesses | WrongAnswers | NotExamined | OtherInputs | LookedAtByAnother,
) -> str:
    match caution:
        case WideSpread(variants=variants, share=share):
            return (
                f"Processes of the same variant differ by more than {share:.0%} ({listed(variants)}); "
                "trust the paired ratios rather than single latencies, or measure on a quieter machine."
            )
        case Disturbed(variants=variants):
            return (
                f"Other programs kept processes waiting ({listed(variants)}): these ratios are of CPU times, and the "
                "latencies are too long; close other programs."
            )
        case FailedProcesses(count=count):
            return f"{count} process(es) failed; their logs lie beside benchmark.json."
        case WrongAnswers(variant=variant, backend=backend, reason=reason):
            return f"{variant} on {backend} gives wrong answers: {reason}; its latency is not a result."
        case NotExamined(variant=variant, backend=backend, problem=problem):
            return f"{variant} on {backend} could not be looked at: {problem}."
        case OtherInputs(variants=variants, runner=runner, reason=reason):
            return (
                f"{listed(variants)}: measured{_program(runner)} with values of the tool's own, at the shapes in the "
                f"file, not with the samples: {reason}."
            )
        case LookedAtByAnother(runner=runner, backends=backends):
            return (
                f"What was measured{_program(runner)} takes no inputs and writes no profile: the answers and operators "
                f"beside it ({listed(backends)}) are those of the classic tool, whose delegates are others."
            )
