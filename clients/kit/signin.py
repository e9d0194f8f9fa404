"""Sign-in at the provider and the way back from it."""

import logging
import re
from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from clients.kit.context import kit
from clients.kit.cookies import set_visit, visit_token
from clients.kit.errands import Errand, Purpose, begin_errand, claim_errand
from clients.kit.guards import find_visit, open_to_all
from clients.kit.oidc import ProviderUnavailableError, SignInRefusedError
from clients.kit.pages import page_language, render_error
from clients.kit.secret import digest
from clients.kit.visits import SignIn, Visit, begin_visit, resume_visit, sign_in_visit

_log = logging.getLogger(__name__)

bp = Blueprint("signin", __name__, template_folder="templates")

_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
_OUR_OWN_WAYS = (
    "/login",
    "/callback",
    "/logout",
    "/signed-out",
    "/language",
    "/backchannel-logout",
)
_LONGEST_PARAMETER = 2048

#: Error codes of the provider that mean: nobody is at fault, it cannot just now.
_LATER = frozenset({"temporarily_unavailable", "server_error"})
#: … and: the person has to do something there first.
_AGAIN = frozenset({"login_required", "interaction_required", "consent_required"})


@dataclass(frozen=True)
class _Answer:
    """What the provider sent the browser back with."""

    state: str
    code: str | None
    error: str | None
    iss: str | None


@bp.route("/login", methods=["GET", "POST"])
@open_to_all
def login() -> ResponseReturnValue:
    """Begin a sign-in; also for others to start one here (OIDC Core §4, `initiate_login_uri`)."""
    asked = request.values
    if asked.get("iss", kit().settings.issuer) != kit().settings.issuer:
        return render_error("issuer", 400)
    try:
        departure = kit().relying_party.depart(
            lang=page_language(), login_hint=asked.get("login_hint", "")[:_LONGEST_PARAMETER]
        )
    except ProviderUnavailableError:
        _log.warning("signin.unavailable")
        return render_error("later", 503)
    target = asked.get("next") or asked.get("target_link_uri", "").removeprefix(
        kit().settings.base_url
    )
    errand = Errand(departure.nonce, departure.code_verifier, safe_path(target))
    now = kit().clock()
    with kit().database.write() as db:
        token = visit_token()
        if resume_visit(db, token, now=now) is None:
            token = begin_visit(db, now=now)
        begin_errand(
            db, Purpose.SIGN_IN, errand, state=departure.state, visit_key=digest(token), now=now
        )
    response = redirect(departure.url, 303)
    set_visit(response, token)
    return response


@bp.get("/callback")
@open_to_all
def callback() -> ResponseReturnValue:
    """Finish a sign-in and go where the person wanted to go."""
    answer = _read_answer()
    visit = find_visit()
    errand = _claim(visit, answer.state)
    if visit is None or errand is None:
        return _lost(visit)
    try:
        kit().relying_party.check_issuer(answer.iss)
        if answer.error is not None:
            return _refused_by_provider(answer.error)
        return _arrived(visit, kit().relying_party.arrive(answer.code, errand), errand.next_path)
    except SignInRefusedError as refusal:
        _log.warning("signin.refused reason=%s", refusal)
        return render_error("refused", 400)
    except ProviderUnavailableError:
        _log.warning("signin.unavailable")
        return render_error("later", 503)


def safe_path(target: str) -> str:
    """Return a path of our own to go on to; the start page for anything else."""
    path = re.split(r"[?#]", target, maxsplit=1)[0]
    if _LOCAL_PATH.fullmatch(target) and path not in _OUR_OWN_WAYS:
        return target
    return "/"


def _read_answer() -> _Answer:
    """Read each parameter once: a second value is somebody else's (RFC 6749 §3.1)."""
    values = {}
    for name in ("state", "code", "error", "iss"):
        found = request.args.getlist(name)
        if len(found) > 1 or any(len(value) > _LONGEST_PARAMETER for value in found):
            raise BadRequest
        values[name] = found[0] if found else None
    return _Answer(values["state"] or "", values["code"], values["error"], values["iss"])


def _claim(visit: Visit | None, state: str) -> Errand | None:
    if visit is None:
        return None
    with kit().database.write() as db:
        return claim_errand(
            db, Purpose.SIGN_IN, state=state, visit_key=visit.key, now=kit().clock()
        )


def _lost(visit: Visit | None) -> ResponseReturnValue:
    """Answer a state we do not know: an old page, the Back button, or cookies that are off."""
    if visit is not None and visit.person is not None:
        return redirect("/", 303)
    _log.info("signin.state_lost has_visit=%s", visit is not None)
    return render_error("restart" if visit else "cookies", 400)


def _refused_by_provider(error: str) -> ResponseReturnValue:
    _log.info("signin.not_granted error=%s", re.sub(r"[^a-z_]", "", error)[:40])
    if error == "access_denied":
        return render_error("denied", 403)
    if error in _AGAIN:
        return render_error("again", 403)
    return render_error("later", 503) if error in _LATER else render_error("refused", 400)


def _arrived(old: Visit, sign_in: SignIn, next_path: str) -> ResponseReturnValue:
    now = kit().clock()
    first_page = None
    with kit().database.write() as db:
        token = sign_in_visit(db, old, sign_in, now=now)
        visit = resume_visit(db, token, now=now) if token else None
        if visit is not None and visit.person is not None and visit.person.household is not None:
            first_page = kit().site.greet(db, visit, now)
    if token is None:
        return redirect(url_for("signout.signed_out"), 303)
    kit().worker.wake()
    _log.info("signin.done")
    response = redirect(first_page or next_path, 303)
    set_visit(response, token)
    return response
