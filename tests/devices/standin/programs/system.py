"""Programs about texts, processes and the machine."""

import re
import signal
import threading
import time

from tests.devices.standin.phone import Call, Program
from tests.devices.standin.programs.files import split
from tests.devices.standin.shell.interpreter import Shell

TIMED_OUT = 124
SYNONYMS = ("setsid", "nice", "ionice", "time")


def sh(call: Call) -> int:
    """sh [-c SOURCE [NAME ARGUMENTS...]] [FILE]."""
    words = list(call.arguments)
    if words and words[0].startswith("-") and "c" in words[0]:
        source, name, arguments = words[1], (words[2:3] or ["sh"])[0], tuple(words[3:])
    elif words:
        source, name, arguments = call.phone.read(call.shell.path(words[0])).decode(), words[0], tuple(words[1:])
    else:
        data = b""
        while part := call.files.stdin():
            data += part
        source, name, arguments = data.decode(), "sh", ()
    shell = Shell(call.phone, call.process, name, arguments, dict(call.shell.variables), call.shell.cwd)
    return shell.run(source, call.files)


def sleep(call: Call) -> int:
    """sleep SECONDS."""
    call.process.wait(float(call.arguments[0].rstrip("s")))
    return 0


def wrap(call: Call) -> int:
    """nohup, setsid, nice and their like: run what follows."""
    words = list(call.arguments)
    while words and words[0].startswith("-"):
        words.pop(0)
        if words and words[0].lstrip("-").isdigit():
            words.pop(0)
    call.process.ignores_hangup = call.name in ("nohup", "setsid")
    return call.sub(words, instead=True)


def env(call: Call) -> int:
    """env [NAME=VALUE]... PROGRAM, or the variables."""
    words = list(call.arguments)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        call.shell.variables[name] = value
    if words:
        return call.sub(words, instead=True)
    for name, value in sorted({**call.phone.environment, **call.shell.variables}.items()):
        call.out(f"{name}={value}\n")
    return 0


def timeout(call: Call) -> int:
    """timeout [-s SIGNAL] [-k SECONDS] SECONDS PROGRAM."""
    words = list(call.arguments)
    number = signal.SIGTERM.value
    while words[0].startswith("-"):
        option = words.pop(0)
        value = words.pop(0)
        if option == "-s":
            number = int(value) if value.isdigit() else int(signal.Signals[f"SIG{value.removeprefix('SIG')}"])
    seconds = float(words.pop(0).rstrip("s"))
    late = threading.Event()

    def strike() -> None:
        late.set()
        for process in descendants(call, call.process.pid):
            call.phone.processes.get(process) and call.phone.processes.get(process).kill(number)  # type: ignore[union-attr]

    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    timer.start()
    try:
        status = call.sub(words)
    finally:
        timer.cancel()
    return TIMED_OUT if late.is_set() else status


def descendants(call: Call, pid: int) -> list[int]:
    """Numbers of all processes below one."""
    found = []
    for process in call.phone.processes:
        if process.parent == pid:
            found += [process.pid, *descendants(call, process.pid)]
    return found


def taskset(call: Call) -> int:
    """taskset [-p] MASK PROGRAM: the mask in hexadecimal, of processors that exist."""
    words = [word for word in call.arguments if word != "-a"]
    if not words or not re.fullmatch("[0-9a-fA-F]+", words[0]):
        return call.fail(f"bad mask '{words[0] if words else ''}'")
    if not int(words[0], 16) & call.phone.processor.mask:
        return call.fail("sched_setaffinity: Invalid argument")
    call.process.mask = int(words[0], 16) & call.phone.processor.mask
    return call.sub(words[1:], instead=True)


def ps(call: Call) -> int:
    """ps -A, ps -o PID,NAME, ps -p PID."""
    options = list(call.arguments)
    columns = (
        options[options.index("-o") + 1].upper().split(",") if "-o" in options else ["USER", "PID", "PPID", "NAME"]
    )
    columns = [column.partition("=")[0] for column in columns]
    wanted = options[options.index("-p") + 1].split(",") if "-p" in options else None
    if not any(option.endswith("=") for option in options):
        call.out(" ".join(columns) + "\n")
    for process in call.phone.processes:
        if wanted and str(process.pid) not in wanted:
            continue
        name = process.argv[0].rpartition("/")[2]
        values = {"USER": "shell", "PID": str(process.pid), "PPID": str(process.parent), "NAME": name, "S": "S"}
        call.out(" ".join(values.get(column, " ".join(process.argv)) for column in columns) + "\n")
    return 0


def by_name(call: Call) -> int:
    """pidof, pgrep and pkill [-f] [-SIGNAL]."""
    words = [word for word in call.arguments if not word.startswith("-")]
    full = "-f" in call.arguments
    hits = []
    for process in call.phone.processes:
        name = " ".join(process.argv) if full else process.argv[0].rpartition("/")[2]
        fits = name == words[0] if call.name == "pidof" else re.search(words[0], name)
        if fits and process is not call.process and process.pid != call.shell.process.pid:
            hits.append(process)
    if call.name == "pkill":
        numbers = [int(word[1:]) for word in call.arguments if re.fullmatch(r"-\d+", word)]
        for process in hits:
            process.kill(numbers[0] if numbers else signal.SIGTERM.value)
    elif hits:
        call.out((" " if call.name == "pidof" else "\n").join(str(process.pid) for process in hits) + "\n")
    return 0 if hits else 1


def uname(call: Call) -> int:
    """uname -amrs."""
    machine = "aarch64" if "arm64-v8a" in call.phone.personality.abis else "armv7l"
    if "x86_64" in call.phone.personality.abis:
        machine = "x86_64"
    parts = {"s": "Linux", "n": "localhost", "r": call.phone.personality.kernel, "v": "#1 SMP PREEMPT", "m": machine}
    letters = split(call)[0] or "s"
    chosen = parts.values() if "a" in letters else [value for key, value in parts.items() if key in letters]
    call.out(" ".join(chosen) + "\n")
    return 0


def id_(call: Call) -> int:
    """id, whoami."""
    call.out(
        "shell\n"
        if call.name == "whoami"
        else "2000\n"
        if "-u" in call.arguments
        else "uid=2000(shell) gid=2000(shell)\n"
    )
    return 0


def date(call: Call) -> int:
    """date [+%s | +%s%N | +FORMAT]."""
    form = next((word[1:] for word in call.arguments if word.startswith("+")), "%a %b %d %H:%M:%S GMT %Y")
    now = time.time()
    form = form.replace("%s", str(int(now))).replace("%N", f"{int(now % 1 * 1e9):09d}")
    call.out(time.strftime(form, time.gmtime(now)) + "\n")
    return 0


def nproc(call: Call) -> int:
    """nproc."""
    call.out(f"{len(call.phone.personality.cores)}\n")
    return 0


def uptime(call: Call) -> int:
    """uptime."""
    call.out(" 12:00:00 up 3 days,  2:10,  0 users,  load average: 0.10, 0.20, 0.30\n")
    return 0


def which(call: Call) -> int:
    """which NAME..."""
    status = 0
    for name in call.arguments:
        if name in call.phone.programs:
            call.out(f"/system/bin/{name}\n")
        else:
            status = 1
    return status


def nothing(_: Call) -> int:
    """sync and others whose effect nobody sees here."""
    return 0


def dd(call: Call) -> int:
    """dd if=/dev/zero|FILE of=FILE bs=N count=N."""
    given = dict(word.partition("=")[::2] for word in call.arguments)
    units = {"k": 1 << 10, "K": 1 << 10, "m": 1 << 20, "M": 1 << 20}
    block = given.get("bs", "512")
    size = int(block.rstrip("kKmM")) * units.get(block[-1], 1)
    try:
        source = given.get("if", "/dev/zero")
        data = bytes(size * int(given.get("count", 1))) if source == "/dev/zero" else call.phone.read(source)
        call.phone.files.write(call.shell.path(given["of"]), data)
    except OSError as error:
        return call.fail(f"{error.filename}: {error.strerror}")
    call.err(f"{len(data)} bytes copied\n")
    return 0


SYSTEM: dict[str, Program] = {
    **{"sh": sh, "sleep": sleep, "nohup": wrap, "setsid": wrap, "nice": wrap, "ionice": wrap, "time": wrap, "env": env},
    **{"timeout": timeout, "taskset": taskset, "ps": ps, "pidof": by_name, "pgrep": by_name, "pkill": by_name},
    **{
        "uname": uname,
        "id": id_,
        "whoami": id_,
        "date": date,
        "nproc": nproc,
        "uptime": uptime,
    },
    **{"which": which, "sync": nothing, "dd": dd},
}
