"""Read an experiment file."""

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from common.artifact import open_plain
from common.errors import UsageError
from common.problems import first_problem
from common.schema.duration import LONGEST, Duration
from common.schema.experiment import Data, Experiment

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

# Tables and lists in each other; an experiment has five.
DEEPEST = 20
# The largest one that comes with the project has 6 KiB. A key of many parts takes the square of their number to read,
# and stands on one line.
MOST_BYTES, MOST_LINE_BYTES, MOST_LINE_DOTS = 256 << 10, 2048, 100


@dataclass(frozen=True)
class LoadedExperiment:
    """The experiment with the name its artifacts carry (the file's stem), its file's hash, and the folder
    that the paths of model files start at."""

    name: str
    sha256: str
    settings: Experiment
    folder: Path


def load(path: Path, *, data: str = "", data_sha256: str = "") -> LoadedExperiment:
    """Load and validate a TOML experiment; `data` replaces its data source.

    Raises UsageError naming the file and the key.
    """
    replaced = _given_data(data, data_sha256)
    try:
        raw = _content(path)
    except FileNotFoundError:
        raise UsageError(f"experiment {path} does not exist", hint="see experiments/ for examples") from None
    except OSError as error:
        raise UsageError(f"experiment {path} is not readable TOML: {error}") from None
    return parsed(raw, path, replaced)


def parsed(raw: bytes, path: Path, replaced: Data | None = None) -> LoadedExperiment:
    """Validate the content of an experiment file, which need not be there; `replaced` takes its data's place.

    Raises UsageError naming the file and the key.
    """
    try:
        table = tomllib.loads(raw.decode("utf-8-sig"))
        _refuse_times(table, path)
    except ValueError as error:
        # A ValueError of its own is raised for a number with thousands of digits.
        raise UsageError(f"experiment {path} is not readable TOML: {error}") from None
    except RecursionError:
        raise UsageError(f"experiment {path} is nested too deeply", hint="see docs/experiments.md") from None
    if not NAME.fullmatch(path.stem):
        hint = "use letters, digits, dot, dash and underscore, and begin with a letter or digit"
        raise UsageError(f"experiment {path} has a name that cannot be a folder", hint=hint)
    # What is no table is refused below.
    if replaced is not None and isinstance(table.setdefault("data", {}), dict):
        table["data"] |= {"source": replaced.source, "sha256": replaced.sha256}
    try:
        # Through JSON, so that lists become tuples while every other coercion stays forbidden.
        settings = Experiment.model_validate_json(json.dumps(table))
    except ValidationError as error:
        raise UsageError(f"experiment {path}: {first_problem(error, table)}", hint="see docs/experiments.md") from None
    except ValueError as error:
        raise UsageError(f"experiment {path}: {error}", hint="see docs/experiments.md") from None
    # Here and not in the schema: in an artifact every key is given.
    for name, making in settings.variants.items():
        if making.unused is not None:
            text = f"experiment {path}: variants.{name}.convert.{making.unused}"
            raise UsageError(text, hint="see docs/optimising.md")
    return LoadedExperiment(path.stem, hashlib.sha256(raw).hexdigest(), settings, path.parent)


def _content(path: Path) -> bytes:
    with open_plain(path) as stream:
        raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise UsageError(f"experiment {path} has more than the {MOST_BYTES >> 10} KiB allowed")
    lines = raw.splitlines()
    if max(map(len, lines), default=0) > MOST_LINE_BYTES:
        raise UsageError(f"experiment {path} has a line of more than the {MOST_LINE_BYTES} bytes allowed")
    if max((line.count(b".") for line in lines), default=0) > MOST_LINE_DOTS:
        raise UsageError(f"experiment {path} has a line of more than the {MOST_LINE_DOTS} dots allowed")
    return raw


def _given_data(data: str, data_sha256: str) -> Data | None:
    """What --data says, checked apart from the file, which is not to blame for it."""
    if not data:
        if data_sha256:
            hint = "name the file or URL that it belongs to; with make: DATA and DATA_SHA256"
            raise UsageError("--data-sha256 was given without --data", hint=hint)
        return None
    table = {"source": data, "sha256": data_sha256 or None}
    try:
        data.encode()
        return Data.model_validate(table)
    except UnicodeEncodeError:
        raise UsageError(f"--data {data!a} is not UTF-8", hint="rename the folder or file") from None
    except ValidationError as error:
        hint = "with make: DATA and DATA_SHA256; see docs/data.md"
        raise UsageError(f"--data: {first_problem(error, table)}", hint=hint) from None


def given_time(budget: str, example: str) -> str:
    """BUDGET, which takes the place of an experiment's, as a Duration. Raises UsageError for what is none."""
    try:
        return TypeAdapter(Duration).validate_python(budget)
    except ValidationError:
        raise UsageError(f"BUDGET={budget} is no time of at most {LONGEST}", hint=f"such as {example}") from None


def _refuse_times(value: Any, path: Path, *keys: str) -> None:
    """TOML has dates and times of its own, which no key takes and JSON lacks."""
    if isinstance(value, date | time):
        text = f"experiment {path}: {'.'.join(keys)}: {value} is a date or time"
        raise UsageError(text, hint="write text in quotes")
    if len(keys) > DEEPEST:
        raise RecursionError
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _refuse_times(inner, path, *keys, str(key))
