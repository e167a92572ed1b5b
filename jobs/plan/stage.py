"""Plan a run: check the experiment, write each artifact's piece, and give make the names of the graph."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.artifact import sha256_file, write_bytes
from common.closure import code_sha256, read_tree
from common.experiment import LoadedExperiment, parsed
from common.image_lock import lock_name
from common.job import ALSO_READS, IMAGES
from common.npu_sdk import require
from common.printable import clean
from common.provenance import ROOT
from jobs.plan.folder import PLAN, check_place, other_data, outdated, update
from jobs.plan.missing import incomplete
from jobs.plan.models import FILE, Given, experiment
from jobs.plan.pieces import Made, names, pieces
from jobs.plan.places import Tools, places
from jobs.plan.published import fetch_published, to_measure, with_published
from jobs.plan.unused import unused

CACHE = ROOT / ".cache" / "plan" / "imports.json"


def plan(
    loaded: LoadedExperiment,
    run: Path,
    devices: Sequence[str],
    tools: Tools,
    *,
    dry: bool,
    measure: bool = False,
) -> str:
    """The names of the graph, as assignments of make; pieces that changed are written, unless `dry`. With `measure`,
    where it comes to that, the published tools of the devices that can be asked are downloaded.

    Says on standard error what the user should know first. Raises UsageError for what cannot be planned, and
    writes nothing of the run then; as `common.binaries.ensure` for tools that cannot be had.
    """
    settings, stages = loaded.settings.benchmark, made(keep=not dry)
    require(loaded.settings.npu_targets)
    there = places(devices, tools, run, dry=dry)
    if measure and (told := unused(there, settings, tools)):
        print(told, file=sys.stderr)

    def cut() -> Mapping[str, bytes]:
        return pieces(loaded, stages, with_published(there, settings, tools, run))

    wanted = cut()
    check_place(run, wanted)
    if measure and not dry and to_measure(run, wanted, outdated(run, wanted)):
        fetch_published(there, settings, tools)
        wanted = cut()
    notice = other_data(run, loaded.settings.data)
    if notice:
        print(notice, file=sys.stderr)
    lost = incomplete(run, wanted)
    for path in (path for paths in lost.values() for path in paths):
        print(clean(f"note: {path} is gone, so it is made anew"), file=sys.stderr)
    stale = [*lost, *(name for name in outdated(run, wanted) if name not in lost)]
    if not dry:
        update(run, wanted)
    return names(loaded, there, stale)


def plan_models(
    given: Given, run: Path, devices: Sequence[str], tools: Tools, *, dry: bool, measure: bool = False
) -> str:
    """The same for finished files, whose experiment is written beside the pieces."""
    path = run / PLAN / FILE
    text = experiment(given)
    names = plan(parsed(text, path), run, devices, tools, dry=dry, measure=measure)
    if not dry and (not path.is_file() or path.read_bytes() != text):
        write_bytes(path, text)
    return names


def made(root: Path = ROOT, cache: Path = CACHE, *, keep: bool = True) -> Mapping[str, Made]:
    """What makes the artifacts of each stage: the modules that it reaches, and its image's lock file."""
    tree = read_tree(root, cache, keep=keep)
    # A virtual environment has the locks that an image has where nothing else is asked for.
    asked = os.environ if os.environ.get("RUNTIME") == "docker" else {}
    locks = {image: sha256_file(root / "docker" / image / lock_name(image, asked)) for image in set(IMAGES.values())}
    return {
        stage: Made(code_sha256(stage, tree, ALSO_READS.get(stage, ())), locks[image])
        for stage, image in IMAGES.items()
    }
