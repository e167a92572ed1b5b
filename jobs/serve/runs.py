"""What the index says of each run, read from its results.json, which may be anybody's."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from common.artifact import MOST_JSON_BYTES
from common.numbers import percent, speedup
from common.problems import first_problem
from common.schema.choice import Candidate, Choice
from common.schema.results import Results
from jobs.serve.folders import names, opened

RESULTS = "results.json"
DAMAGED, WAITING = "damaged", "no report yet"


@dataclass(frozen=True)
class Entry:
    """A run as a row of the index. `problem` is empty for one that can be shown; then the rest is."""

    name: str
    when: datetime
    problem: str = ""
    title: str = ""
    reference: str = ""
    recommended: str = ""
    speed: str = ""
    quality: str = ""
    devices: tuple[str, ...] = ()
    has_card: bool = False


@dataclass
class Shelf:
    """The runs below a folder. A results file is read again only when it has changed."""

    folder: Path
    _read: dict[str, tuple[tuple[int, int, int], Entry]] = field(default_factory=dict)

    def entries(self) -> list[Entry]:
        """Every run, the newest first."""
        found = [self._entry(name) for name in names(self.folder)]
        self._read = {entry.name: self._read[entry.name] for entry in found if entry.name in self._read}
        return sorted(found, key=lambda entry: entry.when, reverse=True)

    def _entry(self, name: str) -> Entry:
        try:
            with opened(self.folder, name, "report", RESULTS) as stream:
                status = os.fstat(stream.fileno())
                stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
                known = self._read.get(name)
                if known is None or known[0] != stamp:
                    written = datetime.fromtimestamp(status.st_mtime, UTC)
                    known = self._read[name] = (stamp, entry(name, written, stream.read(MOST_JSON_BYTES + 1)))
        except FileNotFoundError:
            return Entry(name, self._changed(name), WAITING)
        except OSError as error:
            return Entry(name, self._changed(name), f"{DAMAGED}: {RESULTS} cannot be opened ({error.strerror})")
        return known[1]

    def _changed(self, name: str) -> datetime:
        try:
            return datetime.fromtimestamp((self.folder / name).lstat().st_mtime, UTC)
        except OSError:
            return datetime.fromtimestamp(0, UTC)


def entry(name: str, written: datetime, content: bytes) -> Entry:
    """A run by the content of its results file, which was `written` then. Pure."""
    if len(content) > MOST_JSON_BYTES:
        return Entry(name, written, f"{DAMAGED}: {RESULTS} has more than the {MOST_JSON_BYTES >> 20} MiB allowed")
    try:
        results = Results.model_validate_json(content)
    except ValidationError as error:
        return Entry(name, written, f"{DAMAGED}: {RESULTS}: {first_problem(error, None)}")
    choice = results.choice
    best = None if choice is None else _candidate(choice, choice.best)
    return Entry(
        name=name,
        when=_finished(results, written),
        title=results.title,
        reference=results.reference,
        recommended="nothing" if choice is not None and choice.best is None else "" if best is None else best.name,
        speed=_speed(best),
        quality="" if best is None or choice is None else _quality(best, choice),
        devices=_devices(results),
        has_card=choice is not None and choice.card is not None,
    )


def _finished(results: Results, written: datetime) -> datetime:
    # A time without a zone can be compared with none that has one.
    told = [each.finished_at for each in results.provenance if each.finished_at.tzinfo is not None]
    return max(told, default=written)


def _candidate(choice: Choice, name: str | None) -> Candidate | None:
    return next((each.candidate for each in choice.standings if each.candidate.name == name), None)


def _speed(best: Candidate | None) -> str:
    if best is None or best.ratio is None:
        return ""
    word = "" if best.difference is None else f", {best.difference}"
    return f"{speedup(best.ratio)}{word}"


def _quality(best: Candidate, choice: Choice) -> str:
    word = best.keeping or ""
    if best.name == choice.reference:
        word = "reference"
    if best.accuracy is not None:
        return f"{percent(best.accuracy.value)}{f', {word}' if word else ''}"
    return f"score {best.score:.4g}{f', {word}' if word else ''}" if best.score is not None else word


def _devices(results: Results) -> tuple[str, ...]:
    measured: Sequence[str] = [each.target for each in results.measurements]
    return tuple(dict.fromkeys([*(each.name for each in results.targets), *measured]))
