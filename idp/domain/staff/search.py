"""Finding people: within one municipality, by whatever the caller on the telephone can tell."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.base.text import fold, like_pattern, search_key
from idp.domain.people.facts import application_key
from idp.domain.people.profiles import name_of
from idp.domain.staff.desk import Desk, note
from idp.domain.staff.standing import (
    MailStanding,
    Standing,
    mail_standing,
    newest_notice_state,
    standing_of,
)
from idp.model.households import (
    Child,
    Household,
    Membership,
    MembershipRole,
    MembershipStatus,
)
from idp.model.people import Account, AccountStatus, Door
from idp.model.upkeep import OutboxState

PAGE_SIZE = 20
LONGEST_QUERY = 100
#: Fewer digits would find half the town.
_SHORTEST_NUMBER = 4
_NOT_DIGITS = re.compile(r"[^0-9]")


@dataclass(frozen=True)
class SearchQuery:
    """What staff look for; an empty text finds everyone."""

    text: str = ""
    standing: Standing | None = None
    mail: MailStanding | None = None
    #: Counts from 1.
    page: int = 1


@dataclass(frozen=True)
class FoundPerson:
    """One line of the answer."""

    account_id: UUID
    name: str
    kana: str
    application_number: str | None
    household_id: UUID | None
    role: MembershipRole | None
    standing: Standing
    mail: MailStanding
    last_sign_in_at: datetime | None


@dataclass(frozen=True)
class FoundPage:
    """One page of the answer, and how many there are altogether."""

    people: tuple[FoundPerson, ...]
    total: int
    page: int
    page_count: int


def search_people(
    db: Session, desk: Desk, query: SearchQuery, *, now: datetime
) -> FoundPage | None:
    """Find the families' members of this municipality; None for a page that is not there.

    The audit row counts the answer; it does not repeat the question, which is a name.
    """
    wanted = _conditions(desk, query)
    total = db.scalar(select(func.count()).select_from(Account).where(*wanted)) or 0
    page_count = max(1, -(-total // PAGE_SIZE))
    if not 1 <= query.page <= page_count:
        return None
    rows = db.execute(
        select(Account, newest_notice_state())
        .where(*wanted)
        .order_by(Account.search_key, Account.id)
        .limit(PAGE_SIZE)
        .offset((query.page - 1) * PAGE_SIZE)
    ).all()
    homes = _homes(db, desk, [account.id for account, _ in rows])
    note(db, desk, "people.searched", None, detail={"found": total}, now=now)
    people = tuple(_read(account, newest, homes.get(account.id)) for account, newest in rows)
    return FoundPage(people, total, query.page, page_count)


def _conditions(desk: Desk, query: SearchQuery) -> list[ColumnElement[bool]]:
    wanted = [Account.municipality_id == desk.municipality_id, Account.door == Door.FAMILY]
    if text := query.text.strip()[:LONGEST_QUERY]:
        wanted.append(or_(*_matches(desk, text)))
    if query.standing is not None:
        wanted.append(_stands(query.standing))
    if query.mail is not None:
        wanted.append(_mail_stands(query.mail))
    return wanted


def _matches(desk: Desk, text: str) -> list[ColumnElement[bool]]:
    found = [
        _holds(Account.search_key, search_key(text)),
        _holds(Account.email_key, fold(text).casefold()),
        Account.id.in_(
            select(Membership.account_id)
            .join(Household, Membership.household_id == Household.id)
            .outerjoin(Child, Child.household_id == Household.id)
            .where(
                Household.municipality_id == desk.municipality_id,
                or_(
                    _holds(Household.application_key, application_key(text)),
                    _holds(Child.search_key, search_key(text)),
                ),
            )
        ),
    ]
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    if len(digits) >= _SHORTEST_NUMBER:
        # 090-… is stored as +8190…: the leading zero is not part of the number.
        found.append(_holds(Account.phone_number, digits.removeprefix("0")))
    return found


def _holds(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], key: str
) -> ColumnElement[bool]:
    # Text of nothing but invisible characters folds to nothing and finds nobody.
    return column.like(like_pattern(key), escape="\\") if key else false()


def _stands(standing: Standing) -> ColumnElement[bool]:
    match standing:
        case Standing.NO_LOGIN:
            return and_(Account.status == AccountStatus.ISSUED, Account.email.is_(None))
        case Standing.ISSUED:
            return and_(Account.status == AccountStatus.ISSUED, Account.email.is_not(None))
        case Standing.DRAFT | Standing.ACTIVE | Standing.SUSPENDED | Standing.CLOSED:
            return Account.status == AccountStatus(standing.value)


def _mail_stands(mail: MailStanding) -> ColumnElement[bool]:
    if mail is MailStanding.NO_ADDRESS:
        return Account.email.is_(None)
    opened = and_(Account.activated_at.is_not(None), Account.email_verified_at.is_not(None))
    if mail is MailStanding.OPENED:
        return and_(Account.email.is_not(None), opened)
    newest = newest_notice_state()
    state = {
        MailStanding.NOT_SENT: or_(newest.is_(None), newest == OutboxState.DROPPED),
        MailStanding.QUEUED: newest == OutboxState.QUEUED,
        MailStanding.SENT: newest == OutboxState.SENT,
        MailStanding.FAILED: newest == OutboxState.FAILED,
    }[mail]
    return and_(Account.email.is_not(None), ~opened, state)


@dataclass(frozen=True)
class _Home:
    household_id: UUID
    application_number: str | None
    role: MembershipRole


def _homes(db: Session, desk: Desk, account_ids: list[UUID]) -> dict[UUID, _Home]:
    """Return one household a person: the one she represents before those she is a proxy of."""
    rows = db.execute(
        select(Membership.account_id, Household.id, Household.application_number, Membership.role)
        .join(Household, Membership.household_id == Household.id)
        .where(
            Membership.account_id.in_(account_ids),
            Membership.status != MembershipStatus.ENDED,
            Household.municipality_id == desk.municipality_id,
        )
        .order_by(Membership.role, Membership.valid_from)  # the last one wins below
    )
    return {row[0]: _Home(row[1], row[2], row[3]) for row in rows}


def _read(account: Account, newest: OutboxState | None, home: _Home | None) -> FoundPerson:
    name = name_of(account)
    return FoundPerson(
        account_id=account.id,
        name=name.full,
        kana=name.kana,
        application_number=home.application_number if home else None,
        household_id=home.household_id if home else None,
        role=home.role if home else None,
        standing=standing_of(account),
        mail=mail_standing(account, newest),
        last_sign_in_at=account.last_sign_in_at,
    )
