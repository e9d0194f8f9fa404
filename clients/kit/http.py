"""Outgoing calls that end: in time, in size, and at the address they were sent to."""

from base64 import b64encode
from collections.abc import Iterator
from time import monotonic
from typing import Any
from urllib.parse import quote_plus

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, RequestException, Response, Session

from clients.kit.settings import is_allowed_url

_WHOLE_CALL_SECONDS = 5.0
_CONNECT_SECONDS = 3.0
_MOST_BYTES = 64 * 1024
_PIECE_BYTES = 8 * 1024


def basic_authorization(client_id: str, client_secret: str) -> str:
    """Return the header that authenticates a client.

    RFC 6749 §2.3.1: both parts are form-urlencoded before they are joined. Authlib leaves that
    out, so a secret with a percent sign or a colon would not arrive.
    """
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


class OutgoingCallError(RequestException):
    """A call we refused to make or to go on with."""


class BoundedBody:
    """The body of an answer, read piece by piece until it ends or goes too far."""

    def __init__(self, raw: Any, deadline: float) -> None:  # noqa: ANN401
        self._raw = raw
        self._deadline = deadline

    def stream(self, _size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield what arrives; `read1` returns after one packet, so that dripping is noticed."""
        total = 0
        while piece := self._raw.read1(_PIECE_BYTES, decode_content=decode_content):
            total += len(piece)
            if total > _MOST_BYTES:
                raise OutgoingCallError("the answer is too long")
            if monotonic() > self._deadline:
                raise OutgoingCallError("the answer takes too long")
            yield piece

    def close(self) -> None:
        """Close the connection."""
        self._raw.close()

    def release_conn(self) -> None:
        """Give the connection back."""
        self._raw.release_conn()


class _Bounds(Session):
    """A session of `requests` whose every call is bounded; redirects are not followed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.trust_env = False  # no proxy, .netrc or certificates named by the environment

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:  # noqa: ANN401
        """Send one request and read its whole answer.

        Raises:
            OutgoingCallError: a foreign address, a redirect, too long or too slow.
        """
        if not is_allowed_url(request.url or ""):
            raise OutgoingCallError("only https, or http on this machine")
        kwargs |= {
            "timeout": (_CONNECT_SECONDS, _WHOLE_CALL_SECONDS),
            "allow_redirects": False,
            "stream": True,
        }
        deadline = monotonic() + _WHOLE_CALL_SECONDS
        request.headers["Accept-Encoding"] = "identity"
        response = super().send(request, **kwargs)
        response.raw = BoundedBody(response.raw, deadline)
        try:
            assert response.content is not None  # reads it now, inside the bounds
        except BaseException:
            response.close()
            raise
        if response.is_redirect:
            raise OutgoingCallError("an unexpected redirect")
        return response


class ProviderSession(_Bounds, OAuth2Session):  # type: ignore[misc]  # Authlib has no types
    """What Authlib's client talks to the provider with."""


class ApiSession(_Bounds):
    """Calls to the provider's API, authenticated as the client."""
