"""Look at the devices before anything is made for them: whether they can be used, with which tools, and with what room.

What is found here in seconds would otherwise be found after the training.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from common.adb.identity import identity
from common.adb.names import HOST, safe_name
from common.adb.server import Server
from common.errors import EdgeproofError, UsageError
from common.experiment import LoadedExperiment
from common.printable import tell
from common.schema.given import GivenFile
from jobs.benchmark.android.files import KIB, ROOT, SPARE_KIB
from jobs.benchmark.android.locks import held
from jobs.benchmark.android.usable import usable_serial
from jobs.benchmark.feeds import Material
from jobs.benchmark.parallel import require_alike
from jobs.benchmark.targets.android import AndroidTarget
from jobs.benchmark.targets.device_options import DeviceOptions

# Of a model that is not made yet nobody knows the size; float32 networks for phones have 4 to 25 MB.
ASSUMED_BYTES = 16 << 20
# Nothing is lost yet: whoever started this is still there, and starts it again.
PATIENCE_S = 20.0


def look(serials: Sequence[str], experiment: LoadedExperiment, output: Path, options: DeviceOptions) -> int:
    """Say of each device what it is, or why it cannot be measured on; the highest exit status of these. What is pushed
    to try it is removed, but for what an earlier run of the same output left for the next one."""
    require_alike(serials)
    statuses, phones = [0], dict[str, str]()
    for serial in serials:
        if serial == HOST:
            continue
        try:
            _require_another(serial, _look(serial, experiment, output / safe_name(serial), options), phones)
        except EdgeproofError as error:
            tell(f"error: {error if serial in error.message else error.of(serial)}", sys.stderr)
            statuses.append(error.exit_code)
    return max(statuses)


def _require_another(serial: str, phone: str | None, phones: dict[str, str]) -> None:
    """An address that was not connected when the run was planned may be one more name of a phone."""
    if phone is not None and (other := phones.setdefault(phone, serial)) != serial:
        raise UsageError(f"DEVICES names one phone twice: {other} and {serial}", hint="name it once")


def _look(wanted: str, experiment: LoadedExperiment, output: Path, options: DeviceOptions) -> str | None:
    """What the device says of itself. Raises EdgeproofError where it cannot be measured on."""
    options = replace(options, patience_s=min(options.patience_s, PATIENCE_S))
    server, purpose = Server(), str(output.resolve())
    serial = usable_serial(server, wanted)
    with held(serial, purpose) as hold, ExitStack() as cleanup:
        known, unknown = sizes(experiment)
        target = AndroidTarget(server, serial, purpose, options, Material(sizes=known))
        left = target.recovery.persist(target.files.exists)
        if not options.keep and not left:
            cleanup.callback(target.clean_up)
        hold.insist()
        target.prepare(experiment.settings.benchmark, hold=False)
        _require_some(target, experiment.settings.benchmark.backends)
        free = target.recovery.persist(target.files.free_kib)
        facts = target.facts
        room = "" if free is None else f", {free // KIB} MiB free"
        tell(f"{serial}: {facts.manufacturer} {facts.model}, Android {facts.android}, {', '.join(facts.abis)}{room}")
        needed = (sum(known.values()) + unknown * ASSUMED_BYTES) // KIB + SPARE_KIB
        if unknown and free is not None and free < needed:
            assumed = f"{unknown} models are not made yet, and with {ASSUMED_BYTES >> 20} MiB for each"
            tell(
                f"warning: {serial}: {free // KIB} MiB free in {ROOT}; {assumed} {needed // KIB + 1} MiB are needed "
                "(free some space on the device)",
                sys.stderr,
            )
        return identity(serial)


def _require_some(target: AndroidTarget, backends: Sequence[str]) -> None:
    refused = [target.refused(backend) for backend in backends]
    if None not in refused:
        raise UsageError(f"nothing can be measured: {refused[0]}", hint="list a backend that this device has")


def sizes(experiment: LoadedExperiment) -> tuple[Mapping[str, int], int]:
    """Bytes of the files that are measured as they are given, by name, and how many are still to be made."""
    known: dict[str, int] = {}
    for name, making in experiment.settings.variants.items():
        path = experiment.folder / making.file if isinstance(making, GivenFile) else None
        # A container does not see it.
        if path is not None and path.is_file():
            known[name] = path.stat().st_size
    return known, len(experiment.settings.variants) - len(known)
