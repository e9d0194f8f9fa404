"""Whether a person has something to agree to, as a condition of statements that ask more."""

from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select

from idp.domain.people.acting import NOW
from idp.model.documents import Agreement, DocumentVersion, LegalDocument

_document: Any = LegalDocument.__table__
_version: Any = DocumentVersion.__table__
_agreed_version: Any = _version.alias("agreed_version")
_agreement: Any = Agreement.__table__


def has_to_agree(account: Any, session: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition that a document of her municipality is outstanding in this session.

    The same rule as `agreements.outstanding`: a material version is in force, and neither it
    nor a later one in force was agreed to for good or in this session (A25, A27).
    """
    agreed = exists(
        select(1)
        .select_from(
            _agreement.join(_agreed_version, _agreement.c.version_id == _agreed_version.c.id)
        )
        .where(
            _agreement.c.account_id == account.c.id,
            _agreed_version.c.document_id == _version.c.document_id,
            _agreed_version.c.number >= _version.c.number,
            _agreed_version.c.effective_at <= NOW,
            or_(
                _agreement.c.suppress_until_changed.is_(True),
                _agreement.c.session_id == session.c.id,
            ),
        )
        .correlate(account, session, _version)
    )
    return exists(
        select(1)
        .select_from(_version.join(_document, _version.c.document_id == _document.c.id))
        .where(
            _document.c.municipality_id == account.c.municipality_id,
            _version.c.is_material.is_(True),
            _version.c.effective_at <= NOW,
            ~agreed,
        )
        .correlate(account, session)
    )
