"""Characters to words and operators."""

from tests.devices.standin.shell.syntax import Piece, ShellSyntaxError, Word

# Longest first.
OPERATORS = ("&&", "||", ";;", ">>", ">&", "<&", "&>", ";", "&", "|", "(", ")", "<", ">", "\n")
META = " \t\n;&|()<>"
SPECIAL = "?$!#@*-0123456789"

Token = Word | str


def tokens(source: str) -> list[Token]:
    """Words, and operators as str; a file descriptor before a redirection is part of it, as in `2>`."""
    lexer = _Lexer(source)
    found: list[Token] = []
    while (token := lexer.next()) is not None:
        found.append(token)
    return found


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def next(self) -> Token | None:
        text = self.source
        while self.at < len(text) and text[self.at] in " \t":
            self.at += 1
        if text.startswith("\\\n", self.at):
            self.at += 2
            return self.next()
        if self.at < len(text) and text[self.at] == "#":
            end = text.find("\n", self.at)
            self.at = len(text) if end < 0 else end
        if self.at >= len(text):
            return None
        if text[self.at].isdigit() and text[self.at + 1 : self.at + 2] in ("<", ">"):
            self.at += 1
            return text[self.at - 1] + self._operator()
        if text[self.at] in META:
            return self._operator()
        return self._word()

    def _operator(self) -> str:
        for operator in OPERATORS:
            if self.source.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        raise ShellSyntaxError(f"unexpected '{self.source[self.at]}'")

    def _word(self) -> Word:
        pieces: list[Piece] = []
        while self.at < len(self.source) and self.source[self.at] not in META:
            character = self.source[self.at]
            if character == "'":
                pieces.append(Piece("text", self._until("'"), True))
            elif character == '"':
                pieces += self._double()
            elif character in "$`":
                pieces.append(self._expansion(quoted=False))
            elif character == "\\":
                pieces.append(Piece("text", self.source[self.at + 1 : self.at + 2], True))
                self.at += 2
            else:
                pieces.append(Piece("text", character, False))
                self.at += 1
        return Word(_merge(pieces))

    def _until(self, quote: str) -> str:
        end = self.source.find(quote, self.at + 1)
        if end < 0:
            raise ShellSyntaxError("no closing quote")
        text = self.source[self.at + 1 : end]
        self.at = end + 1
        return text

    def _double(self) -> list[Piece]:
        self.at += 1
        # An empty pair of quotes is a word too.
        pieces = [Piece("text", "", True)]
        while True:
            if self.at >= len(self.source):
                raise ShellSyntaxError("no closing quote")
            character = self.source[self.at]
            if character == '"':
                self.at += 1
                return pieces
            if character in "$`":
                pieces.append(self._expansion(quoted=True))
                continue
            if character == "\\" and self.source[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                self.at += 1
                character = self.source[self.at].replace("\n", "")
            pieces.append(Piece("text", character, True))
            self.at += 1

    def _expansion(self, *, quoted: bool) -> Piece:
        text = self.source
        if text[self.at] == "`":
            return Piece("command", self._until("`"), quoted)
        following = text[self.at + 1 : self.at + 2]
        if following == "(":
            return Piece("command", self._parenthesised(), quoted)
        if following == "{":
            end = text.find("}", self.at)
            if end < 0:
                raise ShellSyntaxError("no closing '}'")
            name, self.at = text[self.at + 2 : end], end + 1
            return Piece("param", name, quoted)
        if following and following in SPECIAL:
            self.at += 2
            return Piece("param", following, quoted)
        end = self.at + 1
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        name, self.at = text[self.at + 1 : end], end
        return Piece("param", name, quoted) if name else Piece("text", "$", True)

    def _parenthesised(self) -> str:
        """The source of `$( … )`; quotes inside may hold parentheses."""
        start = self.at + 2
        inner = _Lexer(self.source)
        inner.at = start
        depth = 1
        while depth:
            token = inner.next()
            if token is None:
                raise ShellSyntaxError("no closing ')'")
            depth += {"(": 1, ")": -1}.get(token, 0) if isinstance(token, str) else 0
        self.at = inner.at
        return self.source[start : inner.at - 1]


def _merge(pieces: list[Piece]) -> tuple[Piece, ...]:
    merged: list[Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if last and piece.kind == last.kind == "text" and piece.quoted == last.quoted:
            merged[-1] = Piece("text", last.value + piece.value, piece.quoted)
        else:
            merged.append(piece)
    return tuple(merged)
