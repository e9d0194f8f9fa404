"""RP-initiated logout: a service sends the person to sign out (end_session_endpoint)."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.db.session import transaction
from idp.oauth.end_session import AskFirst, SignedOut, answer_wish, confirm_logout, read_wish
from idp.protocol.errors import DisplayedError
from idp.web.deps import (
    allow_foreign_answer,
    current_actor,
    current_person,
    services,
    state,
)
from idp.web.guards import cross_site, open_to_all
from idp.web.leaving import leave, signed_out_address
from idp.web.oidc.calls import come_back, read_address
from idp.web.oidc.refusals import show_refusal
from idp.web.provider import current_provider
from idp.web.render import language, page, see_other

bp = Blueprint("oidc_logout", __name__)
bp.register_error_handler(DisplayedError, show_refusal)


@bp.get("/end_session")
@cross_site
def end_session() -> Response:
    """End the session the hint names; ask first where nothing proves whose wish it is."""
    provider, now = current_provider(), services().clock()
    with transaction(services().sessions) as db:
        wish = read_wish(db, read_address(), provider=provider, now=now)
        outcome = answer_wish(
            db, wish, current_person(), provider=provider, actor=current_actor(), now=now
        )
    match outcome:
        case AskFirst():
            return _ask(outcome)
        case SignedOut():
            return _show_end(outcome)


@bp.post("/end_session")
@cross_site
def end_session_by_post() -> Response:
    """Take the request by POST (RP-Initiated Logout §2) and come back to it with the cookies."""
    return come_back("/end_session")


@bp.post("/end_session/confirm")
@open_to_all
def submit_logout() -> Response:
    """Do what the person said on the confirmation page."""
    if request.form.get("decision") != "logout":
        return see_other("/")
    with transaction(services().sessions) as db:
        outcome = confirm_logout(
            db,
            request.args.get("ticket", ""),
            current_person(),
            provider=current_provider(),
            actor=current_actor(),
            now=services().clock(),
        )
    return _show_end(outcome)


def _ask(outcome: AskFirst) -> Response:
    client = outcome.client
    if client is not None:
        state().client_name = client.name_in(language())
    allow_foreign_answer()
    action = with_query("/end_session/confirm", {"ticket": outcome.ticket})
    return page("signin/logout_confirm.html", action_href=action)


def _show_end(outcome: SignedOut) -> Response:
    """Clear the cookies and go back to the service, or to the page that says it is done."""
    person, reply = outcome.person, outcome.reply
    address = signed_out_address(person)
    if reply is not None:
        address = with_query(reply.redirect_uri, dict(reply.params))
    return see_other(address) if person is None else leave(person, address, frames=outcome.frames)
