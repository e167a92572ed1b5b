"""`manifest.json` of a bundle, and what its checks say. Version history: 1 first."""

from typing import Literal

from common.schema.base import Count, FileRef, Model, Name, Sha256


class Manifest(Model):
    """Every other file of a bundle, sorted by path. `digest` is the sha256 of the list itself, a line per file:
    `<sha256> <bytes> <path>`."""

    schema_version: Literal[1] = 1
    experiment: Name
    files: tuple[FileRef, ...]
    digest: Sha256


class Finding(Model):
    """Something that does not follow: where it stands, what is said there, and what was derived instead."""

    kind: Literal["finding"] = "finding"
    where: str
    stated: str
    derived: str

    @property
    def text(self) -> str:
        """The finding as a sentence."""
        return f"{self.where} is {self.stated}, but {self.derived} follows"


class Followed(Model):
    """A check came to its end: what it looked at, how many figures it derived again, and what a reader should know
    besides."""

    kind: Literal["followed"] = "followed"
    what: str
    figures: Count
    notes: tuple[str, ...] = ()
