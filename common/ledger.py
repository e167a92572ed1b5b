"""The lines of a benchmark's ledger, read one by one and in bounded memory, whoever wrote them."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.artifact import open_plain
from common.errors import UsageError
from common.schema.benchmark import LedgerLine, RunLine

LINE: TypeAdapter[LedgerLine] = TypeAdapter(LedgerLine)
# A thousand processes of 20,000 samples each take 200 MiB; the line of a network that answers in 5 µs
# takes half a MiB. Short numbers take 40 times as much in memory as in the file.
MOST_BYTES, MOST_LINE_BYTES = 256 << 20, 8 << 20
# Everything but samples: 30,000 processes. As models in memory it takes ten times as much.
MOST_KEPT_BYTES = 24 << 20
# Of the text of a line that is not parsed again to see how much of it are samples.
SMALL_BYTES = 1024
MEND = "remove the file to measure everything again"


def kept(line: LedgerLine) -> LedgerLine:
    """The line without its samples: they stay in the file, for people; all figures are in the outcome."""
    if isinstance(line, RunLine):
        return line.model_copy(update={"samples_us": (), "warmup_samples_us": ()})
    return line


def read_lines(path: Path) -> Iterator[LedgerLine]:
    """Every whole line, without samples. Raises UsageError for one that is no ledger line, and beyond a bound."""
    held = 0
    for number, text in _texts(path):
        # Never two with samples at once.
        line = kept(_parsed(path, number, text))
        held += len(text) if len(text) <= SMALL_BYTES else len(LINE.dump_json(line))
        if held > MOST_KEPT_BYTES:
            raise _too_large(str(path), MOST_KEPT_BYTES, " beside its samples")
        yield line


def read_samples(path: Path) -> Iterator[LedgerLine]:
    """The same with the samples of each line, to be looked at one by one."""
    return (_parsed(path, number, text) for number, text in _texts(path))


def _texts(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every whole line with its number, within the bounds."""
    total = 0
    with open_plain(path) as stream:
        for number, text in enumerate(iter(lambda: stream.readline(MOST_LINE_BYTES + 1), b""), 1):
            total += len(text)
            if len(text) > MOST_LINE_BYTES:
                raise _too_large(f"{path}, line {number}", MOST_LINE_BYTES, "")
            if total > MOST_BYTES:
                raise _too_large(str(path), MOST_BYTES, "")
            if not text.endswith(b"\n"):
                # A job that was killed while it wrote leaves half a line.
                return
            yield number, text


def _parsed(path: Path, number: int, text: bytes) -> LedgerLine:
    try:
        return LINE.validate_json(text)
    except ValidationError:
        raise UsageError(f"{path}, line {number} is not a ledger line", hint=MEND) from None


def _too_large(what: str, most: int, of: str) -> UsageError:
    return UsageError(f"{what} has more than the {most >> 20} MiB{of} allowed", hint=MEND)
