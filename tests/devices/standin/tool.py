"""benchmark_model on the stand-in: recorded runs, drawn latencies, real answers, and what faults make of them."""

import hashlib
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.devices.phone import newer, texts
from tests.devices.phone.classic import app
from tests.devices.phone.classic import tool as classic
from tests.devices.phone.classic.runtime import Execution, Memory, Model, Operator, Session, Tensor, ToolError
from tests.devices.phone.litert import answers, inspect, spoil
from tests.devices.phone.personality import Behaviour, Delegate, Delegates
from tests.devices.standin.faults import Fault, Kind, Point
from tests.devices.standin.phone import Call, Phone
from tests.devices.standin.process import Killed, Process
from tests.devices.standin.shell.streams import Writer

# A model that only the stand-in takes: enough for tests that need no answers.
FAKE_MODEL = b"\x1c\x00\x00\x00TFL3FAKE"
FAKE_NODES = 25
FAKE_ANSWER = ((0.25, 0.75),)
NOT_A_MODEL = "The model is not a valid Flatbuffer buffer"
SIGNAL_NAMES = {6: "SIGABRT", 7: "SIGBUS", 9: "SIGKILL", 11: "SIGSEGV"}
# The first run also fills caches.
FIRST_RUN_FACTOR = 1.4
THREAD_GAIN = 0.7
GARBAGE_BYTES = 4096
APP = "org.tensorflow.lite.benchmark"
MISSING_LIBRARY = 'java.lang.UnsatisfiedLinkError: dlopen failed: library "libtensorflowlite_benchmark.so" not found'
# Of the system and debuggerd, as if they ran.
SYSTEM_PROCESS, DUMPING_PROCESS = 1411, 30023
# What one throttling run adds to the latencies and to the sensors.
THROTTLE_FACTOR = 1.25
THROTTLE_CELSIUS = 6.0


class _Cut(Exception):  # noqa: N818
    """The output ends here, though the tool would say more."""


def fake_model(seed: int = 0, size: int = 2000) -> bytes:
    """Bytes that the stand-in takes for a model; another seed is another model."""
    return FAKE_MODEL + seed.to_bytes(4, "little") + bytes(max(size - len(FAKE_MODEL) - 4, 0))


def run(call: Call) -> int:
    """The tool as a program of the shell."""
    subject = " ".join(call.argv)
    for recording in call.phone.recordings:
        if recording.matching in subject:
            call.process.wait(recording.seconds)
            call.files.out(recording.stdout)
            call.files.err(recording.stderr)
            return recording.status
    runtime = Runtime(call.phone, call.process, call.files.out, call.files.err, call.phone.due(Point.TOOL, subject))
    runtime.folder = call.shell.cwd
    runtime.program = call.phone.files.read(call.shell.path(call.argv[0]))
    return runtime.main(call.arguments, call.argv[0])


def start_app(phone: Phone, package: str, given: str) -> None:
    """The tool as an app: arguments split at blanks, everything to the log, no exit status anywhere."""
    process = phone.processes.start((package,))

    def write(level: str, tag: str, text: str) -> None:
        if phone.apps.shown:
            phone.write_log(process.pid, level, tag, text)

    given = app.completed(given, package)
    write("I", app.ACTIVITY_TAG, app.greeting(given))
    for line in phone.apps.beside:
        level, tag, text = line.split(" ", 2)
        phone.write_log(app.OTHER_PROCESS, level, tag, text)
    for line in phone.apps.complaint:
        write(line[0], app.TAG, line[2:])
    to_log = app.to_log(write)

    def log(data: bytes) -> None:
        # A log has whole lines only.
        to_log(data[: data.rfind(b"\n") + 1].decode(errors="replace"))

    runtime = Runtime(phone, process, log, log, phone.due(Point.TOOL, f"{package} {given}"))
    try:
        if runtime.java_crash(package):
            return
        runtime.main(given.split(), package)
        # Its activity is gone; the process stays until somebody ends it.
        process.wait(None)
    except Killed:
        return
    finally:
        phone.processes.end(process)


@dataclass
class _Drawn:
    """A session whose latencies are drawn and whose answers, when asked for, are the interpreter's."""

    runtime: "Runtime"
    model: Model
    execution: Execution
    latency_us: float
    init_us: int
    generator: random.Random
    runs: int = 0

    def invoke(self) -> int:
        """Draw a latency and spend it, as far as the pace says."""
        self.runtime.strike()
        spread = self.runtime.phone.personality.timing.spread
        drawn = self.latency_us * self.generator.lognormvariate(0, spread) * self.runtime.phone.slowdown
        drawn *= self.runtime.phone.body.slowdown
        if not self.runs:
            drawn *= FIRST_RUN_FACTOR
        self.runs += 1
        self.runtime.spend(drawn / 1e6)
        return max(int(drawn), 1)

    def outputs(self) -> bytes:
        """Right or wrong answers to the given inputs."""
        if self.model.content.startswith(FAKE_MODEL):
            return bytes(spoil(np.array(FAKE_ANSWER, np.float32), self.execution.outputs).tobytes())
        return answers(self.model, self.execution)

    def memory(self) -> Memory:
        """A little more than the model."""
        size = len(self.model.content) / 1e6
        return Memory(size * 1.5 + 2, size * 1.6 + 2.5, size * 2 + 6)


class Runtime:
    """The tool's world on the stand-in."""

    def __init__(self, phone: Phone, process: Process, out: Writer, err: Writer, faults: Sequence[Fault]) -> None:
        """`faults` are the ones that this run has."""
        self.phone, self.process = phone, process
        self.folder = "/"
        self.program = b""
        self._out, self._err = out, err
        self._faults = {fault.kind: fault for fault in faults}
        self._written = 0
        self.delegates = self._choose(phone.personality.delegates)

    def main(self, argv: Sequence[str], program: str) -> int:
        """Run the tool under this run's faults; the exit status. Raises Killed."""
        self.phone.tool_runs += 1
        self._load_libraries(argv)
        if Kind.THROTTLE in self._faults:
            self.phone.slowdown *= THROTTLE_FACTOR
            self.phone.heat(min(self.phone.state.thermal.status + 1, 6), THROTTLE_CELSIUS)
        if Kind.GARBAGE in self._faults:
            self._out(_seeded(self.phone.tool_runs).randbytes(GARBAGE_BYTES))
            return 0
        try:
            if newer.MARK in self.program:
                marks = (newer.OLDER, newer.OLDEST, newer.SILENT)
                mark = next((mark for mark in marks if mark in self.program), newer.MARK)
                return newer.main(argv, self, program, mark)
            return classic.main(argv, self, program)
        except _Cut:
            return 0

    def java_crash(self, package: str) -> bool:
        """Die of an exception before anything is said, if that is ordered."""
        if Kind.JAVA_CRASH not in self._faults:
            return False
        for line in texts.java_crash(self.process.pid, package, MISSING_LIBRARY):
            self.phone.write_log(self.process.pid, "E", "AndroidRuntime", line)
        self._die(package, signal.SIGKILL)
        return True

    def _die(self, package: str, number: int) -> None:
        for tag, line in texts.deaths(self.process.pid, package, number):
            self.phone.write_log(SYSTEM_PROCESS, "I", tag, line)

    def strike(self) -> None:
        """Crash or hang where the first inference would be, unless the order counts bytes."""
        self.process.check()
        for kind in (Kind.CRASH, Kind.HANG):
            fault = self._faults.get(kind)
            if fault and not fault.after_bytes:
                self._end(fault)

    def spend(self, seconds: float) -> None:
        """Let time pass at the personality's pace; the battery and the heat know the time that it would take."""
        self.phone.live(seconds, works=True)
        pace = self.phone.personality.timing.pace
        if pace:
            self.process.wait(seconds * pace)

    def out(self, text: str) -> None:
        """Write to stdout, up to where a fault cuts it."""
        data = text.encode()
        for kind in (Kind.CRASH, Kind.HANG, Kind.TRUNCATED):
            fault = self._faults.get(kind)
            if (
                fault
                and (fault.after_bytes or kind is Kind.TRUNCATED)
                and self._written + len(data) > fault.after_bytes
            ):
                self._out(data[: max(fault.after_bytes - self._written, 0)])
                self._end(fault)
        self._written += len(data)
        self._out(data)

    def err(self, text: str) -> None:
        """Write to stderr."""
        self._err(text.encode())

    def read(self, path: str) -> bytes:
        """A file of the phone."""
        return self.phone.read(self._path(path))

    def write(self, path: str, content: bytes) -> None:
        """A file on the phone."""
        self.phone.files.write(self._path(path), content)

    def model(self, path: str, content: bytes) -> Model:
        """A fake model, or one that LiteRT can read."""
        if content.startswith(FAKE_MODEL):
            tensor = Tensor("serving_default_input_1:0", (1, 128, 128, 3), 4)
            nodes = tuple(Operator("CONV_2D", f"node{index}", 1 / FAKE_NODES) for index in range(FAKE_NODES))
            return Model(path, content, (tensor,), nodes)
        if content[4:8] != b"TFL3":
            raise ToolError(NOT_A_MODEL)
        return inspect(path, content)

    def prepare(self, model: Model, execution: Execution) -> Session:
        """Latencies of this model by this backend: the same model is always as fast."""
        timing = self.phone.personality.timing
        digest = hashlib.sha256(model.content).digest()
        weight = 0.4 + 0.6 * digest[0] / 255
        how = getattr(self.phone.personality.delegates, execution.backend, Delegate(speed=1.0, init_ms=0.4))
        threads = min(execution.threads, len(self.phone.personality.cores))
        gain = 1 + THREAD_GAIN * (threads - 1) if execution.backend in ("cpu", "xnnpack") else 1.0
        batch = execution.shapes[0][0] if execution.shapes else 1
        generator = _seeded(f"{timing.seed} {digest.hex()} {execution.backend} {threads} {self.phone.tool_runs}")
        init_us = max(int(how.init_ms * 1000 * generator.lognormvariate(0, timing.spread)), 1)
        self.spend(init_us / 1e6)
        latency_us = timing.latency_us * weight / how.speed / gain * batch
        return _Drawn(self, model, execution, latency_us, init_us, generator)

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else f"{self.folder.rstrip('/')}/{path}"

    def _choose(self, delegates: Delegates) -> Delegates:
        if Kind.SILENT_FALLBACK in self._faults:
            absent = Delegate(Behaviour.ABSENT)
            return replace(delegates, gpu=absent, nnapi=absent, hexagon=absent, npu=absent)
        if fault := self._faults.get(Kind.WRONG_OUTPUTS):
            names = ("xnnpack", "gpu", "nnapi", "hexagon", "npu")
            return replace(delegates, **{n: replace(getattr(delegates, n), outputs=fault.outputs) for n in names})
        return delegates

    def _load_libraries(self, argv: Sequence[str]) -> None:
        """Hexagon's delegate opens its interface by this name; the flag of TensorFlow's tool says where it lies."""
        given = [word.partition("=")[2] for word in argv if word.startswith("--hexagon_lib_path=")]
        if not any(f"{folder.rstrip('/')}/libhexagon_interface.so" in self.phone.files.nodes for folder in given):
            self.delegates = replace(self.delegates, hexagon=Delegate(Behaviour.ABSENT))

    def _end(self, fault: Fault) -> None:
        if fault.kind is Kind.HANG:
            self.process.wait(None)
        if fault.kind is Kind.TRUNCATED:
            raise _Cut
        package = self.process.argv[0] if self.process.argv[0] == APP else ""
        program = package or "benchmark_model"
        if fault.signal != signal.SIGKILL:
            name = SIGNAL_NAMES.get(fault.signal, f"signal {fault.signal}")
            own = texts.fatal_signal(self.process.pid, program, fault.signal, name)
            self.phone.write_log(self.process.pid, "F", "libc", own)
            for line in texts.tombstone(self.process.pid, program, fault.signal, name):
                self.phone.write_log(DUMPING_PROCESS, "F", "DEBUG", line)
        if package:
            self._die(package, fault.signal)
        raise Killed(fault.signal)


def _seeded(seed: int | str) -> random.Random:
    return random.Random(seed)  # noqa: S311


def flood(phone: Phone, lines: int) -> None:
    """Fill the log with other apps' lines."""
    now = time.time()
    for number in range(lines):
        phone.log.write(now, 1200 + number % 50, "D", f"chatter{number % 7}", f"line {number} of somebody else")
