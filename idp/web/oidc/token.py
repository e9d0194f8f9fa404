"""The token endpoint, and what clients ask about tokens: revocation and introspection."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from idp.domain.grants.own_tokens import sign
from idp.oauth.calls import Answer, Call, refuse
from idp.oauth.proofs import nonce_header
from idp.oauth.server import answer_token_call
from idp.oauth.token_care import answer_introspection_call, answer_revocation_call
from idp.oauth.tokens import UnsignedTokens
from idp.protocol.client import GrantType
from idp.protocol.errors import EndpointError
from idp.protocol.params import parse_params
from idp.web.client_calls import in_transaction
from idp.web.deps import services
from idp.web.guards import client_endpoint
from idp.web.oidc.calls import answer_preflight, read_call, send, send_json
from idp.web.provider import current_provider

bp = Blueprint("oidc_token", __name__)

_SIGNED = "application/token-introspection+jwt"

Operation = Callable[..., UnsignedTokens | Answer]


@bp.route("/token", methods=["POST"], provide_automatic_options=False)
@client_endpoint
def issue_tokens() -> Response:
    """Exchange a code, a refresh token or a client's own proof for tokens."""
    return _run(answer_token_call, only_reads=_stores_nothing)


@bp.route("/revoke", methods=["POST"], provide_automatic_options=False)
@client_endpoint
def revoke() -> Response:
    """End a token of the calling client."""
    return _run(answer_revocation_call)


@bp.post("/introspect")
@client_endpoint
def introspect() -> Response:
    """Say what a token is worth."""
    return _run(answer_introspection_call, only_reads=lambda _call: True)


def _send(answer: Answer) -> Response:
    """Send JSON, or a signed answer to whoever asks for one (RFC 9701 §5)."""
    wants_jwt = request.headers.get("Accept", "").strip().lower() == _SIGNED
    if answer.signer is None or not wants_jwt:
        return send(answer)
    claims: dict[str, object] = {
        "iss": current_provider().issuer,
        "aud": answer.client_id,
        "iat": int(services().clock().timestamp()),
        "token_introspection": dict(answer.body),
    }
    text = sign(claims, answer.signer, kind="token-introspection+jwt")
    return Response(text, content_type=_SIGNED, headers={"Cache-Control": "no-store"})


def _stores_nothing(call: Call) -> bool:
    """Whether this grant only looks its client up (RFC 6749 §4.4): then it waits for no writer."""
    return call.params.values.get("grant_type") == GrantType.CLIENT_CREDENTIALS


def _run(
    operation: Operation, *, only_reads: Callable[[Call], bool] = lambda _call: False
) -> Response:
    """Read the call, run the operation in one transaction, sign what it made, answer."""
    try:
        call = read_call()
    except EndpointError as error:
        return send(refuse(error, Call(parse_params(()), None)))
    provider, now = current_provider(), services().clock()
    outcome = in_transaction(
        lambda db: operation(db, call, provider=provider, now=now),
        read_only=only_reads(call) and not call.spends_proof,
    )
    if isinstance(outcome, UnsignedTokens):
        # Committed first: a signature takes longer than everything else, and holds no lock.
        headers = nonce_header(provider, now=now) if call.proofs else None
        return send_json(outcome.sign(), headers=headers)
    return _send(outcome)


@bp.route("/token", methods=["OPTIONS"])
@client_endpoint
def token_preflight() -> Response:
    """Let registered browser clients ask."""
    return answer_preflight()


@bp.route("/revoke", methods=["OPTIONS"])
@client_endpoint
def revoke_preflight() -> Response:
    """Let registered browser clients ask."""
    return answer_preflight()
