"""The address of a store, without what must not be shown of it. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote

HIDDEN = "***"
# A password may hold what it should not, a slash or an @: all up to the last @ is taken for user and password.
PARTS = re.compile(r"(?P<scheme>[^:/]*://)(?:(?P<user>.*)@)?(?P<place>[^?#]*)(?P<query>.*)", re.DOTALL)


def shown(uri: str) -> str:
    """An address for people: without user, password and query."""
    found = PARTS.fullmatch(uri)
    return uri if found is None else found["scheme"] + found["place"]


def without_secrets(text: str, uri: str, more: Iterable[str] = ()) -> str:
    """A text of others without the secrets of an address, encoded or not, and without `more`."""
    written = (*_secrets(uri), *more)
    secrets = {secret for each in written for secret in (each, unquote(each), quote(each, safe="")) if secret}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(uri: str) -> tuple[str, ...]:
    found = PARTS.fullmatch(uri)
    if found is None:
        return ()
    user, _, password = (found["user"] or "").partition(":")
    query = found["query"][1:]
    values = [value for _, value in parse_qsl(query)]
    # A user alone is a token.
    return (f"{user}:{password}", password, query, *values) if password else (user, query, *values)
