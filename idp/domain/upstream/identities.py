"""Linked identities: one account each, named to their owner, taken away by her."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.text import search_key
from idp.domain.signin.sessions import SignedIn, StartedSession, raise_session
from idp.domain.upkeep.audit import Act, Actor, record
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.people import Account
from idp.model.upstream import LinkedIdentity
from idp.protocol import acr
from idp.protocol.upstream import UpstreamIdentity


class LinkRefusal(StrEnum):
    """Why an identity was not linked."""

    #: It belongs to another account.
    TAKEN = "identity_taken"
    #: This account has another one at the provider.
    OTHER = "identity_other"
    #: The name there is not the name here.
    NAME = "identity_name"
    #: The person or the session that began is not there any more.
    SESSION = "identity_session"


@dataclass(frozen=True)
class Linked:
    """An identity as its owner sees it."""

    issuer: str
    linked_at: datetime
    proofed_at: datetime | None


def find_linked(db: Session, account_id: UUID, issuer: str) -> Linked | None:
    """Return the identity of a person at a provider."""
    row = _find(db, LinkedIdentity.account_id == account_id, LinkedIdentity.issuer == issuer)
    return None if row is None else Linked(row.issuer, row.linked_at, row.proofed_at)


def find_account_of(db: Session, identity: UpstreamIdentity) -> UUID | None:
    """Return whose identity it is."""
    row = _find(
        db,
        LinkedIdentity.issuer == identity.issuer,
        LinkedIdentity.subject == identity.subject,
    )
    return None if row is None else row.account_id


def _find(db: Session, *conditions: Any) -> LinkedIdentity | None:  # noqa: ANN401
    return db.scalars(select(LinkedIdentity).where(*conditions)).one_or_none()


def link_identity(
    db: Session,
    person: SignedIn,
    identity: UpstreamIdentity,
    *,
    actor: Actor,
    keys: Keyring,
    now: datetime,
) -> StartedSession | LinkRefusal:
    """Link an identity to the person signed in, or prove it once more; raise her session.

    The two unique constraints decide between people and tabs that link at the same time.
    """
    account = db.get_one(Account, person.account_id)
    is_named = identity.name is not None
    if is_named and not _is_name_of(account, identity.name or ""):
        return _refuse(db, person, LinkRefusal.NAME, actor=actor, now=now)
    known = _find(
        db,
        LinkedIdentity.account_id == person.account_id,
        LinkedIdentity.issuer == identity.issuer,
    )
    if known is not None and known.subject != identity.subject:
        return _refuse(db, person, LinkRefusal.OTHER, actor=actor, now=now)
    if known is None and not _insert(db, person.account_id, identity, now=now):
        return _refuse(db, person, LinkRefusal.TAKEN, actor=actor, now=now)
    if is_named:
        _note_proof(db, person.account_id, identity, now=now)
    raised = raise_session(db, person, acr.Acr.UPSTREAM, _methods(person), now=now)
    if raised is None:
        return LinkRefusal.SESSION
    _tell(db, account, "identity.linked" if known is None else "identity.proved", actor, keys, now)
    return raised


def _is_name_of(account: Account, name: str) -> bool:
    """Compare as people are searched for: width, case and spaces do not matter."""
    return search_key(name) == search_key(account.family_name, account.given_name)


def _methods(person: SignedIn) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*person.amr, acr.SMART_CARD, acr.MULTI_FACTOR)))


def _insert(db: Session, account_id: UUID, identity: UpstreamIdentity, *, now: datetime) -> bool:
    try:
        with db.begin_nested():
            db.add(
                LinkedIdentity(
                    id=new_id(now=now),
                    account_id=account_id,
                    issuer=identity.issuer,
                    subject=identity.subject,
                    method=identity.method.value,
                    acr=identity.acr,
                    linked_at=now,
                )
            )
    except IntegrityError:
        return False
    return True


def _note_proof(
    db: Session, account_id: UUID, identity: UpstreamIdentity, *, now: datetime
) -> None:
    row = _find(
        db,
        LinkedIdentity.account_id == account_id,
        LinkedIdentity.issuer == identity.issuer,
    )
    assert row is not None  # just linked, or known
    row.proofed_at, row.acr = now, identity.acr
    db.flush()  # the claims are read below the object mapper


def unlink_identity(
    db: Session, person: SignedIn, issuer: str, *, actor: Actor, keys: Keyring, now: datetime
) -> bool:
    """Take the identity away; False when there is none."""
    result: CursorResult[Any] = db.execute(  # type: ignore[assignment]
        delete(LinkedIdentity)
        .where(LinkedIdentity.account_id == person.account_id, LinkedIdentity.issuer == issuer)
        .execution_options(synchronize_session=False)
    )
    if result.rowcount != 1:
        return False
    account = db.get_one(Account, person.account_id)
    _tell(db, account, "identity.unlinked", actor, keys, now)
    return True


#: The mail that tells the person what was done in her account.
_MAILS = {"identity.linked": "identity_linked", "identity.unlinked": "identity_unlinked"}


def _tell(
    db: Session, account: Account, name: str, actor: Actor, keys: Keyring, now: datetime
) -> None:
    act = Act(name, subject_id=account.id, municipality_id=account.municipality_id)
    record(db, act, actor=actor, now=now)
    if name in _MAILS and account.email is not None:
        mail = Mail(
            name=_MAILS[name],
            account_id=account.id,
            facts={"time": now.isoformat()},
            municipality_id=account.municipality_id,
        )
        enqueue_mail(db, mail, keys=keys, now=now)


def _refuse(
    db: Session, person: SignedIn, refusal: LinkRefusal, *, actor: Actor, now: datetime
) -> LinkRefusal:
    act = Act("identity.refused", subject_id=person.account_id, reason=refusal)
    record(db, act, actor=actor, now=now)
    return refusal
