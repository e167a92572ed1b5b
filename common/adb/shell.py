"""One command line for a device's shell, and what its output says of how it ended. Pure.

The exit status on the wire proves nothing: a connection that dies looks like success to some clients, and
devices before Android 7 send none. So every command prints its own process number before it runs and its exit
status after, both behind a word that nothing else can print; output without the second one was cut off.
"""

import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MARK = "__EDGEPROOF"
NONCE_BYTES = 8
SIGNALLED = 128


@dataclass(frozen=True)
class Script:
    """A command line and the word that marks its lines."""

    text: str
    nonce: str


@dataclass(frozen=True)
class Ended:
    """A command that ran to its end. `status` is above 128 when a signal ended it."""

    status: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Everything that it printed."""
        return self.stdout + self.stderr


def script(argv: Sequence[str], variables: Mapping[str, str] | None = None) -> Script:
    """The only place where a device's command line is built; every word is quoted.

    The command runs as a child of a shell that stays, because the memory figures of `benchmark_model` are
    deltas of a peak that an exec'd process inherits from its parent; and in the background, so that its
    process number is known and it can be ended.
    """
    nonce = secrets.token_hex(NONCE_BYTES)
    given = [f"{_name(name)}={shlex.quote(value)}" for name, value in (variables or {}).items()]
    words = " ".join([*given, *(shlex.quote(word) for word in argv)])
    text = f'{words} </dev/null & echo {MARK}_{nonce}_PID=$!; wait $!; rc=$?; echo; echo "{MARK}_{nonce}_RC=$rc"'
    return Script(text, nonce)


def script_of(commands: Sequence[Sequence[str]]) -> Script:
    """Several programs one after the other in one command line, each behind a mark with its number and status. What
    they say on standard error is dropped."""
    nonce = secrets.token_hex(NONCE_BYTES)
    parts = [
        f"{' '.join(shlex.quote(word) for word in argv)} </dev/null 2>/dev/null; "
        f'rc=$?; echo; echo "{MARK}_{nonce}_{number}=$rc"; '
        for number, argv in enumerate(commands)
    ]
    body = f'{{ {"".join(parts)}}} & echo {MARK}_{nonce}_PID=$!; wait $!; rc=$?; echo; echo "{MARK}_{nonce}_RC=$rc"'
    return Script(body, nonce)


def each_ended(stdout: str, nonce: str, count: int) -> tuple[Ended, ...]:
    """What every one of `count` programs printed, and how it ended; one that is missing was ended by a signal."""
    # Text, status, text, status, and what comes after the last one.
    parts = re.split(rf"\n{MARK}_{nonce}_\d{{1,4}}=(\d{{1,3}})\n", stdout)
    found = [Ended(int(status), text, "") for text, status in zip(parts[::2], parts[1::2], strict=False)]
    return (*found[:count], *(Ended(SIGNALLED, "", "") for _ in range(count - len(found))))


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise ValueError(f"{name!r} is no name of a variable")
    return name


def process_number(stdout: str, nonce: str) -> int | None:
    """The command's process number; None when it was not printed (yet)."""
    # Anywhere: the program may have printed something before, without a line end.
    found = re.search(rf"{MARK}_{nonce}_PID=(\d{{1,10}})\r?\n", stdout)
    return int(found[1]) if found else None


def has_ended(text: str, nonce: str) -> bool:
    """Whether these lines tell the command's end."""
    return re.search(rf"^{MARK}_{nonce}_RC=\d{{1,3}}\r?$", text, re.MULTILINE) is not None


def ended(stdout: str, stderr: str, nonce: str) -> Ended | None:
    """What the command printed and how it ended; None when the output was cut off before its end."""
    plain = stdout.replace("\r\n", "\n")
    found = re.search(rf"\n{MARK}_{nonce}_RC=(\d{{1,3}})\n\Z", plain)
    if found is None:
        return None
    body = re.sub(rf"{MARK}_{nonce}_PID=\d{{1,10}}\n", "", plain[: found.start() + 1], count=1)[:-1]
    return Ended(int(found[1]), body, stderr.replace("\r\n", "\n"))
