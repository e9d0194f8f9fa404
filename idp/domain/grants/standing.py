"""One question, one query: may what came from this authorization still be used?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    or_,
    select,
)

from idp.db.rows import FoundRow
from idp.domain.people.acting import NOW, acts_for_its_household
from idp.model.documents import Agreement, DocumentVersion, LegalDocument
from idp.model.grants import TokenFamily
from idp.model.people import Account, AccountStatus
from idp.model.signin import BrowserSession

# Tables, not classes: these statements run below the object mapper (idp.db.rows).
_family: Any = TokenFamily.__table__
_account: Any = Account.__table__
_session: Any = BrowserSession.__table__
_document: Any = LegalDocument.__table__
_version: Any = DocumentVersion.__table__
_agreed_version: Any = _version.alias("agreed_version")
_agreement: Any = Agreement.__table__


class Void(StrEnum):
    """Why nothing may be had any more. For the log: clients hear one and the same error."""

    REVOKED = "family_revoked"
    EXPIRED = "family_expired"
    ACCOUNT = "account_not_usable"
    ACCESS_RESET = "access_reset"
    SESSION = "session_over"
    HOUSEHOLD = "membership_over"
    TERMS = "terms_outstanding"


def select_standing() -> Select[Any]:
    """Return the query whose rows `find_void` and `read_family` understand.

    Callers add their own table, their condition and the columns they need besides.
    """
    return (
        select(
            _family.c.id.label("family_id"),
            _family.c.client_id,
            _family.c.account_id,
            _family.c.session_id,
            _family.c.household_id,
            _family.c.scope,
            _family.c.facts,
            _family.c.acr,
            _family.c.amr,
            _family.c.authenticated_at,
            _family.c.is_offline,
            _family.c.created_at.label("family_created_at"),
            _family.c.expires_at.label("family_expires_at"),
            _family.c.revoked_at,
            _account.c.status.label("account_status"),
            _account.c.access_valid_from,
            _session.c.ended_at.label("session_ended_at"),
            _session.c.expires_at.label("session_expires_at"),
            _session.c.last_seen_at.label("session_seen_at"),
            _session.c.idle_seconds.label("session_idle_seconds"),
            or_(_family.c.household_id.is_(None), acts_for_its_household(_family)).label("acts"),
        )
        .select_from(_family)
        .join(_account, _family.c.account_id == _account.c.id)
        .outerjoin(_session, _family.c.session_id == _session.c.id)
    )


def terms_are_new() -> ColumnElement[bool]:
    """Return the condition that a material version came into force since the authorization.

    Agreeing to it, or to a later version of the same document, clears the condition. Only
    grants that start or lengthen access ask it (CD-07, RT-10).
    """
    agreed = exists(
        select(1)
        .select_from(
            _agreement.join(_agreed_version, _agreement.c.version_id == _agreed_version.c.id)
        )
        .where(
            _agreement.c.account_id == _family.c.account_id,
            _agreed_version.c.document_id == _version.c.document_id,
            _agreed_version.c.number >= _version.c.number,
        )
        .correlate(_family, _version)
    )
    return exists(
        select(1)
        .select_from(_version.join(_document, _version.c.document_id == _document.c.id))
        .where(
            _document.c.municipality_id == _account.c.municipality_id,
            _version.c.is_material.is_(True),
            _version.c.effective_at > _family.c.created_at,
            _version.c.effective_at <= NOW,
            ~agreed,
        )
        .correlate(_family, _account)
    )


@dataclass(frozen=True)
class Family:
    """An authorization that stands: whom it is about and what it allows."""

    id: UUID
    client_id: str
    account_id: UUID
    session_id: UUID | None
    household_id: UUID | None
    scope: str
    facts: dict[str, Any]
    acr: str
    amr: tuple[str, ...]
    authenticated_at: datetime
    is_offline: bool
    expires_at: datetime


def find_void(row: FoundRow, *, now: datetime) -> Void | None:
    """Return why the authorization does not stand any more, or None.

    A lock is no reason (house decision): it stops sign-in and nothing else.
    """
    if row.revoked_at is not None:
        return Void.REVOKED
    if row.family_expires_at <= now:
        return Void.EXPIRED
    if row.account_status != AccountStatus.ACTIVE:
        return Void.ACCOUNT
    if row.family_created_at < row.access_valid_from:
        return Void.ACCESS_RESET
    if not row.is_offline and not _session_lives(row, now=now):
        return Void.SESSION
    return None if row.acts else Void.HOUSEHOLD


def find_void_for_grant(row: FoundRow, *, now: datetime) -> Void | None:
    """Return why no (further) token may be had; needs the column `terms_new` besides."""
    void = find_void(row, now=now)
    if void is None and row.terms_new:
        return Void.TERMS
    return void


def _session_lives(row: FoundRow, *, now: datetime) -> bool:
    if row.session_id is None:
        return True
    if row.session_expires_at is None or row.session_ended_at is not None:
        return False
    idle_until: datetime = row.session_seen_at + timedelta(seconds=row.session_idle_seconds)
    return bool(now < row.session_expires_at) and now < idle_until


def read_family(row: FoundRow) -> Family:
    """Return the authorization of a row."""
    return Family(
        id=row.family_id,
        client_id=row.client_id,
        account_id=row.account_id,
        session_id=row.session_id,
        household_id=row.household_id,
        scope=row.scope,
        facts=dict(row.facts),
        acr=row.acr,
        amr=tuple(row.amr),
        authenticated_at=row.authenticated_at,
        is_offline=row.is_offline,
        expires_at=row.family_expires_at,
    )
