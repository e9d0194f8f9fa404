"""Security events: who is told what happened to whom, and who is not (requirements §1.16)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idp.domain.access.proxies import ProxyCase, remove_proxy_alone
from idp.domain.backstage.delivery import DueEvent, Pointless, open_due
from idp.domain.grants.clients import find_client
from idp.domain.grants.keys import load_keys
from idp.domain.grants.logout import note_client, subject_at
from idp.domain.grants.own_tokens import open_own_token
from idp.domain.grants.security_events import (
    ChangedDocument,
    tell_of_document,
    tell_of_household,
    tell_of_person,
)
from idp.domain.people.protection import set_protection
from idp.domain.recovery.finishing import ResetDone, finish
from idp.domain.recovery.standing import OpenReset
from idp.domain.signin.choosing import Chosen
from idp.domain.signin.new_password import take_new_password
from idp.domain.signin.recognition import find_session
from idp.domain.signin.signout import sign_out_everywhere
from idp.domain.signin.visitors import Visitor
from idp.domain.staff.control import AddressCase, Case, close, correct_address, resume, suspend
from idp.domain.staff.desk import Desk, Post
from idp.domain.staff.family import HouseholdChoice
from idp.domain.staff.intake import Intake, IntakeWish, take_in
from idp.domain.staff.issuance import add_proxy
from idp.domain.upkeep.audit import Actor
from idp.model.clients import Client
from idp.model.grants import Consent
from idp.model.households import Membership, MembershipStatus
from idp.model.people import AccountStatus, Door
from idp.model.signin import PasswordReset
from idp.model.upkeep import OutboxKind, OutboxMessage
from idp.protocol.events import PREFIX, SUPPORTED, SecurityEvent
from idp.protocol.subject import SubjectKind, derive_subject
from tests import factories
from tests.domain.held import grant, start
from tests.domain.staff import helpers
from tests.signing import install_keys

ISSUER = "https://id.example"


def wants(*events):
    return {
        "kosodate_events": list(events or SUPPORTED),
        "kosodate_event_endpoint": "https://rp.example/events",
    }


@pytest.fixture(autouse=True)
def signing(db, keys, now):
    install_keys(db, keys=keys, now=now)


@pytest.fixture
def register(db, town, now):
    def run(client_id, details=None, **columns):
        columns = {"municipality_id": town.id, "sector": "town"} | columns
        details = wants() if details is None else details
        return factories.make_client(db, now=now, client_id=client_id, details=details, **columns)

    return run


@pytest.fixture
def desk(db, town, keys, now):
    clerk = factories.make_staff(db, now=now, keys=keys, municipality_id=town.id)
    return Desk(town.id, Actor(kind="account", account_id=clerk.id))


@pytest.fixture
def post(keys):
    return Post(keys=keys, reset_page_url="https://login.example.jp/password/reset")


@pytest.fixture
def use(db, now):
    """Let a person use a service, as `grant` has it: with a session or for offline use."""

    def run(account, client_id, household_id=None):
        family = grant(db, account, now, household_id)
        family.client_id = client_id
        db.flush()
        return family

    return run


def told(db):
    """Return (client, event) of everything that waits, sorted."""
    db.flush()
    rows = db.scalars(select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.SECURITY_EVENT))
    return sorted((row.client_id, row.name) for row in rows)


def tokens(db, keys, now):
    """Return every event as the worker would push it now: header, claims, address."""
    db.flush()
    found = []
    query = select(OutboxMessage.id).where(OutboxMessage.kind == OutboxKind.SECURITY_EVENT)
    for row_id in db.scalars(query.order_by(OutboxMessage.created_at, OutboxMessage.id)).all():
        due = open_due(db, row_id, issuer=ISSUER, keys=keys, now=now)
        assert isinstance(due, DueEvent)
        opened = open_own_token(due.push.token, load_keys(db, keys=keys, now=now))
        found.append((opened.header, opened.claims, due.push.uri))
    return found


def test_a_token_says_who_and_what_and_opens_nothing(db, mother, register, use, keys, now):
    register("booking")
    use(mother, "booking")
    tell_of_person(db, SecurityEvent.EMAIL_CHANGED, mother.id, keys=keys, now=now)
    [(header, claims, uri)] = tokens(db, keys, now)
    assert uri == "https://rp.example/events"
    assert (header["typ"], header["alg"]) == ("secevent+jwt", "RS256")
    subject = subject_at(find_client(db, "booking"), mother.id, keys=keys)
    assert claims == {
        "iss": ISSUER,
        "aud": "booking",
        "iat": int(now.timestamp()),
        "toe": int(now.timestamp()),
        "jti": claims["jti"],
        "sub_id": {"format": "iss_sub", "iss": ISSUER, "sub": subject},
        "events": {f"{PREFIX}email.changed": {}},
    }
    assert len(claims["jti"]) >= 22


def test_a_second_try_is_the_same_event(db, mother, register, use, keys, now):
    register("booking")
    use(mother, "booking")
    tell_of_person(db, SecurityEvent.ACCOUNT_CLOSED, mother.id, keys=keys, now=now)
    first = tokens(db, keys, now)
    later = tokens(db, keys, now + timedelta(hours=9))
    assert [claims for _, claims, _ in first] == [claims for _, claims, _ in later]


def test_two_clients_of_two_sectors_hear_of_two_people_with_two_ids(
    db, mother, register, use, keys, now
):
    register("one", sector="one")
    register("two", sector="two")
    use(mother, "one")
    use(mother, "two")
    tell_of_person(db, SecurityEvent.ACCOUNT_CLOSED, mother.id, keys=keys, now=now)
    found = tokens(db, keys, now)
    assert len({claims["sub_id"]["sub"] for _, claims, _ in found}) == 2
    assert len({claims["jti"] for _, claims, _ in found}) == 2


def test_only_what_was_asked_for_is_told(db, mother, register, use, keys, now):
    register("asked", wants("account.closed"))
    register("other", wants("email.changed"))
    register("nothing", {})
    for client_id in ("asked", "other", "nothing"):
        use(mother, client_id)
    tell_of_person(db, SecurityEvent.ACCOUNT_CLOSED, mother.id, keys=keys, now=now)
    assert told(db) == [("asked", "account.closed")]


def test_a_client_that_does_not_know_the_person_hears_nothing(
    db, mother, father, register, use, keys, now
):
    register("booking")
    register("unknown")
    use(mother, "booking")
    tell_of_person(db, SecurityEvent.ACCOUNT_CLOSED, father.id, keys=keys, now=now)
    assert told(db) == []
    tell_of_person(db, SecurityEvent.ACCOUNT_CLOSED, mother.id, keys=keys, now=now)
    assert told(db) == [("booking", "account.closed")]


def test_a_session_alone_makes_a_client_know_the_person(db, mother, home, register, keys, now):
    register("booking")
    session = start(db, mother, now, home.id)
    note_client(db, session.session_id, "booking", now=now)
    tell_of_person(db, SecurityEvent.EMAIL_CHANGED, mother.id, keys=keys, now=now)
    event = SecurityEvent.MEMBER_ADDED
    tell_of_household(db, event, home.id, mother.id, keys=keys, now=now)
    assert told(db) == [("booking", "email.changed"), ("booking", "household.member_added")]


def test_who_took_the_consent_back_is_not_told_of_any_more(
    db, mother, by_mother, home, register, use, keys, now
):
    register("foreign", is_consented=False)
    use(mother, "foreign", home.id)
    db.add(
        Consent(
            id=mother.id, account_id=mother.id, client_id="foreign", scope="openid", granted_at=now
        )
    )
    tell_of_person(db, SecurityEvent.EMAIL_CHANGED, mother.id, keys=keys, now=now)
    assert told(db) == [("foreign", "email.changed")]
    db.execute(update(Consent).values(revoked_at=now))
    tell_of_person(db, SecurityEvent.ACCOUNT_CLOSED, mother.id, keys=keys, now=now)
    event = SecurityEvent.MEMBER_ADDED
    tell_of_household(db, event, home.id, mother.id, keys=keys, now=now)
    assert told(db) == [("foreign", "email.changed")]


def test_a_foreign_service_of_a_former_member_is_not_told_of_the_household(
    db, mother, father, home, delegation, by_mother, register, use, keys, now
):
    register("foreign", is_consented=False)
    use(father, "foreign", home.id)
    db.add(
        Consent(
            id=father.id, account_id=father.id, client_id="foreign", scope="openid", granted_at=now
        )
    )
    event = SecurityEvent.REPRESENTATIVE_CHANGED
    tell_of_household(db, event, home.id, mother.id, keys=keys, now=now)
    assert told(db) == [("foreign", "household.representative_changed")]
    case = ProxyCase(home.id, delegation.id)
    remove_proxy_alone(db, mother.id, case, actor=by_mother, keys=keys, now=now)
    tell_of_household(db, event, home.id, mother.id, keys=keys, now=now)
    assert told(db) == [("foreign", "household.representative_changed")]


def test_what_staff_do_to_an_account_is_told(db, mother, desk, post, register, use, keys, now):
    register("booking")
    use(mother, "booking")
    case = Case(mother.id, "申し出")
    correct_address(db, desk, AddressCase(case, "new@example.jp"), post=post, now=now)
    suspend(db, desk, case, post=post, now=now)
    close(db, desk, case, post=post, now=now)
    assert told(db) == [
        ("booking", "account.closed"),
        ("booking", "account.suspended"),
        ("booking", "email.changed"),
        ("booking", "sessions.revoked"),
        ("booking", "sessions.revoked"),
        ("booking", "sessions.revoked"),
    ]
    text = str(tokens(db, keys, now))
    assert "example.jp" not in text
    assert "申し出" not in text


def test_a_person_who_may_sign_in_again_is_told_as_activated(
    db, mother, desk, post, register, use, keys, now
):
    register("booking", wants("account.activated"))
    use(mother, "booking")
    case = Case(mother.id, "申し出")
    suspend(db, desk, case, post=post, now=now)
    resume(db, desk, case, post=post, now=now)
    assert told(db) == [("booking", "account.activated")]


def test_who_had_no_password_before_the_suspension_is_not_told_as_activated(
    db, mother, desk, post, register, use, keys, now
):
    register("booking", wants("account.activated"))
    use(mother, "booking")
    mother.activated_at, mother.status = None, AccountStatus.ISSUED
    case = Case(mother.id, "申し出")
    suspend(db, desk, case, post=post, now=now)
    resume(db, desk, case, post=post, now=now)
    assert told(db) == []


def test_a07_the_first_password_of_somebody_a_service_knows_is_told(
    db, mother, register, use, keys, now
):
    register("booking", wants("account.activated"))
    use(mother, "booking")
    mother.activated_at, mother.status = None, AccountStatus.ISSUED
    row = PasswordReset(
        id=mother.id,
        browser_digest=b"browser",
        account_id=mother.id,
        is_activation=True,
        opened_at=now,
        fact_checked_at=now,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    db.add(row)
    db.flush()
    opened = OpenReset(
        id=row.id,
        account_id=mother.id,
        municipality_id=mother.municipality_id,
        door=Door.FAMILY,
        login_id=mother.login_id,
        asks_fact=False,
        is_stopped=False,
    )
    visitor = Visitor(address="192.0.2.7", network="192.0.2.7", label="Safari (iPhone)")
    outcome = finish(db, opened, Chosen("hash", None), visitor, keys=keys, now=now)
    assert isinstance(outcome, ResetDone)
    assert told(db) == [("booking", "account.activated")]


def test_a_new_password_is_told_and_that_every_session_ended(
    db, mother, home, register, use, keys, now
):
    register("booking")
    use(mother, "booking")
    here = start(db, mother, now, home.id)
    take_new_password(db, mother.id, "hash", keys=keys, now=now, keep=here.session_id)
    assert told(db) == [("booking", "credential.changed")]
    take_new_password(db, mother.id, "hash", keys=keys, now=now)
    assert told(db) == [
        ("booking", "credential.changed"),
        ("booking", "credential.changed"),
        ("booking", "sessions.revoked"),
    ]
    events = [claims["events"] for _, claims, _ in tokens(db, keys, now)]
    assert {f"{PREFIX}credential.changed": {"credential": "password"}} in events


def test_a_sign_out_everywhere_is_told(db, mother, by_mother, home, register, use, keys, now):
    register("booking")
    use(mother, "booking")
    person = find_session(db, start(db, mother, now, home.id).token, now=now)
    sign_out_everywhere(db, person, actor=by_mother, keys=keys, now=now)
    assert told(db) == [("booking", "sessions.revoked")]


def test_a_household_is_named_by_its_pairwise_id_and_nobody_in_it(
    db, mother, father, home, delegation, by_mother, register, use, keys, now
):
    register("booking")
    register("elsewhere")
    use(mother, "booking", home.id)
    use(father, "elsewhere")
    case = ProxyCase(home.id, delegation.id)
    remove_proxy_alone(db, mother.id, case, actor=by_mother, keys=keys, now=now)
    assert told(db) == [("booking", "household.member_removed")]
    [(_, claims, _)] = tokens(db, keys, now)
    household = derive_subject(
        keys.subject_key, SubjectKind.HOUSEHOLD, sector="town", entity_id=home.id
    )
    assert claims["sub_id"] == {"format": "opaque", "id": household}
    assert claims["events"] == {f"{PREFIX}household.member_removed": {}}


def test_a37_a_new_proxy_is_told_to_those_who_know_the_household(
    db, mother, home, desk, post, register, use, keys, now
):
    register("booking")
    use(mother, "booking", home.id)
    add_proxy(db, desk, home.id, helpers.father(now=now), post=post, now=now)
    assert told(db) == [("booking", "household.member_added")]


def test_a_new_representative_of_a_known_household_is_told(
    db, town, mother, desk, post, register, use, keys, now
):
    register("booking")
    home = factories.make_household(
        db,
        now=now,
        municipality_id=town.id,
        representative=mother,
        application_number="R8-00417",
    )
    use(mother, "booking", home.id)
    db.execute(update(Membership).values(status=MembershipStatus.ENDED, ended_at=now))
    application = replace(helpers.family(children=()), proxies=(helpers.father(now=now),))
    intake = Intake(application, HouseholdChoice.EXISTING, IntakeWish.ISSUE)
    take_in(db, desk, intake, post=post, now=now)
    assert told(db) == [
        ("booking", "household.member_added"),
        ("booking", "household.representative_changed"),
    ]


@pytest.mark.parametrize("protected", ["mother", "father"])
def test_d3_of_a_household_with_somebody_protected_nothing_is_told(
    db, mother, father, home, delegation, by_mother, desk, register, use, keys, now, protected
):
    """Whichever side is protected: what a service knows of a household it shows to both."""
    register("hers")
    register("his")
    use(mother, "hers", home.id)
    use(father, "his", home.id)
    who = {"mother": mother, "father": father}[protected]
    set_protection(db, who.id, "申し出", actor=desk.actor, now=now)
    case = ProxyCase(home.id, delegation.id)
    remove_proxy_alone(db, mother.id, case, actor=by_mother, keys=keys, now=now)
    event = SecurityEvent.MEMBER_ADDED
    tell_of_household(db, event, home.id, who.id, keys=keys, now=now)
    assert told(db) == []


def test_d3_what_waits_is_not_told_once_somebody_is_protected(
    db, mother, home, desk, register, use, keys, now
):
    register("booking")
    use(mother, "booking", home.id)
    event = SecurityEvent.REPRESENTATIVE_CHANGED
    tell_of_household(db, event, home.id, mother.id, keys=keys, now=now)
    set_protection(db, mother.id, "申し出", actor=desk.actor, now=now)
    db.flush()
    row_id = db.scalar(select(OutboxMessage.id).where(OutboxMessage.name == event.value))
    due = open_due(db, row_id, issuer=ISSUER, keys=keys, now=now)
    assert due == Pointless(row_id, "not_to_be_told")


def test_d3_a_protected_person_is_told_of_to_her_own_services_alone(
    db, mother, father, home, delegation, desk, post, register, use, keys, now
):
    register("hers")
    register("his")
    use(mother, "hers", home.id)
    use(father, "his", home.id)
    set_protection(db, mother.id, "申し出", actor=desk.actor, now=now)
    wanted = AddressCase(Case(mother.id, "申し出"), "safe@example.jp")
    correct_address(db, desk, wanted, post=post, now=now)
    assert {client for client, _ in told(db)} == {"hers"}


def test_documents_are_told_to_the_services_of_the_municipality(db, town, register, keys, now):
    other = factories.make_municipality(db, now=now)
    register("here")
    register("for_all", municipality_id=None)
    register("there", municipality_id=other.id)
    changed = ChangedDocument(town.id, "terms", 4, now + timedelta(days=30))
    tell_of_document(db, changed, keys=keys, now=now)
    assert told(db) == [("for_all", "documents.changed"), ("here", "documents.changed")]
    claims = tokens(db, keys, now)[0][1]
    assert claims["sub_id"] == {"format": "uri", "uri": f"{ISSUER}/documents/terms"}
    assert claims["events"] == {
        f"{PREFIX}documents.changed": {
            "document": "terms",
            "version": 4,
            "effective_at": int((now + timedelta(days=30)).timestamp()),
        }
    }


@pytest.mark.parametrize(
    "details", [{}, wants("account.closed") | {"client_name": "x"}], ids=["none", "other"]
)
def test_who_wants_it_no_more_is_not_told(db, mother, register, use, keys, now, details):
    client = register("booking")
    use(mother, "booking")
    tell_of_person(db, SecurityEvent.EMAIL_CHANGED, mother.id, keys=keys, now=now)
    db.flush()
    kept = {
        name: value for name, value in client.details.items() if not name.startswith("kosodate_e")
    }
    db.execute(update(Client).values(details=kept | details, version=2))
    row_id = db.scalar(select(OutboxMessage.id))
    due = open_due(db, row_id, issuer=ISSUER, keys=keys, now=now)
    assert due == Pointless(row_id, "not_to_be_told")
