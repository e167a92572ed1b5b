"""Programs that read lines and print some of them."""

import re

from tests.devices.standin.phone import Call, Program
from tests.devices.standin.programs.files import split


def _lines(call: Call, names: list[str]) -> list[str]:
    content = b""
    for name in names:
        content += call.phone.read(call.shell.path(name))
    while not names and (data := call.files.stdin()):
        content += data
    return content.decode(errors="surrogateescape").splitlines()


def grep(call: Call) -> int:
    """grep [-qvcEFis] PATTERN [FILE]..."""
    letters, words = split(call)
    pattern, names = words[0], words[1:]
    pattern = re.escape(pattern) if "F" in letters else pattern
    flags = re.IGNORECASE if "i" in letters else 0
    if "s" in letters:
        return _named(call, re.compile(pattern, flags), names)
    try:
        lines = _lines(call, names)
    except OSError as error:
        return call.fail(f"{error.filename}: {error.strerror}", 2)
    hits = [line for line in lines if bool(re.search(pattern, line, flags)) is not ("v" in letters)]
    if "c" in letters:
        call.out(f"{len(hits)}\n")
    elif "q" not in letters:
        call.out("".join(line + "\n" for line in hits))
    return 0 if hits else 1


def _named(call: Call, pattern: re.Pattern[str], names: list[str]) -> int:
    """Several files, each line behind its file's name; those that are not there are passed over."""
    status = 1
    for name in names:
        try:
            lines = _lines(call, [name])
        except OSError:
            status = 2
            continue
        call.out("".join(f"{name}:{line}\n" for line in lines if pattern.search(line)))
    return status


def ends(call: Call) -> int:
    """head and tail [-n N | -N] [FILE]..."""
    words, count, names = list(call.arguments), 10, []
    while words:
        word = words.pop(0)
        if word == "-n":
            count = int(words.pop(0).lstrip("+"))
        elif re.fullmatch(r"-n?\d+", word):
            count = int(word.lstrip("-n"))
        else:
            names.append(word)
    try:
        lines = _lines(call, names)
    except OSError as error:
        return call.fail(f"{error.filename}: {error.strerror}")
    chosen = lines[:count] if call.name == "head" else lines[-count:] if count else []
    call.out("".join(line + "\n" for line in chosen))
    return 0


def wc(call: Call) -> int:
    """wc [-lc] [FILE]."""
    letters, names = split(call)
    content = b""
    try:
        for name in names:
            content += call.phone.read(call.shell.path(name))
    except OSError as error:
        return call.fail(f"{names[0]}: {error.strerror}")
    while not names and (data := call.files.stdin()):
        content += data
    numbers = {"l": content.count(b"\n"), "w": len(content.split()), "c": len(content)}
    shown = [str(value) for key, value in numbers.items() if key in (letters or "lwc")]
    call.out(" ".join([*shown, *names]) + "\n")
    return 0


def tee(call: Call) -> int:
    """tee [-a] FILE."""
    letters, names = split(call)
    content = b""
    while data := call.files.stdin():
        content += data
    call.files.out(content)
    for name in names:
        call.phone.files.write(call.shell.path(name), content, append="a" in letters)
    return 0


def seq(call: Call) -> int:
    """seq [FIRST] LAST."""
    numbers = [int(word) for word in call.arguments]
    first, last = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[-1])
    call.out("".join(f"{number}\n" for number in range(first, last + 1)))
    return 0


FILTERS: dict[str, Program] = {"grep": grep, "head": ends, "tail": ends, "wc": wc, "tee": tee, "seq": seq}
