"""What staff do to an account: suspension, lock, address, recovery at the counter."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.base.ids import new_id
from idp.domain.people.accounts import find_usable
from idp.domain.people.protection import set_protection
from idp.domain.signin import limits
from idp.domain.signin.attempts import find_block, reserve
from idp.domain.signin.recognition import find_session
from idp.domain.staff.control import (
    LONGEST_REASON,
    AddressCase,
    Case,
    Change,
    Outcome,
    change,
    correct_address,
)
from idp.domain.staff.dossier import view_person
from idp.domain.staff.recovery import (
    CounterCheck,
    DocumentKind,
    IdentityFact,
    RecoveryOutcome,
    recover,
)
from idp.model.people import Account, AccountStatus, CredentialState, ProofingEvent
from idp.model.signin import OneTimeSecret, PasswordReset, SecretKind
from idp.model.upkeep import AuditEvent, OutboxMessage, OutboxState
from tests.domain.held import grant, start
from tests.domain.staff.helpers import acts, mails
from tests.factories import make_account

REASON = "窓口での申し出"


@pytest.fixture
def person(db, town, now):
    return make_account(
        db, now=now, municipality_id=town.id, email="old@example.jp", email_verified_at=now
    )


def do(db, desk, wanted, person, post, now, reason=REASON):
    return change(db, desk, wanted, Case(person.id, reason), post=post, now=now)


def test_px_03_a_suspension_ends_sessions_and_tokens_at_once(db, desk, person, post, now):
    session = start(db, person, now)
    tokens = grant(db, person, now)
    assert do(db, desk, Change.SUSPEND, person, post, now) is Outcome.DONE
    assert find_usable(db, person.id, now=now) is None
    db.refresh(tokens)
    assert tokens.revoked_at == now
    assert find_session(db, session.token, now=now) is None


def test_a42_a_suspended_account_can_be_resumed(db, desk, person, post, now):
    do(db, desk, Change.SUSPEND, person, post, now)
    assert do(db, desk, Change.RESUME, person, post, now) is Outcome.DONE
    assert do(db, desk, Change.RESUME, person, post, now) is Outcome.NOT_NOW
    assert find_usable(db, person.id, now=now) is not None


def test_px_08_a_closed_account_ends_everything(db, desk, person, post, now):
    tokens = grant(db, person, now)
    assert do(db, desk, Change.CLOSE, person, post, now) is Outcome.DONE
    assert do(db, desk, Change.CLOSE, person, post, now) is Outcome.NOT_NOW
    db.refresh(tokens)
    assert tokens.revoked_at == now


def test_b37_staff_lift_a_lock(db, desk, person, post, now):
    subject = limits.account_subject(person.id)
    counter = limits.lock_counter(subject, "address:x", tries=1, lock=timedelta(minutes=30))
    reserve(db, counter, now=now)
    assert find_block(db, [counter], now=now) is not None
    seen = view_person(db, desk, person.id, now=now)
    assert seen.locked_until == now + timedelta(minutes=30)
    assert do(db, desk, Change.UNLOCK, person, post, now) is Outcome.DONE
    assert find_block(db, [counter], now=now) is None


def test_a07_unlocking_opens_a_stopped_activation_again(db, desk, person, post, now):
    person.activation_stopped_at = now
    db.flush()
    do(db, desk, Change.UNLOCK, person, post, now)
    db.refresh(person)
    assert person.activation_stopped_at is None


@pytest.mark.parametrize("wanted", list(Change))
@pytest.mark.parametrize("reason", ["", "  ", "x" * (LONGEST_REASON + 1), "a\nb"])
def test_tn_07_a_change_needs_a_reason(db, desk, person, post, now, wanted, reason):
    assert do(db, desk, wanted, person, post, now, reason) is Outcome.REASON


@pytest.mark.parametrize("wanted", list(Change))
def test_tn_04_another_towns_staff_change_nobody(db, far_desk, person, post, now, wanted):
    assert do(db, far_desk, wanted, person, post, now) is Outcome.UNKNOWN
    db.refresh(person)
    assert person.status is AccountStatus.ACTIVE
    assert acts(db, person.id) == ["staff.refused"]


@pytest.mark.parametrize("wanted", list(Change))
def test_tn_04_staff_do_not_change_a_colleague(db, desk, clerk, post, now, wanted):
    assert do(db, desk, wanted, clerk, post, now) is Outcome.UNKNOWN


def test_lg_04_every_change_is_written_down_with_its_reason(db, desk, clerk, person, post, now):
    for wanted in (Change.SUSPEND, Change.RESUME, Change.UNLOCK, Change.CLOSE):
        do(db, desk, wanted, person, post, now)
    db.flush()
    rows = db.scalars(select(AuditEvent).where(AuditEvent.subject_id == person.id)).all()
    assert {row.name for row in rows} == {
        "account.suspended",
        "account.resumed",
        "account.unlocked",
        "account.closed",
    }
    assert {(row.actor_id, row.reason, row.address) for row in rows} == {
        (clerk.id, REASON, "192.0.2.7")
    }


def secret(db, person, now):
    row = OneTimeSecret(
        id=new_id(now=now),
        kind=SecretKind.RESET_LINK,
        account_id=person.id,
        digest=b"d" * 32,
        email_key=person.email_key,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    reset = PasswordReset(
        id=new_id(now=now),
        browser_digest=b"b" * 32,
        account_id=person.id,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    db.add_all([row, reset])
    db.flush()
    return row, reset


def correct(db, desk, person, post, now, email="new@example.jp"):
    case = AddressCase(Case(person.id, REASON), email)
    return correct_address(db, desk, case, post=post, now=now)


def test_a43_a_corrected_address_voids_what_was_mailed_to_the_old_one(
    db, desk, person, post, keys, now
):
    row, reset = secret(db, person, now)
    session = start(db, person, now)
    assert correct(db, desk, person, post, now) is Outcome.DONE
    for each in (row, reset, person):
        db.refresh(each)
    assert row.superseded_at == now
    assert reset.expires_at == now
    assert (person.email, person.login_id) == ("new@example.jp", "new@example.jp")
    assert find_session(db, session.token, now=now) is None


def test_a43_the_notice_goes_to_the_new_address_and_a_word_to_the_old(
    db, desk, person, post, keys, now
):
    correct(db, desk, person, post, now)
    assert [(name, to) for name, _, to in mails(db, keys)] == [
        ("account_issued", None),
        ("email_changed", "old@example.jp"),
    ]


def test_d3_nobody_is_told_at_the_old_address_of_a_protected_person(
    db, desk, person, post, keys, now
):
    set_protection(db, person.id, "支援措置", actor=desk.actor, now=now)
    correct(db, desk, person, post, now)
    assert [name for name, _, _ in mails(db, keys)] == ["account_issued"]


def test_a43_mails_with_secrets_that_still_wait_are_dropped(db, desk, person, post, now):
    waiting = OutboxMessage(
        id=new_id(now=now),
        kind="mail",
        name="password_link",
        account_id=person.id,
        next_try_at=now,
        created_at=now,
        sealed_body=b"x",
    )
    db.add(waiting)
    db.flush()
    correct(db, desk, person, post, now)
    db.refresh(waiting)
    assert (waiting.state, waiting.sealed_body) == (OutboxState.DROPPED, None)


def test_a43_the_same_address_changes_nothing(db, desk, person, post, keys, now):
    assert correct(db, desk, person, post, now, "old@example.jp") is Outcome.NOT_NOW
    assert mails(db, keys) == []


def check(person, **changes):
    values = {
        "case": Case(person.id, REASON),
        "facts": frozenset({IdentityFact.NAME, IdentityFact.CHILD_BIRTHDATE}),
        "document": DocumentKind.DRIVING_LICENCE,
    }
    return CounterCheck(**(values | changes))


def test_b25_b27_help_at_the_counter_mails_the_notice_and_sets_no_password(
    db, desk, person, post, keys, now
):
    assert recover(db, desk, check(person), post=post, now=now) is RecoveryOutcome.DONE
    db.refresh(person)
    assert person.credential_state is CredentialState.RESET_REQUIRED
    [(name, facts, _)] = mails(db, keys)
    assert name == "account_issued"
    assert facts == {"reset_page_url": post.reset_page_url, "login_id": None}


def test_b25_help_at_the_counter_corrects_a_forgotten_address(db, desk, person, post, now):
    wanted = check(person, email="remembered@example.jp")
    assert recover(db, desk, wanted, post=post, now=now) is RecoveryOutcome.DONE
    db.refresh(person)
    assert (person.email, person.email_verified_at) == ("remembered@example.jp", None)


def test_b10_b26_what_was_checked_is_written_down_by_kind_only(db, desk, clerk, person, post, now):
    recover(db, desk, check(person), post=post, now=now)
    db.flush()
    [proof] = db.scalars(select(ProofingEvent))
    assert (proof.account_id, proof.staff_id) == (person.id, clerk.id)
    assert (proof.method, proof.document_kind) == ("counter", "driving_licence")
    [row] = db.scalars(select(AuditEvent).where(AuditEvent.name == "account.recovered_at_counter"))
    assert row.reason == REASON
    assert row.detail == {"facts": "child_birthdate name", "document": "driving_licence"}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"facts": frozenset({IdentityFact.NAME})}, RecoveryOutcome.TOO_FEW_FACTS),
        ({"facts": frozenset()}, RecoveryOutcome.TOO_FEW_FACTS),
        ({"document": None}, RecoveryOutcome.NO_DOCUMENT),
    ],
)
def test_b26_too_little_was_checked(db, desk, person, post, keys, now, changes, outcome):
    assert recover(db, desk, check(person, **changes), post=post, now=now) is outcome
    assert mails(db, keys) == []


def test_b26_help_needs_a_reason(db, desk, person, post, now):
    wanted = check(person, case=Case(person.id, ""))
    assert recover(db, desk, wanted, post=post, now=now) is RecoveryOutcome.REASON


def test_b27_a_person_without_an_address_needs_one(db, desk, town, post, now):
    nobody = make_account(
        db,
        now=now,
        municipality_id=town.id,
        email=None,
        login_id=None,
        password=None,
        status=AccountStatus.ISSUED,
    )
    assert recover(db, desk, check(nobody), post=post, now=now) is RecoveryOutcome.NO_ADDRESS
    wanted = check(nobody, email="late@example.jp")
    assert recover(db, desk, wanted, post=post, now=now) is RecoveryOutcome.DONE
    assert db.get_one(Account, nobody.id).login_id == "late@example.jp"


def test_b27_a_suspended_account_is_not_helped_past_its_suspension(db, desk, person, post, now):
    do(db, desk, Change.SUSPEND, person, post, now)
    assert recover(db, desk, check(person), post=post, now=now) is RecoveryOutcome.NOT_NOW


def test_tn_04_another_towns_staff_help_nobody(db, far_desk, person, post, keys, now):
    outcome = recover(db, far_desk, check(person), post=post, now=now)
    assert outcome is RecoveryOutcome.UNKNOWN
    assert mails(db, keys) == []
