"""A family with a proxy, signed in without the pages, and the services of their town."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.documents.versions import NewText, NewVersion, publish
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.documents import DocumentKind
from idp.model.households import MembershipRole
from idp.model.people import Door
from idp.protocol.acr import Acr
from tests import factories
from tests.web.pages import Browser


@pytest.fixture
def household(sessions, clock, town, mother):
    with transaction(sessions) as db:
        return factories.make_household(
            db, now=clock(), municipality_id=town.id, representative=mother
        )


@pytest.fixture
def father(sessions, clock, town, household):
    """The proxy of the household."""
    with transaction(sessions) as db:
        return factories.make_account(db, now=clock(), municipality_id=town.id, given_name="健")


@pytest.fixture
def delegation(sessions, clock, household, father):
    with transaction(sessions) as db:
        return factories.make_member(
            db,
            household_id=household.id,
            account=father,
            role=MembershipRole.PROXY,
            now=clock(),
            valid_until=clock() + timedelta(days=30),
        )


@pytest.fixture
def enter_session(sessions, clock):
    """Sign a person in without the pages; return the id of the session."""

    def run(browser, account, **changes):
        facts = {
            "account_id": account.id,
            "door": Door.FAMILY,
            "acr": Acr.MAILED_CODE.value,
            "amr": ("pwd", "otp"),
            "device_label": "Firefox (Windows)",
            "limits": SessionLimits(),
        }
        with transaction(sessions) as db:
            started = start_session(db, NewSession(**(facts | changes)), now=clock())
        browser.set_cookie("session", started.token)
        return started.session_id

    return run


@pytest.fixture
def hers(browser, mother, household, enter_session):
    """The browser of the mother, signed in."""
    enter_session(browser, mother)
    return browser


@pytest.fixture
def his(app, father, delegation, enter_session):
    """The browser of the proxy, signed in."""
    found = Browser(app, address="192.0.2.9")
    enter_session(found, father)
    return found


@pytest.fixture
def service(sessions, clock, town):
    """A service of the town that a family can start from its home page."""

    def run(name="一時あずかり予約", *, of=town, **columns):
        details = {
            "client_name": name,
            "client_name#ja": name,
            "initiate_login_uri": "https://rp.example/start",
            "kosodate_description#ja": "1時間から予約します。",
        }
        with transaction(sessions) as db:
            return factories.make_client(
                db, now=clock(), municipality_id=of and of.id, details=details, **columns
            )

    return run


@pytest.fixture
def issue(sessions, clock, town):
    """Publish a document of the town."""

    def run(text="本文", *, kind=DocumentKind.TERMS, title="利用規約", **changes):
        facts = {"is_material": True, "effective_at": clock()} | changes
        texts = (NewText("ja", f"# {title}\n\n{text}", summary=text),)
        with transaction(sessions) as db:
            return publish(
                db,
                town.id,
                NewVersion(kind=kind, texts=texts, **facts),
                actor=COMMAND_LINE,
                now=clock(),
            )

    return run
