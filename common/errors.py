"""The one exception tree. Each error says what happened, where, and what to do next."""

from common.printable import clean

# A reason that a device, a server or a file gave may be as long as it likes; a line is not.
LONGEST = 2000


class EdgeproofError(Exception):
    """A failure that a user can act on: printed as one line, never as a traceback.

    `hint` is the next step, worded as an instruction.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def of(self, who: str) -> "EdgeproofError":
        """The same error, saying which of several it is of."""
        self.message = f"{who}: {self.message}"
        return self

    def __str__(self) -> str:
        message = clean(self.message[:LONGEST])
        if len(self.message) > LONGEST:
            message += "\N{HORIZONTAL ELLIPSIS}"
        return message if self.hint is None else f"{message} ({clean(self.hint)})"


class UsageError(EdgeproofError):
    """The command line, the experiment file or an input was not what it must be."""

    exit_code = 2


class TryLaterError(EdgeproofError):
    """Nothing is wrong with the request; a device, a lock or an engine is not available now."""

    exit_code = 75


class NotComparableError(EdgeproofError):
    """Two things differ in what must be the same; the message names it with both values."""

    exit_code = 3
