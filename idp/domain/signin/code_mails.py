"""Mailed codes of a sign-in: make one and send it, within the limits for mails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.base.contact import mask_mail
from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import keyed_digest, new_digits
from idp.db.rows import change, fetch_one
from idp.domain.signin import attempts, limits
from idp.domain.signin.candidates import Candidate
from idp.domain.signin.code_text import CODE_LENGTH
from idp.domain.signin.interactions import lock_walk
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.signin import OneTimeSecret, SecretKind

#: Carriers deliver late and out of order: the newest two are valid.
_VALID_AT_ONCE = 2
_KIND = SecretKind.SIGN_IN_CODE

_secret: Any = OneTimeSecret.__table__
_NEW_CODE = insert(_secret)
_OF_WALK = (_secret.c.transaction_id == bindparam("walk"), _secret.c.kind == _KIND)
_NEWEST = (
    select(_secret.c.id)
    .where(*_OF_WALK)
    .order_by(_secret.c.created_at.desc(), _secret.c.id.desc())
    .limit(bindparam("keep", type_=Integer()))
)
_VOID = (
    update(_secret)
    .where(*_OF_WALK, _secret.c.superseded_at.is_(None), _secret.c.id.not_in(_NEWEST))
    .values(superseded_at=bindparam("at"))
)
_ANY_CODE = select(_secret.c.id).where(*_OF_WALK).limit(1)


@dataclass(frozen=True)
class CodeRules:
    """How long a code lives and how many wrong tries it survives; from the settings."""

    lifetime: timedelta = timedelta(minutes=10)
    tries: int = 5


@dataclass(frozen=True)
class CodeSent:
    """The mail is in the outbox."""

    masked_mail: str


@dataclass(frozen=True)
class CodeNotSent:
    """No mail before this moment: one was just sent, or there were too many."""

    until: datetime


def send_code(
    db: Session,
    interaction_id: UUID,
    person: Candidate,
    *,
    rules: CodeRules,
    keys: Keyring,
    now: datetime,
) -> CodeSent | CodeNotSent:
    """Make a code for this walk and mail it, within the limits for mails (OT-11).

    The two newest codes of the walk are valid, an older one is not any more. A new code does
    not reset any count of failures (OT-03).
    """
    lock_walk(db, interaction_id)
    assert person.email is not None
    assert person.email_key is not None
    cool_down = limits.cool_down_counter(_KIND, interaction_id)
    quotas = limits.mail_counters(_KIND, person.id, person.email_key, keys=keys)
    taken = attempts.reserve_all(db, (cool_down, *quotas), now=now)
    if isinstance(taken, attempts.Blocked):
        return CodeNotSent(until=taken.until)
    void_codes(db, interaction_id, keep=_VALID_AT_ONCE - 1, now=now)
    _write_code(db, interaction_id, person, rules=rules, keys=keys, now=now)
    return CodeSent(masked_mail=mask_mail(person.email))


def _write_code(
    db: Session,
    interaction_id: UUID,
    person: Candidate,
    *,
    rules: CodeRules,
    keys: Keyring,
    now: datetime,
) -> None:
    code = new_digits(CODE_LENGTH)
    change(
        db,
        _NEW_CODE,
        {
            "id": new_id(now=now),
            "kind": _KIND,
            "account_id": person.id,
            "transaction_id": interaction_id,
            "digest": code_digest(code, interaction_id, keys=keys),
            "email_key": person.email_key,
            "failed_count": 0,
            "created_at": now,
            "expires_at": now + rules.lifetime,
        },
    )
    minutes = int(rules.lifetime.total_seconds() // 60)
    mail = Mail(
        name="login_code",
        account_id=person.id,
        facts={"code": code, "minutes": minutes},
        municipality_id=person.municipality_id,
        useless_after=now + rules.lifetime,
    )
    enqueue_mail(db, mail, keys=keys, now=now)


def code_digest(code: str, interaction_id: UUID, *, keys: Keyring) -> bytes:
    """Return what is stored of a code."""
    # The walk is part of what is digested: a code of another browser matches nothing (OT-07).
    return keyed_digest(keys.code_key, f"{_KIND}:{interaction_id}:{code}")


def void_codes(db: Session, interaction_id: UUID, *, keep: int, now: datetime) -> None:
    """Void every code of the walk but the newest `keep`."""
    change(db, _VOID, {"walk": interaction_id, "keep": keep, "at": now})


def cool_down_left(db: Session, interaction_id: UUID, *, now: datetime) -> timedelta:
    """Return how long until the code may be sent again: shown beside the button."""
    counter = limits.cool_down_counter(_KIND, interaction_id)
    block = attempts.find_block(db, (counter,), now=now)
    return timedelta(0) if block is None else block.until - now


def has_code(db: Session, interaction_id: UUID) -> bool:
    """Whether a code was ever made for this walk."""
    return fetch_one(db, _ANY_CODE, {"walk": interaction_id}) is not None
