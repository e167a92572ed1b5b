"""Where a server may send whoever downloads from it."""

import http.client
import ipaddress
import socket
import urllib.request
from typing import IO
from urllib.parse import urlsplit

from common.errors import UsageError
from common.schema.source import SCHEMES, public


class OnlyHttp(urllib.request.HTTPRedirectHandler):
    """Follows http(s), and not into this network from outside of it."""

    def redirect_request(  # noqa: PLR0917 (the library's signature)
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in SCHEMES:
            raise UsageError(f"{public(req.full_url)} redirects to {public(newurl)!r}", hint="only http(s) is followed")
        if _is_inside(newurl) and not _is_inside(req.full_url):
            hint = "give that URL itself if it is meant"
            raise UsageError(f"{public(req.full_url)} redirects into this network, to {public(newurl)!r}", hint=hint)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_inside(url: str) -> bool:
    """Whether a host of a URL is this machine or in its own network, which a server outside has no say in."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # Nothing can be fetched from it either.
        return False
    return any(not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global for *_, address in found)
