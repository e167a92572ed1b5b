"""The output of the classic `benchmark_model` to an outcome. Pure; raises nothing.

Forms: tflite/tools/benchmark and tsl's Stat, as LiteRT of 2026-08 prints them; the parts that are missing in
builds since 2020 are optional. Numbers have six significant digits, so that exponents occur.
"""

import math
import re
import signal
from dataclasses import dataclass

from pydantic import ValidationError

from common.schema.outcome import Delegation, Failed, Measured, Outcome, Stat, Unsupported
from jobs.benchmark.android.command import CLASSIC_FLAGS
from jobs.benchmark.android.delegation import CLOSING_PHRASE, TOOL_NAMES, cannot_apply, delegation, errors, refusal

KIB_PER_MIB = 1024
SIGNALLED = 128
# A reason is a line of a table, not a log.
REASON_LENGTH = 500
# The first ones say why, those after them what that led to.
MOST_COMPLAINTS = 3
MOST_COUNT = 1e12
# More digits than any of the tool's numbers has; longer ones are garbage.
NUMBER = r"(\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?)"
START = r"^(?:INFO: )?"
SAME = "(all same)"
COUNT = re.compile(
    START + rf"(count=\d{{1,12}}(?: \w{{1,8}}=[-+\w.]{{1,40}}(?:{re.escape(SAME)})?)*)[ \t]*$", re.MULTILINE
)
TIMINGS = re.compile(
    START + rf"Inference timings in us: Init: {NUMBER}, First inference: {NUMBER}, "
    rf"Warmup \(avg\): {NUMBER}, Inference \(avg\): {NUMBER}[ \t]*$",
    re.MULTILINE,
)
# The line's end is part of it: a figure that was cut off is no figure.
MEMORY = re.compile(
    START + rf"(?:Memory footprint delta from the start of the tool|Peak memory footprint) \(MB\): "
    rf"init={NUMBER} overall={NUMBER}[ \t]*\n",
    re.MULTILINE,
)
# Asked for in processes of its own: the tool has a thread for it then.
PEAK = re.compile(
    START + rf"Overall peak memory footprint \(MB\) via periodic monitoring: {NUMBER}[ \t]*\n", re.MULTILINE
)
# Blank to people, but no blank of a line that the patterns take for whole.
CUT = "\x1c\n"
TERMINAL_END = re.compile(r"\r{1,3}\n")
# Given with the backend's own flag.
LIBRARIES = {"hexagon": {"--hexagon_lib_path"}}
UNKNOWN_FLAGS = re.compile(r"Unconsumed cmdline flags: (.+)")
CANNOT_RUN = re.compile(
    r"Encountered unresolved custom op: .+|Select TensorFlow op\(s\), included in the given model, is\(are\) not .+|"
    r"Regular TensorFlow ops are not supported by this interpreter.*"
)


@dataclass(frozen=True)
class Printed:
    """Everything that a process printed, how it ended, and the file that holds it. An `app` has no exit status: it is 0
    after a result, else 1."""

    stdout: str
    stderr: str
    status: int
    log: str
    app: bool = False

    @property
    def text(self) -> str:
        """Both streams, with line ends as a pipe has them; the order between them is not known. A last line without
        its end gets a mark, so that a figure that was cut off does not look like a whole one."""
        return _closed(self.stdout) + _closed(self.stderr)


def _closed(text: str) -> str:
    # A device before Android 7 prints to a terminal.
    text = TERMINAL_END.sub("\n", text)
    return text if not text or text.endswith("\n") else text + CUT


def parse(printed: Printed, backend: str) -> Outcome:
    """How the process ended. Only what is proven is a measurement: exit status 0, complete figures, no
    argument ignored, and the tool's word that the backend ran."""
    text = printed.text
    if found := UNKNOWN_FLAGS.search(text):
        return _unknown(found[1].split(), printed, backend)
    if words := refusal(text, backend):
        return Unsupported(reason=words[:REASON_LENGTH])
    if printed.status != 0:
        return _stopped(printed, backend)
    proof = delegation(text, backend)
    if proof is None:
        return _failed(_unproven(backend), printed)
    return figures(printed, proof)


def _unknown(flags: list[str], printed: Printed, backend: str) -> Outcome:
    """A build without a backend lacks the protocol's own flag for it; a flag of the experiment's is a mistake."""
    own = {flag.partition("=")[0] for flag in CLASSIC_FLAGS.get(backend, ())} | LIBRARIES.get(backend, set())
    lacking = [flag for flag in flags if flag.partition("=")[0] in own]
    if lacking:
        reason = f"this build of the tool has no such backend: it does not know {' '.join(lacking)}"
        return Unsupported(reason=reason[:REASON_LENGTH])
    return _failed(f"the tool does not know {' '.join(flags)}", printed)


def _stopped(printed: Printed, backend: str) -> Outcome:
    words = cannot_apply(printed.text, backend)
    if words is None and (found := CANNOT_RUN.search(printed.text)):
        words = found[0].strip()
    if words is not None:
        return Unsupported(reason=words[:REASON_LENGTH])
    return _failed(why_stopped(printed), printed)


def why_stopped(printed: Printed) -> str:
    """The reason of a status other than 0, in the tool's words where it has any."""
    complaints = errors(printed.text)
    if printed.status > SIGNALLED:
        # A check that failed says why before it ends the process; what is not said may stand in the device's log.
        said_last = f"; it said last: {complaints[-1]}" if complaints else ""
        return f"the tool was ended by {_signal(printed.status - SIGNALLED)}{said_last}"
    said = [line.strip() for line in printed.text.splitlines() if line.strip() and CLOSING_PHRASE not in line]
    words = "; ".join(complaints[:MOST_COMPLAINTS]) if complaints else (said[-1] if said else "it said nothing")
    return f"{'the app gave up' if printed.app else f'exit status {printed.status}'}: {words}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _unproven(backend: str) -> str:
    if backend == "cpu":
        return "a delegate ran, though plain kernels were asked for"
    return f"the tool does not say that it used {TOOL_NAMES[backend]}"


def figures(printed: Printed, proof: Delegation | None) -> Outcome:
    """The figures of a process that ended well."""
    timings, memory = TIMINGS.findall(printed.text), MEMORY.findall(printed.text)
    peaks = [float(peak) for peak in PEAK.findall(printed.text)]
    phases = [_stat(line) for line in COUNT.findall(printed.text)]
    if len(timings) != 1 or len(memory) != 1 or len(phases) != 2:  # noqa: PLR2004
        return _failed("the tool ended without a complete result", printed)
    warmup, steady = phases
    if warmup is None or steady is None:
        return _failed("the tool timed no inference, or its figures contradict each other", printed)
    init, first, _, mean = (float(value) for value in timings[0])
    if not _close(mean, steady.mean_us):
        return _failed("the tool's figures contradict each other", printed)
    init_mib, overall_mib = (float(value) for value in memory[0])
    try:
        return Measured(
            init_us=init,
            first_us=first,
            warmup=warmup,
            steady=steady,
            memory_init_kib=round(init_mib * KIB_PER_MIB),
            memory_overall_kib=round(overall_mib * KIB_PER_MIB),
            memory_peak_kib=round(peaks[0] * KIB_PER_MIB) if len(peaks) == 1 else None,
            delegation=proof,
        )
    except (ValidationError, OverflowError):
        return _failed("the tool's figures are out of range", printed)


def steady_line(text: str, runs: int) -> Stat | None:
    """The last statistics of a process, where they are of so many runs; None where there are none."""
    lines = COUNT.findall(text)
    found = _stat(lines[-1]) if lines else None
    return found if found is not None and found.count == runs else None


def _close(one: float, other: float) -> bool:
    # The same number in six digits, or rounded to a whole one.
    return math.isclose(one, other, rel_tol=1e-4, abs_tol=1.0)


def _stat(line: str) -> Stat | None:
    """`count=3 first=9 curr=8 min=8 max=9 avg=8.5 std=0 p5=8 median=8 p95=9`; for a single or for equal
    samples only `curr` (`curr=8(all same)`) and the percentiles are there."""
    values = {}
    for word in line.replace(SAME, "").split():
        key, _, text = word.partition("=")
        if not re.fullmatch(NUMBER, text):
            return None
        values[key] = float(text)
    # A number with an exponent may be infinite.
    count, mean = int(min(values.get("count", 0.0), MOST_COUNT)), values.get("avg", values.get("curr"))
    if count < 1 or mean is None or not 0 < mean < math.inf:
        return None
    single = "avg" not in values
    low, high = (mean, mean) if single else (values.get("min"), values.get("max"))
    if low is None or high is None or not low <= mean * (1 + 1e-4) or not mean <= high * (1 + 1e-4):
        return None
    try:
        return Stat(
            count=count,
            mean_us=mean,
            median_us=values.get("median"),
            min_us=low,
            max_us=high,
            std_us=(0.0 if count > 1 else None) if single else values.get("std"),
            p5_us=values.get("p5"),
            p95_us=values.get("p95"),
        )
    except ValidationError:
        return None


def _failed(reason: str, printed: Printed) -> Failed:
    return Failed(reason=reason[:REASON_LENGTH], log=printed.log)
