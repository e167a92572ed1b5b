"""Android's own programs: properties, services, packages, activities, the log."""

import re
import shlex
import time
from dataclasses import replace

from tests.devices.phone import texts
from tests.devices.phone.logcat import LEVELS, Line
from tests.devices.phone.system import Call, Program

APP = "org.tensorflow.lite.benchmark"
FOLLOW_STEP_S = 0.2
ZIP = b"PK"
# Of the newest public manifest of the app.
TARGET_SDK = 23
# API levels that brought the thermal service, and toybox with its options.
THERMAL_SINCE = 29
TOYBOX_SINCE = 24
FIXED_PERFORMANCE_SINCE = 30


def getprop(call: Call) -> int:
    """getprop [NAME [DEFAULT]]."""
    call.out(texts.getprop(call.state.properties, *call.arguments[:2]))
    return 0


def setprop(call: Call) -> int:
    """setprop NAME VALUE; ro.* cannot be set."""
    name, value = call.arguments
    if name.startswith("ro."):
        return call.fail(f"failed to set property '{name}' to '{value}'")
    call.state.properties[name] = value
    return 0


def dumpsys(call: Call) -> int:
    """dumpsys battery | thermalservice | package NAME | SERVICE."""
    service = call.arguments[0] if call.arguments else ""
    if service == "battery":
        if len(call.arguments) > 1:
            return _battery(call)
        call.out(texts.battery(call.state.battery))
    elif service == "thermalservice" and call.state.api_level >= THERMAL_SINCE:
        call.out(texts.thermal(call.state.thermal))
    elif service == "package":
        name = call.arguments[1] if len(call.arguments) > 1 else APP
        shown = f"Packages:\n  Package [{name}] (1a2b3c):\n    versionName=1.0\n"
        call.out(shown if name in call.state.packages else f"Unable to find package: {name}\n")
    elif service == "power":
        saves = call.state.settings.get("global/low_power") == "1" and not call.state.battery.usb_powered
        stays = call.state.settings.get("global/stay_on_while_plugged_in", "0")
        call.out(texts.power(call.state.api_level, awake=call.state.awake, saves=saves, stays=stays))
    elif service in ("display", "cpuinfo", "meminfo", "SurfaceFlinger"):
        call.out("Display Power: state=ON\n")
    else:
        call.err(f"Can't find service: {service}\n")
        return 0
    return 0


def _battery(call: Call) -> int:
    words = call.arguments[1:]
    if words == ("unplug",):
        call.state.battery = replace(call.state.battery, usb_powered=False, frozen=True)
    elif words == ("reset",):
        call.state.battery = replace(call.state.battery, usb_powered=True, frozen=False)
    return 0


def settings(call: Call) -> int:
    """settings get|put|delete NAMESPACE KEY [VALUE]."""
    verb, space, key, *value = [*call.arguments, "", "", ""][: max(len(call.arguments), 3)]
    name = f"{space}/{key}"
    if verb == "put":
        call.state.settings[name] = value[0] if value else ""
    elif verb == "delete":
        call.out(f"Deleted {int(call.state.settings.pop(name, None) is not None)} rows\n")
    else:
        call.out(call.state.settings.get(name, "null") + "\n")
    return 0


def svc(call: Call) -> int:
    """svc power stayon true|false|usb, and others that do nothing."""
    if call.arguments[:2] == ("power", "stayon"):
        call.state.settings["global/stay_on_while_plugged_in"] = {"true": "7", "false": "0"}.get(call.arguments[2], "2")
        # The program wakes the screen first.
        call.state.awake = call.state.awake or call.arguments[2] != "false"
    return 0


def cmd(call: Call) -> int:
    """cmd package ..., cmd power set-fixed-performance-mode-enabled, cmd battery."""
    service, *rest = call.arguments or ("",)
    if service == "package":
        return pm(replace(call, argv=("pm", *rest)))
    if service == "activity":
        return am(replace(call, argv=("am", *rest)))
    if service == "power" and rest[:1] == ["set-fixed-performance-mode-enabled"]:
        return _fixed_performance(call, rest[1])
    if service in ("thermalservice", "battery", "settings"):
        return 0
    call.err(f"cmd: Can't find service: {service}\n")
    return 20


def _fixed_performance(call: Call, wanted: str) -> int:
    if call.state.api_level < FIXED_PERFORMANCE_SINCE:
        call.err("Unknown command: set-fixed-performance-mode-enabled\n")
        return 255
    if not call.state.has_power_hal:
        call.err("Failed to set FIXED_PERFORMANCE mode\n")
        return 255
    call.state.settings["fixed_performance"] = wanted
    return 0


def pm(call: Call) -> int:
    """pm install [-r -t -d -g] [-S SIZE] [PATH], uninstall, list packages, path, clear."""
    verb, *rest = call.arguments or ("",)
    if verb in ("install", "install-create"):
        return _install(call, rest)
    packages = call.state.packages
    names = [word for word in rest if not word.startswith("-")]
    if verb == "uninstall":
        removed = packages.pop(names[0], None) is not None
        call.out("Success\n" if removed else "Failure [DELETE_FAILED_INTERNAL_ERROR]\n")
        return 0 if removed else 1
    if verb == "list":
        call.out("".join(f"package:{name}\n" for name in sorted(packages) if not names[1:] or names[1] in name))
        return 0
    if verb == "path":
        if names[0] not in packages:
            return 1
        call.out(f"package:/data/app/{names[0]}-1/base.apk\n")
        return 0
    return 0 if verb in ("clear", "grant") else call.fail(f"unknown command '{verb}'", 255)


def _install(call: Call, words: list[str]) -> int:
    content, paths = b"", [word for word in words if word.endswith(".apk") and not word.startswith("-")]
    if "-S" in words:
        size = int(words[words.index("-S") + 1])
        while len(content) < size and (data := call.stdin()):
            content += data
    elif not paths:
        call.err("Error: no package specified\n")
        return 1
    else:
        try:
            content = call.system.read(paths[0])
        except OSError:
            call.err(f"Error: Unable to open file: {paths[0]}\nConsider using a file under /data/local/tmp/\n")
            return 255
    while not call.system.apps.answers:
        # A question on the screen that nobody sees.
        call.system.check()
        time.sleep(FOLLOW_STEP_S)
    if why := _refusal(call, content, words):
        call.out(f"Failure [{why}]\n")
        return 1
    call.state.packages[APP] = "1.0"
    call.out("Success\n")
    return 0


def _refusal(call: Call, content: bytes, words: list[str]) -> str | None:
    """Why pm takes an app not (AOSP's PackageManager and InstallPackageHelper)."""
    how = call.system.apps
    if how.refusal:
        return how.refusal
    if not content.startswith(ZIP):
        return "INSTALL_PARSE_FAILED_NOT_APK: Failed to parse APK"
    if len(content) > call.system.free_bytes():
        return "INSTALL_FAILED_INSUFFICIENT_STORAGE"
    bypassed = how.knows_bypass and "--bypass-low-target-sdk-block" in words
    if how.least_target_sdk > TARGET_SDK and not bypassed:
        least = how.least_target_sdk
        found = f"App package must target at least SDK version {least}, but found {TARGET_SDK}"
        return f"INSTALL_FAILED_DEPRECATED_SDK_VERSION: {found}"
    return None


def am(call: Call) -> int:
    """am start -n COMPONENT --es args TEXT, am force-stop PACKAGE, am kill."""
    verb, *rest = call.arguments or ("",)
    if verb in ("force-stop", "kill"):
        call.system.stop_app(rest[-1])
        return 0
    if verb not in ("start", "start-activity"):
        return 0
    component = rest[rest.index("-n") + 1]
    package, _, activity = component.partition("/")
    if "-S" in rest:
        call.out(f"Stopping: {package}\n")
        call.system.stop_app(package)
    call.out(f"Starting: Intent {{ cmp={component} (has extras) }}\n")
    if package not in call.state.packages:
        full = package + activity if activity.startswith(".") else activity
        call.err(f"Error type 3\nError: Activity class {{{package}/{full}}} does not exist.\n")
        return 0
    given = rest[rest.index("args") + 1] if "args" in rest else ""
    call.system.start_app(package, given)
    return 0


def log(call: Call) -> int:
    """log [-p LEVEL] [-t TAG] TEXT."""
    words, level, tag = list(call.arguments), "I", "log"
    while words and words[0] in ("-p", "-t"):
        option, value = words.pop(0), words.pop(0)
        level, tag = (value.upper(), tag) if option == "-p" else (level, value)
    call.system.write_log(level, tag, " ".join(words))
    return 0


def logcat(call: Call) -> int:
    """logcat [-c] [-d] [-v FORM] [-s] [-b BUFFER] [-T N] [TAG[:LEVEL]...]; follows without -d."""
    words, form, tail = list(call.arguments), "threadtime", None
    filters: list[str] = []
    dump = silent = False
    while words:
        word = words.pop(0)
        if word == "-c":
            if not call.system.apps.clears:
                return call.fail("failed to clear the 'main' log")
            call.system.log.clear()
            return 0
        if word in ("-v", "-b", "-T", "-t", "--pid", "-e", "-G"):
            value = words.pop(0)
            form = value if word == "-v" else form
            tail = value if word in ("-T", "-t") else tail
            dump = dump or word == "-t"
        elif word in ("-d", "-s"):
            dump, silent = dump or word == "-d", silent or word == "-s"
        elif not word.startswith("-"):
            filters += shlex.split(word)
    _follow(call, form, _filter(filters, silent), tail, dump=dump)
    return 0


def _follow(call: Call, form: str, wanted: dict[str, str], tail: str | None, *, dump: bool) -> None:
    call.out("--------- beginning of main\n")
    lines = [line for line in call.system.log.lines() if _passes(line, wanted)]
    reached = max((line.number for line in call.system.log.lines()), default=-1) + 1
    if tail is not None and tail.isdigit():
        lines = lines[-int(tail) :] if int(tail) else []
    elif tail is not None:
        lines = [line for line in lines if line.when >= _moment(tail)]
    while True:
        call.out("".join(line.shown(form) for line in lines))
        if dump:
            return
        call.system.check()
        found = call.system.log.since(reached, FOLLOW_STEP_S)
        reached = max([reached, *(line.number + 1 for line in found)])
        lines = [line for line in found if _passes(line, wanted)]


def _moment(text: str) -> float:
    if re.fullmatch(r"\d+\.\d+", text):
        return float(text)
    try:
        return time.mktime(time.strptime(f"{time.gmtime().tm_year}-{text}"[:19], "%Y-%m-%d %H:%M:%S")) - time.timezone
    except ValueError:
        return 0.0


def _filter(words: list[str], silent: bool) -> dict[str, str]:
    wanted = dict(word.partition(":")[::2] for word in words)
    wanted = {tag: level or "V" for tag, level in wanted.items()}
    return {"*": "S", **wanted} if silent else wanted


def _passes(line: Line, wanted: dict[str, str]) -> bool:
    least = wanted.get(line.tag, wanted.get("*", "V"))
    return least != "S" and LEVELS.index(line.level) >= LEVELS.index(least)


ANDROID: dict[str, Program] = {
    **{"getprop": getprop, "setprop": setprop, "dumpsys": dumpsys, "settings": settings, "svc": svc, "cmd": cmd},
    **{"pm": pm, "am": am, "log": log, "logcat": logcat, "input": lambda call: 0, "wm": lambda call: 0},
}
