"""One process of an executable on a device: its command line, its output kept, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common.adb.errors import LimitError, TimeLimitError
from common.adb.server import Device
from common.artifact import write_bytes
from common.schema.benchmark import Cell
from common.schema.experiment import Benchmark as Settings
from common.schema.outcome import Failed, Outcome, Unsupported
from jobs.benchmark.android import classic, litert, npu
from jobs.benchmark.android.builds import Build
from jobs.benchmark.android.classic import Printed
from jobs.benchmark.android.command import (
    RESULT,
    RUNTIME_INFO,
    Dialect,
    arguments,
    npu_flags,
    written_flags,
)
from jobs.benchmark.android.examine import library_path
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.android.litert import Written
from jobs.benchmark.android.npu import Libraries

REASON_LENGTH = 500


@dataclass(frozen=True)
class Wish:
    """A process that is wanted: `more` are flags beside the protocol's, `log` the file that gets all that it prints and
    `name` what that is called."""

    model: Path
    cell: Cell
    settings: Settings
    more: Sequence[str]
    limit_s: float
    log: Path
    name: str


class Executable:
    """An executable on a device. `libraries` are those of its NPU, `pinned` what pins it to cores."""

    def __init__(
        self,
        device: Device,
        files: RunFolder,
        build: Build,
        libraries: Libraries | None,
        pinned: tuple[str, ...] = (),
    ) -> None:
        self.device, self.files, self.build, self.libraries, self.pinned = device, files, build, libraries, pinned
        if libraries is not None:
            libraries.expect(files)

    def refuses(self, backend: str) -> Unsupported | None:
        """Why nothing has to be tried."""
        words = self.build.lacks(backend)
        if words is None and backend == "npu" and self.libraries is None:
            words = npu.LACKING
        return None if words is None else Unsupported(reason=words)

    def run(self, wish: Wish) -> Outcome:
        """One fresh process. Raises TransportError."""
        cell = wish.cell
        folder = None if self.libraries is None or cell.backend != "npu" else self.libraries.put(self.files)
        newer, written = self.build.dialect is Dialect.LITERT, self._written()
        given = (
            *self.pinned,
            self.files.put(self.build.path, executable=True),
            *arguments(self.build.dialect, cell, wish.settings, self.files.put(wish.model), self.files.path),
            *(npu_flags(folder)),
            # Also of a build that writes nothing: then nothing may be left to the CPU.
            *(written_flags(cell.backend, self.build.flags, written) if newer else ()),
            *wish.more,
        )
        try:
            ended = self.device.run(given, wish.limit_s, library_path(cell, self.files, folder))
        except LimitError as over:
            write_bytes(wish.log, over.output.encode("utf-8", "replace"))
            late = isinstance(over, TimeLimitError)
            reason = f"not finished after {wish.limit_s:.0f} s; it was ended" if late else over.message
            return Failed(reason=reason[:REASON_LENGTH], log=wish.name)
        parts = ("+ " + " ".join(given), ended.stdout, "--- stderr", ended.stderr, f"--- {ended.status}\n")
        write_bytes(wish.log, "\n".join(parts).encode("utf-8", "replace"))
        printed = Printed(ended.stdout, ended.stderr, ended.status, wish.name)
        if not newer:
            return classic.parse(printed, cell.backend)
        required = RUNTIME_INFO not in self.build.flags
        return litert.parse(printed, cell.backend, replace(self._take(written), required=required))

    def _written(self) -> dict[str, str]:
        """Where this process is to write its figures and its graph, by flag."""
        if self.build.dialect is Dialect.CLASSIC:
            return {}
        known = [flag for flag in (RESULT, RUNTIME_INFO) if flag in self.build.flags]
        return {flag: self.files.new_path(f"{flag}.pb") for flag in known}

    def _take(self, written: dict[str, str]) -> Written:
        found = dict(zip(written, self.files.take_all(list(written.values())), strict=True))
        return Written(result=found.get(RESULT), runtime=found.get(RUNTIME_INFO))
