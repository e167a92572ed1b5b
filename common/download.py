"""Fetch a file over http(s): bounded in time and size, with progress, and with a failure that says which kind it is."""

import hashlib
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, build_opener

from common.errors import EdgeproofError, TryLaterError
from common.redirects import OnlyHttp

Say = Callable[[str], None]
CHUNK_BYTES = 1 << 18
# Of one answer of the server; and of the whole, which a slow phone's tether still holds.
SILENCE_S = 30.0
BASE_S = 60.0
LEAST_BYTES_PER_S = 20_000
# The largest tool, with the TensorFlow kernels, is about 200 MB.
MOST_BYTES = 1 << 30
SHOWN_EVERY_S = 2.0
MB = 1e6
# Google's storage says 403 of what is not there, as it does of what is not public.
GONE = frozenset({401, 403, 404, 410})
PROXY_REFUSES = 407
BUSY = frozenset({408, 425, 429})
AGENT = "edgeproof"


class GoneError(EdgeproofError):
    """The address exists no more, or never did: another one, or a file of one's own, is needed."""


class CutError(TryLaterError):
    """The answer broke off, or the server failed: worth another try."""


@dataclass(frozen=True)
class Fetched:
    """A file that was downloaded. `path` is temporary, and gone after the `with`."""

    path: Path
    size_bytes: int
    sha256: str


@contextmanager
def fetched(url: str, folder: Path, say: Say, most_bytes: int = MOST_BYTES) -> Iterator[Fetched]:
    """A file of `folder` with the content of `url`; what breaks off is tried once more. Moved away, it stays.

    Raises GoneError where the publisher has no such file, TryLaterError where the network fails, EdgeproofError for a
    certificate that nobody vouches for, what is too large, and a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".download.", suffix=".partial")
        os.close(handle)
    except OSError as error:
        raise EdgeproofError(f"{folder} cannot be written: {error.strerror}", hint="see EDGEPROOF_BINARIES") from None
    path = Path(name)
    try:
        try:
            found = _once(url, path, say, most_bytes)
        except CutError as cut:
            say(f"{cut.message}; trying once more")
            found = _once(url, path, say, most_bytes)
        yield found
    finally:
        path.unlink(missing_ok=True)


def _once(url: str, path: Path, say: Say, most_bytes: int) -> Fetched:
    try:
        request = Request(url, headers={"User-Agent": AGENT})  # noqa: S310
        with build_opener(OnlyHttp).open(request, timeout=SILENCE_S) as source:
            if url.startswith("https:") and not source.geturl().startswith("https:"):
                raise EdgeproofError(f"{url} leads to {source.geturl()}, which anyone on the way can change")
            return _copied(source, url, path, say, most_bytes)
    except HTTPError as error:
        raise _refused(url, error) from None
    except (OSError, HTTPException) as error:
        raise _failed(url, error) from None


def _copied(source: HTTPResponse, url: str, path: Path, say: Say, most_bytes: int) -> Fetched:
    told = source.headers.get("Content-Length") or ""
    whole = int(told) if told.isdecimal() else None
    began = shown = time.monotonic()
    limit_s = BASE_S + (most_bytes if whole is None else whole) / LEAST_BYTES_PER_S
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        # One answer of the network at a time: a server that drips would hold a longer read for ever.
        while chunk := source.read1(CHUNK_BYTES):
            size += len(chunk)
            if size > most_bytes:
                raise EdgeproofError(f"{url} has more than the {most_bytes / MB:.0f} MB allowed")
            digest.update(chunk)
            _keep(target, chunk, path)
            now = time.monotonic()
            if now - began > limit_s:
                raise TryLaterError(f"{url} is too slow: {size / MB:.1f} MB in {now - began:.0f} s", hint="try later")
            if now - shown > SHOWN_EVERY_S:
                shown = now
                say(f"downloading {_name(url)}: {_progress(size, whole)}")
    if whole is not None and size < whole:
        raise CutError(f"{url} broke off after {size} of {whole} bytes", hint="check the network and try again")
    return Fetched(path, size, digest.hexdigest())


def _keep(target: IO[bytes], chunk: bytes, path: Path) -> None:
    try:
        target.write(chunk)
        target.flush()
    except OSError as error:
        message = f"{path.parent} cannot be written: {error.strerror}"
        raise EdgeproofError(message, hint="free some space, or name another folder in EDGEPROOF_BINARIES") from None


def _name(url: str) -> str:
    return urlsplit(url).path.rsplit("/", 1)[-1]


def _progress(size: int, whole: int | None) -> str:
    if not whole:
        return f"{size / MB:.1f} MB"
    return f"{100 * size // whole} % of {whole / MB:.1f} MB"


def _refused(url: str, error: HTTPError) -> EdgeproofError:
    if error.code in GONE:
        return GoneError(f"{url}: the publisher has no such file any more, or gives it to nobody ({error.code})")
    if error.code == PROXY_REFUSES:
        return _of_the_proxy(url, str(error))
    message = f"{url} could not be downloaded: {error}"
    if error.code >= 500:  # noqa: PLR2004
        return CutError(message, hint="the publisher's server fails: try later")
    if error.code in BUSY:
        return TryLaterError(message, hint="try later")
    return EdgeproofError(message, hint="is the address right?")


def _failed(url: str, error: Exception) -> EdgeproofError:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        hint = "a proxy that replaces certificates needs its own named in SSL_CERT_FILE; check this machine's clock too"
        return EdgeproofError(f"{url}: nobody vouches for the server's certificate: {reason.verify_message}", hint=hint)
    words = str(reason) or type(reason).__name__
    if "Tunnel connection failed" in words:
        return _of_the_proxy(url, words)
    if isinstance(reason, ConnectionResetError | HTTPException | ssl.SSLError | BrokenPipeError):
        return CutError(f"{url} broke off: {words}", hint="check the network and try again")
    return TryLaterError(f"{url} could not be downloaded: {words}", hint="check the network")


def _of_the_proxy(url: str, words: str) -> TryLaterError:
    return TryLaterError(f"{url}: the proxy refuses: {words}", hint="check HTTPS_PROXY and HTTP_PROXY")
