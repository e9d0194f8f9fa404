"""The consent step of a walk: what is asked for, and what the person decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.grants.clients import find_client
from idp.domain.grants.consents import grant_consent
from idp.domain.grants.delegation import Acting, Granted, find_granted
from idp.domain.signin.interactions import AUTHORIZE, find_walk, record_consent, record_denial
from idp.domain.signin.sessions import SignedIn
from idp.domain.upkeep.audit import Act, Actor, record
from idp.protocol.client import RegisteredClient
from idp.protocol.details import DelegationDetail
from idp.protocol.request import from_json

#: The words for what a scope gives, in the order people read them.
_SHOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "openid": ("sub",),
        "profile": ("name", "kana", "locale", "updated_at"),
        "email": ("email", "email_verified"),
        "phone": ("phone_number",),
        "address": ("address",),
        "household": ("household", "role", "municipality"),
        "children": ("children", "child_birthdate", "child_status"),
        "delegation": ("delegations",),
        "assurance": ("assurance",),
        "notices": ("pending",),
        "offline_access": ("offline_access",),
    }
)


class Decision(StrEnum):
    """What the buttons say."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True)
class PendingConsent:
    """A question that waits for an answer."""

    interaction_id: UUID
    account_id: UUID
    client: RegisteredClient
    scope: str
    #: For which household it wants to act, if it does.
    details: DelegationDetail | None = None
    #: The one she acts for.
    household_id: UUID | None = None

    def shown_scopes(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return each scope with the keys of the words for its claims."""
        return [(name, _SHOWN[name]) for name in self.scope.split() if name in _SHOWN]


def find_pending(
    db: Session,
    interaction_id: UUID,
    walk_token: str | None,
    person: SignedIn,
    *,
    now: datetime,
) -> PendingConsent | None:
    """Return the question of a walk of this browser; what is asked is what was stored (PX-06)."""
    walk = find_walk(db, interaction_id, walk_token, now=now)
    if walk is None or walk.purpose is not AUTHORIZE or walk.completed_at is not None:
        return None
    # While a second step is open, the session of this browser may be another person's.
    if walk.is_half:
        return None
    client = find_client(db, str(walk.client_id))
    if client is None:
        return None
    request = from_json(walk.request)
    return PendingConsent(
        interaction_id,
        person.account_id,
        client,
        request.consent_scope,
        request.details,
        person.household_id,
    )


def find_delegation(
    db: Session, pending: PendingConsent, *, keys: Keyring, now: datetime
) -> Granted | None:
    """Return what the service may do for a household if she allows it, for the page to say."""
    if pending.details is None:
        return None
    acting = Acting(pending.client, pending.account_id, pending.household_id)
    return find_granted(db, pending.details, acting, keys=keys, now=now)


def decide(
    db: Session, pending: PendingConsent, decision: Decision, *, actor: Actor, now: datetime
) -> None:
    """Write the person's decision; a refusal stores nothing but itself (PX-07)."""
    match decision:
        case Decision.ALLOW:
            if record_consent(db, pending.interaction_id, now=now):
                grant_consent(
                    db,
                    pending.account_id,
                    pending.client.client_id,
                    pending.scope,
                    actor=actor,
                    now=now,
                )
        case Decision.DENY:
            if record_denial(db, pending.interaction_id, now=now):
                act = Act(
                    "consent.denied",
                    subject_id=pending.account_id,
                    client_id=pending.client.client_id,
                )
                record(db, act, actor=actor, now=now)
