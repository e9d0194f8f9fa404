"""Addresses: what we publish, and where a browser may be sent inside our own pages."""

import ipaddress
import re
from urllib.parse import SplitResult, urlencode, urlsplit

_PRINTABLE = re.compile(r"[!-~]+")
_OWN_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9_~.\-/]*(?:\?[A-Za-z0-9_~.\-=&%+]*)?")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "[::1]", "localhost"})


class UrlError(ValueError):
    """An address that may not be used; `reason` is a stable key."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def split_url(text: str) -> SplitResult:
    """Split an address after refusing what a parser would quietly repair.

    Raises:
        UrlError: url_characters or url_shape.
    """
    if _PRINTABLE.fullmatch(text) is None or "\\" in text:
        raise UrlError("url_characters")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise UrlError("url_shape") from None
    return parts


def is_loopback_http(text: str) -> bool:
    """Whether the address is plain http on this machine (a demonstration, a native app)."""
    parts = split_url(text)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"}


def origin_of(text: str) -> str | None:
    """Return the origin of an http or https address as browsers write it (RFC 6454 §6.2).

    Raises:
        UrlError: url_characters or url_shape.
    """
    parts = split_url(text)
    usual_port = {"http": 80, "https": 443}.get(parts.scheme)
    if usual_port is None or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, usual_port) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_ip_literal(host: str) -> bool:
    """Whether a host is written as an address, in whatever notation."""
    if re.fullmatch(r"[0-9.]+|0[xX][0-9a-fA-F.xX]+", host):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_own_path(text: str) -> bool:
    """Whether the text is a path on our own origin and nothing else (LO-04)."""
    return _OWN_PATH.fullmatch(text) is not None and "/../" not in f"{text}/"


def with_query(address: str, params: dict[str, str]) -> str:
    """Append parameters to an address, keeping the query it was registered with."""
    if not params:
        return address
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode(params)}"
