"""Load every member in parallel: pixels into one array, fingerprints into records."""

import multiprocessing
import os
import signal
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from common.errors import EdgeproofError
from common.schema.dataset import Quarantined
from jobs.dataset.duplicates import Fingerprint, fingerprint
from jobs.dataset.errors import UnusableFileError
from jobs.dataset.images import Pixels
from jobs.dataset.progress import progress
from jobs.dataset.sources import Member, Source

T = TypeVar("T")
R = TypeVar("R")
# Members per task: a task costs as much as a fifth of a small photo.
CHUNK = 8
# Tasks under way per worker: one to work on and one waiting, which bounds the memory.
TASKS_PER_WORKER = 2


@dataclass(frozen=True)
class Record:
    """A usable image; `row` is its place in the array of all images."""

    name: str
    label: int
    row: int
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Ingested:
    """Everything that a source gave. `images` uint8 [rows, height, width, 3] lies in a file without
    a name, so that it takes disk rather than memory and never outlives the process."""

    images: Pixels
    records: tuple[Record, ...]
    quarantine: tuple[Quarantined, ...]
    images_per_s: float

    @property
    def bad_share(self) -> float:
        """Quarantined files over all files."""
        return len(self.quarantine) / (len(self.quarantine) + len(self.records))


@contextmanager
def ingest(source: Source, height: int, width: int, scratch: Path, workers: int | None = None) -> Iterator[Ingested]:
    """Load the source's members on `workers` (None: all cores); the pixels live as long as the
    context. Records keep the source's order."""
    started = time.monotonic()
    records: list[Record] = []
    quarantine: list[Quarantined] = []
    with tempfile.TemporaryFile(dir=scratch) as file:
        for result in _results(source, height, width, workers or _cores()):
            if isinstance(result, Quarantined):
                quarantine.append(result)
            else:
                # Written, not mapped: a full disk is then an error instead of a signal that kills.
                file.write(result.pixels.tobytes())
                records.append(Record(result.name, result.label, len(records), result.fingerprint))
        file.flush()
        shape = (len(records), height, width, 3)
        images = np.memmap(file, np.uint8, "r", shape=shape) if records else np.empty(shape, np.uint8)
        seconds = time.monotonic() - started
        bad = tuple(sorted(quarantine, key=lambda item: (item.file, item.reason)))
        yield Ingested(images, tuple(records), bad, source.count / seconds)


@dataclass(frozen=True)
class _Loaded:
    name: str
    label: int
    pixels: Pixels
    fingerprint: Fingerprint


def _load(member: Member, height: int, width: int) -> _Loaded | Quarantined:
    try:
        data, pixels = member.load(height, width)
    except UnusableFileError as error:
        return Quarantined(file=member.name, reason=str(error))
    return _Loaded(member.name, member.label, pixels, fingerprint(data, pixels))


def _load_all(members: Sequence[Member], height: int, width: int) -> list[_Loaded | Quarantined]:
    return [_load(member, height, width) for member in members]


def _results(source: Source, height: int, width: int, workers: int) -> Iterator[_Loaded | Quarantined]:
    load = partial(_load_all, height=height, width=width)
    with (
        warnings.catch_warnings(),
        _executor(source, workers) as executor,
        progress("reading images", source.count) as advance,
    ):
        # Pillow warns on the terminal of odd metadata; what matters is in the quarantine.
        warnings.simplefilter("ignore")
        tasks = chunks(source.members(), CHUNK)
        try:
            for results in in_order(executor, load, tasks, workers * TASKS_PER_WORKER):
                yield from results
                advance(len(results))
        except BrokenExecutor:
            hint = "free some memory and run it again"
            raise EdgeproofError("a process that makes images was killed by the system", hint=hint) from None


def chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The items in tuples of `size`, the last of which may be shorter."""
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk


def in_order(executor: Executor, work: Callable[[T], R], tasks: Iterable[T], window: int) -> Iterator[R]:
    """Results of `work` in the order of `tasks`, of which at most `window` are taken ahead."""
    pending: deque[Future[R]] = deque()
    for task in tasks:
        if len(pending) >= window:
            yield pending.popleft().result()
        pending.append(executor.submit(work, task))
    while pending:
        yield pending.popleft().result()


def _executor(source: Source, workers: int) -> Executor:
    # Pillow decodes outside the interpreter lock, so threads do; painting holds it most of the time.
    if not source.picklable:
        return ThreadPoolExecutor(workers)
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, spawn, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
