"""The UserInfo endpoint (OIDC Core §5.3)."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, Response, request

from idp.db.session import reading, transaction
from idp.domain.grants.client_keys import KeysWanted
from idp.domain.grants.own_tokens import sign
from idp.oauth.proofs import nonce_header
from idp.oauth.resource_calls import ResourceCall, resolve_token
from idp.oauth.userinfo import PersonClaims, answer_userinfo
from idp.protocol.dpop import ALGORITHMS, SCHEME
from idp.protocol.errors import BearerError
from idp.protocol.params import Params, parse_params
from idp.web.deps import services, this_request
from idp.web.guards import client_endpoint
from idp.web.oidc.calls import FORM, answer_preflight, read_proofs, send_json, share_with_origin

bp = Blueprint("oidc_userinfo", __name__)

#: FAPI: what a client calls one exchange, given back to it.
_INTERACTION = "x-fapi-interaction-id"


@bp.route("/userinfo", methods=["GET"], provide_automatic_options=False)
@client_endpoint
def userinfo() -> Response:
    """Return claims for a token in the header."""
    return _answer(parse_params(()))


@bp.route("/userinfo", methods=["POST"], provide_automatic_options=False)
@client_endpoint
def userinfo_by_post() -> Response:
    """Return claims for a token in the header or in the form."""
    is_form = request.mimetype == FORM
    return _answer(parse_params(request.form.items(multi=True) if is_form else ()))


def _answer(params: Params) -> Response:
    request = this_request()
    call = ResourceCall(
        authorization=request.environ.get("HTTP_AUTHORIZATION"),
        params=params,
        method=request.method,
        path=request.path,
        proofs=read_proofs(),
    )
    try:
        response = _look_up_with_keys(call)
    except BearerError as error:
        response = _refuse(error)
    _echo_interaction(response)
    return response


def _look_up_with_keys(call: ResourceCall) -> Response:
    """Answer; where the client's published keys are needed to encrypt, fetch them between."""
    try:
        return _look_up(call)
    except KeysWanted as wanted:
        services().client_keys.fetch(wanted.uri, now=services().clock())
    return _look_up(call)


def _look_up(call: ResourceCall) -> Response:
    own = services()
    provider, now = own.provider, own.clock()
    presented = resolve_token(call, provider=provider, now=now)
    # A proof is used up by a row; a bearer token is only looked at.
    is_read_only = presented.proof is None
    opened = reading if is_read_only else transaction
    with opened(own.sessions) as db:
        answer = answer_userinfo(db, presented, provider=provider, now=now)
    return _send(answer, {} if is_read_only else nonce_header(provider, now=now))


def _send(answer: PersonClaims, headers: Mapping[str, str]) -> Response:
    if answer.signer is None:
        return send_json(answer.claims, headers=headers)
    text = sign(dict(answer.claims), answer.signer)
    if answer.recipient is not None:
        text = answer.recipient.encrypt(text)
    response = Response(text, content_type="application/jwt", headers=dict(headers))
    response.headers["Cache-Control"] = "no-store"
    return share_with_origin(response)


def _refuse(error: BearerError) -> Response:
    """Say what was wrong in the header, as RFC 6750 §3 and RFC 9449 §7.1 have it."""
    challenge = f'{error.scheme} realm="kosodate"'
    if error.scheme == SCHEME:
        challenge += f', algs="{" ".join(ALGORITHMS)}"'
    body: dict[str, object] = {}
    if error.code is not None:
        challenge += f', error="{error.code}", error_description="{error.description}"'
        body = {"error": error.code, "error_description": error.description}
    headers = {**error.headers, "WWW-Authenticate": challenge}
    return send_json(body, status=error.status, headers=headers)


def _echo_interaction(response: Response) -> None:
    """Give back the id of the exchange, if it is one: nothing else is reflected."""
    sent = this_request().environ.get("HTTP_X_FAPI_INTERACTION_ID")
    if sent is None:
        return
    try:
        response.headers[_INTERACTION] = str(UUID(sent))
    except ValueError:
        return


@bp.route("/userinfo", methods=["OPTIONS"])
@client_endpoint
def userinfo_preflight() -> Response:
    """Let registered browser clients ask."""
    return answer_preflight()
