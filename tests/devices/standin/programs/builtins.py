"""What a shell does itself: cd, exit, test, echo, wait and the like."""

import signal
import stat

from tests.devices.standin.phone import Call, Program
from tests.devices.standin.shell.interpreter import Exit

ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\", "\\0": "\0", "\\r": "\r"}


def true(_: Call) -> int:
    """true and `:`."""
    return 0


def false(_: Call) -> int:
    """false."""
    return 1


def exit_(call: Call) -> int:
    """exit [N]."""
    raise Exit(int(call.arguments[0]) & 0xFF if call.arguments else call.shell.status)


def cd(call: Call) -> int:
    """cd [FOLDER]."""
    path = call.shell.path(call.arguments[0] if call.arguments else "/")
    try:
        folder = call.phone.files.node(path).is_folder
    except OSError as error:
        call.err(f"{call.shell.name}: cd: {path}: {error.strerror}\n")
        return 2
    if not folder:
        call.err(f"{call.shell.name}: cd: {path}: Not a directory\n")
        return 2
    call.shell.cwd = path
    return 0


def pwd(call: Call) -> int:
    """pwd."""
    call.out(call.shell.cwd + "\n")
    return 0


def echo(call: Call) -> int:
    """echo [-n] [-e] WORDS."""
    words = list(call.arguments)
    end, escapes = "\n", False
    while words and words[0] in ("-n", "-e", "-ne"):
        flag = words.pop(0)
        end = "" if "n" in flag else end
        escapes = escapes or "e" in flag
    text = " ".join(words)
    call.out((_unescape(text) if escapes else text) + end)
    return 0


def printf(call: Call) -> int:
    """printf FORMAT WORDS, with %s and %d; the format repeats while words are left."""
    if not call.arguments:
        return call.fail("usage: printf FORMAT [ARGUMENT...]")
    form, words = _unescape(call.arguments[0]), list(call.arguments[1:])
    while True:
        parts = form.replace("%%", "\0").split("%")
        text = parts[0]
        for part in parts[1:]:
            value = words.pop(0) if words else ""
            text += (str(int(value or 0)) if part[:1] == "d" else value) + part[1:]
        call.out(text.replace("\0", "%"))
        if not words or len(parts) == 1:
            return 0


def test(call: Call) -> int:
    """test and [: files, texts, numbers, !."""
    words = list(call.arguments)
    if call.argv[0] == "[" and (not words or words.pop() != "]"):
        return call.fail("missing ]", 2)
    if words and words[0] == "!":
        return int(not _test(call, words[1:]))
    return int(_test(call, words) is False)


def _test(call: Call, words: list[str]) -> bool:
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 2:
        return _test_file(call, words[0], words[1])
    if len(words) != 3:
        return False
    left, operator, right = words
    if operator in ("=", "=="):
        return left == right
    if operator == "!=":
        return left != right
    numbers = {"-eq": "__eq__", "-ne": "__ne__", "-lt": "__lt__", "-le": "__le__", "-gt": "__gt__", "-ge": "__ge__"}
    return bool(getattr(int(left), numbers[operator])(int(right)))


def _test_file(call: Call, flag: str, text: str) -> bool:
    if flag in ("-n", "-z"):
        return bool(text) is (flag == "-n")
    path = call.shell.path(text)
    try:
        node = call.phone.files.node(path)
    except OSError:
        try:
            return flag in ("-e", "-f", "-r") and bool(call.phone.read(path)) | True
        except OSError:
            return False
    checks = {
        "-d": node.is_folder,
        "-f": not node.is_folder,
        "-s": bool(node.data),
        "-x": bool(node.mode & 0o111),
        "-L": stat.S_ISLNK(node.mode),
    }
    return checks.get(flag, True)


def export(call: Call) -> int:
    """export NAME[=VALUE]."""
    for word in call.arguments:
        name, equals, value = word.partition("=")
        if equals:
            call.shell.variables[name] = value
    return 0


def unset(call: Call) -> int:
    """unset NAME."""
    for name in call.arguments:
        call.shell.variables.pop(name, None)
    return 0


def wait(call: Call) -> int:
    """wait [PID]: until background jobs end, as long as nobody kills the shell."""
    wanted = {int(word) for word in call.arguments}
    status = 0
    for pid, thread, statuses in call.shell.jobs:
        if wanted and pid not in wanted:
            continue
        while thread.is_alive():
            thread.join(0.01)
            call.process.check()
        status = statuses[-1] if statuses and wanted else 0
    return status


def kill(call: Call) -> int:
    """kill [-SIGNAL] PID...; a job's number reaches the program that it waits for too."""
    number = signal.SIGTERM.value
    pids: list[int] = []
    words = list(call.arguments)
    while words:
        word = words.pop(0)
        if word == "-s":
            number = _signal(words.pop(0))
        elif word.startswith("-") and len(word) > 1 and not pids and word != "--":
            number = _signal(word[1:])
        elif word != "--":
            pids.append(int(word))
    status = 0
    for pid in pids:
        process = call.phone.processes.get(abs(pid))
        if process is None:
            call.err(f"{call.shell.name}: kill: {pid}: No such process\n")
            status = 1
        else:
            process.kill(number)
            if pid < 0:
                _kill_children(call, abs(pid), number)
    call.process.check()
    return status


def _kill_children(call: Call, pid: int, number: int) -> None:
    for process in call.phone.processes:
        if process.parent == pid:
            process.kill(number)
            _kill_children(call, process.pid, number)


def _signal(text: str) -> int:
    if text.isdigit():
        return int(text)
    return int(signal.Signals[text if text.startswith("SIG") else f"SIG{text}"])


def set_(call: Call) -> int:
    """set -- WORDS; options are taken and ignored."""
    if "--" in call.arguments:
        call.shell.arguments = call.arguments[call.arguments.index("--") + 1 :]
    return 0


def shift(call: Call) -> int:
    """shift [N]."""
    call.shell.arguments = call.shell.arguments[int(call.arguments[0]) if call.arguments else 1 :]
    return 0


def exec_(call: Call) -> int:
    """exec PROGRAM: run it and end."""
    if not call.arguments:
        return 0
    raise Exit(call.phone.execute(call.shell, list(call.arguments), call.files))


def command(call: Call) -> int:
    """command -v NAME, or the program itself."""
    if call.arguments[:1] not in (("-v",), ("-V",)):
        return call.phone.execute(call.shell, list(call.arguments), call.files)
    name = call.arguments[1]
    if name in call.phone.builtins:
        call.out(name + "\n")
    elif name in call.phone.programs:
        call.out(f"/system/bin/{name}\n")
    elif "/" in name and call.phone.files.exists(call.shell.path(name)):
        call.out(name + "\n")
    else:
        return 1
    return 0


def trap(call: Call) -> int:
    """trap '' HUP makes the shell deaf to its connection's end; other traps never run here."""
    if call.arguments[:1] == ("",) and {"HUP", "1", "SIGHUP"} & set(call.arguments[1:]):
        call.process.ignores_hangup = True
    return 0


def eval_(call: Call) -> int:
    """eval WORDS."""
    return call.shell.run(" ".join(call.arguments), call.files)


def _unescape(text: str) -> str:
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


BUILTINS: dict[str, Program] = {
    **{":": true, "true": true, "false": false, "exit": exit_, "cd": cd, "pwd": pwd, "echo": echo, "printf": printf},
    **{"test": test, "[": test, "export": export, "unset": unset, "wait": wait, "kill": kill, "set": set_},
    **{"shift": shift, "exec": exec_, "command": command, "trap": trap, "umask": true, "eval": eval_, "local": export},
}
