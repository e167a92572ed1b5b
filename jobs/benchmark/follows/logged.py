"""What a kept log of an executable says: the outcome that was read from it when it was written. Pure."""

from common.schema.outcome import Outcome
from jobs.benchmark.android import classic
from jobs.benchmark.android.classic import Printed

# As `executable` writes them around what a process printed.
COMMAND, STDERR, STATUS = "+ ", "\n--- stderr\n", "\n--- "
# Programs whose figures all stand in what they print.
RUNNERS = ("binary", "binary-2")


def logged(text: str, backend: str, name: str) -> Outcome | None:
    """The outcome of the classic tool's process that `text` is the log of; None for a log of another form."""
    body, mark, status = text.rstrip("\n").rpartition(STATUS)
    stdout, between, stderr = body.rpartition(STDERR)
    command, line_end, stdout = stdout.partition("\n")
    if not (mark and between and line_end and command.startswith(COMMAND)):
        return None
    try:
        return classic.parse(Printed(stdout, stderr, int(status), name), backend)
    except ValueError:
        return None
