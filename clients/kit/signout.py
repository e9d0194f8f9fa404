"""Signing out here and at the provider, and hearing that the provider has signed somebody out."""

import logging

from flask import Blueprint, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from clients.kit.context import kit, visit_of_request
from clients.kit.cookies import forget_visit, set_language, set_visit, visit_token
from clients.kit.errands import Errand, Purpose, begin_errand, claim_errand
from clients.kit.guards import machines, open_to_all, signed_in
from clients.kit.logout_token import LogoutTokenError, claim_logout_token
from clients.kit.oidc import ProviderUnavailableError
from clients.kit.pages import page_language, render
from clients.kit.secret import digest, new_token
from clients.kit.signin import safe_path
from clients.kit.texts import LANGUAGES
from clients.kit.visits import Visit, begin_visit, end_visit, end_visits_of

_log = logging.getLogger(__name__)

bp = Blueprint("signout", __name__)


@bp.post("/logout")
@signed_in
def logout(visit: Visit) -> ResponseReturnValue:
    """End the visit here, then ask the provider to end the session (RP-Initiated Logout §2)."""
    state, now = new_token(), kit().clock()
    with kit().database.write() as db:
        end_visit(db, visit.key)
        token = begin_visit(db, now=now)
        begin_errand(
            db,
            Purpose.SIGN_OUT,
            Errand(nonce="", code_verifier="", next_path="/"),
            state=state,
            visit_key=digest(token),
            now=now,
        )
    _log.info("signout.done")
    try:
        url = kit().relying_party.sign_out_url(visit.id_token, state=state, lang=page_language())
    except ProviderUnavailableError:
        url = "/signed-out"
    response = redirect(url, 303)
    set_visit(response, token)
    return response


@bp.get("/signed-out")
@open_to_all
def signed_out() -> ResponseReturnValue:
    """Say that it is over: everywhere if the provider sends the browser back, else only here."""
    visit, now = visit_of_request(), kit().clock()
    if visit is not None and visit.person is not None:
        return redirect("/", 303)
    with kit().database.write() as db:
        key = digest(visit_token())
        errand = claim_errand(
            db, Purpose.SIGN_OUT, state=request.args.get("state", ""), visit_key=key, now=now
        )
        if errand is not None:
            end_visit(db, key)
    response = render("kit/signed_out.html", everywhere=errand is not None)
    if errand is not None:
        forget_visit(response)
    return response


@bp.post("/backchannel-logout")
@machines
def backchannel_logout() -> ResponseReturnValue:
    """End the visits that a logout token names (Back-Channel Logout §2.5)."""
    try:
        ended = _end_named_visits(request.form.getlist("logout_token"))
    except LogoutTokenError as refusal:
        _log.warning("backchannel.refused reason=%s", refusal)
        return jsonify(error="invalid_request"), 400
    except ProviderUnavailableError:
        _log.warning("backchannel.unavailable")
        return jsonify(error="temporarily_unavailable"), 503
    _log.info("backchannel.done ended=%d", ended)
    return "", 200


@bp.get("/language")
@open_to_all
def language() -> ResponseReturnValue:
    """Show the pages in another language from now on."""
    response = redirect(safe_path(request.args.get("back", "/")), 303)
    lang = request.args.get("to", "")
    if lang in LANGUAGES:
        set_language(response, lang)
    return response


def _end_named_visits(tokens: list[str]) -> int:
    """Use one logout token, once; return how many visits it ended."""
    if len(tokens) != 1:
        raise LogoutTokenError("one_token")
    now = kit().clock()
    notice = kit().relying_party.read_logout_token(tokens[0], now=now)
    with kit().database.write() as db:
        if not claim_logout_token(db, notice, now=now):
            raise LogoutTokenError("replayed")
        return end_visits_of(db, sid=notice.sid, sub=notice.sub)
