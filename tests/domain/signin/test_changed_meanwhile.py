"""A sign-in and a new password at the same moment: what the old one opens does not stay open."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pyotp import TOTP
from sqlalchemy import select, text

from idp.db.session import transaction
from idp.domain.signin import interactions
from idp.domain.signin.interactions import DeviceUse
from idp.domain.signin.login import Typed, prepare_login, verify_login
from idp.domain.signin.login_outcome import WrongCredentials, record_login
from idp.domain.signin.new_password import take_new_password
from idp.domain.signin.passwords import find_hash_of
from idp.domain.signin.second_step import NoStepOpen, Taken, TypedCode, judge, send_again, take
from idp.model.households import SecondStep
from idp.model.people import Door, PasswordCredential
from idp.model.upkeep import OutboxMessage
from tests import factories
from tests.hashers import make_hasher

NEW = "Tampopo-77-harappa"


@pytest.fixture
def town(sessions, clock):
    with transaction(sessions) as db:
        return factories.make_municipality(db, now=clock(), second_step=SecondStep.USER_CHOICE)


@pytest.mark.parametrize("is_outdated", [False, True], ids=["today's hash", "an older hash"])
def test_se_04_a_sign_in_waits_for_a_new_password_and_is_then_refused(
    sessions, clock, setup, keys, hasher, visitor, mother, open_walk, somebody_waits, is_outdated
):
    if is_outdated:
        with transaction(sessions) as db:
            older = make_hasher(older=True).hash(factories.PASSWORD)
            db.get(PasswordCredential, mother.id).hash = older
    typed = Typed(door=Door.FAMILY, login_id=mother.login_id, password=factories.PASSWORD)
    with transaction(sessions) as db:
        prepared = prepare_login(db, typed, visitor, setup=setup, now=clock())
    verified, walk, new = verify_login(prepared, hasher=hasher), open_walk(), hasher.hash(NEW)

    def sign_in():
        with transaction(sessions) as db:
            return record_login(db, verified, walk, visitor, setup=setup, now=clock())

    with ThreadPoolExecutor(1) as pool:
        with transaction(sessions) as db:
            take_new_password(db, mother.id, new, keys=keys, now=clock())
            db.flush()
            signing_in = pool.submit(sign_in)
            while not somebody_waits():
                assert not signing_in.done()
        assert isinstance(signing_in.result(), WrongCredentials)
    with transaction(sessions) as db:
        assert find_hash_of(db, mother.id) == new
        assert db.scalar(text("SELECT count(*) FROM browser_session")) == 0


@pytest.mark.parametrize("has_app", [False, True], ids=["mail", "app"])
def test_se_04_a_code_does_not_finish_what_the_old_password_began(
    sessions, clock, setup, keys, hasher, visitor, mother, open_walk, has_app
):
    walk = open_walk(browser_token="the browser")
    with transaction(sessions) as db:
        if has_app:
            factories.make_totp(db, account_id=mother.id, keys=keys, now=clock())
        interactions.record_password(db, walk.id, mother.id, use=DeviceUse.OWN, now=clock())
        half = interactions.find_walk(db, walk.id, "the browser", now=clock())
        send_again(db, half, setup=setup, now=clock())
    code = TOTP(factories.TOTP_SEED).at(clock()) if has_app else newest_code(sessions, keys)
    typed = TypedCode(text=code)
    with transaction(sessions) as db:
        taken = take(db, half, typed, setup=setup, now=clock())
    assert isinstance(taken, Taken)
    clock.advance(timedelta(seconds=1))
    with transaction(sessions) as db:
        take_new_password(db, mother.id, hasher.hash(NEW), keys=keys, now=clock())
    with transaction(sessions) as db:
        assert judge(db, taken, typed, visitor, setup=setup, now=clock()) == NoStepOpen()


def newest_code(sessions, keys):
    with transaction(sessions) as db:
        mail = db.scalars(select(OutboxMessage).where(OutboxMessage.name == "login_code")).one()
        body = keys.sealer.unseal(mail.sealed_body, context=f"outbox:{mail.id}")
    return json.loads(body)["facts"]["code"]
