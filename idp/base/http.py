"""The one outgoing HTTP client: bounded in time, size and where it may go (protocol.md §5)."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlencode

import httpx

from idp.base.cutoff import Cutoff, NoThreadError
from idp.base.url import UrlError, split_url

MAX_BYTES = 65_536
#: Longest for all documents of one request together: less than a proxy waits for its answer.
BATCH_SECONDS = 20.0
_FORM = "application/x-www-form-urlencoded"
#: Carrier-grade NAT and the translation prefix lead to private networks as well.
_MORE_PRIVATE = tuple(
    ipaddress.ip_network(text) for text in ("100.64.0.0/10", "64:ff9b::/96", "64:ff9b:1::/48")
)


class FetchError(Exception):
    """A call that did not work; `reason` is a stable key, free of addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Fetched:
    """What the other side answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class HttpClient:
    """Calls other servers: https only, no redirects, one resolved public address, 64 kB.

    `allow_loopback` is for the demonstration alone: there services run on http://127.0.0.1.
    `allowed_networks` are private networks that the operator names, such as a municipality's
    own; the address range of cloud metadata services (link-local) is never called.
    """

    timeout_seconds: float
    ca_file: str = ""
    allow_loopback: bool = False
    allowed_networks: tuple[str, ...] = ()
    batch_seconds: float = BATCH_SECONDS

    def get(self, url: str) -> Fetched:
        """Read a document.

        Raises:
            FetchError: url, address, timeout, too_large or connection.
        """
        return self._call("GET", url)

    def post_form(self, url: str, form: Mapping[str, str]) -> Fetched:
        """Post a form.

        Raises:
            FetchError: url, address, timeout, too_large or connection.
        """
        return self._call("POST", url, body=urlencode(form).encode(), kind=_FORM)

    def post(self, url: str, body: bytes, *, content_type: str) -> Fetched:
        """Post a body of one kind.

        Raises:
            FetchError: url, address, timeout, too_large or connection.
        """
        return self._call("POST", url, body=body, kind=content_type)

    def _call(
        self, method: str, url: str, *, body: bytes | None = None, kind: str | None = None
    ) -> Fetched:
        parts = self._checked(url)
        address = self._resolve(parts)
        pinned, headers, extensions = _pin(parts, address)
        if kind is not None:
            headers |= {"Content-Type": kind, "Accept": "application/json"}
        cutoff = Cutoff(self.timeout_seconds)
        try:
            with (
                cutoff,
                httpx.Client(
                    verify=self._context(),
                    timeout=self.timeout_seconds,
                    follow_redirects=False,
                    trust_env=False,
                ) as client,
                client.stream(
                    method,
                    pinned,
                    headers=headers,
                    content=body,
                    extensions={**extensions, "trace": cutoff.trace},
                ) as response,
            ):
                found = _read(response, cutoff)
                return Fetched(
                    response.status_code, response.headers.get("content-type", ""), found
                )
        except httpx.TimeoutException:
            raise FetchError("timeout") from None
        except (httpx.HTTPError, ssl.SSLError, NoThreadError):
            raise FetchError("timeout" if cutoff.is_over else "connection") from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        return context

    def _checked(self, url: str) -> SplitResult:
        try:
            parts = split_url(url)
        except UrlError:
            raise FetchError("url") from None
        if not parts.hostname or parts.username is not None or parts.fragment:
            raise FetchError("url")
        if parts.scheme == "https":
            return parts
        if parts.scheme == "http" and self.allow_loopback and _is_loopback(parts.hostname):
            return parts
        raise FetchError("url")

    def _resolve(self, parts: SplitResult) -> str:
        """Resolve once; every address must be public, and the first one is the one called."""
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise FetchError("address") from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(self.may_call(address) for address in addresses):
            raise FetchError("address")
        return addresses[0]

    def may_call(self, text: str) -> bool:
        """Whether an address is public, or in a network that the operator has named."""
        address = ipaddress.ip_address(text.partition("%")[0])
        if self.allow_loopback and address.is_loopback:
            return True
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            return self.may_call(str(mapped))
        if any(address in ipaddress.ip_network(network) for network in self.allowed_networks):
            return not address.is_link_local
        return address.is_global and not any(address in network for network in _MORE_PRIVATE)


def _is_loopback(host: str) -> bool:
    return host in {"127.0.0.1", "::1", "localhost"}


def _pin(parts: SplitResult, address: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """Name the resolved address in the URL, the host in `Host` and in the TLS handshake."""
    literal = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    query = f"?{parts.query}" if parts.query else ""
    url = f"{parts.scheme}://{literal}{port}{parts.path or '/'}{query}"
    host = parts.hostname or ""
    return url, {"Host": f"{host}{port}"}, {"sni_hostname": host}


def _read(response: httpx.Response, cutoff: Cutoff) -> bytes:
    """Read at most 64 kB until the deadline, however slowly it drips (SR-04).

    What was cut off may look like the end of the answer.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise FetchError("too_large")
    if cutoff.is_over:
        raise FetchError("timeout")
    return bytes(body)
