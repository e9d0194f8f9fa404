"""Calls of clients: read the form, answer JSON, and let registered browser clients in."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from idp.db.errors import UNAVAILABLE
from idp.db.session import reading
from idp.domain.grants.clients import is_registered_origin
from idp.oauth.calls import Answer, Call
from idp.protocol.errors import DisplayedError, EndpointError
from idp.protocol.params import Params, parse_params
from idp.web import client_calls
from idp.web.deps import peer_address, services, this_request
from idp.web.intake import MAX_QUERY_BYTES
from idp.web.render import see_other

FORM = "application/x-www-form-urlencoded"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "3600",
}
#: What the page of a browser client has to read besides the body (RFC 9449 §8.2).
_EXPOSED = "DPoP-Nonce, WWW-Authenticate"


def read_call() -> Call:
    """Read what a client sent: the form alone, nothing in the address (CD-06).

    Raises:
        EndpointError: invalid_request.
    """
    request = this_request()
    return Call(
        params=read_form(),
        authorization=request.environ.get("HTTP_AUTHORIZATION"),
        address=peer_address(),
        method=request.method,
        path=request.path,
        proofs=read_proofs(),
    )


def read_proofs() -> tuple[str, ...]:
    """Return the proofs of possession that came: a server joins several headers with commas."""
    sent = this_request().environ.get("HTTP_DPOP")
    return () if sent is None else (sent,)


def read_form() -> Params:
    """Read the parameters of the body.

    Raises:
        EndpointError: invalid_request.
    """
    request = this_request()
    if request.query_string:
        raise EndpointError("invalid_request", "Parameters belong into the body.")
    if request.mimetype != FORM:
        raise EndpointError("invalid_request", "The body must be form-urlencoded.")
    # Its shape was looked at (idp.web.intake): so many fields at most, and all of it UTF-8.
    body = request.get_data(cache=True).decode()
    return parse_params(parse_qsl(body, keep_blank_values=True))


def read_address() -> Params:
    """Read the parameters of the address."""
    return parse_params(request.args.items(multi=True))


def come_back(path: str) -> AnyResponse:
    """Send the browser to a path of ours with the parameters it posted.

    They are written anew, so that nothing but parameters reaches the address.

    Raises:
        DisplayedError: `request_malformed`: no form, parameters in the address as well, or
            more than an address can hold.
    """
    query = urlencode(list(request.form.items(multi=True)))
    if request.mimetype != FORM or request.query_string or len(query) > MAX_QUERY_BYTES:
        raise DisplayedError("request_malformed")
    return see_other(f"{path}?{query}")


def send_json(
    body: Mapping[str, object], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer JSON, to registered browser clients too."""
    return share_with_origin(client_calls.send_json(body, status=status, headers=headers))


def send(answer: Answer) -> Response:
    """Send an answer, to registered browser clients too."""
    return share_with_origin(client_calls.send(answer))


def share_with_origin(response: Response) -> Response:
    """Let the page of a registered browser client read the answer (CA-10).

    Only an origin that some client is registered with is echoed; never `*`, never `null`,
    and no cookies take part.
    """
    origin = this_request().environ.get("HTTP_ORIGIN")
    if origin is None:
        return response
    response.headers.add("Vary", "Origin")
    try:
        with reading(services().sessions) as db:
            is_known = is_registered_origin(db, origin)
    except UNAVAILABLE:
        # The answer itself says that the database is away; no origin is let in unchecked.
        is_known = False
    if is_known:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    return response


def answer_preflight() -> Response:
    """Answer what browsers ask before they call across origins."""
    response = Response(status=204)
    share_with_origin(response)
    if "Access-Control-Allow-Origin" in response.headers:
        response.headers.update(_PREFLIGHT)
    return response
