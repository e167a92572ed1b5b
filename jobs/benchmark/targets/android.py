"""An Android device as a target: each cell in a fresh process of Google's `benchmark_model`."""

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from common.adb import facts as device_facts
from common.adb.cores import Told, with_cores_of
from common.adb.errors import TransportError
from common.adb.facts import DeviceFacts
from common.adb.server import Server
from common.adb.survey import survey
from common.artifact import sha256_file
from common.errors import EdgeproofError, UsageError
from common.printable import clean, tell
from common.schema.benchmark import Cell, Runner
from common.schema.environment import Environment
from common.schema.examination import Examination
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Outcome
from common.schema.power import DeviceState, PowerReading
from jobs.benchmark.android import alone, binaries, builds, npu
from jobs.benchmark.android.affinity import pinned
from jobs.benchmark.android.app import App
from jobs.benchmark.android.builds import Build, Builds
from jobs.benchmark.android.command import Dialect, arguments, lacks
from jobs.benchmark.android.conditions import Conditions
from jobs.benchmark.android.examine import Examiner
from jobs.benchmark.android.executable import Executable, Wish
from jobs.benchmark.android.feeding import flags, unfed
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.leaving import leave
from jobs.benchmark.android.locks import held
from jobs.benchmark.android.npu import Libraries
from jobs.benchmark.android.readings import power_of, state_of, thermal_status_of
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
    target = AndroidTarget(server, serial, purpose, options, material)
    target.recovery.greet()
    with held(serial, purpose) as hold, ExitStack() as cleanup:
        target.returned = hold.renew
        if not options.keep:
            cleanup.callback(target.clean_up)
        # Before the folder goes, and without it too.
        cleanup.callback(target.conditions.restore)
        target.prepare(settings)
        hold.insist()
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
        self.conditions = Conditions(self.device, self.files)
        self._settings = Settings()
        self._builds: Builds = {}
        self._executables: dict[Runner, Executable] = {}
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

    def prepare(self, settings: Settings, *, hold: bool = True) -> None:
        """Find out what the device is, choose the tool for it and see that it starts there. With `hold` the device is
        kept as it should be while it is measured."""
        self.recovery.persist(lambda: self._prepare(settings, hold=hold))

    def refused(self, backend: str) -> str | None:
        """Why no program measures a backend here, by what they say of themselves; None where one may."""
        executables = [self._executables.get(runner) for runner in self.runners(backend)]
        found = [None if one is None else one.refuses(backend) for one in executables]
        return None if None in found else next(one.reason for one in found if one is not None)

    def _prepare(self, settings: Settings, *, hold: bool) -> None:
        self.recovery.arrive()
        self.recovery.known = survey(self.device)
        abis = binaries.runnable(self.facts.abis, self.facts.translated)
        make = partial(alone.app, self.device, self.files, abis, self.options)
        self._app = make() if settings.app else None
        if "hexagon" in settings.backends:
            self._libraries = binaries.hexagon_libraries(abis, self.options.hexagon, self.options.binary)
            for name, library in self._libraries.items():
                self.files.put(library, name=name)
        self._settings = settings
        self._builds = builds.found(self.device, self.files, self.facts, self.options, settings)
        self._app = alone.alone(self._builds, self._app, self.device.serial, make)
        prefix = pinned(self.device, settings.cores, self.facts.max_khz)
        self.conditions.fixed = settings.fixed_performance
        if hold:
            self.conditions.hold()
        self._executables = {
            runner: Executable(self.device, self.files, build, self._npu_set(build, abis), prefix)
            for runner, build in self._builds.items()
        }
        self.files.require_room()

    def _npu_set(self, build: Build, abis: Sequence[str]) -> Libraries | None:
        """The NPU's libraries for a build, where it is asked for: the published ones go with the published tool."""
        if "npu" not in self._settings.backends or build.dialect is not Dialect.LITERT:
            return None
        vendor, version = npu.vendor(self.facts.soc), binaries.litert_version(abis)
        known = self.options.binary is None and vendor is not None and version is not None
        try:
            published = binaries.npu_libraries(abis, str(vendor), str(version)) if known else None
        except EdgeproofError as error:
            # Whoever gives all of them needs none.
            tell(clean(f"note: without LiteRT's libraries for the NPU: {error.message}"), sys.stderr)
            published = None
        return npu.libraries(published, self.options.npu, build.path)

    def runners(self, backend: str) -> tuple[Runner, ...]:
        """The programs that measure a backend, the one that decides first; the app, which is the classic tool, last."""
        found = builds.runners(self._builds, backend, self.options, self._settings)
        app: tuple[Runner, ...] = ("app",) if self._app is not None and lacks(Dialect.CLASSIC, backend) is None else ()
        return (*found, *app)

    def environment(self) -> Environment:
        """The device's facts. What measures is part of the fingerprint: another build measures something else. The app
        stands beside it: it may be asked for later without measuring all the rest anew."""
        facts, classic_tool = self.facts, self._builds.get("binary")
        told = [("Serial", self.device.serial), *device_facts.lasting(facts)]
        hidden = [(name, sha256_file(path)) for name, path in self._libraries.items()]
        if classic_tool is not None:
            digest = sha256_file(classic_tool.path)
            told.append(("Tool", f"benchmark_model (classic), sha256 {digest[:SHOWN_DIGITS]}"))
            hidden = [("sha256", digest), *hidden]
        lasting = with_cores_of(tuple(told), self.told_before)
        text = "\n".join(f"{label}={value}" for label, value in (*lasting, *hidden))
        beside = self._beside()
        shown = tuple((builds.BESIDE[name], f"sha256 {digest[:SHOWN_DIGITS]}") for name, digest in beside)
        passing = (*device_facts.passing(facts), *self.conditions.told(), *shown)
        return Environment(
            kind="android",
            name=f"{facts.manufacturer} {facts.model} ({self.device.serial})",
            fingerprint=hashlib.sha256(text.encode()).hexdigest(),
            functional_only=facts.emulator,
            facts=(*lasting, *passing),
            serial=self.device.serial,
            passing=tuple(label for label, _ in passing),
            app_sha256=None if self._app is None else sha256_file(self._app.apk),
            tools=beside,
        )

    def _beside(self) -> tuple[tuple[str, str], ...]:
        """Hashes of what measures some of the cells alone."""
        tools = [(runner, sha256_file(build.path)) for runner, build in self._builds.items() if runner != "binary"]
        sets = [one.libraries.sha256 for one in self._executables.values() if one.libraries is not None]
        return (*tools, *(("npu", digest) for digest in sets[:1]))

    def measure(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Reading:
        """One cell in a fresh process of the tool, or of the app."""
        return Reading(self._process(model, cell, settings, log))

    def memory(self, model: Path, cell: Cell, settings: Settings, log: Path) -> Outcome:
        """One process that is asked for its peak, where the tool can tell it; long enough that it looks."""
        longer = settings.model_copy(update={"min_secs": max(settings.min_secs, PEAK_S)})
        return self._process(model, cell, longer, log, memory=True)

    def _process(self, model: Path, cell: Cell, settings: Settings, log: Path, *, memory: bool = False) -> Outcome:
        name = f"{log.parent.name}/{log.name}"
        limit_s = 2 * settings.max_secs + self.options.slack_s
        executable = self._executables.get("binary" if cell.runner == "app" else cell.runner)
        beside = executable.build.peak if memory and executable is not None else ()

        def attempt() -> Outcome:
            self.conditions.hold()
            more = (*self._fed(cell), *beside)
            if cell.runner == "app":
                graph = self.files.put(model)
                given = (*arguments(Dialect.CLASSIC, cell, settings, graph, self.files.path), *more)
                return self._in_app(given, cell, limit_s, log, name)
            if executable is None:
                raise UsageError(f"no program measures {cell.backend} here", hint="see docs/android.md")
            return executable.run(Wish(model, cell, settings, more, limit_s, log, name))

        if cell.runner != "app" and executable is not None and (refused := executable.refuses(cell.backend)):
            return refused
        try:
            return self.recovery.persist(attempt)
        except TransportError as lost:
            return Failed(reason=f"the device vanished {MOST_ATTEMPTS} times: {lost.message}", log=name)

    def examine(self, model: Path, cell: Cell, settings: Settings, folder: Path, log: str) -> Examination | None:
        """Answers and operators, where the settings ask for them; by the classic tool, also for a program that takes no
        inputs, where it has the backend."""
        wanted = settings.profile or (settings.outputs_images and self.material.asks(cell.variant))
        if not wanted or cell.runner == "app":
            return None
        by, build = self._examiner(cell)
        if build is None:
            return Examination(problems=("the LiteRT 2.x tool takes no inputs and writes no profile",))
        try:
            found = self.recovery.persist(
                lambda: Examiner(self.device, self.files, build.path, self.material).examine(
                    model, cell, settings, folder, log
                )
            )
        except TransportError as lost:
            return Examination(problems=(f"the device vanished {MOST_ATTEMPTS} times: {lost.message}",))
        return found if by == cell.runner else found.model_copy(update={"by": by})

    def _examiner(self, cell: Cell) -> tuple[Runner, Build | None]:
        """Which program looks at a cell: its own, or the classic one beside it."""
        own = self._builds.get(cell.runner)
        if own is not None and own.dialect is Dialect.CLASSIC:
            return cell.runner, own
        beside = self._builds.get("binary")
        return "binary", None if beside is None or beside.lacks(cell.backend) is not None else beside

    def unfed(self, cell: Cell) -> str | None:
        """What this tool cannot be given."""
        feed = self.material.feeds.get(cell.variant, ())
        kind = Dialect.LITERT if cell.runner.startswith("litert") else Dialect.CLASSIC
        return unfed(kind, [(port.tensor, port.shape) for port in feed], cell.runner) if feed else None

    def power(self, at_s: float) -> PowerReading | None:
        """Battery and screen; None when the device vanishes at every try."""
        return power_of(self.recovery, at_s)

    def state(self) -> DeviceState | None:
        """Battery, heat, screen and clocks; None when the device vanishes at every try."""
        return state_of(self.recovery, len(self.facts.max_khz))

    def thermal_status(self) -> int | None:
        """The device's own word; None for one that has no such service, or that is away just now."""
        return thermal_status_of(self.recovery)

    def clean_up(self) -> None:
        """Take everything of ours off the device, and say so when that is not possible."""
        leave(self.device, self.files)

    def _fed(self, cell: Cell) -> tuple[str, ...]:
        """The flags that feed a cell with its first sample; none where the tool draws one."""
        feed = self.material.feeds.get(cell.variant, ())
        return flags(self.files, feed) if feed and self.unfed(cell) is None else ()

    def _in_app(self, given: tuple[str, ...], cell: Cell, limit_s: float, log: Path, name: str) -> Outcome:
        if self._app is None:
            raise UsageError("the app was not prepared", hint="set app = true in [benchmark]")
        return self._app.run(given, cell.backend, limit_s, log, name)

    def _forget(self) -> None:
        """Believe nothing about the device any more: it may have been restarted or wiped."""
        self.returned()
        self.files.forget()
        self.conditions.forget()
        if self._app is not None:
            self._app.forget()
