"""Mails that follow from what staff do: the notice of issue, and of a proxy to both sides."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.text import login_key
from idp.domain.people.households import is_in_force
from idp.domain.people.memberships import find_representative
from idp.domain.people.names import full_name
from idp.domain.people.protection import protected_among
from idp.domain.signin import limits
from idp.domain.signin.attempts import Blocked, Counted, Counter, reserve_all
from idp.domain.staff.desk import Post
from idp.domain.upkeep.outbox import Mail, enqueue_mail
from idp.model.households import Membership, MembershipRole
from idp.model.people import Account, AccountStatus

#: The name of the notice of issue, in the outbox and in the status.
ISSUED = "account_issued"
#: People who are told something: the account stands, whether or not it was begun.
_TOLD = (AccountStatus.ISSUED, AccountStatus.ACTIVE)


def announce_issue(db: Session, account_id: UUID, *, post: Post, now: datetime) -> None:
    """Mail 「アカウント発行のお知らせ」: where to set a password, and no secret (A05).

    The sign-in ID is named only where it is not the address.
    """
    account = db.get_one(Account, account_id)
    number = account.login_id
    if account.email is not None and number == login_key(account.email):
        number = None
    mail = Mail(
        ISSUED,
        account_id,
        {"reset_page_url": post.reset_page_url, "login_id": number},
        municipality_id=account.municipality_id,
    )
    enqueue_mail(db, mail, keys=post.keys, now=now)


def count_notice(
    db: Session, person: Account, *, post: Post, now: datetime
) -> tuple[Counted, ...] | Blocked:
    """Count a notice of issue against the limits of the person and of the mailbox.

    Half a minute apart, five in a quarter of an hour, twenty a day; three times as many for
    a mailbox that several people share (product.md "Values").
    """
    cool_down = Counter(
        f"{limits.MAIL}:{ISSUED}", limits.account_subject(person.id), limits.RESEND_COOL_DOWN
    )
    mailbox = limits.mail_counters(ISSUED, person.id, person.email_key or "", keys=post.keys)
    return reserve_all(db, (cool_down, *mailbox), now=now)


def announce_proxies(db: Session, account_id: UUID, *, post: Post, now: datetime) -> None:
    """Tell of every proxy relation that waited for this account to be issued."""
    own = db.scalars(
        select(Membership).where(Membership.account_id == account_id, is_in_force(Membership, now))
    ).all()
    for membership in own:
        if membership.role is MembershipRole.PROXY:
            announce_proxy(db, membership.household_id, account_id, post=post, now=now)


def announce_proxy(
    db: Session, household_id: UUID, proxy_id: UUID, *, post: Post, now: datetime
) -> None:
    """Tell the proxy that she was added, and the representative that there is a proxy.

    Neither mail leaves if one of the two is protected: it would name one to the other (D3).
    """
    representative_id = find_representative(db, household_id, now=now)
    if representative_id is None:
        return
    if protected_among(db, frozenset({representative_id, proxy_id})):
        return
    representative = db.get_one(Account, representative_id)
    proxy = db.get_one(Account, proxy_id)
    _tell(db, proxy, "proxy_invited", {"rep": _name(representative)}, post=post, now=now)
    _tell(db, representative, "proxy_added", {"proxy": _name(proxy)}, post=post, now=now)


def _tell(
    db: Session,
    person: Account,
    name: str,
    facts: dict[str, str],
    *,
    post: Post,
    now: datetime,
) -> None:
    if person.email is None or person.status not in _TOLD:
        return
    mail = Mail(
        name,
        person.id,
        facts | {"reset_page_url": post.reset_page_url},
        municipality_id=person.municipality_id,
    )
    enqueue_mail(db, mail, keys=post.keys, now=now)


def _name(account: Account) -> str:
    return full_name(account.family_name, account.given_name)
