"""Client authentication: which proof a request carries (RFC 6749 §2.3, OIDC Core §9)."""

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

from idp.protocol.client import AuthMethod
from idp.protocol.errors import EndpointError
from idp.protocol.params import Params

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_HEADER = 2_048


@dataclass(frozen=True)
class PresentedSecret:
    """A client id with a secret, from the header or the body."""

    client_id: str
    secret: str
    method: AuthMethod


@dataclass(frozen=True)
class PresentedAssertion:
    """A signed assertion; `client_id` is what the body says beside it, if anything."""

    assertion: str
    client_id: str | None


@dataclass(frozen=True)
class PresentedNothing:
    """Only a client id: enough for a public client."""

    client_id: str


Presented = PresentedSecret | PresentedAssertion | PresentedNothing


def parse_client_proof(params: Params, *, authorization: str | None) -> Presented:
    """Return the one proof that the request carries.

    Raises:
        EndpointError: invalid_client for none or a broken one, invalid_request for two.
    """
    _check_single(params, authorization)
    if authorization is not None:
        return _parse_basic(authorization, params.values.get("client_id"))
    client_id = params.values.get("client_id")
    if "client_assertion" in params.values or "client_assertion_type" in params.values:
        return _parse_assertion(params, client_id)
    if client_id is None:
        raise refused_client("client_missing")
    if "client_secret" in params.values:
        return PresentedSecret(client_id, params.values["client_secret"], AuthMethod.POST)
    return PresentedNothing(client_id)


def _check_single(params: Params, authorization: str | None) -> None:
    """Only one method in one request (RFC 6749 §2.3)."""
    proofs = (
        authorization is not None,
        "client_secret" in params.values,
        "client_assertion" in params.values,
    )
    if sum(proofs) > 1:
        raise EndpointError(
            "invalid_request",
            "Only one method of client authentication is allowed.",
            reason="client_two_methods",
        )


def _parse_basic(authorization: str, body_client_id: str | None) -> PresentedSecret:
    """Read HTTP Basic: id and secret are form-encoded before base64 (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > _MAX_HEADER:
        raise refused_client("client_header")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise refused_client("client_header") from None
    raw_id, colon, raw_secret = pair.partition(":")
    if not colon:
        raise refused_client("client_header")
    client_id = unquote_plus(raw_id, errors="replace")
    if body_client_id is not None and body_client_id != client_id:
        raise refused_client("client_id_mismatch")
    return PresentedSecret(client_id, unquote_plus(raw_secret, errors="replace"), AuthMethod.BASIC)


def _parse_assertion(params: Params, client_id: str | None) -> PresentedAssertion:
    if params.values.get("client_assertion_type") != ASSERTION_TYPE:
        raise refused_client("client_assertion_type")
    assertion = params.values.get("client_assertion")
    if assertion is None:
        raise refused_client("client_assertion_missing")
    return PresentedAssertion(assertion, client_id)


def refused_client(reason: str) -> EndpointError:
    """Return the one answer to every failed authentication (CA-01).

    The text is the same for an unknown client, a wrong secret and a disabled client;
    `reason` is for the log.
    """
    return EndpointError(
        "invalid_client", "Client authentication failed.", status=401, reason=reason
    )
