"""Words and operators to a tree."""

from collections.abc import Collection

from tests.devices.standin.shell.lexer import Token, tokens
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

SEPARATORS = (";", "\n", "&")
REDIRECTS = ("<", ">", ">>", ">&", "<&", "&>")


def parse(source: str) -> CommandList:
    """The tree of a command line. Raises ShellSyntaxError."""
    parser = _Parser(tokens(source))
    tree = parser.list(())
    if parser.peek() is not None:
        raise ShellSyntaxError(f"unexpected '{parser.describe()}'")
    return tree


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0

    def peek(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def keyword(self) -> str | None:
        token = self.peek()
        return token.plain if isinstance(token, Word) else token

    def describe(self) -> str:
        return (self.keyword() or "word").replace("\n", "newline") if self.peek() is not None else "EOF"

    def expect(self, text: str) -> None:
        if self.keyword() != text:
            raise ShellSyntaxError(f"unexpected '{self.describe()}'")
        self.at += 1

    def list(self, ends: Collection[str]) -> CommandList:
        entries: list[Entry] = []
        joined = ";"
        while True:
            while (self.peek() in (";", "\n") and joined == ";") or self.peek() == "\n":
                self.at += 1
            if self.peek() is None or self.keyword() in ends:
                if joined != ";":
                    raise ShellSyntaxError("unexpected EOF")
                return CommandList(tuple(entries))
            pipeline = self.pipeline()
            background = self.peek() == "&"
            entries.append(Entry(pipeline, joined, background))
            token = self.peek()
            if token in ("&&", "||"):
                joined = str(token)
                self.at += 1
            elif token in SEPARATORS:
                joined = ";"
                self.at += 1
            elif self.keyword() in ends or token is None:
                joined = ";"
            else:
                raise ShellSyntaxError(f"unexpected '{self.describe()}'")

    def pipeline(self) -> Pipeline:
        negated = self.keyword() == "!"
        self.at += negated
        commands = [self.command()]
        while self.peek() == "|":
            self.at += 1
            commands.append(self.command())
        return Pipeline(tuple(commands), negated)

    def command(self) -> Command:
        word = self.keyword()
        if word == "(":
            self.at += 1
            body = self.list((")",))
            self.expect(")")
            return Group(body, True, self.redirects())
        if word == "{":
            self.at += 1
            body = self.list(("}",))
            self.expect("}")
            return Group(body, False, self.redirects())
        if word == "if":
            return self.if_()
        if word == "for":
            return self.for_()
        if word in ("while", "until"):
            self.at += 1
            condition = self.list(("do",))
            body = self.body()
            return While(condition, body, word == "until", self.redirects())
        return self.simple()

    def body(self) -> CommandList:
        self.expect("do")
        body = self.list(("done",))
        self.expect("done")
        return body

    def if_(self) -> If:
        branches = []
        otherwise = None
        while self.keyword() in ("if", "elif"):
            self.at += 1
            condition = self.list(("then",))
            self.expect("then")
            branches.append((condition, self.list(("elif", "else", "fi"))))
        if self.keyword() == "else":
            self.at += 1
            otherwise = self.list(("fi",))
        self.expect("fi")
        return If(tuple(branches), otherwise, self.redirects())

    def for_(self) -> For:
        self.at += 1
        name = self.keyword()
        if not name or not name.isidentifier():
            raise ShellSyntaxError(f"unexpected '{self.describe()}'")
        self.at += 1
        words: list[Word] | None = None
        if self.keyword() == "in":
            self.at += 1
            words = []
            while isinstance(token := self.peek(), Word):
                words.append(token)
                self.at += 1
        while self.peek() in (";", "\n"):
            self.at += 1
        return For(name, None if words is None else tuple(words), self.body(), self.redirects())

    def redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while redirect := self.redirect():
            found += redirect
        return tuple(found)

    def redirect(self) -> tuple[Redirect, ...]:
        token = self.peek()
        if not isinstance(token, str):
            return ()
        fd, op = (int(token[0]), token[1:]) if token[0].isdigit() else (0 if token[0] == "<" else 1, token)
        if op not in REDIRECTS:
            return ()
        self.at += 1
        target = self.peek()
        if not isinstance(target, Word):
            raise ShellSyntaxError(f"unexpected '{self.describe()}'")
        self.at += 1
        if op == "&>":
            return (Redirect(1, ">", target), Redirect(2, ">>", target))
        return (Redirect(fd, op, target),)

    def simple(self) -> Simple:
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            if found := self.redirect():
                redirects += found
            elif isinstance(token := self.peek(), Word):
                words.append(token)
                self.at += 1
            else:
                break
        if not words and not redirects:
            raise ShellSyntaxError(f"unexpected '{self.describe()}'")
        return Simple(tuple(words), tuple(redirects))
