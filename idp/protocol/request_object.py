"""Request objects: what the claims of a signed authorization request must say (RFC 9101)."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from idp.protocol.client import RegisteredClient
from idp.protocol.errors import RedirectedError
from idp.protocol.jwk import ASSERTION_ALGORITHMS, FAPI_ALGORITHMS
from idp.protocol.jwt_claims import LEEWAY, number_of
from idp.protocol.params import Params, parse_params

#: RFC 9101 §10.8 names the first; RFC 7519 §5.1 allows the second. None at all will do.
_TYPES = frozenset({"oauth-authz-req+jwt", "jwt"})
#: FAPI 2.0 Message Signing §5.3.1: how old an object may be, and how long it may live.
_LONGEST = timedelta(minutes=60)
#: Parameters that an object may carry as JSON: written as they travel outside one.
_JSON_PARAMETERS: Mapping[str, type] = {"claims": dict, "authorization_details": list}
#: Nobody's parameters: they prove a client elsewhere, or lead to another object (RFC 9101 §4).
_REFUSED = frozenset({"request", "request_uri"})
_IGNORED = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


def refused_object(description: str) -> RedirectedError:
    """Return the error of an object that may not be used (RFC 9101 §6.3)."""
    return RedirectedError("invalid_request_object", description)


def allowed_algorithms(client: RegisteredClient) -> tuple[str, ...]:
    """Return the algorithms a client may sign its objects with; `none` is never among them."""
    allowed = FAPI_ALGORITHMS if client.is_fapi else ASSERTION_ALGORITHMS
    registered = client.request_object_signing_alg
    return tuple(alg for alg in allowed if registered in (None, alg))


def read_request_object(
    header: Mapping[str, object],
    claims: Mapping[str, object],
    client: RegisteredClient,
    *,
    issuer: str,
    now: datetime,
) -> Params:
    """Return the parameters of an object whose signature is the client's.

    They are all that counts: nothing from outside is added (RFC 9101 §5).

    Raises:
        RedirectedError: invalid_request_object.
    """
    _check_type(header)
    _check_parties(claims, client, issuer)
    if client.is_fapi or client.require_signed_request_object:
        _check_strict_times(claims, now=now)
    else:
        _check_times(claims, now=now)
    if _REFUSED & set(claims):
        raise refused_object("A request object cannot hold another one.")
    return parse_params(_pairs(claims))


def _check_type(header: Mapping[str, object]) -> None:
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise refused_object("The typ of the request object is not one of a request.")


def _check_parties(claims: Mapping[str, object], client: RegisteredClient, issuer: str) -> None:
    if claims.get("iss") != client.client_id or claims.get("client_id") != client.client_id:
        raise refused_object("The iss and client_id of the request object must be the client.")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if issuer not in audiences:
        raise refused_object("The aud of the request object must be the issuer.")


def _check_times(claims: Mapping[str, object], *, now: datetime) -> None:
    """Look at the times that are there: OIDC Core §6.1 demands none."""
    moment, leeway = now.timestamp(), LEEWAY.total_seconds()
    ends, begins = number_of(claims, "exp"), number_of(claims, "nbf")
    if ("exp" in claims and ends is None) or ("nbf" in claims and begins is None):
        raise refused_object("The exp or nbf of the request object is not a time.")
    if ends is not None and ends + leeway <= moment:
        raise refused_object("The request object has expired.")
    if begins is not None and begins > moment + leeway:
        raise refused_object("The request object is not valid yet.")


def _check_strict_times(claims: Mapping[str, object], *, now: datetime) -> None:
    """Both times are needed, and near (FAPI 2.0 Message Signing §5.3.1)."""
    ends, begins = number_of(claims, "exp"), number_of(claims, "nbf")
    if ends is None or begins is None:
        raise refused_object("The request object needs exp and nbf.")
    _check_times(claims, now=now)
    if begins < (now - _LONGEST).timestamp():
        raise refused_object("The nbf of the request object is too long ago.")
    if ends > begins + _LONGEST.total_seconds():
        raise refused_object("The request object lives too long.")


def _pairs(claims: Mapping[str, object]) -> list[tuple[str, str]]:
    return [
        (name, text)
        for name, value in claims.items()
        if name not in _IGNORED
        for text in _texts(name, value)
    ]


def _texts(name: str, value: object) -> list[str]:
    """Return a value as it would stand in an address (RFC 9101 §4, OIDC Core §6.1)."""
    if isinstance(value, str):
        return [value]
    if name in _JSON_PARAMETERS and isinstance(value, _JSON_PARAMETERS[name]):
        return [json.dumps(value, ensure_ascii=False)]
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    if name == "resource" and isinstance(value, list):
        return _resources(value)
    if name in ("iss", "aud", "exp", "nbf", "iat", "jti", "sub"):
        return []
    raise refused_object("A parameter in the request object has the wrong type.")


def _resources(values: list[object]) -> list[str]:
    found = [value for value in values if isinstance(value, str)]
    if len(found) != len(values):
        raise refused_object("A parameter in the request object has the wrong type.")
    return found
