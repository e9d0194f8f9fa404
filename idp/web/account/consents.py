"""What a person lets services have, and taking it back (A29, RT-07)."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from idp.db.session import OpenSession, reading, transaction
from idp.domain.documents.agreements import own_agreements
from idp.domain.documents.versions import KINDS, find_text
from idp.domain.grants.consents import GivenConsent, list_consents, revoke_consent
from idp.domain.signin.sessions import SignedIn
from idp.web.account.entry import ask_for_agreement
from idp.web.deps import current_actor, require_person, services
from idp.web.guards import signed_in
from idp.web.render import language, page, see_other

bp = Blueprint("account_consents", __name__, url_prefix="/account/consents")
bp.before_request(ask_for_agreement)

_DONE = {"revoked": "account.consents.revoked"}


@dataclass(frozen=True)
class _Consent:
    client_id: str
    name: str
    operator: str | None
    scopes: tuple[str, ...]
    granted_at: datetime
    until: datetime | None
    policy_uri: str | None


@dataclass(frozen=True)
class _Agreement:
    title: str
    version_number: int
    agreed_at: datetime
    href: str


@bp.get("")
@signed_in
def show_consents() -> Response:
    """Show the services that get something, and the documents agreed to."""
    person = require_person()
    with reading(services().sessions) as db:
        given = list_consents(db, person.account_id)
        agreements = _agreements(db, person, now=services().clock())
    return page(
        "account/consents.html",
        consents=[_facts(each) for each in given],
        agreements=agreements,
        done_key=_DONE.get(request.args.get("done", "")),
    )


@bp.post("/revoke")
@signed_in
def revoke() -> Response:
    """Take a consent back: what the service holds of this person dies with it."""
    person = require_person()
    with transaction(services().sessions) as db:
        is_revoked = revoke_consent(
            db,
            person.account_id,
            request.form.get("client_id", ""),
            actor=current_actor(),
            now=services().clock(),
        )
    if not is_revoked:
        abort(404)
    return see_other("/account/consents?done=revoked")


def _facts(given: GivenConsent) -> _Consent:
    tag = language()
    return _Consent(
        client_id=given.client.client_id,
        name=given.client.name_in(tag),
        operator=given.client.operator_in(tag),
        scopes=given.scopes,
        granted_at=given.granted_at,
        until=None,
        policy_uri=given.client.policy_uri,
    )


def _agreements(db: OpenSession, person: SignedIn, *, now: datetime) -> list[_Agreement]:
    if person.municipality_id is None:
        return []
    names = {kind: name for name, kind in KINDS.items()}
    found = []
    for each in own_agreements(db, person.account_id):
        text = find_text(
            db, person.municipality_id, each.kind, language(), number=each.number, now=now
        )
        if text is None:
            continue  # agreed to while she belonged to another municipality
        href = f"/documents/{names[each.kind]}?version={each.number}"
        found.append(_Agreement(text.title, each.number, each.agreed_at, href))
    return found
