"""What an image is made from, the identity that follows from it, and the command that builds it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from common.image_lock import tensorflow_variant

# Long enough to tell images apart, short enough to read; the label holds the whole hash.
TAG_HEX_DIGITS = 12
IDENTITY_LABEL = "edgeproof.identity"
BASE_VARIABLE = "BASE_IMAGE"


class Image(StrEnum):
    """The images; data and files are of one Dockerfile."""

    TRAINING = "training"
    DATA = "data"
    FILES = "files"
    ADB = "adb"


@dataclass(frozen=True)
class BuildArgument:
    """A `--build-arg`."""

    name: str
    value: str


@dataclass(frozen=True)
class Ingredients:
    """Everything that decides what is in an image.

    `base_id` is the local id of a base image that is named without a digest, else empty.
    """

    image: Image
    dockerfile: bytes
    lock: bytes
    arguments: tuple[BuildArgument, ...]
    platform: str
    base_id: str = ""

    @property
    def identity(self) -> str:
        """sha256 over every ingredient; the same make the same image."""
        hashed = {
            "image": self.image.value,
            "dockerfile": hashlib.sha256(self.dockerfile).hexdigest(),
            "lock": hashlib.sha256(self.lock).hexdigest(),
            "arguments": sorted((argument.name, argument.value) for argument in self.arguments),
            "platform": self.platform,
            "base_id": self.base_id,
        }
        return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()

    @property
    def tag(self) -> str:
        """`edgeproof-<image>:<first digits of the identity>`."""
        return f"edgeproof-{self.image}:{self.identity[:TAG_HEX_DIGITS]}"


def build_arguments(image: Image, environment: Mapping[str, str], version: str) -> tuple[BuildArgument, ...]:
    """The build arguments that the caller's environment and the project's version ask for."""
    arguments = [BuildArgument("VERSION", version)]
    if environment.get(BASE_VARIABLE):
        arguments.append(BuildArgument("BASE_IMAGE", environment[BASE_VARIABLE]))
    if image is Image.DATA:
        arguments.append(BuildArgument("IMAGE", image))
    if image is Image.TRAINING:
        arguments.append(BuildArgument("TENSORFLOW", tensorflow_variant(environment)))
    return tuple(arguments)


def build_command(ingredients: Ingredients, docker: str, root: Path) -> tuple[str, ...]:
    """argv of the build; `root` is the repository, which is the context."""
    arguments = (part for a in ingredients.arguments for part in ("--build-arg", f"{a.name}={a.value}"))
    return (
        *(docker, "build", "--progress", "plain", "--platform", ingredients.platform),
        *("--file", str(dockerfile(ingredients.image, root)), "--tag", ingredients.tag),
        *("--label", f"{IDENTITY_LABEL}={ingredients.identity}"),
        *arguments,
        str(root),
    )


def dockerfile(image: Image, root: Path) -> Path:
    """Where an image's Dockerfile lies."""
    return root / "docker" / (Image.FILES if image is Image.DATA else image) / "Dockerfile"
