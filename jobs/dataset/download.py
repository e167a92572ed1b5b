"""Fetch an archive over http(s) into an open file."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from typing import IO

from common.errors import EdgeproofError, UsageError
from common.redirects import OnlyHttp
from common.schema.source import public
from jobs.dataset.progress import Advance

CHUNK_BYTES = 1 << 20
# Larger than the public image sets that fit this kind of network; a wrong link stops here.
MAX_BYTES = 20 << 30
# Seconds without a byte, and altogether: 20 GiB at 6 MB/s.
STALL_S = 30.0
TOTAL_S = 3600.0


def download(url: str, sha256: str, file: IO[bytes], advance: Advance, max_bytes: int = MAX_BYTES) -> None:
    """Write what `url` serves to `file`; `advance` is told every number of bytes.

    Raises UsageError when the server refuses, the file is too large or its sha256 is another one;
    EdgeproofError when the connection fails.
    """
    opener = urllib.request.build_opener(OnlyHttp)
    # Without "Accept-Encoding: identity" some servers unpack or repack, which changes the hash.
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310 (checked by the schema)
    try:
        with opener.open(request, timeout=STALL_S) as response:
            digest = _copy(response, public(url), file, advance, max_bytes)
    except urllib.error.HTTPError as error:
        text = f"{public(url)}: the server answered {error.code} {error.reason}"
        raise UsageError(text, hint="check the URL in a browser") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        text = f"{public(url)} could not be downloaded: {error}"
        raise EdgeproofError(text, hint="check the connection and run it again") from None
    if digest != sha256:
        text = f"{public(url)} has sha256 {digest}, expected {sha256}"
        raise UsageError(text, hint="use the right URL, or update the sha256 if you trust the new file")


def _copy(response: http.client.HTTPResponse, where: str, file: IO[bytes], advance: Advance, max_bytes: int) -> str:
    digest, received, started = hashlib.sha256(), 0, time.monotonic()
    announced = response.length
    if announced is not None and announced > max_bytes:
        raise UsageError(f"{where} has {announced} bytes, the limit is {max_bytes}", hint="use a smaller archive")
    while chunk := response.read1(CHUNK_BYTES):
        received += len(chunk)
        if received > max_bytes:
            raise UsageError(f"{where} has more than {max_bytes} bytes", hint="use a smaller archive")
        if time.monotonic() - started > TOTAL_S:
            raise EdgeproofError(f"{where} took longer than {TOTAL_S:g} s", hint="download it and give the file")
        digest.update(chunk)
        file.write(chunk)
        advance(len(chunk))
    if announced is not None and received != announced:
        raise EdgeproofError(f"{where} broke off after {received} of {announced} bytes", hint="run it again")
    return digest.hexdigest()
