"""UserInfo: what a client may know of the person who let it (OIDC Core §5.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.db.rows import FoundRow, fetch_one
from idp.domain.grants.clients import subject_sector
from idp.domain.people.children import children_of
from idp.domain.people.households import ActiveMembership, find_membership, memberships_of
from idp.domain.people.names import full_name
from idp.domain.people.profiles import PostalAddress
from idp.domain.people.protection import protected_among
from idp.model.households import MembershipRole, Municipality
from idp.model.people import Account, ProofingEvent, ProtectionFlag
from idp.model.upkeep import PendingNotice
from idp.model.upstream import LinkedIdentity
from idp.protocol.claims import claims_of_scopes, select_claims
from idp.protocol.client import RegisteredClient
from idp.protocol.subject import SubjectKind, derive_subject

_ZONE = "Asia/Tokyo"
_COUNTRY = "JP"
#: Level of identity assurance: nobody looked; or a document was seen at the counter, or the
#: upstream provider vouched for the person's name.
_UNPROOFED, _PROOFED = 1, 2
_OF_PROFILE = claims_of_scopes(("profile", "email", "phone", "address"))

_account: Any = Account.__table__
_flag: Any = ProtectionFlag.__table__
_PROFILE = select(
    _account.c.family_name,
    _account.c.given_name,
    _account.c.family_name_kana,
    _account.c.given_name_kana,
    _account.c.locale,
    _account.c.updated_at,
    _account.c.email,
    _account.c.email_verified_at,
    _account.c.phone_number,
    _account.c.postal_code,
    _account.c.region,
    _account.c.locality,
    _account.c.street_address,
    exists(
        select(1)
        .select_from(_flag)
        .where(_flag.c.account_id == bindparam("account"), _flag.c.lifted_at.is_(None))
    ).label("is_protected"),
).where(_account.c.id == bindparam("account"))


@dataclass(frozen=True)
class Asked:
    """Which claims are asked for, about whom, by whom, and in which household."""

    client: RegisteredClient
    account_id: UUID
    household_id: UUID | None
    #: Names of claims.
    names: frozenset[str]
    #: Scopes the person let the client have.
    allowed_scopes: frozenset[str]


def build_person_claims(
    db: Session, asked: Asked, *, keys: Keyring, now: datetime
) -> dict[str, object]:
    """Return the claims that were asked for and allowed; `sub` is added by the caller.

    Nothing is read that no claim needs.
    """
    names = asked.names & claims_of_scopes(asked.allowed_scopes)
    facts: dict[str, object] = {}
    if names & _OF_PROFILE:
        facts |= _profile_facts(db, asked.account_id)
    if "kosodate_household" in names:
        facts["kosodate_household"] = _household(db, asked, keys=keys, now=now)
    if "kosodate_children" in names:
        facts["kosodate_children"] = _children(db, asked, keys=keys, now=now)
    if "kosodate_delegations" in names:
        facts["kosodate_delegations"] = _delegations(db, asked, keys=keys, now=now)
    if "kosodate_assurance" in names:
        facts["kosodate_assurance"] = _assurance(db, asked.account_id)
    if "kosodate_pending" in names:
        facts["kosodate_pending"] = _pending(db, asked)
    return select_claims(facts, sorted(names), allowed_scopes=asked.allowed_scopes)


def _profile_facts(db: Session, account_id: UUID) -> dict[str, object]:
    row = fetch_one(db, _PROFILE, {"account": account_id})
    if row is None:
        return {}
    return {
        "name": full_name(row.family_name, row.given_name),
        "family_name": row.family_name,
        "given_name": row.given_name,
        "family_name#ja-Kana-JP": row.family_name_kana,
        "given_name#ja-Kana-JP": row.given_name_kana,
        "locale": row.locale,
        "zoneinfo": _ZONE,
        "updated_at": int(row.updated_at.timestamp()),
        "email": row.email,
        "email_verified": None if row.email is None else row.email_verified_at is not None,
        "phone_number": row.phone_number,
        # Nobody has called the number: it is what the family wrote down.
        "phone_number_verified": None if row.phone_number is None else False,
        # Where a protected person lives leaves the house in no claim (D3): a service may show
        # it to the rest of the household.
        "address": {} if row.is_protected else _address(row),
    }


def _address(row: FoundRow) -> dict[str, str]:
    address = PostalAddress(row.postal_code, row.region, row.locality, row.street_address)
    facts = {
        "postal_code": address.postal_code,
        "region": address.region,
        "locality": address.locality,
        "street_address": address.street_address,
    }
    known = {name: value for name, value in facts.items() if value}
    return {**known, "formatted": address.formatted, "country": _COUNTRY} if known else {}


def _household(
    db: Session, asked: Asked, *, keys: Keyring, now: datetime
) -> dict[str, object] | None:
    """Return the household the person acts for; only that one."""
    membership = _acting(db, asked, now=now)
    if membership is None:
        return None
    return {
        "id": _household_id(asked.client, membership.household_id, keys=keys),
        "municipality_code": membership.municipality_code,
        "role": membership.role.value,
    }


def _acting(db: Session, asked: Asked, *, now: datetime) -> ActiveMembership | None:
    if asked.household_id is None:
        return None
    found = find_membership(db, asked.account_id, asked.household_id, now=now)
    return found if found is not None and _is_of_tenant(found, asked.client) else None


def _is_of_tenant(membership: ActiveMembership, client: RegisteredClient) -> bool:
    """A municipality's service learns nothing about households elsewhere."""
    return client.municipality_id in (None, membership.municipality_id)


def _household_id(client: RegisteredClient, household_id: UUID, *, keys: Keyring) -> str:
    return derive_subject(
        keys.subject_key,
        SubjectKind.HOUSEHOLD,
        sector=subject_sector(client),
        entity_id=household_id,
    )


def _children(
    db: Session, asked: Asked, *, keys: Keyring, now: datetime
) -> list[dict[str, str]] | None:
    """Return the children, if the municipality gives them out: id, birthdate and status."""
    membership = _acting(db, asked, now=now)
    if membership is None:
        return None
    shares = select(Municipality.shares_children).where(
        Municipality.id == membership.municipality_id
    )
    if not db.scalar(shares):
        return None
    return [
        {
            "id": derive_subject(
                keys.subject_key,
                SubjectKind.CHILD,
                sector=subject_sector(asked.client),
                entity_id=child.id,
            ),
            "birthdate": child.birthdate.isoformat(),
            "status": child.status.value,
        }
        for child in children_of(db, membership.household_id, now=now)
    ]


def _delegations(
    db: Session, asked: Asked, *, keys: Keyring, now: datetime
) -> list[dict[str, object]]:
    """Return for whom the person acts as a proxy (A35); an empty list says: for nobody."""
    memberships = [
        each
        for each in memberships_of(db, asked.account_id, now=now)
        if each.role is MembershipRole.PROXY and _is_of_tenant(each, asked.client)
    ]
    grantors = frozenset(each.representative_id for each in memberships)
    protected = protected_among(db, grantors) if grantors else frozenset()
    return [_delegation(each, asked.client, hidden=protected, keys=keys) for each in memberships]


def _delegation(
    membership: ActiveMembership,
    client: RegisteredClient,
    *,
    hidden: Iterable[UUID],
    keys: Keyring,
) -> dict[str, object]:
    facts: dict[str, object] = {
        "household_id": _household_id(client, membership.household_id, keys=keys),
        "role": membership.role.value,
        # No category at all means every one: `*` (A35).
        "categories": [
            {"code": code, "active": is_on} for code, is_on in sorted(membership.categories.items())
        ]
        or [{"code": "*", "active": True}],
        "valid_from": membership.valid_from.isoformat(),
    }
    if membership.valid_until is not None:
        facts["valid_until"] = membership.valid_until.isoformat()
    if membership.representative_id not in hidden:
        facts["grantor"] = derive_subject(
            keys.subject_key,
            SubjectKind.PERSON,
            sector=subject_sector(client),
            entity_id=membership.representative_id,
        )
    return facts


def _assurance(db: Session, account_id: UUID) -> dict[str, Any]:
    """Return how the identity was checked; without a check the lowest level."""
    event = db.execute(
        select(ProofingEvent.method, ProofingEvent.at)
        .where(ProofingEvent.account_id == account_id)
        .order_by(ProofingEvent.at.desc())
        .limit(1)
    ).one_or_none()
    linked = db.execute(
        select(LinkedIdentity.method, LinkedIdentity.proofed_at.label("at"))
        .where(LinkedIdentity.account_id == account_id, LinkedIdentity.proofed_at.is_not(None))
        .order_by(LinkedIdentity.proofed_at.desc())
        .limit(1)
    ).one_or_none()
    proofs = [proof for proof in (event, linked) if proof is not None]
    if not proofs:
        return {"ial": _UNPROOFED}
    newest = max(proofs, key=lambda proof: proof.at)
    return {"ial": _PROOFED, "method": newest.method, "proofed_at": int(newest.at.timestamp())}


def _pending(db: Session, asked: Asked) -> list[dict[str, object]] | None:
    """Return the caller's own notices for this household, never another client's (A31)."""
    if asked.household_id is None:
        return None
    rows = db.execute(
        select(PendingNotice.code, PendingNotice.count)
        .where(
            PendingNotice.client_id == asked.client.client_id,
            PendingNotice.household_id == asked.household_id,
        )
        .order_by(PendingNotice.code)
    )
    return [{"code": row.code, "count": row[1]} for row in rows]
