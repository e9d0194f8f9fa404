"""Asking for a password mail: the same answer and the same work for every address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, keyed_digest, new_digits, new_token
from idp.base.url import with_query
from idp.domain.recovery.rules import ResetSetup, cool_down_counter, request_counters
from idp.domain.recovery.standing import AskedReset, seal_context
from idp.domain.signin import attempts
from idp.domain.signin.candidates import lock_person
from idp.domain.signin.code_text import CODE_LENGTH
from idp.domain.signin.visitors import Visitor
from idp.domain.upkeep.audit import Act, record
from idp.domain.upkeep.outbox import Fact, Mail, enqueue_mail
from idp.model.people import Account, AccountStatus
from idp.model.signin import OneTimeSecret, PasswordReset, SecretKind

RESET_KINDS = (SecretKind.RESET_LINK, SecretKind.RESET_CODE)
#: Who may set a password: whoever is to begin, and whoever has begun.
_MAY_SET = (AccountStatus.ISSUED, AccountStatus.ACTIVE)


@dataclass(frozen=True)
class ResetAsked:
    """The request is taken; `browser_token` binds it to this browser."""

    reset_id: UUID
    browser_token: str


@dataclass(frozen=True)
class AskedTooOften:
    """No mail before this moment, whether or not the address is known."""

    until: datetime


def ask(
    db: Session, email: str, visitor: Visitor, *, setup: ResetSetup, now: datetime
) -> ResetAsked | AskedTooOften:
    """Take a request for a parsed address, and write to everyone who has it (A12, EN-03).

    Two people with one mailbox get a mail each, with their own name, link and code (D15).
    Nothing tells the asker whether anybody has the address; nobody else gets a mail (B22).
    """
    email_key = mail_key(email)
    counters = request_counters(visitor.network, email_key, keys=setup.keys)
    taken = attempts.reserve_all(db, counters, now=now)
    if isinstance(taken, attempts.Blocked):
        return AskedTooOften(until=taken.until)
    # Only asking again waits half a minute; a second browser may start at once.
    attempts.reserve(db, cool_down_counter(email_key, keys=setup.keys), now=now)
    return _write(db, email, visitor, setup=setup, now=now)


def ask_again(
    db: Session, asked: AskedReset, visitor: Visitor, *, setup: ResetSetup, now: datetime
) -> ResetAsked | AskedTooOften:
    """Send the mail again; what was sent before is void (A13)."""
    cool_down = cool_down_counter(mail_key(asked.email), keys=setup.keys)
    blocked = attempts.find_block(db, (cool_down,), now=now)
    if blocked is not None:
        return AskedTooOften(until=blocked.until)
    again = ask(db, asked.email, visitor, setup=setup, now=now)
    if isinstance(again, ResetAsked):
        db.execute(update(PasswordReset).where(PasswordReset.id == asked.id).values(expires_at=now))
    return again


def cool_down_seconds(db: Session, asked: AskedReset, *, setup: ResetSetup, now: datetime) -> int:
    """Return how long until the mail may be sent again: shown beside the button."""
    cool_down = cool_down_counter(mail_key(asked.email), keys=setup.keys)
    blocked = attempts.find_block(db, (cool_down,), now=now)
    return 0 if blocked is None else ceil((blocked.until - now).total_seconds())


def _write(
    db: Session, email: str, visitor: Visitor, *, setup: ResetSetup, now: datetime
) -> ResetAsked:
    reset_id, browser_token = new_id(now=now), new_token()
    people = _find_people(db, mail_key(email))
    db.add(
        PasswordReset(
            id=reset_id,
            browser_digest=digest(browser_token),
            # Of two people the code tells later which one it is.
            account_id=people[0].id if len(people) == 1 else None,
            sealed_email=setup.keys.sealer.seal(email.encode(), context=seal_context(reset_id)),
            created_at=now,
            # As long as the longest code that may have been sent: the page tells nothing.
            expires_at=now + max(setup.rules.lifetime, setup.rules.activation_lifetime),
        )
    )
    codes = _distinct_codes(len(people))
    for account, code in zip(people, codes, strict=True):
        _send(db, account, reset_id, code, setup=setup, now=now)
    if not people:
        # As much is asked of the database for an address that nobody has.
        void_reset_secrets(db, reset_id, now=now)
    subjects: list[UUID | None] = [account.id for account in people]
    for account_id in subjects or [None]:
        act = Act("password.reset_asked", subject_id=account_id)
        record(db, act, actor=visitor.actor, now=now)
    return ResetAsked(reset_id=reset_id, browser_token=browser_token)


def _find_people(db: Session, email_key: str) -> Sequence[Account]:
    return db.scalars(
        select(Account)
        .where(Account.email_key == email_key, Account.status.in_(_MAY_SET))
        .order_by(Account.id)
    ).all()


def _distinct_codes(count: int) -> list[str]:
    """Make a code for each person: the code alone tells whose it is."""
    codes: set[str] = set()
    while len(codes) < count:
        codes.add(new_digits(CODE_LENGTH))
    return list(codes)


def _send(
    db: Session,
    account: Account,
    reset_id: UUID,
    code: str,
    *,
    setup: ResetSetup,
    now: datetime,
) -> None:
    void_reset_secrets(db, account.id, now=now)
    is_activation = account.activated_at is None
    rules = setup.rules
    lifetime = rules.activation_lifetime if is_activation else rules.lifetime
    link = new_token()
    digests = {
        SecretKind.RESET_LINK: digest(link),
        SecretKind.RESET_CODE: code_digest(code, reset_id, keys=setup.keys),
    }
    _keep(db, account, reset_id, digests, expires_at=now + lifetime, now=now)
    facts: dict[str, Fact] = {
        "code": code,
        "url": with_query(setup.link_page_url, {"t": link}),
        "time": now.isoformat(),
        "is_activation": is_activation,
        "days" if is_activation else "minutes": lifetime.days if is_activation else rules.minutes,
    }
    mail = Mail(
        "password_link",
        account.id,
        facts,
        municipality_id=account.municipality_id,
        useless_after=now + lifetime,
    )
    enqueue_mail(db, mail, keys=setup.keys, now=now)


def _keep(
    db: Session,
    account: Account,
    reset_id: UUID,
    digests: Mapping[SecretKind, bytes],
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    db.add_all(
        OneTimeSecret(
            id=new_id(now=now),
            kind=kind,
            account_id=account.id,
            transaction_id=reset_id,
            digest=value,
            email_key=account.email_key,
            failed_count=0,
            created_at=now,
            expires_at=expires_at,
        )
        for kind, value in digests.items()
    )


def code_digest(code: str, reset_id: UUID, *, keys: Keyring) -> bytes:
    """Return what is stored of a code; the request is part of it, so another browser's fails."""
    return keyed_digest(keys.code_key, f"{SecretKind.RESET_CODE}:{reset_id}:{code}")


def void_reset_secrets(db: Session, account_id: UUID, *, now: datetime) -> None:
    """Void the links and codes a person was mailed so far: a newer one takes their place."""
    lock_person(db, account_id)
    db.execute(
        update(OneTimeSecret)
        .where(
            OneTimeSecret.account_id == account_id,
            OneTimeSecret.kind.in_(RESET_KINDS),
            OneTimeSecret.used_at.is_(None),
            OneTimeSecret.superseded_at.is_(None),
        )
        .values(superseded_at=now)
        .execution_options(synchronize_session=False)
    )
