"""Read a file of budgets."""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from common.artifact import content
from common.errors import UsageError
from common.problems import first_problem
from common.schema.budget import Budgets

MOST_BYTES = 1 << 20
HINT = "see docs/compare.md"


@dataclass(frozen=True)
class LoadedBudgets:
    """The budgets with the hash of their file."""

    sha256: str
    budgets: Budgets


def load(path: Path) -> LoadedBudgets:
    """Read and validate a file of budgets. Raises UsageError naming the file and the key."""
    raw = content(path, MOST_BYTES, hint=HINT)
    try:
        table = tomllib.loads(raw.decode("utf-8-sig"))
        # Through JSON, so that lists become tuples while every other coercion stays forbidden.
        text = json.dumps(table)
    except (ValueError, TypeError, RecursionError) as error:
        told = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(f"budgets {path} are not readable TOML: {told}", hint=HINT) from None
    try:
        return LoadedBudgets(hashlib.sha256(raw).hexdigest(), Budgets.model_validate_json(text))
    except ValidationError as error:
        raise UsageError(f"budgets {path}: {first_problem(error, table)}", hint=HINT) from None
