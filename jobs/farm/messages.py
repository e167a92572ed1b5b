"""What a driver and a node say to each other. Plain values; files travel as pieces of their content."""

from dataclasses import dataclass

from jobs.farm.manifest import Entry

# Of a file in one message; several small ones share one.
PIECE_BYTES = 4 << 20
# What grows while its job runs; whole lines are told as they come.
LEDGER = "ledger.jsonl"
# A job that has nothing to say is alive.
TICK_S = 5.0


@dataclass(frozen=True)
class Order:
    """A job for a node. `folder` is where it runs, `reads` and `held` are files (`held` those of the folders that it
    writes, as they are), `writes` folders, all named as an `Entry` is. `purpose` is the same whenever the same command
    of the same driver is run again."""

    argv: tuple[str, ...]
    folder: str
    reads: tuple[Entry, ...]
    writes: tuple[str, ...]
    held: tuple[Entry, ...]
    environment: tuple[tuple[str, str], ...]
    purpose: str


@dataclass(frozen=True)
class Piece:
    """The next bytes of a content."""

    sha256: str
    data: bytes
    last: bool


@dataclass(frozen=True)
class Said:
    """A line of the job's standard output (1) or error (2)."""

    stream: int
    text: bytes


@dataclass(frozen=True)
class Grown:
    """Whole lines that a ledger has gained, from this place in the file on."""

    name: str
    at: int
    lines: bytes


@dataclass(frozen=True)
class Alive:
    """Nothing new."""


@dataclass(frozen=True)
class Made:
    """Every file that the written folders hold now, in the order in which they are to be put in place."""

    files: tuple[Entry, ...]


@dataclass(frozen=True)
class Ended:
    """The job's exit status; the last message."""

    status: int


Event = Said | Grown | Alive | Made | Piece | Ended
