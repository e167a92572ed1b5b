"""An Android device as a target: each cell in a fresh process of Google's `benchmark_model`."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from common.adb import facts as device_facts
from common.adb.cores import Told, with_cores_of
from common.adb.errors import LimitError, NotReadyError, TimeLimitError, TransportError
from common.adb.facts import DeviceFacts
from common.adb.server import Server
from common.adb.survey import survey
from common.artifact import sha256_file, write_bytes
from common.errors import UsageError
from common.printable import tell
from common.schema.benchmark import Cell
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Outcome, Unsupported
from common.schema.power import PowerReading
from jobs.benchmark.android import binaries, classic, litert, power
from jobs.benchmark.android.app import App
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.android.command import Dialect, arguments, dialect, lacks, peak_flags
from jobs.benchmark.android.examine import Examiner, library_path
from jobs.benchmark.android.feeding import flags, unfed
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.locks import held
from jobs.benchmark.android.recovery import MOST_ATTEMPTS, Recovery
from jobs.benchmark.android.usable import usable_serial
from jobs.benchmark.feeds import Material
from jobs.benchmark.targets import Reading
from jobs.benchmark.targets.device_options import DeviceOptions

SHOWN_DIGITS = 12
# The tool looks at its memory every 50 ms.
PEAK_S = 0.15
NOTHING = Material()


@contextmanager
def android(
    wanted: str,
    purpose: str,
    options: DeviceOptions,
    settings: Settings,
    material: Material = NOTHING,
) -> Iterator["AndroidTarget"]:
    """A device, locked, with the tool on it; cleaned up at the end, also after a failure or Ctrl-C.

    `wanted` is a serial, host:port or any; `purpose` says what for, to those who wait for it.
    Raises NotReadyError for a device that cannot be used now, UsageError for one that never can.
    """
    server = Server()
    serial = usable_serial(server, wanted)
    with held(serial, purpose) as hold, ExitStack() as cleanup:
        target = AndroidTarget(server, serial, purpose, options, material)
        target.returned = hold.renew
        if not options.keep:
            cleanup.callback(target.clean_up)
        target.prepare(settings)
        hold.renew()
        yield target


class AndroidTarget:
    """Runs cells on a device; waits for one that vanishes and repeats what was interrupted."""

    def __init__(
        self,
        server: Server,
        serial: str,
        purpose: str,
        options: DeviceOptions,
        material: Material,
    ) -> None:
        self.options, self.material = options, material
        self.recovery = Recovery(server, serial, options.patience_s, self._forget)
        self.device = self.recovery.device
        self.files = RunFolder(self.device, purpose)
        self.files.expect(material.sizes)
        self._tool: Path | None = None
        self._dialect = Dialect.CLASSIC
        self._peak: tuple[str, ...] = ()
        self._app: App | None = None
        self._libraries: dict[str, Path] = {}
        # Called whenever the device is back after it had vanished.
        self.returned: Callable[[], None] = lambda: None
        # The facts of what was measured here before, the latest last.
        self.told_before: Sequence[Told] = ()

    @property
    def facts(self) -> DeviceFacts:
        """What the device is. Only after `prepare`."""
        if self.recovery.known is None:
            raise RuntimeError("the device was not prepared")
        return self.recovery.known

    @property
    def tool(self) -> Path:
        """The tool's file on this machine. Only after `prepare`."""
        if self._tool is None:
            raise RuntimeError("the device was not prepared")
        return self._tool

    def prepare(self, settings: Settings) -> None:
        """Find out what the device is, choose the tool for it and see that it starts there."""
        self.recovery.persist(lambda: self._prepare(settings))

    def _prepare(self, settings: Settings) -> None:
        self.recovery.arrive()
        self.recovery.known = survey(self.device)
        abis = binaries.runnable(self.facts.abis, self.facts.translated)
        self._tool = binaries.benchmark_binary(abis, self.options.binary)
        if settings.app:
            self._app = App(self.device, self.files, binaries.benchmark_app(abis, self.options.apk))
            # The file, and what is installed of it.
            self.files.expect({"app": 2 * self._app.apk.stat().st_size})
        if "hexagon" in settings.backends:
            self._libraries = binaries.hexagon_libraries(abis, self.options.hexagon, self.options.binary)
            for name, library in self._libraries.items():
                self.files.put(library, name=name)
        told = self.device.run([self.files.put(self.tool, executable=True), "--help"])
        found = dialect(told.text)
        if found is None:
            said = " ".join(told.text.split())[:200] or f"exit status {told.status}"
            hint = "give a build for this device with BENCHMARK_BINARY=<path>"
            raise UsageError(
                f"{self.tool.name} is no benchmark_model that {self.device.serial} runs: {said}", hint=hint
            )
        self._dialect, self._peak = found, peak_flags(told.text)

    def environment(self) -> Environment:
        """The device's facts. What measures is part of the fingerprint: another build measures something else. The app
        stands beside it: it may be asked for later without measuring all the rest anew."""
        facts = self.facts
        digest = sha256_file(self.tool)
        told = (
            ("Serial", self.device.serial),
            *device_facts.lasting(facts),
            ("Tool", f"benchmark_model ({self._dialect.value}), sha256 {digest[:SHOWN_DIGITS]}"),
        )
        lasting = with_cores_of(told, self.told_before)
        beside = [(name, sha256_file(path)) for name, path in self._libraries.items()]
        text = "\n".join(f"{label}={value}" for label, value in (*lasting, ("sha256", digest), *beside))
        passing = device_facts.passing(facts)
        return Environment(
            kind="android",
            name=f"{facts.manufacturer} {facts.model} ({self.device.serial})",
            fingerprint=hashlib.sha256(text.encode()).hexdigest(),
            functional_only=facts.emulator,
            facts=(*lasting, *passing),
            serial=self.device.serial,
            passing=tuple(label for label, _ in passing),
            app_sha256=None if self._app is None else sha256_file(self._app.apk),
        )

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        """One cell in a fresh process of the tool, or of the app."""
        return Reading(self._process(model, cell, settings, log))

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        """One process that is asked for its peak, where the tool can tell it; long enough that it looks."""
        longer = settings.model_copy(update={"min_secs": max(settings.min_secs, PEAK_S)})
        return self._process(model, cell, longer, log, self._peak)

    def _process(self, model: Path, cell: Cell, settings: Settings, log: Path, beside: tuple[str, ...] = ()) -> Outcome:
        name = f"{log.parent.name}/{log.name}"
        words = lacks(self._dialect, cell.backend)
        if words is not None:
            return Unsupported(reason=words)
        limit_s = 2 * settings.max_secs + self.options.slack_s

        def attempt() -> Outcome:
            graph = self.files.put(model)
            given = (*arguments(self._dialect, cell, settings, graph, self.files.path), *self._fed(cell), *beside)
            if cell.runner == "app":
                return self._in_app(given, cell, limit_s, log, name)
            return self._in_shell(given, cell, limit_s, log, name)

        try:
            return self.recovery.persist(attempt)
        except TransportError as lost:
            return Failed(reason=f"the device vanished {MOST_ATTEMPTS} times: {lost.message}", log=name)

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        """Answers and operators, where the settings ask for them; by the classic tool only."""
        wanted = settings.profile or (settings.outputs_images and self.material.asks(cell.variant))
        if not wanted or cell.runner == "app":
            return None
        if self._dialect is not Dialect.CLASSIC:
            return Examination(problems=("the LiteRT 2.x tool takes no inputs and writes no profile",))
        try:
            return self.recovery.persist(
                lambda: Examiner(self.device, self.files, self.tool, self.material).examine(
                    model, cell, settings, folder, log
                )
            )
        except TransportError as lost:
            return Examination(problems=(f"the device vanished {MOST_ATTEMPTS} times: {lost.message}",))

    def unfed(self, cell: Cell) -> str | None:
        """What this tool cannot be given."""
        feed = self.material.feeds.get(cell.variant, ())
        return unfed(self._dialect, [(port.tensor, port.shape) for port in feed], cell.runner) if feed else None

    def power(self, at_s: float) -> PowerReading | None:
        """Battery and screen; None when the device vanishes at every try."""
        try:
            found = self.recovery
            return found.persist(lambda: power.ask(self.device, at_s=at_s, connections=found.connections))
        except TransportError:
            return None

    def thermal_status(self) -> int | None:
        """The device's own word; None for one that has no such service, or that is away just now."""
        try:
            told = self.device.run(["dumpsys", "thermalservice"])
        except (TransportError, TimeLimitError, NotReadyError):
            return None
        return device_facts.thermal_status(told.stdout)

    def clean_up(self) -> None:
        """Take everything of ours off the device, and say so when that is not possible."""
        reason = self._remove() if self.device.answers() else "it does not answer"
        # What was never begun leaves nothing.
        if reason is not None and self.files.holds:
            hint = f"remove it with adb -s {self.device.serial} shell rm -rf {self.files.path}"
            tell(f"warning: {self.files.path} was left on the device: {reason} ({hint})", sys.stderr)

    def _remove(self) -> str | None:
        reason = None
        try:
            if self._app is not None:
                self._app.remove()
        except (TransportError, LimitError, NotReadyError) as error:
            reason = str(error)
        return self.files.remove() or reason

    def _fed(self, cell: Cell) -> tuple[str, ...]:
        """The flags that feed a cell with its first sample; none where the tool draws one."""
        feed = self.material.feeds.get(cell.variant, ())
        return flags(self.files, feed) if feed and self.unfed(cell) is None else ()

    def _in_shell(self, given: tuple[str, ...], cell: Cell, limit_s: float, log: Path, name: str) -> Outcome:
        tool = self.files.put(self.tool, executable=True)
        try:
            ended = self.device.run([tool, *given], limit_s, library_path(cell, self.files))
        except LimitError as over:
            write_bytes(log, over.output.encode("utf-8", "replace"))
            late = isinstance(over, TimeLimitError)
            reason = f"not finished after {limit_s:.0f} s; it was ended" if late else over.message
            return Failed(reason=reason[:500], log=name)
        parts = ("+ " + " ".join([tool, *given]), ended.stdout, "--- stderr", ended.stderr, f"--- {ended.status}\n")
        write_bytes(log, "\n".join(parts).encode("utf-8", "replace"))
        printed = Printed(ended.stdout, ended.stderr, ended.status, name)
        parse = litert.parse if self._dialect is Dialect.LITERT else classic.parse
        return parse(printed, cell.backend)

    def _in_app(self, given: tuple[str, ...], cell: Cell, limit_s: float, log: Path, name: str) -> Outcome:
        if self._app is None:
            raise UsageError("the app was not prepared", hint="set app = true in [benchmark]")
        return self._app.run(given, cell.backend, limit_s, log, name)

    def _forget(self) -> None:
        """Believe nothing about the device any more: it may have been restarted or wiped."""
        self.returned()
        self.files.forget()
        if self._app is not None:
            self._app.forget()
