"""Check a bundle."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from common.artifact import as_json, read
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment, load
from common.findings import MOST
from common.printable import tell
from common.provenance import VERSION, describe_commit, hash_files
from common.run.layout import RESULTS
from common.schema.base import FileRef
from common.schema.evidence import Finding, Manifest
from common.schema.results import Results
from jobs.evidence.archive import MANIFEST, Unpacker
from jobs.evidence.checks import CHECKS, checked
from jobs.evidence.contents import contents
from jobs.evidence.manifest import unlike
from jobs.evidence.pack import LOCKS

NOT_PROVEN = (
    "that the device was what it said, and that its clock and its tool told the truth",
    "that the records were measured, and not invented whole with every hash made to fit: compare the bundle's sha256 "
    "with that of whom you trust",
    "training, which is not done again: its curves are as they were recorded",
)


def verify(bundle: Path) -> None:
    """Say what follows and what does not. Raises UsageError for what is no bundle, EdgeproofError where something does
    not follow."""
    if not bundle.exists():
        raise UsageError(f"{bundle} does not exist", hint="make bundle writes one")
    with tempfile.TemporaryDirectory(prefix="edgeproof-verify-") as name:
        folder = Path(name)
        unpacker = Unpacker(bundle, folder)
        files = [FileRef(path=path, sha256=sha256, size_bytes=size) for path, sha256, size in unpacker.unpack()]
        total = sum(file.size_bytes for file in files)
        tell(f"{bundle}: {len(files):,} files, {total:,} bytes, sha256 {unpacker.digest.hexdigest()}")
        findings = list(listed(folder, files))
        _show("hashes", f"{len(files) - 1:,} files", findings)
        experiment = _experiment(folder, files)
        if experiment is not None:
            found = list(_whole(folder, files, experiment))
            _show("contents", "everything that a run is made of, and nothing else", found)
            findings += found + _derived(folder, experiment)
        if findings:
            more = _other_code(folder)
            count = f"{min(len(findings), MOST)}{'+' * (len(findings) > MOST)}"
            raise EdgeproofError(f"{bundle} does not follow from its records: {count} found{more}")
    tell("Everything follows. Not proven by that:")
    for each in NOT_PROVEN:
        tell(f"  - {each}")


def _derived(folder: Path, experiment: LoadedExperiment) -> list[Finding]:
    """What the stages find, each line shown as soon as it is known."""
    findings: list[Finding] = []
    notes: list[str] = []
    path = folder / "experiment" / f"{experiment.name}.toml"
    for check in checked(folder, path):
        findings += check.found
        followed = check.followed
        told = "" if followed is None else f"{followed.what}; {followed.figures:,} figures"
        _show(CHECKS[check.name], told, list(check.found))
        notes += () if followed is None else followed.notes
    for note in notes:
        tell(f"  not derived: {note}")
    return findings


def listed(folder: Path, files: list[FileRef]) -> Iterator[Finding]:
    """What the manifest says beside what is there."""
    if not files:
        raise UsageError("an empty archive is no bundle", hint="make bundle writes one")
    stated = read(folder / MANIFEST, Manifest)
    if as_json(stated) != (folder / MANIFEST).read_bytes():
        yield Finding(where=MANIFEST, stated="of another form", derived="the form that make bundle writes")
    yield from unlike(stated, [file for file in files if file.path != MANIFEST])
    expected = f"experiment/{stated.experiment}.toml"
    if expected not in {file.path for file in files}:
        yield Finding(where=expected, stated="missing", derived="the experiment")


def _experiment(folder: Path, files: list[FileRef]) -> LoadedExperiment | None:
    paths = [file.path for file in files if file.path.startswith("experiment/")]
    return load(folder / paths[0]) if len(paths) == 1 and paths[0].count("/") == 1 else None


def _whole(folder: Path, files: list[FileRef], experiment: LoadedExperiment) -> Iterator[Finding]:
    """Everything that the artifacts name, and nothing else."""
    found = {file.path for file in files} - {MANIFEST, f"experiment/{experiment.name}.toml"}
    packed = sorted(name for name in found if name.startswith(f"{LOCKS}/"))
    try:
        expected = set(contents(folder, experiment))
    except EdgeproofError as error:
        yield Finding(where="the list of a run's files", stated="to be made", derived=f"an error ({error})")
        return
    for name in sorted(expected ^ (found - set(packed))):
        word, other = ("missing", "a file that an artifact names") if name in expected else ("there", "no such file")
        yield Finding(where=name, stated=word, derived=other)
    yield from _unlike_locks(folder, packed)


def _unlike_locks(folder: Path, packed: list[str]) -> Iterator[Finding]:
    """Lock files are those that some stage ran with."""
    used = {item.runtime.lock_sha256 for item in read(folder / RESULTS, Results).provenance} - {None}
    if packed and (derived := hash_files([folder / name for name in packed], folder / LOCKS)) not in used:
        yield Finding(where=f"the hash of {LOCKS}/", stated=" or ".join(sorted(filter(None, used))), derived=derived)


def _show(what: str, told: str, findings: list[Finding]) -> None:
    tell(f"  {'✗' if findings else '✓'} {what:<14} {told}")
    for finding in findings[:MOST]:
        tell(f"error: {finding.text}", sys.stderr)


def _other_code(folder: Path) -> str:
    """A report of another version is not rendered alike: say which one made it."""
    try:
        own = read(folder / RESULTS, Results).provenance[-1].code
    except (EdgeproofError, IndexError):
        return ""
    here = describe_commit()
    if (own.version, own.commit) == (VERSION, None if here is None else here.removesuffix("-dirty")):
        return ""
    made = own.version if own.commit is None else f"{own.version} at commit {own.commit[:12]}"
    return f"; it was made by edgeproof {made}, this is {VERSION} at {here or 'no commit'}: check it with that one"
