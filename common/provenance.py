"""Record where an artifact came from."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from common.experiment import LoadedExperiment
from common.schema.provenance import Code, InputRef, Provenance, Runtime

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent.parent
# Set by the launcher inside a container, where there is neither git nor a lock file.
IMAGE_VARIABLE = "EDGEPROOF_IMAGE"
COMMIT_VARIABLE = "EDGEPROOF_COMMIT"


class Recorder:
    """Starts when a stage starts; `finish` gives the manifest."""

    def __init__(self, stage: str, experiment: LoadedExperiment) -> None:
        self._stage = stage
        self._experiment = experiment
        self._started = datetime.now(UTC)

    def finish(self, inputs: Mapping[str, str], packages: Sequence[str] = ()) -> Provenance:
        """The manifest. `inputs` maps roles to sha256; `packages` are those whose versions matter."""
        finished = datetime.now(UTC)
        return Provenance(
            stage=self._stage,
            experiment=self._experiment.name,
            experiment_sha256=self._experiment.sha256,
            seed=self._experiment.settings.seed,
            inputs=tuple(InputRef(role=role, sha256=digest) for role, digest in inputs.items()),
            code=_code(self._stage),
            runtime=_runtime(),
            versions={"python": platform.python_version()} | {p: metadata.version(p) for p in packages},
            started_at=self._started,
            finished_at=finished,
            duration_s=(finished - self._started).total_seconds(),
        )


def describe_commit(root: Path = ROOT) -> str | None:
    """`<commit>` or `<commit>-dirty`; None outside a git checkout or without git."""
    if COMMIT_VARIABLE in os.environ:
        return os.environ[COMMIT_VARIABLE] or None
    # --exclude=*: the hash alone, whatever tags there are.
    argv = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def hash_files(paths: Sequence[Path], root: Path = ROOT) -> str:
    """One sha256 over the names and contents of files, in a fixed order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _code(stage: str) -> Code:
    described = describe_commit()
    files = [*(ROOT / "jobs" / stage).rglob("*.py"), *(ROOT / "common").rglob("*.py")]
    return Code(
        version=VERSION,
        commit=None if described is None else described.removesuffix("-dirty"),
        dirty=None if described is None else described.endswith("-dirty"),
        tree_sha256=hash_files(files),
    )


def _runtime() -> Runtime:
    image = os.environ.get(IMAGE_VARIABLE)
    if image:
        return Runtime(kind="container", image=image, lock_sha256=None)
    locks = sorted(ROOT.glob("docker/*/requirements.txt"))
    return Runtime(kind="local", image=None, lock_sha256=hash_files(locks) if locks else None)
