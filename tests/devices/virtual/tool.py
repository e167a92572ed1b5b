"""benchmark_model on the virtual phone: really runs the model, by the processor whatever the delegate's name."""

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.devices.phone import newer
from tests.devices.phone.classic import tool
from tests.devices.phone.classic.app import ACTIVITY_TAG, OTHER_PROCESS, TAG, completed, greeting, to_log
from tests.devices.phone.classic.runtime import Execution, Memory, Model, Session
from tests.devices.phone.litert import collect, feed, inspect, interpreter
from tests.devices.virtual.machine import FOLDER, FileLog, personality

STDERR = 2
KB_PER_MB = 1024


@dataclass
class _Running:
    """A prepared interpreter. `started_kb` is the highest memory before the preparation, `ready_kb` after."""

    found: Any
    execution: Execution
    init_us: int
    started_kb: int
    ready_kb: int

    def invoke(self) -> int:
        """Run once, in microseconds."""
        started = time.perf_counter_ns()
        self.found.invoke()
        return max((time.perf_counter_ns() - started) // 1000, 1)

    def outputs(self) -> bytes:
        """The last outputs, spoiled where the personality says so."""
        return collect(self.found, self.execution.outputs)

    def memory(self) -> Memory:
        """Growth of the highest resident size."""
        now = _peak_kb()
        grown = [(kb - self.started_kb) / KB_PER_MB for kb in (self.ready_kb, now)]
        return Memory(grown[0], grown[1], now / KB_PER_MB)


class Runtime:
    """The tool's world: this machine's files and interpreter."""

    def __init__(self, out: Callable[[str], object], err: Callable[[str], object]) -> None:
        """`out` and `err` take text."""
        self.delegates = personality().delegates
        self._out, self._err = out, err

    def out(self, text: str) -> None:
        """Write to stdout."""
        self._out(text)

    def err(self, text: str) -> None:
        """Write to stderr."""
        self._err(text)

    def read(self, path: str) -> bytes:
        """Content of a file. Raises OSError."""
        return Path(path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Write a file. Raises OSError."""
        Path(path).write_bytes(content)

    def model(self, path: str, content: bytes) -> Model:
        """Look into a model. Raises ToolError."""
        with _quiet():
            return inspect(path, content)

    def prepare(self, model: Model, execution: Execution) -> Session:
        """Build the interpreter: plain kernels for `cpu`, XNNPACK for everything else. Raises ToolError."""
        before = _peak_kb()
        started = time.perf_counter_ns()
        # The library announces its XNNPACK delegate by itself, and the tool's texts have that line already.
        with _quiet():
            found = interpreter(model.content, execution.threads, delegate=execution.backend != "cpu")
            feed(found, execution)
        init_us = (time.perf_counter_ns() - started) // 1000
        return _Running(found, execution, init_us, before, _peak_kb())


def binary(argv: Sequence[str]) -> int:
    """The program; `argv` with its name."""

    def out(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    main = newer.main if Path(argv[0]).name.startswith("litert") else tool.main
    return main(argv[1:], Runtime(out, sys.stderr.write), argv[0])


def app(package: str, given: str) -> int:
    """The app: everything to the log, arguments split at blanks."""
    log, how = FileLog(FOLDER / "log.jsonl"), personality().apps
    pid = os.getpid()
    given = completed(given, package)

    def say(level: str, tag: str, text: str) -> None:
        if how.shown:
            log.write(pid, level, tag, text)

    say("I", ACTIVITY_TAG, greeting(given))
    for line in how.beside:
        log.write(OTHER_PROCESS, *line.split(" ", 2))
    for line in how.complaint:
        say(line[0], TAG, line[2:])
    write = to_log(say)
    return tool.main(given.split(), Runtime(write, write), package)


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what native code writes to stderr from showing."""
    sys.stderr.flush()
    kept = os.dup(STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)
