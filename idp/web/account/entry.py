"""The way into the pages of a person: nobody gets past documents she has not agreed to (PX-05)."""

from datetime import timedelta

from flask import request
from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.db.session import reading, transaction
from idp.domain.documents.agreements import outstanding
from idp.domain.signin.doors import FAMILY
from idp.domain.signin.interactions import HOME, NewInteraction, open_interaction
from idp.domain.signin.sessions import SignedIn
from idp.web.cookies import read_cookie
from idp.web.deps import current_person, put_cookie, services
from idp.web.render import see_other


def ask_for_agreement() -> Response | None:
    """Send whoever still has to agree to the terms back to them (A26); let the others through."""
    person = current_person()
    if person is None or person.door is not FAMILY or not _is_outstanding(person):
        return None
    is_page = request.method in {"GET", "HEAD"}
    return _open_walk(request.full_path.rstrip("?") if is_page else None)


def _is_outstanding(person: SignedIn) -> bool:
    if person.municipality_id is None:
        return False
    with reading(services().sessions) as db:
        return bool(
            outstanding(
                db,
                person.account_id,
                person.municipality_id,
                session_id=person.session_id,
                now=services().clock(),
            )
        )


def _open_walk(return_path: str | None) -> Response:
    lifetime = timedelta(minutes=services().settings.signin.walk_lifetime_minutes)
    walk = NewInteraction(purpose=HOME, return_path=return_path, lifetime=lifetime)
    with transaction(services().sessions) as db:
        opened = open_interaction(
            db, walk, browser_token=read_cookie("walk"), now=services().clock()
        )
    put_cookie("walk", opened.browser_token)
    return see_other(with_query("/continue", {"i": str(opened.id)}))
