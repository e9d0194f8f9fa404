"""The consent page: what a service gets to know, and whether it may."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.base.url import with_query
from idp.db.session import reading, transaction
from idp.domain.grants.delegation import Granted
from idp.oauth.consent import Decision, PendingConsent, decide, find_delegation, find_pending
from idp.protocol.errors import DisplayedError
from idp.web.cookies import read_cookie
from idp.web.csrf import FIELD
from idp.web.deps import (
    allow_foreign_answer,
    current_actor,
    current_person,
    services,
    state,
)
from idp.web.guards import open_to_all
from idp.web.oidc.refusals import show_refusal
from idp.web.render import language, page, see_other

bp = Blueprint("oidc_consent", __name__)
bp.register_error_handler(DisplayedError, show_refusal)

#: Everything the form may bring; anything else was added by somebody (PX-06).
_FIELDS = frozenset({FIELD, "decision"})


@bp.get("/consent")
@open_to_all
def show_consent() -> Response:
    """Show what the service would get; without a walk that asks, go on with the walk."""
    pending = _find()
    if pending is None:
        return see_other("/continue")
    with reading(services().sessions) as db:
        granted = find_delegation(db, pending, keys=services().keys, now=services().clock())
    tag = language()
    client = pending.client
    state().client_name = client.name_in(tag)
    state().municipality_id = client.municipality_id
    allow_foreign_answer()
    return page(
        "signin/consent.html",
        action_href=with_query("/consent", {"i": str(pending.interaction_id)}),
        client_operator=client.operator_in(tag),
        glyph=client.glyph,
        scopes=[{"code": code, "claim_keys": keys} for code, keys in pending.shown_scopes()],
        delegation=_shown_delegation(pending, granted),
        is_impossible=pending.details is not None and granted is None,
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        logo_href=f"/logo/{client.logo}" if client.logo else None,
    )


@bp.post("/consent")
@open_to_all
def submit_consent() -> Response:
    """Write the decision down and go on with the walk."""
    if not _FIELDS.issuperset(request.form):
        raise DisplayedError("form_changed")
    decision = request.form.get("decision")
    if decision not in tuple(Decision):
        raise DisplayedError("form_changed")
    pending = _find()
    if pending is None:
        return see_other("/continue")
    with transaction(services().sessions) as db:
        decide(db, pending, Decision(decision), actor=current_actor(), now=services().clock())
    return see_other(with_query("/continue", {"i": str(pending.interaction_id)}))


def _shown_delegation(pending: PendingConsent, granted: Granted | None) -> dict[str, object] | None:
    """Return for whom a service would act and in what, as the page shows it."""
    if granted is None:
        return None
    membership = granted.membership
    return {
        "name": membership.representative_name,
        "own": membership.representative_id == pending.account_id,
        "categories": granted.categories,
    }


def _find() -> PendingConsent | None:
    person = current_person()
    interaction_id = _interaction_id()
    if person is None or interaction_id is None:
        return None
    with reading(services().sessions) as db:
        return find_pending(db, interaction_id, read_cookie("walk"), person, now=services().clock())


def _interaction_id() -> UUID | None:
    try:
        return UUID(request.args.get("i", ""))
    except ValueError:
        return None
