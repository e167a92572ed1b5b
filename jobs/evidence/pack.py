"""Pack a finished run."""

import io
from dataclasses import dataclass
from pathlib import Path

from common.artifact import as_json, atomic, open_plain, read, require_apart, sha256_file
from common.errors import UsageError
from common.experiment import LoadedExperiment
from common.printable import tell
from common.provenance import ROOT, hash_files
from common.run import checks
from common.run.layout import CHOICE, RESULTS, run_folders, targets_of
from common.run.read import read_run
from common.schema.base import FileRef
from common.schema.choice import Choice
from common.schema.results import Results
from jobs.evidence.archive import END, MANIFEST, header, write
from jobs.evidence.contents import contents
from jobs.evidence.manifest import manifest

LOCKS = "locks"
OTHER_LOCKS = "note: the run was made with other lock files than those of this checkout, which are left out"


@dataclass(frozen=True)
class Packed:
    """A bundle that was written."""

    files: int
    size_bytes: int
    sha256: str


def pack(run: Path, experiment: LoadedExperiment, path: Path, output: Path) -> Packed:
    """Write the bundle of a run, whose experiment file is `path`, to `output`.

    Raises UsageError when it is not finished, not of one piece, or of another experiment.
    """
    results = read(run / RESULTS, Results)
    _require_own(results, experiment, path)
    read_once = read_run(experiment, run_folders(run, experiment.settings, targets_of(results)))
    checks.check_choice(read(run / CHOICE, Choice), read_once.inputs)
    sources = {name: _inside(run, name) for name in contents(run, experiment)}
    sources[f"experiment/{experiment.name}.toml"] = path
    sources |= locks(results)
    require_apart(output, *(source for source in sources.values() if source == output))
    refs = [_ref(name, source) for name, source in sources.items()]
    listed = as_json(manifest(experiment.name, refs))
    with atomic(output) as temporary:
        with temporary.open("wb") as stream:
            write(stream, MANIFEST, io.BytesIO(listed), len(listed))
            for ref in sorted(refs, key=lambda ref: ref.path):
                with open_plain(sources[ref.path]) as content:
                    if write(stream, ref.path, content, ref.size_bytes) != ref.sha256:
                        raise UsageError(f"{ref.path} changed while it was packed", hint="wait until the run has ended")
            stream.write(END)
        return Packed(len(refs) + 1, temporary.stat().st_size, sha256_file(temporary))


def _require_own(results: Results, experiment: LoadedExperiment, path: Path) -> None:
    own = results.provenance[-1] if results.provenance else None
    if own is None or own.stage != "report":
        raise UsageError(f"{RESULTS} is of no run", hint="a results file of elsewhere has no records to pack")
    if own.experiment_sha256 != experiment.sha256:
        message = f"the report is of experiment {own.experiment} ({own.experiment_sha256[:12]}), "
        message += f"{path} is {experiment.name} ({experiment.sha256[:12]})"
        hint = "name the run's own file with EXPERIMENT (plan/models.toml of a run of MODELS), or run make all again"
        raise UsageError(message, hint=hint)


def locks(results: Results) -> dict[str, Path]:
    """The lock files, where they are those that any stage ran with."""
    found = sorted(ROOT.glob("docker/*/requirements.txt"))
    used = {item.runtime.lock_sha256 for item in results.provenance} - {None}
    if not found or hash_files(found) not in used:
        if used:
            tell(OTHER_LOCKS)
        return {}
    return {f"{LOCKS}/{path.relative_to(ROOT).as_posix()}": path for path in found}


def _inside(run: Path, name: str) -> Path:
    path = run / name
    if not path.resolve().is_relative_to(run.resolve()):
        raise UsageError(f"{path} leads out of {run}", hint="put the file itself there, not a link")
    return path


def _ref(name: str, source: Path) -> FileRef:
    with open_plain(source) as stream:
        size_bytes = stream.seek(0, 2)
    header(name, size_bytes)
    return FileRef(path=name, sha256=sha256_file(source), size_bytes=size_bytes)
