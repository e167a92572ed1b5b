"""Runs the tree: expansion, pipelines, redirections, background jobs, and programs by name."""

import fnmatch
import posixpath
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.devices.standin.process import Killed, Process
from tests.devices.standin.shell.fields import Fields
from tests.devices.standin.shell.parser import parse
from tests.devices.standin.shell.streams import Files, Writer, nowhere, once
from tests.devices.standin.shell.syntax import (
    Command,
    CommandList,
    Entry,
    For,
    Group,
    If,
    Pipeline,
    Redirect,
    ShellSyntaxError,
    Simple,
    While,
    Word,
)
from tests.devices.standin.wire import Closed

if TYPE_CHECKING:
    from tests.devices.standin.phone import Phone

SIGNALLED = 128
SIGNAL_WORDS = {
    6: "Aborted",
    9: "Killed",
    11: "Segmentation fault",
    15: "Terminated",
    7: "Bus error",
    4: "Illegal instruction",
}
NOT_FOUND = 127
NOT_EXECUTABLE = 126


class Exit(Exception):  # noqa: N818
    """`exit N`."""

    def __init__(self, status: int) -> None:
        """`status` is the exit status."""
        super().__init__(status)
        self.status = status


@dataclass
class Shell:
    """One shell process and its state."""

    phone: "Phone"
    process: Process
    name: str = "/system/bin/sh"
    arguments: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    status: int = 0
    last_job: int = 0
    jobs: list[tuple[int, threading.Thread, list[int]]] = field(default_factory=list)
    errexit: bool = False

    def run(self, source: str, files: Files) -> int:
        """Run a command line to its end; returns the exit status, 128 + signal for a killed shell."""
        try:
            self._list(parse(source), files)
        except ShellSyntaxError as problem:
            files.err(f"{self.name}: syntax error: {problem}\n".encode())
            return 1
        except Exit as done:
            return done.status
        except Killed as killed:
            return SIGNALLED + killed.number
        return self.status

    def path(self, name: str) -> str:
        """A path relative to the working directory, made absolute."""
        return posixpath.normpath(posixpath.join(self.cwd, name))

    def child(self) -> "Shell":
        """A copy for a subshell: its changes stay with it."""
        return replace(self, variables=dict(self.variables), jobs=[])

    # ---- lists -----------------------------------------------------------------------------------
    def _list(self, tree: CommandList, files: Files) -> None:
        for entry in tree.entries:
            self.process.check()
            if (entry.joined == "&&" and self.status) or (entry.joined == "||" and not self.status):
                continue
            if entry.background:
                self._start(entry, files)
            else:
                self._pipeline(entry.pipeline, files)

    def _start(self, entry: Entry, files: Files) -> None:
        shell = self.child()
        shell.process = self.phone.processes.start(("sh",), self.process.pid)
        shell.process.becomes = [type(command) for command in entry.pipeline.commands] == [Simple]
        statuses: list[int] = []

        def body() -> None:
            statuses.append(shell._alone(lambda: shell._pipeline(entry.pipeline, replace(files, stdin=lambda: b""))))
            self.phone.processes.end(shell.process)

        thread = threading.Thread(target=body, daemon=True)
        self.jobs.append((shell.process.pid, thread, statuses))
        self.last_job, self.status = shell.process.pid, 0
        thread.start()

    def guarded(self, body: Callable[[], None]) -> int:
        """Run a part of the tree in this shell; its exit status."""
        try:
            body()
        except Exit as done:
            self.status = done.status
        except Killed as killed:
            self.status = SIGNALLED + killed.number
        return self.status

    def _alone(self, body: Callable[[], None]) -> int:
        """Run a background part; a link that breaks under it ends it as the next word to nobody would."""
        try:
            return self.guarded(body)
        except Closed:
            return SIGNALLED + signal.SIGPIPE

    def _pipeline(self, pipeline: Pipeline, files: Files) -> None:
        """Each command runs when the one before has ended, its output kept in between."""
        stdin = files.stdin
        for command in pipeline.commands[:-1]:
            kept = bytearray()
            shell = self.child()
            shell.guarded(lambda c=command, s=shell, i=stdin, k=kept: s._command(c, Files(i, k.extend, files.err)))  # type: ignore[misc]
            stdin = once(bytes(kept))
        self._command(pipeline.commands[-1], replace(files, stdin=stdin))
        if pipeline.negated:
            self.status = int(not self.status)

    # ---- commands --------------------------------------------------------------------------------
    def _command(self, command: Command, files: Files) -> None:
        try:
            files = self._redirected(command.redirects, files)
        except OSError as error:
            files.err(f"{self.name}: can't open {error.filename}: {error.strerror}\n".encode())
            self.status = 1
            return
        match command:
            case Simple():
                self._simple(command, files)
            case Group(body=body, subshell=True):
                self.status = (shell := self.child()).guarded(lambda: shell._list(body, files))
            case Group(body=body):
                self._list(body, files)
            case If():
                self._if(command, files)
            case For():
                self._for(command, files)
            case While():
                self._while(command, files)

    def _if(self, command: If, files: Files) -> None:
        for condition, body in command.branches:
            self._list(condition, files)
            if not self.status:
                self._list(body, files)
                return
        self.status = 0
        if command.otherwise:
            self._list(command.otherwise, files)

    def _for(self, command: For, files: Files) -> None:
        values = list(self.arguments) if command.words is None else self.expand(command.words)
        self.status = 0
        for value in values:
            self.variables[command.name] = value
            self._list(command.body, files)

    def _while(self, command: While, files: Files) -> None:
        while True:
            self.process.check()
            self._list(command.condition, files)
            if bool(self.status) is not command.until:
                self.status = 0
                return
            self._list(command.body, files)

    def _simple(self, command: Simple, files: Files) -> None:
        words = list(command.words)
        assigned: dict[str, str] = {}
        while words and (name := _assignment(words[0])):
            value = "".join(self.expand((words.pop(0),), split=False))
            assigned[name] = value.partition("=")[2]
        argv = self.expand(tuple(words))
        if not argv:
            self.variables |= assigned
            self.status = 0
            return
        kept = dict(self.variables)
        self.variables |= assigned
        try:
            self.status = self.phone.execute(self, argv, files)
        finally:
            if assigned:
                for name in assigned:
                    self.variables.pop(name)
                self.variables |= {name: kept[name] for name in assigned if name in kept}

    # ---- redirections and expansion ----------------------------------------------------------------
    def _redirected(self, redirects: Sequence[Redirect], files: Files) -> Files:
        out, err, stdin = files.out, files.err, files.stdin
        for redirect in redirects:
            target = "".join(self.expand((redirect.target,), split=False))
            if redirect.op == ">&":
                chosen = {"1": out, "2": err}.get(target, nowhere)
                out, err = (out, chosen) if redirect.fd == 2 else (chosen, err)
            elif redirect.op == "<":
                stdin = once(b"" if target == "/dev/null" else self.phone.read(self.path(target)))
            elif redirect.op in (">", ">>"):
                writer = self._file(target, append=redirect.op == ">>")
                out, err = (out, writer) if redirect.fd == 2 else (writer, err)
        return Files(stdin, out, err)

    def _file(self, target: str, *, append: bool) -> Writer:
        if target == "/dev/null":
            return nowhere
        path = self.path(target)
        self.phone.files.write(path, b"", append=append)
        return lambda data: self.phone.files.write(path, data, append=True)

    def expand(self, words: Sequence[Word], *, split: bool = True) -> list[str]:
        """Words as arguments: parameters and substitutions replaced, split at blanks, file patterns filled in."""
        arguments: list[str] = []
        for word in words:
            fields = Fields(split)
            for piece in word.pieces:
                if piece.kind == "param" and piece.value == "@":
                    fields.several(self.arguments)
                elif piece.kind == "text":
                    fields.text(piece.value, quoted=piece.quoted, literal=True)
                else:
                    value = self._parameter(piece.value) if piece.kind == "param" else self._substitute(piece.value)
                    fields.text(value, quoted=piece.quoted, literal=False)
            for text, pattern in fields.done():
                arguments += (self._glob(text) if pattern and split else None) or [text]
        return arguments

    def _parameter(self, name: str) -> str:
        name, colon, default = name.partition(":-")
        special = {
            "?": str(self.status),
            "$": str(self.process.pid),
            "!": str(self.last_job or ""),
            "#": str(len(self.arguments)),
            "*": " ".join(self.arguments),
            "-": "",
            "0": self.name,
            "PWD": self.cwd,
        }
        if name.isdigit() and name != "0":
            value = self.arguments[int(name) - 1] if int(name) <= len(self.arguments) else ""
        else:
            value = special.get(name, self.variables.get(name, self.phone.environment.get(name, "")))
        return value or default if colon else value

    def _substitute(self, source: str) -> str:
        kept = bytearray()
        shell = self.child()
        self.status = shell.run(source, Files(lambda: b"", kept.extend, nowhere))
        return kept.decode(errors="surrogateescape").rstrip("\n")

    def _glob(self, pattern: str) -> list[str] | None:
        full = self.path(pattern)
        with self.phone.files.lock:
            depth = full.count("/")
            hits = [p for p in self.phone.files.nodes if p.count("/") == depth and fnmatch.fnmatchcase(p, full)]
        if pattern.startswith("/"):
            return sorted(hits) or None
        return sorted(posixpath.relpath(hit, self.cwd) for hit in hits) or None


def _assignment(word: Word) -> str | None:
    first = word.pieces[0]
    name, equals, _ = first.value.partition("=")
    return name if equals and first.kind == "text" and not first.quoted and name.isidentifier() else None
