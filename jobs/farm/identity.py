"""Which code, and which packages, a machine would run a stage with."""

from dataclasses import dataclass
from pathlib import Path

from common.artifact import sha256_file
from common.closure import code_sha256, read_tree
from common.job import ALSO_READS, IMAGES
from common.provenance import ROOT, describe_commit

SHOWN_DIGITS = 12
FARM = "farm"


@dataclass(frozen=True)
class Identity:
    """`code` is one hash over the modules of the stage and of what carries it, `lock` that of its packages' lock file;
    `commit` is for people."""

    commit: str
    code: str
    lock: str


def identity(stage: str, root: Path = ROOT) -> Identity:
    """What this checkout would run a stage with."""
    tree = read_tree(root, root / ".cache" / "plan" / "imports.json", keep=False)
    also = tuple(root / path.relative_to(ROOT) for path in ALSO_READS.get(stage, ()))
    code = f"{code_sha256(stage, tree, also)} {code_sha256(FARM, tree)}"
    lock = sha256_file(root / "docker" / IMAGES[stage] / "requirements.txt")
    return Identity(describe_commit(root) or "unknown", code, lock)


def refusal(wanted: Identity, found: Identity, image: str) -> str | None:
    """Why a node is not to run a job; None where it may."""
    if wanted.code != found.code:
        has, wants = _told(found), _told(wanted)
        return f"it has commit {has}, and {wants} is wanted (check that out there, and make farm-join again)"
    if wanted.lock != found.lock:
        has, wants = found.lock[:SHOWN_DIGITS], wanted.lock[:SHOWN_DIGITS]
        return f"it has the packages of {image} from lock {has}, and {wants} is wanted (make farm-join there again)"
    return None


def _told(identity: Identity) -> str:
    commit, _, dirty = identity.commit.partition("-")
    code = "".join(part[:4] for part in identity.code.split())
    return f"{commit[:SHOWN_DIGITS]}{f'-{dirty}' if dirty else ''} (code {code})"
