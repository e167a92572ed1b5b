"""The published tools that devices are measured with. What they are is part of what a measurement depends on, so they
are fetched while it is planned: a download in the middle of a run would make it stale at once."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from common.adb.names import HOST
from common.binaries import Binary, cache_folder, read_lock
from common.device_tools import APK, BINARY, HEXAGON, fetch, needed, sums
from common.errors import UsageError
from common.printable import tell
from common.schema.experiment import Benchmark
from jobs.plan.places import PUBLISHED, Place, Tools, tools_before

ABIS = "ro.product.cpu.abilist"
# Artifacts that a measurement does not depend on.
AFTER = ("evaluation/", "best/", "report/")


def with_published(places: Sequence[Place], settings: Benchmark, tools: Tools, run: Path) -> list[Place]:
    """The places with the sha256 of the published tools that each is measured with, as far as it is known: pinned,
    recorded at the first use, or else of the last plan. What was measured on a device that is away is taken as it is.
    Touches no network."""
    return [_known(place, settings, tools, run) for place in places]


def to_measure(run: Path, wanted: Collection[str], stale: Collection[str]) -> bool:
    """Whether a plan of these artifacts will measure."""
    return any(name in stale or not (run / name).exists() for name in wanted if not name.startswith(AFTER))


def fetch_published(places: Sequence[Place], settings: Benchmark, tools: Tools) -> None:
    """Download what the devices that can be asked now need and have not.

    Raises UsageError where nobody publishes it, and as `common.binaries.ensure`.
    """
    wanted = {binary.name: binary for place in places if place.live for binary in _needed(place, settings, tools)}
    fetch(wanted.values(), cache_folder(), lambda line: tell(line, sys.stderr))


def _known(place: Place, settings: Benchmark, tools: Tools, run: Path) -> Place:
    if place.serial == HOST:
        return place
    before = tools_before(run, place.name)
    try:
        found = sums(_needed(place, settings, tools), cache_folder())
    except UsageError:
        # The benchmark says so, if it comes to that.
        return place
    now = {f"{PUBLISHED} {name}": sha256 for name, sha256 in found.items()}
    told = {name: sha256 if place.live and sha256 else before.get(name) or sha256 for name, sha256 in now.items()}
    return replace(place, tools={**place.tools, **{name: sha256 for name, sha256 in told.items() if sha256}})


def _needed(place: Place, settings: Benchmark, tools: Tools) -> tuple[Binary, ...]:
    abis = _abis(place.facts)
    given = {BINARY: tools.binary, APK: tools.apk, HEXAGON: tools.hexagon}
    own = {variable for variable, path in given.items() if path is not None}
    return needed(read_lock(), abis, settings, own) if abis else ()


def _abis(facts: Mapping[str, str] | None) -> tuple[str, ...]:
    return tuple(abi.strip() for abi in (facts or {}).get(ABIS, "").split(",") if abi.strip())
