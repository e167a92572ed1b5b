"""A command line as a tree: lists, pipelines, redirections, if, for and while. No functions, no arithmetic."""

from dataclasses import dataclass, field


class ShellSyntaxError(Exception):
    """What a shell calls a syntax error."""


@dataclass(frozen=True)
class Piece:
    """Part of a word. kind: `text`, `param` (a name) or `command` (a substitution's source)."""

    kind: str
    value: str
    quoted: bool


@dataclass(frozen=True)
class Word:
    """Pieces that stand together."""

    pieces: tuple[Piece, ...]

    @property
    def plain(self) -> str | None:
        """The text if no part of it is quoted or expands, as keywords and assignments must be."""
        if all(piece.kind == "text" and not piece.quoted for piece in self.pieces):
            return "".join(piece.value for piece in self.pieces)
        return None


@dataclass(frozen=True)
class Redirect:
    """`fd op target`: `2> file`, `2>&1`, `< file`."""

    fd: int
    op: str
    target: Word


@dataclass(frozen=True)
class Simple:
    """Assignments, words and redirections."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True)
class Group:
    """`{ list; }`, or `( list )` as a subshell."""

    body: "CommandList"
    subshell: bool
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True)
class If:
    """Pairs of a condition and a body, then the `else`."""

    branches: tuple[tuple["CommandList", "CommandList"], ...]
    otherwise: "CommandList | None"
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True)
class For:
    """`for name in words; do body; done`; `words` is None for the arguments."""

    name: str
    words: tuple[Word, ...] | None
    body: "CommandList"
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True)
class While:
    """`while` or, negated, `until`."""

    condition: "CommandList"
    body: "CommandList"
    until: bool
    redirects: tuple[Redirect, ...] = ()


Command = Simple | Group | If | For | While


@dataclass(frozen=True)
class Pipeline:
    """Commands joined by `|`; negated by `!`."""

    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True)
class Entry:
    """A pipeline, what joins it to the one before (`;`, `&&`, `||`), and whether it runs in the background."""

    pipeline: Pipeline
    joined: str
    background: bool = False


@dataclass(frozen=True)
class CommandList:
    """Entries in order."""

    entries: tuple[Entry, ...] = field(default=())
