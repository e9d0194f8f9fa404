"""Terms and privacy policy, readable at any time, old versions too (A29)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response

from idp.db.session import OpenSession, reading
from idp.domain.documents.agreements import own_agreements
from idp.domain.documents.versions import KINDS, VersionText, find_text, list_versions
from idp.domain.people.sites import find_site
from idp.web.deps import current_person, services, state
from idp.web.guards import open_to_all
from idp.web.render import language, page

bp = Blueprint("account_documents", __name__, url_prefix="/documents")


@dataclass(frozen=True)
class _Version:
    number: int
    effective_on: datetime
    href: str
    current: bool


@bp.get("/<any(terms, privacy):name>")
@open_to_all
def show_document(name: str) -> Response:
    """Show the version in force, or the one asked for by its number."""
    now = services().clock()
    kind = KINDS[name]
    with reading(services().sessions) as db:
        site = find_site(
            db,
            _municipality_id(),
            default_code=services().settings.provider.default_municipality,
        )
        if site is None:
            abort(404)
        town = site.municipality_id
        text = find_text(db, town, kind, language(), number=_read_number(), now=now)
        versions = list_versions(db, town, kind, now=now)
        agreed_at = _agreed_at(db, text)
    if text is None:
        abort(404)
    return page(
        "account/document.html",
        title=text.title,
        version_number=text.number,
        effective_on=text.effective_at,
        paragraphs=text.paragraphs,
        text_lang=text.language,
        agreed_at=agreed_at,
        versions=[
            _Version(number, since, f"/documents/{name}?version={number}", number == text.number)
            for number, since in versions
        ],
    )


def _municipality_id() -> UUID | None:
    person = current_person()
    return person.municipality_id if person else state().municipality_id


def _agreed_at(db: OpenSession, text: VersionText | None) -> datetime | None:
    person = current_person()
    if person is None or text is None:
        return None
    for each in own_agreements(db, person.account_id):
        if each.kind is text.kind and each.number == text.number:
            return each.agreed_at
    return None


def _read_number() -> int | None:
    """Read which version is wanted; what is no number names no version."""
    asked = request.args.get("version")
    if asked is None:
        return None
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
