"""The step that asks to agree to terms and privacy policy (A25, A26)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from idp.db.session import reading, transaction
from idp.domain.documents.agreements import GivenAgreement, ShownDocument, agree, outstanding
from idp.domain.documents.versions import Paragraph
from idp.domain.signin.interactions import Walk, record_denial, record_terms
from idp.domain.signin.signout import sign_out
from idp.web.deps import current_actor, drop_cookie, require_person, services
from idp.web.guards import signed_in
from idp.web.render import FieldError, field_error, language, page
from idp.web.signin.walks import continue_flow, require_walk, walk_address, walk_query

bp = Blueprint("signin_terms", __name__)


@dataclass(frozen=True)
class _Document:
    kind: str
    version_id: UUID
    title: str
    version_number: int
    effective_on: datetime
    summary: str | None
    changed: bool
    paragraphs: tuple[Paragraph, ...]


@bp.get("/terms")
@signed_in
def show_terms() -> Response:
    """Show the documents that are to be agreed to."""
    return _form(require_walk(), ())


@bp.post("/terms")
@signed_in
def decide_terms() -> Response:
    """Record the agreement and go on; or end the sign-in of one who declines."""
    walk = require_walk()
    if request.form.get("decision") == "decline":
        return _decline(walk)
    if request.form.get("agree") != "1":
        return _form(walk, (field_error("agree", "signin.terms.error.agree"),))
    if not _agree(walk):
        # A new version came while the page stood open: show it.
        return _form(walk, (field_error("agree", "signin.terms.error.changed"),))
    return continue_flow(walk.id)


def _agree(walk: Walk) -> bool:
    person = require_person()
    if person.municipality_id is None:
        return True
    now = services().clock()
    given = GivenAgreement(
        version_ids=_read_versions(),
        language=language(),
        suppress_until_changed=request.form.get("suppress_until_changed") == "1",
        session_id=person.session_id,
        client_id=walk.client_id,
    )
    with transaction(services().sessions) as db:
        is_agreed = agree(
            db, person.account_id, person.municipality_id, given, actor=current_actor(), now=now
        )
        if is_agreed:
            record_terms(db, walk.id, now=now)
    return is_agreed


def _decline(walk: Walk) -> Response:
    """Sign the person out; the page leads back to the service, which hears access_denied."""
    now = services().clock()
    with transaction(services().sessions) as db:
        record_denial(db, walk.id, now=now)
        sign_out(db, require_person(), actor=current_actor(), keys=services().keys, now=now)
    drop_cookie("session")
    return_href = walk_address("/continue", walk.id) if walk.client_id else None
    return page("signin/terms_declined.html", return_href=return_href, idle=None)


def _form(walk: Walk, errors: tuple[FieldError, ...]) -> Response:
    person = require_person()
    shown: tuple[ShownDocument, ...] = ()
    if person.municipality_id is not None:
        with reading(services().sessions) as db:
            shown = outstanding(
                db,
                person.account_id,
                person.municipality_id,
                session_id=person.session_id,
                language=language(),
                now=services().clock(),
            )
    if not shown:
        return continue_flow(walk.id)
    return page(
        "signin/terms.html",
        422 if errors else 200,
        documents=[_facts(each) for each in shown],
        errors=errors,
        walk_query=walk_query(walk),
    )


def _facts(shown: ShownDocument) -> _Document:
    return _Document(
        kind=shown.text.kind.value,
        version_id=shown.text.version_id,
        title=shown.text.title,
        version_number=shown.text.number,
        effective_on=shown.text.effective_at,
        summary=shown.text.summary,
        changed=shown.changed,
        paragraphs=shown.text.paragraphs,
    )


def _read_versions() -> tuple[UUID, ...]:
    try:
        return tuple(UUID(text) for text in request.form.getlist("version_id"))
    except ValueError:
        return ()
