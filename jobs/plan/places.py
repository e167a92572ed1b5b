"""Where a run is measured and with what: the devices asked for, made definite, and what they and the tools are."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.adb import asked
from common.adb.attached import Attached, pick, same
from common.adb.errors import NotReadyError
from common.adb.identity import identity
from common.adb.names import ANY, HOST, MODEL, is_serial, label, safe_name
from common.adb.surroundings import USB_VARIABLE
from common.artifact import content, sha256_file
from common.device_tools import APK, BINARY, HEXAGON, NPU, SECOND
from common.errors import UsageError
from common.machine import machine
from common.provenance import hash_files
from jobs.plan.farm import Farm, ask_farm


@dataclass(frozen=True)
class Tools:
    """The user's own tools for devices; None for the published ones."""

    binary: Path | None = None
    apk: Path | None = None
    hexagon: Path | None = None
    second: Path | None = None
    npu: Path | None = None


@dataclass(frozen=True)
class Place:
    """`serial` is a device's, or host. `facts` is what it is, None where nobody could say; `live`: it was asked just
    now. `tools` are hashes."""

    serial: str
    facts: Mapping[str, str] | None
    tools: Mapping[str, str]
    live: bool = False

    @property
    def name(self) -> str:
        """The name of its folder."""
        return safe_name(self.serial)


HERE = Place(HOST, {}, {})
# The hashes of published tools begin with it; the user's own ones are called after their variables.
PUBLISHED = "published"


def _this_machine() -> Place:
    return Place(HOST, dict(machine()[1]), {})


def places(devices: Sequence[str], tools: Tools, run: Path, *, dry: bool) -> tuple[Place, ...]:
    """The places that `devices` names, for a run in folder `run`; adb is asked only where a device is named.

    A device that cannot be asked keeps the facts of the last plan, so that what was measured on it can still be
    reported; the benchmark itself says what is wrong when it has to measure. `dry` starts no server.
    Raises NotReadyError for `any` when no device is attached and none was measured in this run before, UsageError for
    one phone under two of its names.
    """
    if list(devices) == [HOST]:
        return (_this_machine(),)
    hashes = _hashes(tools)
    known: _Server | Farm
    if os.environ.get("RUNTIME") == "ray":
        known = Farm(*ask_farm())
    else:
        known = _Server(dry=dry)
        _require_different([device for device in devices if device != HOST], known)
    found = []
    for device in devices:
        if device == HOST:
            found.append(_this_machine())
            continue
        serial = _definite(device, known, run)
        facts = known.facts(serial)
        live = facts is not None
        if facts is None:
            facts = _facts_before(run, safe_name(serial))
            if (run / "benchmark" / safe_name(serial) / "benchmark.json").exists():
                print(f"note: {serial} cannot be asked now: what was measured on it is taken as it is", file=sys.stderr)
        found.append(Place(serial, facts, hashes, live))
    return tuple(found)


def _require_different(serials: Sequence[str], known: "_Server") -> None:
    if len(serials) < 2:  # noqa: PLR2004
        return
    for phone in same([serial for serial in serials if known.has(serial)], identity):
        if len(phone) > 1:
            message = f"DEVICES names one phone {len(phone)} times: {' and '.join(phone)}"
            raise UsageError(message, hint=f"name it once, best as {phone[0]}")


class _Server:
    """The adb server, asked once; `reason` says why it has no answer."""

    def __init__(self, *, dry: bool) -> None:
        self.devices: tuple[Attached, ...] = ()
        self.reason: NotReadyError | None = None
        try:
            self.devices = asked.attached()
        except NotReadyError as error:
            self.reason = error
            if os.environ.get(USB_VARIABLE) == "1" and os.environ.get("RUNTIME") == "docker":
                # One of ours would take the USB devices away from the container's.
                self.reason = NotReadyError(
                    f"with {USB_VARIABLE}=1 the only adb server is the container's, which tells nobody what any is",
                    hint="name the device with DEVICE=<serial>",
                )
            elif not dry:
                self._start()

    def _start(self) -> None:
        asked.start_server()
        try:
            self.devices, self.reason = asked.attached(), None
        except NotReadyError as error:
            self.reason = error

    def only(self) -> str:
        """Serial of the only usable device. Raises NotReadyError."""
        if self.reason is not None:
            raise self.reason
        return pick(self.devices, ANY, identity)

    def has(self, serial: str) -> bool:
        """Whether a device can be asked."""
        return any(device == Attached(serial, "device") for device in self.devices)

    def facts(self, serial: str) -> dict[str, str] | None:
        """What a device says of itself; None when it cannot be asked."""
        try:
            return asked.lasting_facts(pick(self.devices, serial))
        except NotReadyError:
            return None


def _definite(device: str, known: "_Server | Farm", run: Path) -> str:
    """The serial that is meant: `any` is the device that is attached, or else the one of the last plan; of a model the
    same holds in a cluster, where the phone of the last plan comes first."""
    if device.startswith(MODEL):
        return _of_model(device.removeprefix(MODEL), known, run)
    if device != ANY:
        return device
    try:
        return known.only()
    except NotReadyError:
        before = _last_serial(run)
        # Of a name under which nothing was measured there is nothing to report.
        if before is None or not (run / "benchmark" / safe_name(before) / "benchmark.json").exists():
            raise
        return before


def _of_model(model: str, known: "_Server | Farm", run: Path) -> str:
    if not isinstance(known, Farm):
        raise UsageError(f"DEVICE={MODEL}{model} is for a cluster of phones", hint="give a serial, or RUNTIME=ray")
    before = _last_serial(run)
    facts = None if before is None else _facts_before(run, safe_name(before))
    # Begun on one phone, a run goes on there.
    if before is not None and facts is not None and label(facts.get("ro.product.model", "")) == model:
        return before
    return known.of_model(model)


def _last_serial(run: Path) -> str | None:
    targets = _read(run / "plan" / "report" / "results.json").get("targets")
    if not isinstance(targets, list) or len(targets) != 1 or targets == [HOST]:
        return None
    [serial] = targets
    # The run may be somebody else's, and so may what stands in it.
    return serial if isinstance(serial, str) and is_serial(serial) else None


def _facts_before(run: Path, name: str) -> dict[str, str] | None:
    facts = _read(run / "plan" / "benchmark" / name / "benchmark.json").get("facts")
    return {str(key): str(value) for key, value in facts.items()} if isinstance(facts, dict) else None


def tools_before(run: Path, name: str) -> dict[str, str]:
    """Hashes of the tools in the last plan."""
    tools = _read(run / "plan" / "benchmark" / name / "benchmark.json").get("tools")
    return {str(key): str(value) for key, value in tools.items()} if isinstance(tools, dict) else {}


def _read(piece: Path) -> dict[str, object]:
    try:
        found = json.loads(content(piece))
    except (UsageError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _hashes(tools: Tools) -> dict[str, str]:
    given = {BINARY: tools.binary, SECOND: tools.second, APK: tools.apk}
    hashes = {}
    for variable, path in given.items():
        if path is not None:
            if not path.is_file():
                raise UsageError(f"{variable}={path} is no file", hint="give the path of the tool")
            hashes[variable] = sha256_file(path)
    if tools.second is not None and tools.binary is None:
        raise UsageError(f"{SECOND} goes beside {BINARY}", hint=f"give one build alone with {BINARY}=<path>")
    if SECOND in hashes and hashes[SECOND] == hashes[BINARY]:
        raise UsageError(f"{SECOND} is the same program as {BINARY}", hint="give another build, or leave it out")
    for variable, folder in {HEXAGON: tools.hexagon, NPU: tools.npu}.items():
        if folder is not None:
            if not folder.is_dir():
                raise UsageError(f"{variable}={folder} is no folder", hint="give the libraries' folder")
            hashes[variable] = hash_files([path for path in folder.iterdir() if path.is_file()], folder)
    return hashes
