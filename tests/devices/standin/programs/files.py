"""Programs about files."""

import fnmatch
import hashlib
import posixpath
import stat
from collections.abc import Callable

from tests.devices.phone import texts
from tests.devices.phone.android import TOYBOX_SINCE
from tests.devices.standin.filesystem import KB
from tests.devices.standin.phone import Call, Program

# What a symbolic mode adds.
SYMBOLIC = {"+x": 0o111, "a+x": 0o111, "u+x": 0o100, "+r": 0o444, "+w": 0o200, "+rx": 0o555, "u+rwx": 0o700}


def split(call: Call) -> tuple[str, list[str]]:
    """Letters of the options, and the other words."""
    letters = ""
    words: list[str] = []
    for index, word in enumerate(call.arguments):
        if word == "--":
            words += call.arguments[index + 1 :]
            break
        if word.startswith("-") and len(word) > 1:
            letters += word[1:]
        else:
            words.append(word)
    return letters, words


def each(call: Call, names: list[str], action: Callable[[str], object]) -> int:
    """Do something with every path; the status is 1 if any failed."""
    status = 0
    for name in names:
        try:
            action(call.shell.path(name))
        except OSError as error:
            status = call.fail(f"{name}: {error.strerror}")
    return status


def cat(call: Call) -> int:
    """cat [FILE]..."""
    _, names = split(call)
    if not names:
        while data := call.files.stdin():
            call.files.out(data)
        return 0
    own = f"/proc/{call.process.pid}/"
    return each(call, names, lambda path: call.files.out(call.phone.read(path.replace("/proc/self/", own))))


def ls(call: Call) -> int:
    """ls [-aldR1] [PATH]..."""
    options, names = split(call)
    status = 0
    for name in names or ["."]:
        path = call.shell.path(name)
        try:
            node = call.phone.files.node(path)
        except OSError as error:
            status = call.fail(f"{name}: {error.strerror}")
            continue
        inside = [] if not node.is_folder or "d" in options else call.phone.files.children(path)
        shown = inside if node.is_folder and "d" not in options else [name]
        for entry in shown:
            if not entry.startswith(".") or "a" in options or "A" in options:
                call.out(_row(call, posixpath.join(path, entry) if inside else path, entry, "l" in options))
    return status


def _row(call: Call, path: str, shown: str, long: bool) -> str:
    node = call.phone.files.node(path, follow=False)
    if not long:
        return shown + "\n"
    target = f" -> {node.data.decode()}" if stat.S_ISLNK(node.mode) else ""
    return f"{stat.filemode(node.mode)} 1 shell shell {len(node.data):8d} 2026-01-01 00:00 {shown}{target}\n"


def rm(call: Call) -> int:
    """rm [-rf] PATH..."""
    options, names = split(call)

    def remove(path: str) -> None:
        if "f" in options and not call.phone.files.exists(path):
            return
        call.phone.files.remove(path, recursive="r" in options.lower())

    return each(call, names, remove)


def rmdir(call: Call) -> int:
    """rmdir PATH..."""

    def remove(path: str) -> None:
        if call.phone.files.children(path):
            raise OSError(39, "Directory not empty")
        call.phone.files.remove(path, recursive=True)

    return each(call, split(call)[1], remove)


def mkdir(call: Call) -> int:
    """mkdir [-p] PATH..."""
    options, names = split(call)
    return each(call, names, lambda path: call.phone.files.make_folder(path, parents_too="p" in options))


def chmod(call: Call) -> int:
    """chmod MODE PATH..., octal or what adds rights."""
    words = [word for word in call.arguments if word not in ("-R", "--")]
    if len(words) < 2:
        return call.fail("needs a mode and a file")

    def change(path: str) -> None:
        node = call.phone.files.node(path)
        old = stat.S_IMODE(node.mode)
        new = old | SYMBOLIC[words[0]] if words[0] in SYMBOLIC else int(words[0], 8)
        node.mode = stat.S_IFMT(node.mode) | new

    return each(call, words[1:], change)


def touch(call: Call) -> int:
    """touch PATH..."""
    return each(call, split(call)[1], lambda path: call.phone.files.write(path, b"", append=True))


def copy(call: Call) -> int:
    """cp and mv FILE... PLACE."""
    *sources, target = split(call)[1]
    place = call.shell.path(target)
    files = call.phone.files

    def one(path: str) -> None:
        goal = posixpath.join(place, posixpath.basename(path)) if _is_folder(call, place) else place
        node = files.node(path)
        if node.is_folder and call.name == "mv":
            for inner in [name for name in files.nodes if name == path or name.startswith(path + "/")]:
                files.nodes[goal + inner[len(path) :]] = files.nodes.pop(inner)
            return
        files.write(goal, call.phone.read(path), stat.S_IMODE(node.mode))
        if call.name == "mv" and goal != path:
            files.remove(path)

    return each(call, sources, one)


def _is_folder(call: Call, path: str) -> bool:
    return call.phone.files.exists(path) and call.phone.files.node(path).is_folder


def link(call: Call) -> int:
    """ln -s TARGET NAME."""
    target, name = split(call)[1]
    return each(call, [name], lambda path: call.phone.files.link(path, target))


def digest(call: Call) -> int:
    """sha256sum and md5sum, [-c] [-b] FILE..."""
    kind = call.name.removesuffix("sum")
    options, names = split(call)
    if not names:
        call.out(f"{hashlib.new(kind, _stdin(call)).hexdigest()}{'' if 'b' in options else '  -'}\n")
        return 0

    def one(name: str) -> None:
        value = hashlib.new(kind, call.phone.read(call.shell.path(name))).hexdigest()
        call.out(f"{value}\n" if "b" in options else f"{value}  {name}\n")

    status = 0
    for name in names:
        try:
            one(name)
        except OSError as error:
            status = call.fail(f"{name}: {error.strerror}")
    return status


def _stdin(call: Call) -> bytes:
    content = b""
    while data := call.files.stdin():
        content += data
    return content


def stat_(call: Call) -> int:
    """stat -c FORMAT FILE, with %s size, %a mode, %n name, %Y time, %F kind."""
    words = list(call.arguments)
    form = words.pop(words.index("-c") + 1) if "-c" in words else "%n %s"

    def one(path: str) -> None:
        node = call.phone.files.node(path, follow="-L" in words)
        kind = "directory" if node.is_folder else "regular file"
        values = {
            "%s": len(node.data),
            "%a": f"{stat.S_IMODE(node.mode):o}",
            "%n": path,
            "%Y": node.modified,
            "%F": kind,
        }
        text = form
        for key, value in values.items():
            text = text.replace(key, str(value))
        call.out(text + "\n")

    return each(call, [word for word in words if word not in ("-c", "-L")], one)


def df(call: Call) -> int:
    """df [-k|-h] [PATH]."""
    options, names = split(call)
    storage = call.phone.files.free()
    if call.phone.state.api_level < TOYBOX_SINCE:
        call.out(texts.df_old(storage, call.arguments or ("/data",)))
        return 0
    for name in names:
        if not call.phone.files.exists(call.shell.path(name)):
            return call.fail(f"{name}: No such file or directory")
    call.out(texts.df_human(storage) if "h" in options else texts.df(storage, names[0] if names else "/data"))
    return 0


def du(call: Call) -> int:
    """du -s[k] PATH."""

    def one(path: str) -> None:
        call.phone.files.node(path)
        total = sum(
            len(node.data)
            for name, node in call.phone.files.nodes.items()
            if name == path or name.startswith(path + "/")
        )
        call.out(f"{-(-total // KB)}\t{path}\n")

    return each(call, split(call)[1] or ["."], one)


def find(call: Call) -> int:
    """find PATH [-type f|d] [-name PATTERN]: every path below."""
    words = list(call.arguments)
    wanted = {words[i]: words[i + 1] for i, word in enumerate(words) if word in ("-type", "-name")}

    def one(path: str) -> None:
        call.phone.files.node(path)
        for name, node in sorted(call.phone.files.nodes.items()):
            if not (name == path or name.startswith(path + "/")):
                continue
            kind = "d" if node.is_folder else "f"
            fits = fnmatch.fnmatchcase(posixpath.basename(name), wanted.get("-name", "*"))
            if fits and wanted.get("-type", kind) == kind:
                call.out(name + "\n")

    return each(call, [word for word in words[:1] if not word.startswith("-")] or ["."], one)


def mktemp(call: Call) -> int:
    """mktemp [-d] [-p FOLDER] [TEMPLATE]."""
    options, names = split(call)
    folder = names[0] if "p" in options and names else "/data/local/tmp"
    path = f"{folder}/made.{call.process.pid}"
    if "d" in options:
        call.phone.files.make_folder(path)
    else:
        call.phone.files.write(path, b"")
    call.out(path + "\n")
    return 0


def readlink(call: Call) -> int:
    """readlink -f and realpath."""
    return each(call, split(call)[1], lambda path: call.out(call.phone.files.resolve(path) + "\n"))


FILES: dict[str, Program] = {
    **{"cat": cat, "ls": ls, "rm": rm, "rmdir": rmdir, "mkdir": mkdir, "chmod": chmod, "touch": touch, "cp": copy},
    **{"mv": copy, "ln": link, "sha256sum": digest, "md5sum": digest, "sha1sum": digest, "stat": stat_, "df": df},
    **{"du": du, "find": find, "mktemp": mktemp, "readlink": readlink, "realpath": readlink},
}
