"""The dispatcher: from what has been done in a walk to the page or the service that comes next."""

from dataclasses import dataclass
from types import MappingProxyType

from werkzeug.wrappers import Response

from idp.db.session import OpenSession
from idp.domain.signin.found_walks import FoundWalk
from idp.domain.signin.interactions import AUTHORIZE, DEVICE, HOME, STAFF, Walk
from idp.domain.signin.sessions import SignedIn
from idp.domain.signin.walking import NextStep, WalkOver, look
from idp.domain.upkeep.audit import Actor
from idp.oauth.answers import (
    PendingAuthorization,
    answer_authorization,
    is_answered_by_page,
    refuse_authorization,
)
from idp.oauth.device_answers import answer_device, refuse_device
from idp.protocol.interaction import (
    ActingFor,
    Answer,
    Code,
    Consent,
    Login,
    Refusal,
    Refuse,
    Step,
    Terms,
)
from idp.protocol.responses import Reply
from idp.web.deps import peer_address, services
from idp.web.provider import current_provider
from idp.web.render import page, see_other
from idp.web.reply import send_answer
from idp.web.signin.walks import sign_in_setup, walk_address

_FAMILY_PAGES: dict[type[Step], str] = {
    Login: "/login",
    Code: "/login/code",
    Terms: "/terms",
    ActingFor: "/acting-for",
    Consent: "/consent",
}
_DEVICE_PAGES = _FAMILY_PAGES | {Consent: "/device/confirm"}
_STAFF_PAGES = _FAMILY_PAGES | {Login: "/staff/login", Code: "/staff/login/code"}
_PAGES = MappingProxyType(
    {AUTHORIZE: _FAMILY_PAGES, HOME: _FAMILY_PAGES, DEVICE: _DEVICE_PAGES, STAFF: _STAFF_PAGES}
)


@dataclass(frozen=True)
class Way:
    """Where the browser goes: to an address of ours, or back to the service."""

    goal: str | Reply | WalkOver
    #: Who is signed in on this way.
    person: SignedIn | None = None


def find_way(db: OpenSession, found: FoundWalk, session_token: str | None) -> Way:
    """Look at the walk as it stands in this transaction, and answer it if nothing is left."""
    now = services().clock()
    seen = look(db, found, session_token, setup=sign_in_setup(), now=now)
    if isinstance(seen, WalkOver):
        return Way(seen)
    return Way(_find_goal(db, found, seen), seen.person)


def find_way_after_form(db: OpenSession, found: FoundWalk | None, session_token: str) -> Way | None:
    """Do as `find_way` for the answer to a form, which is always a redirect (BR-07).

    None: the dispatcher's own address has to come between, since the answer is a page.
    """
    if found is None or is_answered_by_page(PendingAuthorization(found.walk.request)):
        return None
    return find_way(db, found, session_token)


def go(way: Way) -> Response:
    """Send the browser there."""
    if isinstance(way.goal, WalkOver):
        return page("signin/restart.html", 400, start_href=None)
    return send_answer(way.goal) if isinstance(way.goal, Reply) else see_other(way.goal)


def code_address(walk: Walk) -> str:
    """Return the page that asks for the second step of this walk."""
    return walk_address(_PAGES[walk.purpose][Code], walk.id)


def _find_goal(db: OpenSession, found: FoundWalk, seen: NextStep) -> str | Reply:
    walk = found.walk
    match seen.step:
        case Answer():
            assert seen.person is not None
            return _answer(db, found, seen, seen.person)
        case Refuse(error):
            return _refuse(db, walk, error)
        case _:
            return walk_address(_PAGES[walk.purpose][type(seen.step)], walk.id)


def _answer(db: OpenSession, found: FoundWalk, seen: NextStep, person: SignedIn) -> str | Reply:
    walk, provider, now = found.walk, current_provider(), services().clock()
    actor = Actor("account", account_id=person.account_id, address=peer_address())
    if walk.purpose is DEVICE:
        outcome = answer_device(db, walk, person, provider=provider, actor=actor, now=now)
        # The person's phone says how it ended; the device itself hears when it asks next.
        return walk_address(f"/device/{outcome}", walk.id)
    if walk.purpose is not AUTHORIZE:
        home = "/staff/" if walk.purpose is STAFF else "/"
        return walk.return_path or home
    pending = PendingAuthorization(walk.request, found.client, seen.consented)
    return answer_authorization(db, pending, person, provider=provider, actor=actor, now=now)


def _refuse(db: OpenSession, walk: Walk, error: Refusal) -> str | Reply:
    if walk.purpose is DEVICE:
        outcome = refuse_device(db, walk, now=services().clock())
        return walk_address(f"/device/{outcome}", walk.id)
    if walk.purpose is not AUTHORIZE:
        return "/staff/login" if walk.purpose is STAFF else "/login"
    issuer = services().settings.provider.issuer
    return refuse_authorization(PendingAuthorization(walk.request), error, issuer=issuer)
