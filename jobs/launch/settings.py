"""The limits and the environment of a container."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import UsageError
from common.image_lock import tensorflow_variant
from common.provenance import COMMIT_VARIABLE, IMAGE_VARIABLE
from jobs.launch.ingredients import Image

MEMORY_VARIABLE = "EDGEPROOF_MEMORY"
CPUS_VARIABLE = "EDGEPROOF_CPUS"
# The rest is for the host: its page cache, the engine, the person at the keyboard.
MEMORY_SHARE = 0.8
# Below this not even the interpreter starts.
LEAST_MEMORY_BYTES = 32 << 20
# The engine refuses less.
LEAST_CPUS = 0.01
UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
# Harmless, and of use to whoever watches.
PASSED_ON = ("TERM", "EDGEPROOF_DEBUG")


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself. `platform` is like linux/amd64; `nvidia`: it can hand out NVIDIA GPUs;
    `rootless`: it runs as a user, who is root inside of its containers."""

    version: str
    platform: str
    memory_bytes: int
    cpus: int
    nvidia: bool
    rootless: bool


@dataclass(frozen=True)
class Limits:
    """`cpus` is None for all of them."""

    memory_bytes: int
    cpus: float | None


def limits(environment: Mapping[str, str], facts: EngineFacts) -> Limits:
    """The caller's limits, or most of the memory and every processor.

    Raises UsageError for a value that is not an amount or that the machine cannot give.
    """
    return Limits(
        _memory(environment.get(MEMORY_VARIABLE, ""), facts), _cpus(environment.get(CPUS_VARIABLE, ""), facts)
    )


def _memory(text: str, facts: EngineFacts) -> int:
    if not text:
        return int(facts.memory_bytes * MEMORY_SHARE)
    unit = UNITS.get(text[-1].lower())
    number = _number(text[:-1] if unit else text)
    if number is None or number * (unit or 1) < LEAST_MEMORY_BYTES:
        hint = "give at least 32m, as in 512m or 8g"
        raise UsageError(f"{MEMORY_VARIABLE}={text} is not an amount of memory that a job can run in", hint=hint)
    return int(number * (unit or 1))


def _cpus(text: str, facts: EngineFacts) -> float | None:
    if not text:
        return None
    number = _number(text)
    if number is None or not LEAST_CPUS <= number <= facts.cpus:
        hint = f"the engine has {facts.cpus}; give a number from {LEAST_CPUS} to that"
        raise UsageError(f"{CPUS_VARIABLE}={text} is not a number of processors", hint=hint)
    return number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def job_environment(
    caller: Mapping[str, str], *, image_id: str, commit: str | None, code: str, columns: int | None
) -> dict[str, str]:
    """The variables that a job gets: who made it, where the code is, and nothing else of the caller's.

    `columns` is the width of the caller's terminal, None without one.
    """
    environment = {
        IMAGE_VARIABLE: image_id,
        # Empty means unknown; left out, the job would look for a repository that it cannot see.
        COMMIT_VARIABLE: commit or "",
        "PYTHONPATH": code,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",  # noqa: S108
    }
    environment |= {name: caller[name] for name in PASSED_ON if name in caller}
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    return environment


def wants_gpu(image: Image, caller: Mapping[str, str]) -> bool:
    """Whether the image has any use for a GPU."""
    return image is Image.TRAINING and tensorflow_variant(caller) == "cuda"


def container_user(uid: int, gid: int, facts: EngineFacts) -> str:
    """uid:gid inside the container that is the caller outside of it."""
    return "0:0" if facts.rootless else f"{uid}:{gid}"
