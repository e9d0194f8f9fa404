"""A town with families, and browsers of everyone who might come to the console."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pytest

from idp.db.session import transaction
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.households import MembershipRole
from idp.model.people import AccountStatus, Door
from idp.model.staff import Role
from tests import factories
from tests.web.pages import Browser


@dataclass(frozen=True)
class Town:
    """Ids of one town's rows."""

    id: UUID
    guardian: UUID
    waiting: UUID
    draft: UUID
    suspended: UUID
    proxy: UUID
    household: UUID
    membership: UUID
    clerk: UUID


def build_town(db, now, **columns):
    """Make a town with one family and one member of staff."""
    row = factories.make_municipality(db, now=now, **columns)
    home = {"now": now, "municipality_id": row.id}
    guardian = factories.make_account(db, **home, email_verified_at=now)
    proxy = factories.make_account(db, **home, given_name="健")
    waiting = factories.make_account(
        db,
        **home,
        given_name="待子",
        status=AccountStatus.ISSUED,
        password=None,
        issued_at=now - timedelta(days=1),
    )
    draft = factories.make_account(
        db, **home, given_name="下書", status=AccountStatus.DRAFT, password=None
    )
    suspended = factories.make_account(
        db, **home, given_name="停止", status=AccountStatus.SUSPENDED, activated_at=now
    )
    household = factories.make_household(
        db,
        **home,
        representative=guardian,
        children=(("佐倉 ひより", date(2025, 6, 1)),),
    )
    factories.make_household(db, **home, representative=waiting, children=())
    member = factories.make_member(
        db,
        household_id=household.id,
        account=proxy,
        role=MembershipRole.PROXY,
        relationship="father",
        now=now,
        valid_until=now + timedelta(days=300),
    )
    clerk = factories.make_staff(db, **home, family_name="福祉", given_name="一郎")
    return Town(
        row.id,
        guardian.id,
        waiting.id,
        draft.id,
        suspended.id,
        proxy.id,
        household.id,
        member.id,
        clerk.id,
    )


@pytest.fixture
def here(sessions, clock):
    with transaction(sessions) as db:
        return build_town(db, clock())


@pytest.fixture
def there(sessions, clock):
    with transaction(sessions) as db:
        return build_town(db, clock(), name="隣町")


@pytest.fixture
def sign_in(app, sessions, clock):
    """Return a browser in which this person is signed in."""

    def run(account_id, door=Door.STAFF, **options):
        wanted = NewSession(
            account_id=account_id,
            door=door,
            acr="urn:kosodate:acr:mfa",
            amr=("pwd", "otp", "mfa"),
            device_label="",
            limits=SessionLimits(),
        )
        with transaction(sessions) as db:
            session = start_session(db, wanted, now=clock())
        browser = Browser(app, **options)
        browser.set_cookie("session", session.token)
        return browser

    return run


@pytest.fixture
def sign_in_as(sign_in, sessions, clock):
    """Return a browser of a new member of staff with this role."""

    def run(town, role, **options):
        with transaction(sessions) as db:
            home = None if role is Role.SYSTEM_ADMIN else town.id
            person = factories.make_staff(db, now=clock(), municipality_id=home, role=role)
        return sign_in(person.id, **options)

    return run


@pytest.fixture
def clerk(sign_in, here):
    """The browser of a member of staff who may do everything here."""
    return sign_in(here.clerk)
