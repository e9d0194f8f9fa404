"""Errors of the protocol endpoints: who may be told about them, and where."""

from collections.abc import Mapping
from types import MappingProxyType

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class DisplayedError(Exception):
    """A request that cannot be answered to the client, only shown to the person.

    RFC 6749 §4.1.2.1: with an unknown client or an unregistered redirect URI the
    server must not redirect. `reason` is a stable key for the log and the message
    catalogue; the page shows the translated text, never request data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RedirectedError(Exception):
    """An error the client may receive at its verified reply target (RFC 6749 §4.1.2.1).

    `code` is an IANA-registered OAuth error code. `description` is fixed ASCII text
    written by us for the client's developer; it never quotes the request.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description


class EndpointError(Exception):
    """An error answered as JSON to a client that called us directly (RFC 6749 §5.2).

    `description` is fixed ASCII text for the client's developer; `reason` goes to the log.
    """

    def __init__(
        self,
        code: str,
        description: str,
        *,
        status: int = 400,
        reason: str = "",
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.status = status
        self.reason = reason or code
        self.headers = headers


class BearerError(Exception):
    """A refused access token at a protected resource (RFC 6750 §3.1).

    Without a `code` the request carried no token at all and learns only how to bring one.
    `scheme` is the way it should have been brought.
    """

    def __init__(
        self,
        code: str | None,
        description: str,
        *,
        status: int = 401,
        scheme: str = "Bearer",
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.status = status
        self.scheme = scheme
        self.headers = headers
