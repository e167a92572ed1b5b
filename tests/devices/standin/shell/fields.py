"""Splitting of an expanded word into arguments."""

from collections.abc import Sequence


class Fields:
    """Collects the fields that one word expands to; `split` is off for assignments and redirections."""

    def __init__(self, split: bool) -> None:
        """No fields yet."""
        self.split = split
        self.finished: list[tuple[str, bool]] = []
        self.current: str | None = None
        self.pattern = False

    def text(self, value: str, *, quoted: bool, literal: bool) -> None:
        """Add text; what is neither quoted nor literal is split at blanks."""
        if quoted or literal or not self.split:
            self._add(value, pattern=not quoted and any(character in value for character in "*?["))
            return
        parts = value.split()
        if parts and value[0].isspace():
            self._end()
        for index, part in enumerate(parts):
            if index:
                self._end()
            self._add(part, pattern=any(character in part for character in "*?["))
        if parts and value[-1].isspace():
            self._end()

    def several(self, values: Sequence[str]) -> None:
        """Add a field for each value, as "$@" does."""
        for index, value in enumerate(values):
            if index:
                self._end()
            self._add(value, pattern=False)

    def done(self) -> list[tuple[str, bool]]:
        """The fields, each with whether it is a file pattern."""
        self._end()
        return self.finished

    def _add(self, value: str, *, pattern: bool) -> None:
        self.current = (self.current or "") + value
        self.pattern = self.pattern or pattern

    def _end(self) -> None:
        if self.current is not None:
            self.finished.append((self.current, self.pattern))
        self.current, self.pattern = None, False
