"""Checks of the authorization request, in the order the endpoint runs them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from idp.protocol import pkce
from idp.protocol.client import GrantType, RegisteredClient, ResponseMode
from idp.protocol.errors import DisplayedError, RedirectedError
from idp.protocol.params import Fault, Params
from idp.protocol.scope import OPENID, parse_scope

#: A native app's loopback URI: host, then path; the port between them is not captured.
_LOOPBACK_URI = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(/[!-~]*)")

#: Features of OIDC Core §6 and §7 that we do not offer, each with its own error.
_UNSUPPORTED = (
    ("registration", "registration_not_supported", "Self-issued registration is not supported."),
)


@dataclass(frozen=True)
class Signature:
    """For whom a signed answer is, and what signs it (JARM §2.1)."""

    audience: str
    alg: str


@dataclass(frozen=True)
class ReplyTarget:
    """Where the answer goes, and how. Only `resolve_reply_target` makes one."""

    redirect_uri: str
    state: str | None
    response_mode: ResponseMode = ResponseMode.QUERY
    #: Only with a mode that is signed.
    signature: Signature | None = None


def resolve_client_id(params: Params) -> str:
    """Return the one `client_id` of the request.

    Raises:
        DisplayedError: `client_id_missing`: none, two, or nothing one could be.
    """
    client_id = params.values.get("client_id")
    if client_id is None:
        raise DisplayedError("client_id_missing")
    return client_id


def resolve_reply_target(params: Params, client: RegisteredClient) -> ReplyTarget:
    """Return the verified address that the answer, good or bad, is sent to.

    This runs before every check that may redirect, and `RedirectedError` can only be
    answered with a `ReplyTarget` in hand, so an unverified URI is never followed.

    RFC 9700 §2.1: exact string comparison with the registered URIs. The one exception is
    RFC 8252 §7.3: a native client's loopback URI may name any port. OIDC Core §3.1.2.1:
    the parameter is required, even where only one URI is registered.

    Raises:
        DisplayedError: `redirect_uri_missing` or `redirect_uri_unregistered`.
    """
    requested = params.values.get("redirect_uri")
    if requested is None:
        unusable = "redirect_uri" in params.faults
        raise DisplayedError("redirect_uri_unregistered" if unusable else "redirect_uri_missing")
    if requested not in client.redirect_uris and not _matches_loopback(requested, client):
        raise DisplayedError("redirect_uri_unregistered")
    mode = _response_mode(params, client)
    return ReplyTarget(
        redirect_uri=requested,
        state=params.values.get("state"),
        response_mode=mode,
        signature=Signature(client.client_id, client.response_alg) if mode.is_signed else None,
    )


def _matches_loopback(requested: str, client: RegisteredClient) -> bool:
    wanted = _loopback_host_and_path(requested)
    return (
        client.is_native
        and not client.is_fapi  # FAPI 2.0 §5.3.2.2: letter by letter
        and wanted is not None
        and any(wanted == _loopback_host_and_path(uri) for uri in client.redirect_uris)
    )


def _loopback_host_and_path(uri: str) -> tuple[str, str] | None:
    """Read the raw text: a URL parser would quietly repair what must be refused."""
    match = _LOOPBACK_URI.fullmatch(uri)
    return (match[1], match[2]) if match else None


def _response_mode(params: Params, client: RegisteredClient) -> ResponseMode:
    """Return the mode that was asked for if the client may use it; errors go by query else."""
    wanted = params.values.get("response_mode", ResponseMode.QUERY)
    return ResponseMode(wanted) if wanted in client.response_modes else ResponseMode.QUERY


def check_parameters(params: Params, _client: RegisteredClient) -> None:
    """Refuse parameters that stand twice, are too long or hold controls (RFC 6749 §3.1)."""
    faults = {name: fault for name, fault in params.faults.items() if name != "scope"}
    if Fault.REPEATED in {*faults.values(), params.faults.get("scope")}:
        raise RedirectedError("invalid_request", "A parameter stands more than once.")
    if Fault.TOO_LONG in faults.values():
        raise RedirectedError("invalid_request", "A parameter is too long.")
    if faults:
        raise RedirectedError("invalid_request", "A parameter holds forbidden characters.")


def check_unsupported(params: Params, _client: RegisteredClient) -> None:
    """Name what is not offered by its own error (OIDC Core §3.1.2.6)."""
    for name, code, description in _UNSUPPORTED:
        if name in params.values:
            raise RedirectedError(code, description)


def check_response_type(params: Params, client: RegisteredClient) -> None:
    """Only the code flow is offered (RFC 9700 §2.1.2 advises against the others)."""
    response_type = params.values.get("response_type")
    if response_type is None:
        raise RedirectedError("invalid_request", "The response_type is missing.")
    if response_type != "code":
        raise RedirectedError("unsupported_response_type", "Only response_type=code is supported.")
    if GrantType.AUTHORIZATION_CODE not in client.grant_types:
        raise RedirectedError("unauthorized_client", "The client may not use this grant.")


def check_response_mode(params: Params, client: RegisteredClient) -> None:
    """Only a mode that the client registered (OAuth 2.0 Multiple Response Types §2.1)."""
    wanted = params.values.get("response_mode", ResponseMode.QUERY)
    if wanted not in client.response_modes:
        raise RedirectedError("invalid_request", "The response_mode is not supported.")


def check_scope(params: Params, client: RegisteredClient) -> None:
    """Every scope must be granted to the client, and `openid` asked for (OIDC Core §3.1.2.1)."""
    if "scope" in params.faults:
        raise RedirectedError("invalid_scope", "The scope is malformed.")
    asked = parse_scope(params.values.get("scope", ""))
    if asked is None:
        raise RedirectedError("invalid_scope", "The scope is malformed.")
    if OPENID not in asked:
        raise RedirectedError("invalid_scope", "The scope must include openid.")
    if not client.scopes.issuperset(asked):
        raise RedirectedError("invalid_scope", "A requested scope is not allowed for this client.")


def check_pkce(params: Params, client: RegisteredClient) -> None:
    """An S256 challenge, required unless the client is registered without (RFC 9700 §2.1.1)."""
    challenge = params.values.get("code_challenge")
    method = params.values.get("code_challenge_method")
    if challenge is None:
        if client.needs_pkce or method is not None:
            raise RedirectedError("invalid_request", "A code_challenge is required.")
        return
    # RFC 7636 §4.3: without a method it would be plain, which is not offered.
    if method != pkce.METHOD:
        raise RedirectedError("invalid_request", "Only code_challenge_method=S256 is supported.")
    if not pkce.is_challenge(challenge):
        raise RedirectedError("invalid_request", "The code_challenge is malformed.")


Check = Callable[[Params, RegisteredClient], None]

#: Every check that may answer by redirect, in order; the endpoint runs all of them.
REDIRECTING_CHECKS: tuple[Check, ...] = (
    check_parameters,
    check_unsupported,
    check_response_type,
    check_response_mode,
    check_scope,
    check_pkce,
)
