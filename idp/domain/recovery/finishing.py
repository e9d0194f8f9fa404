"""The end of a reset: the new password is judged, hashed outside any transaction, and written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from idp.base.keyring import Keyring
from idp.domain.access.ending import void_mailed_secrets
from idp.domain.grants.security_events import tell_of_person
from idp.domain.people import accounts
from idp.domain.recovery.standing import OpenReset
from idp.domain.signin.candidates import lock_person
from idp.domain.signin.choosing import Chosen
from idp.domain.signin.new_password import take_new_password
from idp.domain.signin.visitors import Visitor
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.signin import PasswordReset
from idp.protocol.events import SecurityEvent


@dataclass(frozen=True)
class ResetDone:
    """The password is set; the person signs in with it next (A15)."""


@dataclass(frozen=True)
class ResetGone:
    """The reset is over: finished elsewhere, replaced, too old, or the fact is still missing."""


def finish(
    db: Session,
    opened: OpenReset,
    chosen: Chosen,
    visitor: Visitor,
    *,
    keys: Keyring,
    now: datetime,
) -> ResetDone | ResetGone:
    """Write the new password; the first one activates the account (A07).

    Nobody is signed in by it, sessions and tokens end, a lock ends, a suspension stays
    (RS-05), and every other link and code of this person is void (RS-02).
    """
    # Whoever opens another link takes this lock first too: nobody waits in a circle.
    lock_person(db, opened.account_id)
    if opened.asks_fact or not _claim(db, opened, now=now):
        return ResetGone()
    is_first = accounts.activate(db, opened.account_id, now=now)
    if is_first:
        event = SecurityEvent.ACCOUNT_ACTIVATED
        tell_of_person(db, event, opened.account_id, keys=keys, now=now)
    take_new_password(db, opened.account_id, chosen.hashed, keys=keys, now=now)
    if opened.proves_address:
        # The link or the code came out of this mailbox: it is hers to read (A07).
        accounts.verify_address(db, opened.account_id, now=now)
    void_mailed_secrets(db, opened.account_id, now=now)
    actor = Actor(kind="account", account_id=opened.account_id, address=visitor.address)
    for name in ("account.activated", "password.set") if is_first else ("password.set",):
        act = Act(name, subject_id=opened.account_id, municipality_id=opened.municipality_id)
        record(db, act, actor=actor, now=now)
    return ResetDone()


def _claim(db: Session, opened: OpenReset, *, now: datetime) -> bool:
    # The condition in the UPDATE is the lock: of two posts of one form one sets the password.
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        update(PasswordReset)
        .where(
            PasswordReset.id == opened.id,
            PasswordReset.opened_at.is_not(None),
            PasswordReset.completed_at.is_(None),
            PasswordReset.expires_at > now,
        )
        .values(completed_at=now)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
