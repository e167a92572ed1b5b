"""Where an artifact came from: enough to make it again and to tell whether it is still current."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from common.schema.base import Model, Name, Sha256

# A git object's name, or its start.
COMMIT_PATTERN = r"^[0-9a-f]{4,64}$"
# PEP 440.
VERSION_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z.+!_-]{0,63}$"


class InputRef(Model):
    """One thing a stage read: its role and the hash of its content."""

    role: str
    sha256: Sha256


class Code(Model):
    """The code that ran. `commit` and `dirty` are None outside a git checkout."""

    version: Annotated[str, Field(pattern=VERSION_PATTERN)]
    commit: Annotated[str, Field(pattern=COMMIT_PATTERN)] | None
    dirty: bool | None
    tree_sha256: Sha256


class Runtime(Model):
    """What the code ran in: an image by its id, or a virtual environment by its lock files' hash."""

    kind: Literal["container", "local"]
    image: str | None
    lock_sha256: Sha256 | None


class Provenance(Model):
    """The manifest every artifact carries. Times are UTC."""

    stage: Name
    experiment: Name
    experiment_sha256: Sha256
    seed: int
    inputs: tuple[InputRef, ...]
    code: Code
    runtime: Runtime
    versions: dict[str, str]
    started_at: datetime
    finished_at: datetime
    duration_s: float = Field(ge=0)


class Artifact(Model):
    """A stage's JSON. A reader refuses a `schema_version` that it does not know."""

    schema_version: int
    provenance: Provenance
