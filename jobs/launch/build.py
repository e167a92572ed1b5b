"""Build an image, or take the one that was made from the same things before."""

import os
import shlex
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from filelock import FileLock

from common.artifact import write_bytes
from common.errors import EdgeproofError, UsageError
from common.image_lock import lock_name
from common.printable import tell
from common.provenance import ROOT, VERSION
from jobs.launch.container import Engine
from jobs.launch.ingredients import (
    BASE_VARIABLE,
    Image,
    Ingredients,
    build_arguments,
    build_command,
    dockerfile,
)

# Locks of builds and runs; deleting it loses nothing but the memory of runs that were killed.
STATE = ROOT / ".cache" / "launch"
# Enough to hold the step that failed and its reason, which BuildKit repeats at the end.
KEPT_LINES = 40


def ensure_image(engine: Engine, image: Image, environment: Mapping[str, str]) -> str:
    """Id of the image, built if the engine has none of the same identity. Processes that ask for the
    same image at the same time build it once. Raises EdgeproofError when the build fails."""
    ingredients = read_ingredients(engine, image, environment)
    STATE.mkdir(parents=True, exist_ok=True)
    with FileLock(STATE / f"build-{image}.lock"):
        found = engine.image_id(ingredients.tag, ingredients.identity)
        if found is not None:
            return found
        _build(ingredients, environment)
        built = engine.image_id(ingredients.tag, ingredients.identity)
    if built is None:
        hint = "let DOCKER_HOST or `docker context` name the same engine for both"
        raise EdgeproofError(f"{ingredients.tag} was built, but not into the engine that runs containers", hint=hint)
    return built


def read_ingredients(engine: Engine, image: Image, environment: Mapping[str, str]) -> Ingredients:
    """The ingredients of an image for this engine. Reads its Dockerfile and locks."""
    base = environment.get(BASE_VARIABLE) or ""
    # A name without a digest may stand for another image tomorrow.
    local = engine.image_id(base) if base and "@" not in base else None
    path = dockerfile(image, ROOT)
    return Ingredients(
        image=image,
        dockerfile=path.read_bytes(),
        lock=(ROOT / "docker" / image / lock_name(image, environment)).read_bytes(),
        arguments=build_arguments(image, environment, VERSION),
        platform=engine.facts.platform,
        base_id=local or "",
    )


def write_image_id(path: Path, image_id: str) -> None:
    """Write an `--iidfile`; a file that holds this id already keeps its time."""
    content = image_id.encode()
    if not path.is_file() or path.read_bytes() != content:
        write_bytes(path, content)


def _build(ingredients: Ingredients, environment: Mapping[str, str]) -> None:
    argv = build_command(ingredients, environment.get("DOCKER") or "docker", ROOT)
    command = shlex.join(argv)
    tell(f"note: building {ingredients.tag}, once for all runs", sys.stderr)
    print(f"+ {command}", file=sys.stderr, flush=True)
    last: deque[str] = deque(maxlen=KEPT_LINES)
    try:
        with subprocess.Popen(  # noqa: S603
            argv,
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                last.append(line)
                sys.stderr.write(line)
    except OSError as error:
        hint = "install Docker's command line, or name it in DOCKER"
        raise UsageError(f"{argv[0]} cannot be run: {error.strerror}", hint=hint) from None
    if process.returncode != 0:
        raise EdgeproofError(f"building {ingredients.tag} failed: {failure(last)}", hint=advice(last, command))


def failure(lines: Iterable[str]) -> str:
    """The last line of a build's output that says something."""
    spoken = [line.strip() for line in lines if line.strip(" \n-")]
    return spoken[-1] if spoken else "no output"


def advice(lines: Iterable[str], command: str) -> str:
    """What to do about a failed build, from what it printed."""
    text = "".join(lines).lower()
    if "buildx component is missing" in text or "unknown flag: --progress" in text:
        return "install the buildx plugin of Docker (docker-buildx-plugin)"
    if "failed to resolve source metadata" in text or "failed to do request" in text or "pull access denied" in text:
        return "the base image cannot be fetched: name one that this engine has in BASE_IMAGE, see docs/containers.md"
    if "do not match the hashes" in text:
        return "a download was not what the lock file names; try again, and renew the lock if it stays"
    if "no space left on device" in text:
        return "free some space, for example with: docker system prune"
    return f"what it printed is from: {command}"
