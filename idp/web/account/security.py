"""Password and devices: own sessions, recent sign-ins, a new password (A24, SE-07)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.people.profiles import find_profile
from idp.domain.signin.history import PastSignIn, find_password_date, list_history
from idp.domain.signin.own_sessions import (
    ListedSession,
    end_other_sessions,
    end_own_session,
    list_sessions,
)
from idp.domain.signin.signout import sign_out_everywhere
from idp.domain.signin.step_wish import find_step_wish
from idp.web.account.entry import ask_for_agreement
from idp.web.deps import current_actor, require_person, services
from idp.web.guards import signed_in
from idp.web.leaving import frames_of, leave, signed_out_address
from idp.web.password_form import password_facts
from idp.web.render import FieldError, language, page, see_other
from idp.web.upstream import upstream_name

bp = Blueprint("account_security", __name__, url_prefix="/account")
bp.before_request(ask_for_agreement)

_DONE = {
    "ended": "account.security.ended",
    "ended_others": "account.security.ended_others",
    "changed": "account.security.changed",
    "step_on": "account.step.turned_on",
    "step_off": "account.step.turned_off",
}


@dataclass(frozen=True)
class _Session:
    id: UUID
    device_label: str
    started_at: datetime
    last_seen_at: datetime
    current: bool


@dataclass(frozen=True)
class _PastSignIn:
    at: datetime
    device_label: str
    outcome: str
    place: str | None = None


@bp.get("/security")
@signed_in
def show_security() -> Response:
    """Show sessions, recent sign-ins and the form of a new password."""
    return security_page()


@bp.post("/sessions/end")
@signed_in
def end_sessions() -> Response:
    """End one session, all others, or all with this one."""
    if request.form.get("all") == "1":
        return _end_all()
    if request.form.get("others") == "1":
        with transaction(services().sessions) as db:
            end_other_sessions(
                db,
                require_person(),
                actor=current_actor(),
                keys=services().keys,
                now=services().clock(),
            )
        return see_other("/account/security?done=ended_others")
    return _end_one()


def _end_one() -> Response:
    """End one of the person's own sessions; another's is as if it did not exist (SE-07)."""
    with transaction(services().sessions) as db:
        is_ended = end_own_session(
            db,
            require_person(),
            _read_session_id(),
            keys=services().keys,
            now=services().clock(),
        )
    if not is_ended:
        abort(404)
    return see_other("/account/security?done=ended")


def _end_all() -> Response:
    person = require_person()
    with transaction(services().sessions) as db:
        sign_out_everywhere(
            db, person, actor=current_actor(), keys=services().keys, now=services().clock()
        )
        frames = frames_of(db, person)
    return leave(person, signed_out_address(person), frames=frames)


def security_page(errors: tuple[FieldError, ...] = (), status: int = 200) -> Response:
    """Render the page; a refused change of the password comes back to it."""
    person = require_person()
    now = services().clock()
    with reading(services().sessions) as db:
        sessions = list_sessions(db, person, now=now)
        history = list_history(db, person.account_id)
        profile = find_profile(db, person.account_id)
        password_set_on = find_password_date(db, person.account_id)
        step = find_step_wish(db, person.account_id)
    return page(
        "account/security.html",
        status,
        sessions=[_session(each) for each in sessions],
        history=[_past(each) for each in history],
        factors=(),
        step=step,
        **password_facts(),
        password_set_on=password_set_on,
        login_id=profile.login_id if profile else "",
        identity_provider=upstream_name() if services().upstream is not None else None,
        done_key=_DONE.get(request.args.get("done", "")),
        errors=errors,
    )


def _session(listed: ListedSession) -> _Session:
    return _Session(
        id=listed.session_id,
        device_label=_label(listed.device_label),
        started_at=listed.started_at,
        last_seen_at=listed.last_seen_at,
        current=listed.is_current,
    )


def _past(entry: PastSignIn) -> _PastSignIn:
    return _PastSignIn(
        at=entry.at, device_label=_label(entry.device_label), outcome=entry.outcome.value
    )


def _label(known: str | None) -> str:
    if known and known != "?":
        return known
    return services().texts.get(language(), "account.security.unknown_device")


def _read_session_id() -> UUID:
    try:
        return UUID(request.form.get("session_id", ""))
    except ValueError:
        abort(404)
