"""What may stand where images come from: the generator, a URL or a path. Text only, no file is touched."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

SYNTHETIC = "synthetic-flames"
SCHEMES = ("http", "https")
# RFC 3986, 3.1: a scheme is a letter, then letters, digits, plus, dot and dash.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
# RFC 3986, 2: everything else in a URL is percent-encoded (in a host: Punycode).
_URL_TEXT = re.compile(r"[!-~]*")


def is_url(source: str) -> bool:
    """Whether a source has the form of a URL, of whatever scheme."""
    return _URL.match(source) is not None


def is_local(source: str) -> bool:
    """Whether a source is a path on this machine."""
    return source != SYNTHETIC and not is_url(source)


def public(url: str) -> str:
    """The URL without user, password, query and fragment, which may be secret. Raises ValueError for a broken one."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def checked(source: str) -> str:
    """The source, with a URL's scheme in lower case.

    Raises ValueError saying what is wrong, without a URL's secrets.
    """
    if not source.strip() or "\0" in source:
        raise ValueError(f"must name a folder, an archive, an http(s) URL or {SYNTHETIC}")
    found = _URL.match(source)
    if found is None:
        return source
    scheme, rest = found[1].lower(), found[2]
    if scheme == "file":
        raise ValueError("must be the path itself, without file://")
    if scheme not in SCHEMES:
        raise ValueError(f"{found[1]}:// is not supported; download the file and give its path, or an http(s) URL")
    if not _URL_TEXT.fullmatch(rest):
        raise ValueError("has characters that a URL cannot have; write %20 for a space, and a host's name in ASCII")
    _split(f"{scheme}://{rest}")
    return f"{scheme}://{rest}"


def _split(url: str) -> SplitResult:
    """The parts of a URL whose host and port are whole."""
    try:
        parts = urlsplit(url)
        # Read for its errors: a port that is no number, or above 65535.
        has_port = parts.port is not None
    except ValueError as error:
        raise ValueError(f"is not a valid URL: {error}") from None
    if not parts.hostname or (parts.netloc.endswith(":") and not has_port):
        raise ValueError("is a URL without a host" if not parts.hostname else "is a URL without a port after the colon")
    return parts
