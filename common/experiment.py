"""Read an experiment file."""

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from common.artifact import first_problem
from common.errors import UsageError
from common.schema.experiment import Experiment

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


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
    try:
        raw = path.read_bytes()
        table = tomllib.loads(raw.decode("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"experiment {path} does not exist", hint="see experiments/ for examples") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"experiment {path} is not readable TOML: {error}") from None
    if not NAME.fullmatch(path.stem):
        hint = "use letters, digits, dot, dash and underscore"
        raise UsageError(f"experiment {path} has a name that cannot be a folder", hint=hint)
    if data:
        table["data"] = {**table.get("data", {}), "source": data, "sha256": data_sha256 or None}
    try:
        # Through JSON, so that lists become tuples while every other coercion stays forbidden.
        settings = Experiment.model_validate_json(json.dumps(table, default=str))
    except ValidationError as error:
        raise UsageError(f"experiment {path}: {first_problem(error)}", hint="see docs/experiments.md") from None
    return LoadedExperiment(path.stem, hashlib.sha256(raw).hexdigest(), settings, path.parent)
