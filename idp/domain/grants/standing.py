"""One question, one query: may what came from this authorization still be used?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    exists,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from idp.db.types import UtcDateTime
from idp.domain.people.households import is_in_force
from idp.model.documents import Agreement, DocumentVersion, LegalDocument
from idp.model.grants import TokenFamily
from idp.model.households import (
    Household,
    HouseholdStatus,
    Membership,
    MembershipRole,
)
from idp.model.people import Account, AccountStatus
from idp.model.signin import BrowserSession

#: Bound to the moment of the question; every statement of this room has it.
NOW: Any = bindparam("now", type_=UtcDateTime())

_STOPPED = (AccountStatus.SUSPENDED, AccountStatus.CLOSED)
_Representative = aliased(Membership)
_RepresentativeAccount = aliased(Account)


class Void(StrEnum):
    """Why nothing may be had any more. For the log: clients hear one and the same error."""

    REVOKED = "family_revoked"
    EXPIRED = "family_expired"
    ACCOUNT = "account_not_usable"
    ACCESS_RESET = "access_reset"
    SESSION = "session_over"
    HOUSEHOLD = "membership_over"
    TERMS = "terms_outstanding"


def _acts_for_household() -> ColumnElement[bool]:
    """Return the condition that the person may (still) act for the household of the family.

    The same rule as `memberships_of`: the membership is in force, and so is the one who
    stands behind it (PX-03).
    """
    return exists(
        select(1)
        .select_from(Membership)
        .join(Household, Membership.household_id == Household.id)
        .join(_Representative, _Representative.household_id == Household.id)
        .join(_RepresentativeAccount, _Representative.account_id == _RepresentativeAccount.id)
        .where(
            Membership.household_id == TokenFamily.household_id,
            Membership.account_id == TokenFamily.account_id,
            is_in_force(Membership, NOW),
            is_in_force(_Representative, NOW),
            _Representative.role == MembershipRole.REPRESENTATIVE,
            _RepresentativeAccount.status.not_in(_STOPPED),
            Household.status == HouseholdStatus.ACTIVE,
            Household.valid_from <= NOW,
            or_(Household.valid_until.is_(None), Household.valid_until > NOW),
        )
        .correlate(TokenFamily)
    )


def select_standing() -> Select[Any]:
    """Return the query whose rows `find_void` and `read_family` understand.

    Callers add their own table, their condition and the columns they need besides.
    """
    return (
        select(
            TokenFamily.id.label("family_id"),
            TokenFamily.client_id,
            TokenFamily.account_id,
            TokenFamily.session_id,
            TokenFamily.household_id,
            TokenFamily.scope,
            TokenFamily.facts,
            TokenFamily.acr,
            TokenFamily.amr,
            TokenFamily.authenticated_at,
            TokenFamily.is_offline,
            TokenFamily.created_at.label("family_created_at"),
            TokenFamily.expires_at.label("family_expires_at"),
            TokenFamily.revoked_at,
            Account.status.label("account_status"),
            Account.access_valid_from,
            BrowserSession.ended_at.label("session_ended_at"),
            BrowserSession.expires_at.label("session_expires_at"),
            BrowserSession.last_seen_at.label("session_seen_at"),
            BrowserSession.idle_seconds.label("session_idle_seconds"),
            or_(TokenFamily.household_id.is_(None), _acts_for_household()).label("acts"),
        )
        .select_from(TokenFamily)
        .join(Account, TokenFamily.account_id == Account.id)
        .outerjoin(BrowserSession, TokenFamily.session_id == BrowserSession.id)
    )


_Agreed = aliased(DocumentVersion)


def terms_are_new() -> ColumnElement[bool]:
    """Return the condition that a material version came into force since the authorization.

    Agreeing to it, or to a later version of the same document, clears the condition. Only
    grants that start or lengthen access ask it (CD-07, RT-10).
    """
    agreed = exists(
        select(1)
        .select_from(Agreement)
        .join(_Agreed, Agreement.version_id == _Agreed.id)
        .where(
            Agreement.account_id == TokenFamily.account_id,
            _Agreed.document_id == DocumentVersion.document_id,
            _Agreed.number >= DocumentVersion.number,
        )
        .correlate(TokenFamily, DocumentVersion)
    )
    return exists(
        select(1)
        .select_from(DocumentVersion)
        .join(LegalDocument, DocumentVersion.document_id == LegalDocument.id)
        .where(
            LegalDocument.municipality_id == Account.municipality_id,
            DocumentVersion.is_material.is_(True),
            DocumentVersion.effective_at > TokenFamily.created_at,
            DocumentVersion.effective_at <= NOW,
            ~agreed,
        )
        .correlate(TokenFamily, Account)
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


def find_void(row: Row[Any], *, now: datetime) -> Void | None:
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


def find_void_for_grant(row: Row[Any], *, now: datetime) -> Void | None:
    """Return why no (further) token may be had; needs the column `terms_new` besides."""
    void = find_void(row, now=now)
    if void is None and row.terms_new:
        return Void.TERMS
    return void


def _session_lives(row: Row[Any], *, now: datetime) -> bool:
    if row.session_id is None:
        return True
    if row.session_expires_at is None or row.session_ended_at is not None:
        return False
    idle_until: datetime = row.session_seen_at + timedelta(seconds=row.session_idle_seconds)
    return bool(now < row.session_expires_at) and now < idle_until


def read_family(row: Row[Any]) -> Family:
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
