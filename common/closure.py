"""Which modules of this checkout a stage can reach by importing, and one hash over them.

Found in the text of the modules, without running any: imports inside of functions count, and so does a module's
name in a string (a program started with `-m`). What is imported under a name that is made at run time could be
anything, and counts as all of `common`.
"""

import ast
import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.artifact import write_bytes

ROOMS = ("common", "jobs")
MODULE = re.compile(r"(?:common|jobs)(?:\.\w+)+")
LOADERS = ("import_module", "__import__", "run_module", "run_path", "spec_from_file_location")
ANYTHING = "common.*"
# The modules or packages of a stage that check and make nothing: what derives its artifact again for `make verify`, and
# what tries a network before its training.
CHECKS = ("follows", "probe")
# Of an entry in the cache: time, size, hash, imports.
FIELDS = 4


@dataclass(frozen=True)
class Module:
    """A file of the checkout: its path there, the hash of its content, and the names that it imports."""

    path: str
    sha256: str
    imports: tuple[str, ...]


Tree = Mapping[str, Module]


def read_tree(root: Path, cache: Path, *, keep: bool = True) -> Tree:
    """Every module of `common` and `jobs` by its dotted name.

    `cache` holds what was found before; a file of the same size and time is not read again. With `keep` it is
    written. One that cannot be used is no loss but of time.
    """
    before = _cached(cache)
    entries: dict[str, list[object]] = {}
    tree = {}
    for path in (path for room in ROOMS for path in sorted((root / room).rglob("*.py"))):
        name, status = path.relative_to(root).as_posix(), path.stat()
        stamp = [status.st_mtime_ns, status.st_size]
        entry = before.get(name)
        if entry is None or entry[:2] != stamp:
            text = path.read_bytes()
            entry = [*stamp, hashlib.sha256(text).hexdigest(), sorted(set(imports(text, name)))]
        entries[name] = entry
        tree[dotted(name)] = Module(name, entry[2], tuple(entry[3]))
    if keep and entries != before:
        write_bytes(cache, json.dumps(entries).encode())
    return tree


def _cached(cache: Path) -> dict[str, list]:  # type: ignore[type-arg]
    try:
        found = json.loads(cache.read_text(encoding="utf-8"))
        return {str(name): list(entry) for name, entry in found.items() if len(entry) == FIELDS}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def dotted(path: str) -> str:
    """`common/adb/__init__.py` as `common.adb`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(text: bytes, path: str) -> Iterator[str]:
    """The names that a module may import: modules, and what is taken from them, which may be modules too."""
    package = path.split("/")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and MODULE.fullmatch(node.value):
            yield node.value
        elif isinstance(node, ast.Call) and _loads_anything(node):
            yield ANYTHING


def _loads_anything(call: ast.Call) -> bool:
    function = call.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    return name in LOADERS and not (call.args and isinstance(call.args[0], ast.Constant))


def reached(stage: str, tree: Tree) -> frozenset[str]:
    """The names of the modules that a stage reaches: its own, and what these import, and so on. What checks an artifact
    does not make it, and nothing is made anew when that changes."""
    own = f"jobs.{stage}"
    checks = {name for name in tree if _checks(name)}
    todo = [name for name in tree if name == own or name.startswith(f"{own}.")]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in found or name not in tree or name in checks:
            continue
        found.add(name)
        todo += _with_packages(name)
        for imported in tree[name].imports:
            todo += [other for other in tree if other.startswith("common")] if imported == ANYTHING else []
            todo += _with_packages(imported)
    return frozenset(found)


def _checks(name: str) -> bool:
    """Whether a module is, or is in, one of those of a stage that check."""
    room, *parts = name.split(".")
    return room == "jobs" and len(parts) > 1 and parts[1] in CHECKS


@functools.cache
def _with_packages(name: str) -> tuple[str, ...]:
    """A dotted name and everything above it: importing `a.b` runs `a/__init__.py` first."""
    parts = name.split(".")
    return tuple(".".join(parts[: length + 1]) for length in range(len(parts)))


def code_sha256(stage: str, tree: Tree, also: Sequence[Path] = ()) -> str:
    """One hash over the modules that a stage reaches and the files below the folders `also`."""
    digest = hashlib.sha256()
    for name in sorted(reached(stage, tree)):
        digest.update(f"{tree[name].path}\0{tree[name].sha256}\n".encode())
    for folder in also:
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()
