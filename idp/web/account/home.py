"""The home page: services, what waits for the person, her documents (A22, A29, B21, B60)."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.db.session import OpenSession, reading
from idp.domain.documents.agreements import own_agreements
from idp.domain.documents.versions import KINDS, current_texts
from idp.domain.grants.clients import list_services
from idp.domain.grants.pending import count_pending
from idp.domain.people.own_households import OwnHousehold, list_own_households
from idp.domain.signin.doors import STAFF
from idp.domain.signin.history import find_previous_sign_in
from idp.domain.signin.sessions import SignedIn
from idp.web.account.entry import ask_for_agreement
from idp.web.deps import current_person, services, state
from idp.web.guards import open_to_all
from idp.web.render import language, page, see_other

bp = Blueprint("account_home", __name__)
bp.before_request(ask_for_agreement)


@dataclass(frozen=True)
class _Service:
    name: str
    description: str | None
    href: str
    glyph: str
    pending_count: int


@dataclass(frozen=True)
class _Document:
    kind: str
    title: str
    href: str
    agreed_on: datetime | None
    version_number: int


@dataclass(frozen=True)
class _LastLogin:
    at: datetime
    place: str | None = None


@bp.get("/")
@open_to_all
def show_home() -> Response:
    """Show the home page of a family member; send everyone else where they belong."""
    person = current_person()
    if person is None:
        return see_other("/login?expired=1" if state().session_ran_out else "/login")
    if person.door is STAFF:
        return see_other("/staff/")
    now = services().clock()
    with reading(services().sessions) as db:
        households = list_own_households(db, person.account_id, now=now)
        tiles = _services(db, person, households)
        documents = _documents(db, person, now=now)
        last_login = find_previous_sign_in(db, person)
    return page(
        "account/home.html",
        services=tiles,
        notices=(),
        documents=documents,
        households=households if len(households) > 1 else (),
        acting_for_id=person.household_id,
        last_login=_LastLogin(last_login) if last_login else None,
    )


def _services(
    db: OpenSession, person: SignedIn, households: tuple[OwnHousehold, ...]
) -> list[_Service]:
    """Return the services of the person's municipality; each tile starts a sign-in there."""
    chosen = [each.household_id for each in households if each.household_id == person.household_id]
    # Until she has chosen for whom she acts, what waits for any of her households counts.
    pending = count_pending(db, chosen or [each.household_id for each in households])
    issuer = services().settings.provider.issuer
    tag = language()
    tiles = []
    for client in list_services(db, person.municipality_id):
        assert client.initiate_login_uri is not None
        name = client.name_in(tag)
        tiles.append(
            _Service(
                name=name,
                description=client.description_in(tag),
                href=with_query(client.initiate_login_uri, {"iss": issuer}),
                glyph=client.glyph or name[:1],
                pending_count=pending.get(client.client_id, 0),
            )
        )
    return tiles


def _documents(db: OpenSession, person: SignedIn, *, now: datetime) -> list[_Document]:
    if person.municipality_id is None:
        return []
    agreed = {each.kind: each for each in own_agreements(db, person.account_id)}
    names = {kind: name for name, kind in KINDS.items()}
    found = []
    for text in current_texts(db, person.municipality_id, language(), now=now):
        own = agreed.get(text.kind)
        found.append(
            _Document(
                kind=text.kind.value,
                title=text.title,
                href=f"/documents/{names[text.kind]}",
                agreed_on=own.agreed_at if own else None,
                version_number=own.number if own else text.number,
            )
        )
    return found
