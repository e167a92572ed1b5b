"""Tools that the user gave and that nothing will be measured with. Pure."""

from collections.abc import Iterator, Sequence

from common.adb.facts import abis
from common.adb.names import HOST
from common.device_tools import APK, BINARY, HEXAGON, NPU, SECOND
from common.numbers import listed
from common.schema.experiment import Benchmark
from jobs.plan.places import Place, Tools


def unused(places: Sequence[Place], settings: Benchmark, tools: Tools) -> str:
    """One line that names the variables without effect, each with the reason; nothing where there is none."""
    given = {BINARY: tools.binary, SECOND: tools.second, APK: tools.apk, HEXAGON: tools.hexagon, NPU: tools.npu}
    names = tuple(variable for variable, path in given.items() if path is not None)
    if names and all(place.serial == HOST for place in places):
        verb = "is" if len(names) == 1 else "are"
        return f"note: {listed(names)} {verb} not used: only this machine is measured (DEVICE names a phone)"
    told = tuple(_reasons(places, settings, tools))
    return f"note: {'; '.join(told)}" if told else ""


def _reasons(places: Sequence[Place], settings: Benchmark, tools: Tools) -> Iterator[str]:
    if tools.apk is not None and not settings.app and not any(_may_need_the_app(place) for place in places):
        yield f"{APK} is not used: nothing is measured as an app (app = true in [benchmark])"
    for variable, path, backend in ((HEXAGON, tools.hexagon, "hexagon"), (NPU, tools.npu, "npu")):
        if path is not None and backend not in settings.backends:
            yield f'{variable} is not used: "{backend}" is none of the backends of [benchmark]'


def _may_need_the_app(place: Place) -> bool:
    """Where no program starts, the app measures alone: on x86 devices. One that nobody could ask may be one."""
    found = abis(dict(place.facts or {}))
    return place.serial != HOST and (not found or found[0].startswith("x86"))
