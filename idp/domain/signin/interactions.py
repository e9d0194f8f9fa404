"""Walks through the sign-in pages: open one, find it in its browser, record what was done.

Keys of `request` that the walk reads, for a walk that began at the authorization endpoint
(`protocol.request.to_json`): `consent_scope`, `prompt`, `acr_values`, `max_age`, `login_hint`,
and `hinted_account_id` (the person an `id_token_hint` named). The rest is kept for the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.secret import digest, new_token
from idp.db.rows import FoundRow, change, fetch_one
from idp.model.signin import Interaction, InteractionPurpose

#: The table, for statements that ask more than what stands in a walk.
INTERACTION: Any = Interaction.__table__

#: A walk that ends at a service, on a device, at the home page, or at the staff console.
AUTHORIZE = InteractionPurpose.AUTHORIZE
DEVICE = InteractionPurpose.DEVICE
HOME = InteractionPurpose.HOME
STAFF = InteractionPurpose.STAFF
Purposes = frozenset[InteractionPurpose]

_FIND = select(INTERACTION).where(INTERACTION.c.id == bindparam("walk"))
_LATEST = (
    select(INTERACTION)
    .where(
        INTERACTION.c.browser_digest == bindparam("browser"),
        INTERACTION.c.purpose.in_(bindparam("purposes", expanding=True)),
        INTERACTION.c.completed_at.is_(None),
        INTERACTION.c.denied_at.is_(None),
        INTERACTION.c.expires_at > bindparam("now"),
    )
    .order_by(INTERACTION.c.created_at.desc(), INTERACTION.c.id.desc())
    .limit(1)
)
_OPEN = insert(INTERACTION)
#: Sets the columns that it is given. The condition is the lock: nothing is added to a walk that
#: has ended.
_RECORD = update(INTERACTION).where(
    INTERACTION.c.id == bindparam("walk"), INTERACTION.c.completed_at.is_(None)
)
_LOCK = select(INTERACTION.c.id).where(INTERACTION.c.id == bindparam("walk")).with_for_update()


class DeviceUse(StrEnum):
    """Whose device it is, as the person says on the sign-in page."""

    OWN = "own"
    #: Stay signed in here (B17); only where the installation offers it.
    KEPT = "kept"
    #: Other people use it too (B18, D7).
    SHARED = "shared"


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class NewInteraction:
    """What a walk is opened for."""

    purpose: InteractionPurpose
    client_id: str | None = None
    municipality_id: UUID | None = None
    #: The checked authorization request.
    request: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    #: A path of ours to end at, already checked.
    return_path: str | None = None
    lifetime: timedelta = timedelta(minutes=60)


@dataclass(frozen=True)
class OpenedInteraction:
    """The new walk and the value of the cookie `walk` that binds it."""

    id: UUID
    browser_token: str


@dataclass(frozen=True)
class Walk:
    """A walk as it stands: what was asked, and what has been done so far."""

    id: UUID
    purpose: InteractionPurpose
    client_id: str | None
    municipality_id: UUID | None
    request: Mapping[str, Any]
    return_path: str | None
    account_id: UUID | None
    password_verified_at: datetime | None
    second_step_at: datetime | None
    session_id: UUID | None
    device_use: DeviceUse
    household_id: UUID | None
    consent_at: datetime | None
    denied_at: datetime | None
    completed_at: datetime | None
    created_at: datetime

    @property
    def is_half(self) -> bool:
        """Whether the password was right and the second step is still to come (SE-06)."""
        return self.password_verified_at is not None and self.session_id is None


def open_interaction(
    db: Session, wanted: NewInteraction, *, browser_token: str | None, now: datetime
) -> OpenedInteraction:
    """Open a walk in this browser; a browser may have several at once (tabs)."""
    token, walk_id = browser_token or new_token(), new_id(now=now)
    change(
        db,
        _OPEN,
        {
            "id": walk_id,
            "browser_digest": digest(token),
            "purpose": wanted.purpose,
            "client_id": wanted.client_id,
            "municipality_id": wanted.municipality_id,
            "request": dict(wanted.request),
            "return_path": wanted.return_path,
            "shared_device": False,
            "keeps_session": False,
            "created_at": now,
            "expires_at": now + wanted.lifetime,
        },
    )
    return OpenedInteraction(id=walk_id, browser_token=token)


def find_walk(
    db: Session, interaction_id: UUID, browser_token: str | None, *, now: datetime
) -> Walk | None:
    """Return the walk, if it belongs to this browser and its time is not over.

    A completed one is returned too: `completed_at` tells that nothing more may come of it.
    """
    row = fetch_one(db, _FIND, {"walk": interaction_id})
    return None if row is None else read_walk(row, browser_token, now=now)


def find_latest_walk(
    db: Session,
    browser_token: str | None,
    *,
    purposes: Purposes,
    now: datetime,
) -> Walk | None:
    """Return the newest open walk of this browser: where a person goes on after a detour (A09)."""
    if browser_token is None:
        return None
    wanted = {"browser": digest(browser_token), "purposes": list(purposes), "now": now}
    row = fetch_one(db, _LATEST, wanted)
    return None if row is None else read_walk(row, browser_token, now=now)


def read_walk(row: FoundRow, browser_token: str | None, *, now: datetime) -> Walk | None:
    """Return the walk of a row of its table, if it is this browser's and its time is not over."""
    if browser_token is None or row.browser_digest != digest(browser_token):
        return None
    if row.expires_at <= now:
        return None
    return Walk(
        id=row.id,
        purpose=row.purpose,
        client_id=row.client_id,
        municipality_id=row.municipality_id,
        request=MappingProxyType(row.request),
        return_path=row.return_path,
        account_id=row.account_id,
        password_verified_at=row.password_verified_at,
        second_step_at=row.second_step_at,
        session_id=row.session_id,
        device_use=_device_use(row),
        household_id=row.household_id,
        consent_at=row.consent_at,
        denied_at=row.denied_at,
        completed_at=row.completed_at,
        created_at=row.created_at,
    )


def _device_use(row: FoundRow) -> DeviceUse:
    if row.shared_device:
        return DeviceUse.SHARED
    return DeviceUse.KEPT if row.keeps_session else DeviceUse.OWN


def record_password(
    db: Session, interaction_id: UUID, account_id: UUID, *, use: DeviceUse, now: datetime
) -> bool:
    """Note whose password was right; what an earlier person did in this walk is forgotten."""
    return _record(
        db,
        interaction_id,
        account_id=account_id,
        password_verified_at=now,
        second_step_at=None,
        session_id=None,
        shared_device=use is DeviceUse.SHARED,
        keeps_session=use is DeviceUse.KEPT,
        household_id=None,
        terms_at=None,
        consent_at=None,
    )


def record_step_up(db: Session, interaction_id: UUID, account_id: UUID) -> bool:
    """Note who is asked for a second step beside a session that is already there."""
    return _record(db, interaction_id, account_id=account_id)


def record_session(
    db: Session,
    interaction_id: UUID,
    session_id: UUID,
    *,
    second_step_at: datetime | None = None,
) -> bool:
    """Note the session this walk made."""
    return _record(db, interaction_id, session_id=session_id, second_step_at=second_step_at)


def record_terms(db: Session, interaction_id: UUID, *, now: datetime) -> bool:
    """Note that the person agreed to the documents in this walk."""
    return _record(db, interaction_id, terms_at=now)


def record_household(db: Session, interaction_id: UUID, household_id: UUID) -> bool:
    """Note for which household the person acts; the caller has checked that she may."""
    return _record(db, interaction_id, household_id=household_id)


def record_consent(db: Session, interaction_id: UUID, *, now: datetime) -> bool:
    """Note that the person let the client have the data in this walk."""
    return _record(db, interaction_id, consent_at=now)


def record_denial(db: Session, interaction_id: UUID, *, now: datetime) -> bool:
    """Note that the person cancelled or declined: the client hears access_denied."""
    return _record(db, interaction_id, denied_at=now)


def complete_walk(
    db: Session, interaction_id: UUID, *, household_id: UUID | None = None, now: datetime
) -> bool:
    """Use the walk up; only the first of several answers gets True.

    `household_id` is the one that the answer is given for.
    """
    if household_id is None:
        return _record(db, interaction_id, completed_at=now)
    return _record(db, interaction_id, completed_at=now, household_id=household_id)


def lock_walk(db: Session, interaction_id: UUID) -> None:
    """Let tries of one walk wait for each other until the transaction ends.

    On SQLite they do already: it lets one writing transaction in at a time.
    """
    if db.get_bind().dialect.name == "sqlite":
        return
    fetch_one(db, _LOCK, {"walk": interaction_id})


def _record(db: Session, interaction_id: UUID, **values: object) -> bool:
    return change(db, _RECORD, {"walk": interaction_id} | values) == 1
