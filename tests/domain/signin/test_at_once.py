"""Requests that are answered where they arrive: only where a walk would have shown no page."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.base.ids import new_id
from idp.db.session import transaction
from idp.domain.documents.agreements import outstanding
from idp.domain.signin.at_once import find_end_at_once
from idp.domain.signin.recognition import find_session
from idp.domain.signin.sessions import NewSession, SessionLimits, end_session, start_session
from idp.model.documents import (
    Agreement,
    DocumentKind,
    DocumentText,
    DocumentVersion,
    LegalDocument,
)
from idp.model.households import Membership, MembershipStatus
from idp.model.people import Account, AccountStatus, Door
from idp.model.signin import SessionEnd
from idp.protocol import acr
from idp.protocol.interaction import Answer, Refusal, Refuse
from tests import factories

SILENT = {"prompt": ["none"]}


@pytest.fixture
def home(sessions, clock, mother):
    with transaction(sessions) as db:
        return factories.make_household(
            db, now=clock(), municipality_id=mother.municipality_id, representative=mother
        )


@pytest.fixture
def person(sessions, clock, mother, home):
    """The mother, signed in with a mailed code and acting for her household."""
    wanted = NewSession(
        account_id=mother.id,
        door=Door.FAMILY,
        acr=acr.Acr.MAILED_CODE.value,
        amr=("pwd", "otp"),
        device_label="Firefox",
        limits=SessionLimits(),
        household_id=home.id,
    )
    with transaction(sessions) as db:
        started = start_session(db, wanted, now=clock())
        return find_session(db, started.token, now=clock())


@pytest.fixture
def ask(sessions, clock, person):
    def run(request=None, *, who=person, consent_outstanding=False):
        with transaction(sessions) as db:
            return find_end_at_once(
                db, request or {}, who, consent_outstanding=consent_outstanding, now=clock()
            )

    return run


@pytest.fixture
def publish(sessions, clock, mother):
    """Put a version of a document into force; return its id."""
    documents = {}

    def run(number, *, kind=DocumentKind.TERMS, is_material=True, starts_in=timedelta()):
        now = clock()
        with transaction(sessions) as db:
            if kind not in documents:
                documents[kind] = new_id(now=now)
                db.add(
                    LegalDocument(
                        id=documents[kind],
                        municipality_id=mother.municipality_id,
                        kind=kind,
                        created_at=now,
                    )
                )
                db.flush()
            version_id = new_id(now=now)
            db.add(
                DocumentVersion(
                    id=version_id,
                    document_id=documents[kind],
                    number=number,
                    is_material=is_material,
                    effective_at=now + starts_in,
                    published_at=now,
                )
            )
            db.flush()
            db.add(
                DocumentText(
                    id=new_id(now=now),
                    version_id=version_id,
                    language="ja",
                    title="利用規約",
                    body="架空市の約束です。",
                    sha256=b"0" * 32,
                )
            )
        return version_id

    return run


@pytest.fixture
def agree(sessions, clock, person):
    def run(version_id, *, lasts=True, session_id=None):
        with transaction(sessions) as db:
            db.add(
                Agreement(
                    id=new_id(now=clock()),
                    account_id=person.account_id,
                    version_id=version_id,
                    language="ja",
                    sha256=b"0" * 32,
                    suppress_until_changed=lasts,
                    session_id=session_id,
                    agreed_at=clock(),
                )
            )

    return run


@pytest.fixture
def assert_same_as_the_page(sessions, clock, person, ask):
    """Whether something is outstanding is one rule, written as a page and as a condition."""

    def run(*, is_outstanding):
        with transaction(sessions) as db:
            shown = outstanding(
                db,
                person.account_id,
                person.municipality_id,
                session_id=person.session_id,
                now=clock(),
            )
        assert bool(shown) is is_outstanding
        assert ask() == (None if is_outstanding else Answer())

    return run


def test_a22_a_person_with_nothing_left_to_do_is_answered_at_once(ask):
    assert ask() == Answer()
    assert ask(SILENT) == Answer()


def test_a_request_of_nobody_needs_a_walk_or_ends(ask, person):
    assert ask(who=None) is None
    assert ask(SILENT, who=None) == Refuse(Refusal.LOGIN_REQUIRED)
    assert ask(SILENT, who=replace(person, door=Door.STAFF)) == Refuse(Refusal.LOGIN_REQUIRED)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"prompt": ["login"]}, None),
        ({"prompt": ["select_account"]}, None),
        ({"prompt": ["consent"]}, None),
        ({"max_age": 0}, None),
        ({"max_age": 0, **SILENT}, Refusal.LOGIN_REQUIRED),
        ({"hinted_account_id": "00000000-0000-0000-0000-000000000000"}, None),
        (
            {"hinted_account_id": "00000000-0000-0000-0000-000000000000", **SILENT},
            Refusal.LOGIN_REQUIRED,
        ),
        ({"acr_values": [acr.Acr.MULTI_FACTOR.value]}, None),
        ({"details": [{"type": "x"}]}, None),
    ],
)
def test_what_the_request_wants_is_kept(ask, request_, error):
    assert ask(request_) == (None if error is None else Refuse(error))


def test_consent_that_is_outstanding_is_asked_for(ask):
    assert ask(consent_outstanding=True) is None
    assert ask(SILENT, consent_outstanding=True) == Refuse(Refusal.CONSENT_REQUIRED)


def test_a25_outstanding_terms_are_shown_first(ask, publish):
    publish(1)
    assert ask() is None
    assert ask(SILENT) == Refuse(Refusal.INTERACTION_REQUIRED)


def test_a27_the_condition_judges_agreements_as_the_page_does(
    assert_same_as_the_page, publish, agree, person
):
    assert_same_as_the_page(is_outstanding=False)
    first = publish(1)
    assert_same_as_the_page(is_outstanding=True)
    agree(first, lasts=False)
    assert_same_as_the_page(is_outstanding=True)
    agree(first, lasts=False, session_id=person.session_id)
    assert_same_as_the_page(is_outstanding=False)
    publish(2, is_material=False)
    assert_same_as_the_page(is_outstanding=False)
    publish(3, starts_in=timedelta(days=1))
    assert_same_as_the_page(is_outstanding=False)
    fourth = publish(4)
    assert_same_as_the_page(is_outstanding=True)
    agree(fourth)
    assert_same_as_the_page(is_outstanding=False)
    privacy = publish(1, kind=DocumentKind.PRIVACY)
    assert_same_as_the_page(is_outstanding=True)
    agree(privacy)
    assert_same_as_the_page(is_outstanding=False)


def test_se_05_what_ended_since_the_guard_looked_is_noticed(
    sessions, clock, ask, person, mother, keys
):
    with transaction(sessions) as db:
        db.execute(
            update(Account).where(Account.id == mother.id).values(status=AccountStatus.SUSPENDED)
        )
    assert ask() is None
    with transaction(sessions) as db:
        db.execute(
            update(Account).where(Account.id == mother.id).values(status=AccountStatus.ACTIVE)
        )
    assert ask() == Answer()
    with transaction(sessions) as db:
        end_session(db, person.session_id, SessionEnd.LOGOUT, keys=keys, now=clock())
    assert ask() is None


def test_an_idle_session_is_noticed(ask, clock):
    clock.advance(timedelta(minutes=60))
    assert ask() is None


def test_a_session_that_was_raised_or_acts_for_others_by_now_needs_a_walk(ask, person):
    assert ask(who=replace(person, acr=acr.Acr.PASSWORD.value)) is None
    assert ask(who=replace(person, household_id=None)) is None


def test_px_03_a_membership_that_ended_is_settled_by_a_walk(sessions, ask, mother):
    with transaction(sessions) as db:
        db.execute(
            update(Membership)
            .where(Membership.account_id == mother.id)
            .values(status=MembershipStatus.ENDED)
        )
    assert ask() is None
