"""A new password in a session: what ends with the old one, what stays, and who wins a race."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import reading, transaction
from idp.domain.signin import attempts, limits
from idp.domain.signin.choosing import Chosen
from idp.domain.signin.devices import find_device
from idp.domain.signin.password_change import (
    ChangeDone,
    ChangePaused,
    ChangeTaken,
    CurrentWrong,
    change_password,
    judge_change,
    take_change,
)
from idp.domain.signin.passwords import PasswordFault, find_hash_of
from idp.domain.signin.recognition import find_session
from idp.domain.upkeep.audit import SYSTEM
from idp.model.grants import TokenFamily
from idp.model.people import PasswordCredential
from idp.model.upkeep import OutboxMessage
from tests import factories
from tests.domain.held import grant, start

NEW = "Tsukimi-77-dango"


@pytest.fixture
def sign_in(sessions, clock, mother):
    """Start a session; return it as it is found."""

    def run():
        with transaction(sessions) as db:
            started = start(db, mother, clock())
        with reading(sessions) as db:
            return find_session(db, started.token, now=clock())

    return run


@pytest.fixture
def take(sessions, clock):
    def run(person):
        with transaction(sessions) as db:
            return take_change(db, person, tries=5, lock=timedelta(minutes=30), now=clock())

    return run


@pytest.fixture
def change(sessions, clock, keys, hasher, take):
    """Change the password as the view does."""

    def run(person, new=NEW, current=factories.PASSWORD):
        judged = judge_change(take(person), current, new, hasher=hasher)
        if not isinstance(judged, Chosen):
            return judged
        with transaction(sessions) as db:
            return change_password(db, person, judged, actor=SYSTEM, keys=keys, now=clock())

    return run


def test_a24_se_04_other_sessions_and_tokens_end_and_this_one_stays(
    sessions, clock, mother, sign_in, change
):
    here, there = sign_in(), sign_in()
    with transaction(sessions) as db:
        kept = grant(db, mother, clock(), session_id=here.session_id).id
        gone = grant(db, mother, clock(), session_id=there.session_id).id
        offline = grant(db, mother, clock()).id
        device = factories.make_device(db, account_id=mother.id, now=clock(), trust_days=30)
    outcome = change(here)
    assert isinstance(outcome, ChangeDone)
    with reading(sessions) as db:
        assert find_session(db, outcome.session.token, now=clock()).session_id == here.session_id
        revoked = {row.id: row.revoke_reason for row in db.scalars(select(TokenFamily))}
        assert revoked[kept] is None
        assert revoked[gone] is not None
        assert revoked[offline] == "password_changed"
        assert not find_device(db, device, mother.id, now=clock()).is_trusted
        mails = db.scalars(select(OutboxMessage.name)).all()
    assert mails == ["password_changed"]


def test_b38_a_new_password_ends_the_locks_of_the_old_one(sessions, clock, mother, sign_in, change):
    counter = limits.lock_counter(
        limits.account_subject(mother.id), "address:x", tries=1, lock=timedelta(minutes=30)
    )
    with transaction(sessions) as db:
        attempts.reserve(db, counter, now=clock())
    assert isinstance(change(sign_in()), ChangeDone)
    with reading(sessions) as db:
        assert attempts.find_block(db, (counter,), now=clock()) is None


def test_pw_07_a_wrong_current_password_changes_nothing_and_is_counted(
    sessions, mother, sign_in, change, take
):
    person = sign_in()
    with reading(sessions) as db:
        before = find_hash_of(db, mother.id)
    for _ in range(5):
        assert change(person, current="Wrong-password-1") == CurrentWrong()
    assert isinstance(take(person), ChangePaused)
    with reading(sessions) as db:
        assert find_hash_of(db, mother.id) == before


@pytest.mark.parametrize(("minutes", "is_open"), [(29, False), (30, True)])
def test_pw_07_the_pause_ends_by_itself(clock, sign_in, take, minutes, is_open):
    person = sign_in()
    for _ in range(5):
        take(person)
    clock.advance(timedelta(minutes=minutes))
    assert isinstance(take(person), ChangeTaken) is is_open


def test_pw_05_a_huge_current_password_is_wrong_and_never_hashed(sign_in, take):
    class NoHasher:
        def verify(self, *_):
            raise AssertionError

    taken = take(sign_in())
    assert judge_change(taken, "x" * 1_000_000, NEW, hasher=NoHasher()) == CurrentWrong()


def test_a14_the_same_password_is_refused(sign_in, change):
    assert change(sign_in(), new=factories.PASSWORD) == (PasswordFault.SAME,)


def test_pw_07_of_many_changes_at_once_one_gets_through(
    sessions, clock, keys, hasher, mother, sign_in, take, race
):
    person = sign_in()
    taken = take(person)
    chosen = [
        judge_change(taken, factories.PASSWORD, f"{NEW}-{number}", hasher=hasher)
        for number in range(6)
    ]

    def run(number):
        with transaction(sessions) as db:
            return change_password(db, person, chosen[number], actor=SYSTEM, keys=keys, now=clock())

    outcomes = race(6, run)
    winners = [number for number, each in enumerate(outcomes) if isinstance(each, ChangeDone)]
    assert len(winners) == 1
    with reading(sessions) as db:
        assert db.get(PasswordCredential, mother.id).hash == chosen[winners[0]].hashed


def test_rs_05_a_reset_in_between_makes_the_change_void(
    sessions, clock, keys, hasher, mother, sign_in, take
):
    person = sign_in()
    chosen = judge_change(take(person), factories.PASSWORD, NEW, hasher=hasher)
    with transaction(sessions) as db:
        db.get(PasswordCredential, mother.id).hash = hasher.hash("Susuki-88-mangetsu")
    with transaction(sessions) as db:
        outcome = change_password(db, person, chosen, actor=SYSTEM, keys=keys, now=clock())
    assert outcome == CurrentWrong()
