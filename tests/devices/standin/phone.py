"""The stand-in's phone: files, processes, log, settings, and the programs that a command names."""

import re
import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from tests.devices.phone import texts
from tests.devices.phone.body import Body
from tests.devices.phone.logcat import Log
from tests.devices.phone.personality import Apps, Personality, Thermal
from tests.devices.phone.system import State
from tests.devices.standin.faults import Fault, Faults, Point
from tests.devices.standin.filesystem import FileSystem
from tests.devices.standin.process import Killed, Process, ProcessTable
from tests.devices.standin.processor import Processor
from tests.devices.standin.shell.interpreter import NOT_EXECUTABLE, NOT_FOUND, SIGNAL_WORDS, SIGNALLED, Shell
from tests.devices.standin.shell.streams import Files

ELF = b"\x7fELF"
# e_machine of an ELF header, little-endian at byte 18.
MACHINES = {"arm64-v8a": 183, "armeabi-v7a": 40, "x86_64": 62, "x86": 3}
COUNTER = "/sys/class/power_supply/battery/charge_counter"
BINARIES = ("/system/bin/", "/bin/", "/system/xbin/")


@dataclass
class Call:
    """One started program: who it is, what it was given, and where its output goes."""

    phone: "Phone"
    shell: Shell
    process: Process
    argv: tuple[str, ...]
    files: Files

    @property
    def name(self) -> str:
        """The program's name without its folder."""
        return self.argv[0].rpartition("/")[2]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the name."""
        return self.argv[1:]

    def out(self, text: str) -> None:
        """Write to stdout."""
        self.files.out(text.encode(errors="surrogateescape"))

    def err(self, text: str) -> None:
        """Write to stderr."""
        self.files.err(text.encode(errors="surrogateescape"))

    def fail(self, text: str, status: int = 1) -> int:
        """Complain as `name: text` and return the status."""
        self.err(f"{self.name}: {text}\n")
        return status

    def sub(self, argv: Sequence[str], *, instead: bool = False) -> int:
        """Run another program as a child of this one, or in its place, as nohup and taskset do."""
        shell = self.shell.child()
        shell.process = self.process
        self.process.becomes = instead
        return self.phone.execute(shell, list(argv), self.files)


Program = Callable[[Call], int]


@dataclass(frozen=True)
class Recording:
    """A recorded run of the tool: replayed for arguments that `matching` is found in; takes `seconds`."""

    matching: str
    stdout: bytes
    stderr: bytes
    status: int
    seconds: float = 0.0


@dataclass
class Phone:
    """Everything of the phone but its connection. `programs` and `builtins` are found by name."""

    personality: Personality
    programs: dict[str, Program]
    builtins: dict[str, Program]
    tool: Program
    files: FileSystem = field(init=False)
    state: State = field(init=False)
    body: Body = field(init=False)
    processor: Processor = field(init=False)
    apps: Apps = field(init=False)
    processes: ProcessTable = field(default_factory=ProcessTable)
    log: Log = field(default_factory=Log)
    faults: Faults = field(default_factory=Faults)
    recordings: list[Recording] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    slowdown: float = 1.0
    survivors: bool = False
    tool_runs: int = 0
    boot_id: str = field(default_factory=lambda: str(uuid4()))
    on_fault: Callable[[Fault], None] = lambda fault: None

    def __post_init__(self) -> None:
        """Build the file tree that the personality implies."""
        self.files = FileSystem(self.personality.storage)
        kind = self.personality
        self.state = State(dict(kind.properties), kind.battery, kind.thermal)
        self.body = Body(kind.power, kind.battery)
        self.processor = Processor(self.files, kind.cores)
        self.apps = kind.apps
        self.files.add(COUNTER, b"")

    @property
    def environment(self) -> dict[str, str]:
        """What every shell inherits."""
        return {"HOME": "/", "PATH": "/system/bin:/vendor/bin", "TMPDIR": "/data/local/tmp", "USER": "shell"}

    def read(self, path: str) -> bytes:
        """Content of a file, also of the ones in /proc that are made when read. Raises OSError."""
        made: dict[str, Callable[[], str]] = {
            "/proc/cpuinfo": lambda: texts.cpuinfo(self.personality.cores),
            "/proc/meminfo": lambda: texts.meminfo(self.personality.memory_kb),
            "/proc/version": lambda: f"Linux version {self.personality.kernel} (build@build) #1 SMP PREEMPT\n",
            "/proc/uptime": self.processor.uptime,
            "/proc/stat": self.processor.stat,
            COUNTER: lambda: f"{self.state.battery.charge_uah}\n",
            # Drawn by the kernel when it starts; a test that starts the phone again draws another.
            "/proc/sys/kernel/random/boot_id": lambda: f"{self.boot_id}\n",
            "/proc/loadavg": lambda: "0.10 0.20 0.30 1/900 4242\n",
        }
        if path in made:
            return made[path]().encode()
        if match := re.fullmatch(r"/proc/(self|\d+)/(status|cmdline|stat)", path):
            return self._process_file(match[1], match[2])
        return self.files.read(path)

    def _process_file(self, who: str, what: str) -> bytes:
        process = None if who == "self" else self.processes.get(int(who))
        if who != "self" and process is None:
            raise FileNotFoundError(2, "No such file or directory", f"/proc/{who}/{what}")
        argv = process.argv if process else ("cat",)
        if what == "cmdline":
            return "\0".join((*argv, "")).encode()
        if what == "stat":
            ticks = process.ticks if process else 0
            fields = " ".join(["S", "1", *["0"] * 9, str(ticks), "0", *["0"] * 36])
            return f"{process.pid if process else 1} ({argv[0][-15:]}) {fields}\n".encode()
        count = len(self.personality.cores)
        name = argv[0].rpartition("/")[2]
        mask = process.mask if process and process.mask is not None else self.processor.mask
        return f"Name:\t{name}\nCpus_allowed:\t{mask:x}\nCpus_allowed_list:\t0-{count - 1}\n".encode()

    # ---- programs ----------------------------------------------------------------------------------
    def execute(self, shell: Shell, argv: list[str], files: Files) -> int:
        """Run a program by name or path; its exit status as a shell sees it."""
        name = argv[0]
        if builtin := self.builtins.get(name):
            call = Call(self, shell, shell.process, tuple(argv), files)
            try:
                return builtin(call)
            except (ValueError, IndexError, KeyError) as wrong:
                return call.fail(f"bad arguments: {' '.join(call.arguments)} ({wrong})")
        process = self._started(shell, tuple(argv))
        call = Call(self, shell, process, tuple(argv), files)
        try:
            return self._program(call)(call)
        except (ValueError, IndexError, KeyError) as wrong:
            # Programs here take their arguments on trust; what a real one would refuse ends here.
            return call.fail(f"bad arguments: {' '.join(call.arguments)} ({wrong})")
        except Killed as killed:
            if killed.number in SIGNAL_WORDS and killed.number != 13:
                files.err(f"{SIGNAL_WORDS[killed.number]} \n".encode())
            return SIGNALLED + killed.number
        finally:
            self.processes.end(process)

    def _started(self, shell: Shell, argv: tuple[str, ...]) -> Process:
        if not shell.process.becomes:
            return self.processes.start(argv, shell.process.pid)
        shell.process.becomes, shell.process.argv = False, argv
        return shell.process

    def _program(self, call: Call) -> Program:
        name = call.argv[0]
        short = name
        for folder in BINARIES:
            short = short.removeprefix(folder)
        if "/" not in short:
            there = None if short in self.personality.missing else self.programs.get(short)
            return there or (lambda c: _refuse(c, "inaccessible or not found", NOT_FOUND))
        path = call.shell.path(name)
        try:
            node = self.files.node(path)
            may = self.files.executable(path) and not self.personality.storage.noexec
        except OSError:
            return lambda c: _refuse(c, "inaccessible or not found", NOT_FOUND)
        if not may:
            why = "Is a directory" if node.is_folder else "Permission denied"
            return lambda c: _refuse(c, f"can't execute: {why}", NOT_EXECUTABLE)
        if not node.data.startswith(ELF):
            return lambda c: _script(c, node.data)
        machine = int.from_bytes(node.data[18:20], "little")
        starts = self.personality.starts or self.personality.abis
        if machine not in [MACHINES[abi] for abi in starts if abi in MACHINES]:
            bits = 64 if node.data[4:5] == b"\x02" else 32
            return lambda c: _refuse(c, f"not executable: {bits}-bit ELF file", NOT_EXECUTABLE)
        return self.tool

    def due(self, point: Point, subject: str) -> list[Fault]:
        """Faults that this event fires."""
        return self.faults.take(point, subject)

    def write_log(self, pid: int, level: str, tag: str, text: str) -> None:
        """A line in the log, now."""
        self.log.write(time.time(), pid, level, tag, text)

    def stop(self) -> None:
        """Be switched off."""
        for process in self.processes:
            process.kill(9)
        self.state.properties["sys.boot_completed"] = ""

    def boot(self, seconds: float) -> None:
        """Start: for so long Android does not say that it has, and for as long again the cores are busy."""
        self.processor.start(2 * seconds)
        timer = threading.Timer(seconds, self.state.properties.__setitem__, ("sys.boot_completed", "1"))
        timer.daemon = True
        timer.start()

    def live(self, seconds: float, *, works: bool) -> None:
        """Let time pass for the battery and the heat."""
        self.body.live(seconds, works=works)
        self.state.battery = self.body.battery(self.state.battery)

    def heat(self, status: int, celsius: float) -> None:
        """Set the thermal status and raise every sensor."""
        sensors = tuple(
            replace(sensor, celsius=sensor.celsius + celsius, status=status) for sensor in self.state.thermal.sensors
        )
        self.state.thermal = Thermal(status, sensors)


def _refuse(call: Call, why: str, status: int) -> int:
    call.err(f"{call.shell.name}: {call.argv[0]}: {why}\n")
    return status


def _script(call: Call, source: bytes) -> int:
    shell = Shell(call.phone, call.process, call.argv[0], call.argv[1:], dict(call.shell.variables), call.shell.cwd)
    return shell.run(source.decode(errors="surrogateescape"), call.files)


def fake_binary(abi: str = "arm64-v8a", size: int = 4096, mark: bytes = b"") -> bytes:
    """An ELF header for an ABI and padding: the stand-in runs it as benchmark_model, with a `mark` of
    `phone.newer` as that of LiteRT 2.x."""
    bits = 2 if "64" in abi else 1
    head = ELF + bytes([bits, 1, 1]) + bytes(9) + (2).to_bytes(2, "little") + MACHINES[abi].to_bytes(2, "little")
    return head + mark + bytes(max(size - len(head) - len(mark), 0))


def is_link(mode: int) -> bool:
    """Whether a mode is a symbolic link's."""
    return stat.S_ISLNK(mode)
