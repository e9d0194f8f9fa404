"""The authorization endpoint: check the request, then hand over to the walk."""

from datetime import timedelta

import structlog
from flask import Blueprint
from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.domain.signin.doors import FAMILY
from idp.oauth.at_once import Answered
from idp.oauth.authorization import (
    Browser,
    StartedWalk,
    decline_authorization,
    start_authorization,
)
from idp.protocol.errors import DisplayedError
from idp.protocol.responses import Reply
from idp.web.client_calls import in_transaction
from idp.web.cookies import read_cookie
from idp.web.deps import current_person, peer_address, put_cookie, services
from idp.web.guards import cross_site
from idp.web.maintenance import closed_until
from idp.web.oidc.calls import come_back, read_address
from idp.web.oidc.refusals import show_refusal
from idp.web.provider import current_provider
from idp.web.render import see_other
from idp.web.reply import send_answer

bp = Blueprint("oidc_authorize", __name__)
bp.register_error_handler(DisplayedError, show_refusal)

_log = structlog.get_logger()


@bp.get("/authorize")
@cross_site
def authorize() -> Response:
    """Check the request and open its walk (OIDC Core §3.1.2)."""
    if closed_until() is not None:
        return _decline()
    browser = Browser(
        walk_token=read_cookie("walk"), person=current_person(), address=peer_address()
    )
    provider, now = current_provider(), services().clock()
    lifetime = timedelta(minutes=services().settings.signin.walk_lifetime_minutes)
    outcome = in_transaction(
        lambda db: start_authorization(
            db, read_address(), browser=browser, provider=provider, now=now, lifetime=lifetime
        )
    )
    is_known = browser.person is not None and browser.person.door is FAMILY
    match outcome:
        case StartedWalk(interaction_id, walk_token, ui_locales):
            put_cookie("walk", walk_token)
            _speak(ui_locales)
            # Of nobody the dispatcher would ask who it is: one redirect less.
            path = "/continue" if is_known else "/login"
            return see_other(with_query(path, {"i": str(interaction_id)}))
        case Answered(reply):
            return send_answer(reply)
        case Reply():
            _log.info("authorization.refused", reason=outcome.params.get("error"))
            return send_answer(outcome)


def _decline() -> Response:
    """Send the browser back to the service while we are closed (B43)."""
    provider, now = current_provider(), services().clock()
    reply = in_transaction(
        lambda db: decline_authorization(db, read_address(), provider=provider, now=now)
    )
    _log.info("authorization.refused", reason=reply.params.get("error"))
    return send_answer(reply)


def _speak(ui_locales: tuple[str, ...]) -> None:
    """Take the first language we have, unless the person has chosen one in this browser."""
    known = services().texts.languages
    wanted = next((tag for tag in ui_locales if tag in known), None)
    if wanted is not None and read_cookie("language") is None:
        put_cookie("language", wanted)


@bp.post("/authorize")
@cross_site
def authorize_by_post() -> Response:
    """Take a request by POST (OIDC Core §3.1.2.1) and come back to it by GET.

    A POST from another site carries no SameSite=Lax cookie, so only then it is known who is
    signed in here, and which other walks this browser has.
    """
    return come_back("/authorize")
