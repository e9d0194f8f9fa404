"""The UserInfo endpoint (OIDC Core §5.3)."""

from flask import Blueprint, Response, request

from idp.db.session import reading
from idp.oauth.userinfo import answer_userinfo, resolve_bearer
from idp.protocol.errors import BearerError
from idp.protocol.params import Params, parse_params
from idp.web.deps import services
from idp.web.guards import client_endpoint
from idp.web.oidc.calls import FORM, answer_preflight, send_json
from idp.web.provider import current_provider

bp = Blueprint("oidc_userinfo", __name__)


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
    try:
        token = resolve_bearer(request.headers.get("Authorization"), params)
        with reading(services().sessions) as db:
            answer = answer_userinfo(db, token, provider=current_provider(), now=services().clock())
    except BearerError as error:
        return _refuse(error)
    return send_json(answer.claims)


def _refuse(error: BearerError) -> Response:
    """Say what was wrong in the header, as RFC 6750 §3 has it."""
    challenge = 'Bearer realm="kosodate"'
    if error.code is None:
        return send_json({}, status=error.status, headers={"WWW-Authenticate": challenge})
    challenge += f', error="{error.code}", error_description="{error.description}"'
    body = {"error": error.code, "error_description": error.description}
    return send_json(body, status=error.status, headers={"WWW-Authenticate": challenge})


@bp.route("/userinfo", methods=["OPTIONS"])
@client_endpoint
def userinfo_preflight() -> Response:
    """Let registered browser clients ask."""
    return answer_preflight()
