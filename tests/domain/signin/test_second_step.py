"""The second step: which one, what it makes of a walk, and what nobody can skip."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from pyotp import TOTP
from sqlalchemy import func, select

from idp.db.session import transaction
from idp.domain.people import accounts
from idp.domain.signin import completion, devices, interactions, walking
from idp.domain.signin.candidates import find_candidate
from idp.domain.signin.code_mails import CodeNotSent, CodeSent
from idp.domain.signin.code_page import look_at_code
from idp.domain.signin.completion import SignedInWhole
from idp.domain.signin.found_walks import find_whole_walk
from idp.domain.signin.interactions import DeviceUse
from idp.domain.signin.mailed_codes import NoCode
from idp.domain.signin.policy import StepKind
from idp.domain.signin.recognition import find_session
from idp.domain.signin.second_step import (
    NoStepOpen,
    Taken,
    TypedCode,
    WrongCode,
    judge,
    open_step,
    send_again,
    take,
)
from idp.domain.signin.sessions import SessionLimits
from idp.domain.signin.setup import Setup
from idp.domain.signin.signout import sign_out, sign_out_everywhere
from idp.domain.upkeep.audit import Actor
from idp.model.people import Account, PasswordCredential
from idp.model.signin import BrowserSession, SessionEnd
from idp.model.upkeep import AuditEvent, OutboxMessage
from idp.protocol.acr import Acr
from idp.protocol.interaction import ActingFor, Answer, Code, Consent, Login, Refusal, Refuse
from tests import factories

BROWSER = "the browser"


@pytest.fixture
def half(sessions, clock, setup, open_walk, mother):
    """Open a walk in which a person's password was right, with a code in her mailbox."""

    def run(account=mother, *, use=DeviceUse.OWN, **columns):
        # The newest mail is told by its time.
        clock.advance(timedelta(seconds=1))
        walk = open_walk(browser_token=BROWSER, **columns)
        with transaction(sessions) as db:
            interactions.record_password(db, walk.id, account.id, use=use, now=clock())
            found = interactions.find_walk(db, walk.id, BROWSER, now=clock())
            send_again(db, found, setup=setup, now=clock())
        return found

    return run


@pytest.fixture
def code(sessions, keys):
    """Return the newest mailed code."""

    def run():
        with transaction(sessions) as db:
            mail = db.scalars(
                select(OutboxMessage)
                .where(OutboxMessage.name == "login_code")
                .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
            ).first()
            body = keys.sealer.unseal(mail.sealed_body, context=f"outbox:{mail.id}")
        return json.loads(body)["facts"]["code"]

    return run


@pytest.fixture
def enter(sessions, clock, setup, visitor):
    def run(walk, text, *, browser=visitor, **changes):
        typed = TypedCode(text=text, **changes)
        with transaction(sessions) as db:
            taken = take(db, walk, typed, setup=setup, now=clock())
        if not isinstance(taken, Taken):
            return taken
        with transaction(sessions) as db:
            return judge(db, taken, typed, browser, setup=setup, now=clock())

    return run


@pytest.fixture
def person_of(sessions, clock):
    def run(token):
        with transaction(sessions) as db:
            return find_session(db, token, now=clock())

    return run


@pytest.fixture
def look(sessions, clock, setup):
    """Ask the dispatcher's question about a walk."""

    def run(walk, token=None):
        with transaction(sessions) as db:
            found = find_whole_walk(db, walk.id, BROWSER, now=clock())
            return walking.look(db, found, token, setup=setup, now=clock())

    return run


@pytest.fixture
def sign_in(half, code, enter):
    def run(*, browser=None, trusts_device=False, **changes):
        walk = half(**changes)
        facts = {"browser": browser} if browser else {}
        return enter(walk, code(), trusts_device=trusts_device, **facts)

    return run


def test_a21_b31_the_mailed_code_makes_a_session_that_claims_no_more(half, code, enter, person_of):
    outcome = enter(half(), code())
    assert isinstance(outcome, SignedInWhole)
    person = person_of(outcome.token)
    assert person.acr == Acr.MAILED_CODE
    assert person.amr == ("pwd", "otp")
    assert "mfa" not in person.amr


def test_a_code_of_the_app_is_worth_more_than_a_mail(
    sessions, clock, keys, mother, half, enter, person_of
):
    with transaction(sessions) as db:
        factories.make_totp(db, account_id=mother.id, keys=keys, now=clock())
    outcome = enter(half(), TOTP(factories.TOTP_SEED).at(clock()))
    person = person_of(outcome.token)
    assert (person.acr, person.amr) == (Acr.MULTI_FACTOR, ("pwd", "otp", "mfa"))


def test_ot_06_twenty_right_codes_at_once_make_one_session(sessions, half, code, enter, race):
    walk, right = half(), code()
    outcomes = race(20, lambda _number: enter(walk, right))
    assert sum(isinstance(each, SignedInWhole) for each in outcomes) == 1
    with transaction(sessions) as db:
        assert db.scalar(select(func.count()).select_from(BrowserSession)) == 1


def test_ot_13_a_walk_without_a_password_waits_for_no_code(open_walk, enter, look):
    walk = open_walk(browser_token=BROWSER)
    assert enter(walk, "123456") == NoStepOpen()
    assert look(walk).step == Login()


def test_ot_13_a_walk_that_is_signed_in_waits_for_no_code_any_more(
    sessions, clock, half, code, enter
):
    walk, right = half(), code()
    enter(walk, right)
    with transaction(sessions) as db:
        after = interactions.find_walk(db, walk.id, BROWSER, now=clock())
        assert open_step(db, after, now=clock()) is None
    assert enter(after, right) == NoStepOpen()


def test_ot_10_an_empty_code_is_not_counted_for_the_app_either(
    sessions, clock, keys, mother, half, enter
):
    with transaction(sessions) as db:
        factories.make_totp(db, account_id=mother.id, keys=keys, now=clock())
    walk = half()
    for _ in range(30):
        assert enter(walk, "") == NoCode()
    assert isinstance(enter(walk, TOTP(factories.TOTP_SEED).at(clock())), SignedInWhole)


def test_se_06_the_dispatcher_asks_a_half_sign_in_for_the_code(half, look):
    assert look(half()).step == Code()


def test_se_06_an_older_session_of_another_person_does_not_finish_a_half_sign_in(
    sessions, clock, town, sign_in, half, look
):
    before = sign_in()
    with transaction(sessions) as db:
        father = factories.make_account(db, now=clock(), municipality_id=town.id)
    walk = half(father)
    assert look(walk, before.token).step == Code()


def test_se_04_a_password_changed_meanwhile_ends_a_half_sign_in(
    sessions, clock, mother, half, code, enter, look
):
    walk, right = half(), code()
    with transaction(sessions) as db:
        clock.advance(timedelta(seconds=1))
        db.get(PasswordCredential, mother.id).changed_at = clock()
    assert enter(walk, right) == NoStepOpen()
    assert look(walk).step == Login()


def test_se_05_a_suspension_ends_a_half_sign_in(sessions, clock, mother, half, code, enter, look):
    walk, right = half(), code()
    with transaction(sessions) as db:
        accounts.suspend(db, mother.id, now=clock())
    assert enter(walk, right) == NoStepOpen()
    assert look(walk).step == Login()


def test_se_01_signing_in_again_gives_a_new_token_and_keeps_the_services(
    sign_in, person_of, visitor, clock
):
    first = sign_in()
    person = person_of(first.token)
    clock.advance(timedelta(minutes=1))
    again = sign_in(browser=replace(visitor, person=person))
    assert again.token != first.token
    assert again.session_id == first.session_id
    assert person_of(first.token) is None
    assert person_of(again.token).authenticated_at == clock()


def test_se_01_another_person_at_the_same_browser_ends_the_first_session(
    sessions, clock, town, sign_in, person_of, visitor
):
    hers = sign_in()
    with transaction(sessions) as db:
        father = factories.make_account(db, now=clock(), municipality_id=town.id)
    browser = replace(visitor, person=person_of(hers.token))
    his = sign_in(account=father, browser=browser)
    assert person_of(hers.token) is None
    assert person_of(his.token).account_id == father.id
    with transaction(sessions) as db:
        ended = db.get(BrowserSession, hers.session_id)
        assert ended.end_reason is SessionEnd.REPLACED


def test_a24_a_first_sign_in_tells_of_no_new_device_and_a_second_browser_does(
    sessions, sign_in, visitor
):
    first = sign_in()
    hers = replace(visitor, device_token=first.device_token)
    sign_in(browser=hers)
    with transaction(sessions) as db:
        names = list(db.scalars(select(OutboxMessage.name)))
    assert "new_device" not in names
    sign_in(browser=replace(visitor, label="Chrome (Windows)"))
    with transaction(sessions) as db:
        names = list(db.scalars(select(OutboxMessage.name)))
    assert names.count("new_device") == 1


def test_b18_a_shared_device_is_not_remembered_and_idles_five_minutes(
    sessions, clock, sign_in, person_of, mother
):
    outcome = sign_in(use=DeviceUse.SHARED)
    assert outcome.device_token is None
    assert person_of(outcome.token).shared_device
    with transaction(sessions) as db:
        assert devices.list_devices(db, mother.id, now=clock()) == ()
    clock.advance(timedelta(minutes=5))
    assert person_of(outcome.token) is None


@pytest.mark.parametrize(
    ("days", "use", "expected"),
    [(7, DeviceUse.OWN, True), (0, DeviceUse.OWN, False), (7, DeviceUse.SHARED, False)],
)
def test_b17_a_device_is_trusted_only_where_it_is_offered_and_never_a_shared_one(
    sessions, clock, sign_in, mother, town, days, use, expected
):
    with transaction(sessions) as db:
        db.get(type(town), town.id).trusted_device_days = days
    outcome = sign_in(trusts_device=True, use=use)
    with transaction(sessions) as db:
        device = devices.find_device(db, outcome.device_token, mother.id, now=clock())
    assert (device is not None and device.is_trusted) is expected


def test_b17_the_page_offers_trust_as_the_municipality_allows_it(
    sessions, clock, setup, half, town
):
    walk = half()
    with transaction(sessions) as db:
        assert look_at_code(db, walk, setup=setup, now=clock()).trust_days == 0
        db.get(type(town), town.id).trusted_device_days = 14
    shared = half(use=DeviceUse.SHARED)
    with transaction(sessions) as db:
        assert look_at_code(db, walk, setup=setup, now=clock()).trust_days == 14
        assert look_at_code(db, shared, setup=setup, now=clock()).trust_days == 0


def test_a21_the_page_shows_a_masked_address_and_the_wait(sessions, clock, setup, half):
    walk = half()
    clock.advance(timedelta(seconds=10))
    with transaction(sessions) as db:
        seen = look_at_code(db, walk, setup=setup, now=clock())
    assert seen.masked_mail == "mi***@ex***.jp"
    assert (seen.kind, seen.minutes, seen.resend_wait_seconds) == ("mail", 10, 20)


def test_ot_11_send_again_obeys_the_cool_down(sessions, clock, setup, half):
    walk = half()
    with transaction(sessions) as db:
        assert isinstance(send_again(db, walk, setup=setup, now=clock()), CodeNotSent)
        clock.advance(timedelta(seconds=30))
        assert isinstance(send_again(db, walk, setup=setup, now=clock()), CodeSent)


def test_ot_11_nobody_sends_mails_from_a_walk_that_waits_for_no_code(
    sessions, clock, setup, open_walk
):
    with transaction(sessions) as db:
        assert send_again(db, open_walk(), setup=setup, now=clock()) == NoStepOpen()


def test_b20_a_finished_walk_is_answered_once(sign_in, sessions, clock, look, half, code, enter):
    walk = half()
    outcome = enter(walk, code())
    assert look(walk, outcome.token).step == Answer()
    assert look(walk, outcome.token) == walking.WalkOver()


def test_a_denied_walk_is_refused(sessions, clock, half, look):
    walk = half()
    with transaction(sessions) as db:
        interactions.record_denial(db, walk.id, now=clock())
    assert look(walk).step == Refuse(Refusal.ACCESS_DENIED)


def test_az_11_prompt_login_asks_again_and_going_back_does_not_skip_it(
    sign_in, half, open_walk, look, code, enter, visitor, person_of
):
    outcome = sign_in()
    walk = open_walk(browser_token=BROWSER, request={"prompt": ["login"]})
    for _ in range(3):
        assert look(walk, outcome.token).step == Login()
    again = half(request={"prompt": ["login"]})
    browser = replace(visitor, person=person_of(outcome.token))
    renewed = enter(again, code(), browser=browser)
    assert look(again, renewed.token).step == Answer()


@pytest.mark.parametrize(("seconds", "step"), [(59, Answer()), (60, Login())])
def test_az_11_max_age_asks_again_at_its_second(sign_in, open_walk, look, clock, seconds, step):
    outcome = sign_in()
    clock.advance(timedelta(seconds=seconds))
    walk = open_walk(browser_token=BROWSER, request={"max_age": 60, "prompt": []})
    assert look(walk, outcome.token).step == step


def test_az_11_max_age_zero_always_asks(sign_in, open_walk, look):
    outcome = sign_in()
    walk = open_walk(browser_token=BROWSER, request={"max_age": 0})
    assert look(walk, outcome.token).step == Login()


@pytest.mark.parametrize(
    ("state", "error"),
    [("signed out", Refusal.LOGIN_REQUIRED), ("code pending", Refusal.LOGIN_REQUIRED)],
)
def test_az_12_prompt_none_never_shows_a_page(half, open_walk, look, state, error):
    request = {"prompt": ["none"]}
    walk = open_walk(browser_token=BROWSER, request=request)
    if state == "code pending":
        walk = half(request=request)
    assert look(walk).step == Refuse(error)


def test_az_12_prompt_none_with_a_choice_of_households_is_refused(
    sessions, clock, town, mother, sign_in, open_walk, look
):
    outcome = sign_in()
    with transaction(sessions) as db:
        for _ in range(2):
            factories.make_household(
                db, now=clock(), municipality_id=town.id, representative=mother
            )
    asked = open_walk(browser_token=BROWSER)
    assert look(asked, outcome.token).step == ActingFor()
    silent = open_walk(browser_token=BROWSER, request={"prompt": ["none"]})
    assert look(silent, outcome.token).step == Refuse(Refusal.INTERACTION_REQUIRED)


def test_a_person_of_one_household_acts_for_it_without_being_asked(
    sessions, clock, town, mother, sign_in, open_walk, look, person_of
):
    outcome = sign_in()
    with transaction(sessions) as db:
        home = factories.make_household(
            db, now=clock(), municipality_id=town.id, representative=mother
        )
    assert person_of(outcome.token).household_id is None
    found = look(open_walk(browser_token=BROWSER), outcome.token)
    assert found.step == Answer()
    assert found.person.household_id == home.id
    assert found.person.role_label_key == "common.role.representative"
    assert person_of(sign_in().token).household_id == home.id


def test_a_service_that_asks_for_more_than_the_session_has_gets_a_second_step(
    sessions, clock, setup, town, mother, visitor, open_walk, look, enter, code, person_of
):
    walk = open_walk(browser_token=BROWSER)
    with transaction(sessions) as db:
        person = find_candidate(db, mother.id, now=clock())
        proved = completion.Authentication(person, StepKind.NONE)
        weak = completion.complete_sign_in(db, walk.id, proved, visitor, setup=setup, now=clock())
    before = person_of(weak.token)
    clock.advance(timedelta(minutes=5))
    request = {"acr_values": [Acr.MAILED_CODE.value]}
    asked = open_walk(browser_token=BROWSER, request=request)
    assert look(asked, weak.token).step == Code()
    with transaction(sessions) as db:
        asked = interactions.find_walk(db, asked.id, BROWSER, now=clock())
    strong = enter(asked, code(), browser=replace(visitor, person=before))
    after = person_of(strong.token)
    assert after.acr == Acr.MAILED_CODE
    assert after.authenticated_at == before.authenticated_at
    assert after.expires_at == before.expires_at
    assert person_of(weak.token) is None
    assert look(asked, strong.token).step == Answer()


def test_a_service_that_asks_for_what_a_person_cannot_give_gets_what_there_is(
    sign_in, open_walk, look
):
    outcome = sign_in()
    walk = open_walk(browser_token=BROWSER, request={"acr_values": ["phr"]})
    assert look(walk, outcome.token).step == Answer()


def test_for_a_service_that_is_gone_nothing_counts_as_consented(sign_in, open_walk, look):
    outcome = sign_in()
    walk = open_walk(browser_token=BROWSER, client_id="nobody", request={"scope": "openid"})
    assert look(walk, outcome.token).step == Consent()


def test_a08_a_session_of_the_other_door_is_nobody_in_this_walk(sign_in, open_walk, look):
    outcome = sign_in()
    walk = open_walk(browser_token=BROWSER, purpose=interactions.STAFF)
    assert look(walk, outcome.token).step == Login()


def test_b19_signing_out_ends_the_session_once(sessions, clock, keys, sign_in, person_of):
    outcome = sign_in()
    person = person_of(outcome.token)
    actor = Actor(kind="account", account_id=person.account_id)
    for _ in range(2):
        with transaction(sessions) as db:
            sign_out(db, person, actor=actor, keys=keys, now=clock())
    assert person_of(outcome.token) is None
    with transaction(sessions) as db:
        names = list(db.scalars(select(AuditEvent.name)))
    assert names.count("signout") == 1


def test_b19_signing_out_everywhere_ends_every_session_and_every_trust(
    sessions, clock, keys, sign_in, person_of, town, mother
):
    with transaction(sessions) as db:
        db.get(type(town), town.id).trusted_device_days = 7
    phone, laptop = sign_in(trusts_device=True), sign_in()
    person = person_of(phone.token)
    actor = Actor(kind="account", account_id=person.account_id)
    with transaction(sessions) as db:
        sign_out_everywhere(db, person, actor=actor, keys=keys, now=clock())
        device = devices.find_device(db, phone.device_token, mother.id, now=clock())
        assert not device.is_trusted
    assert person_of(phone.token) is None
    assert person_of(laptop.token) is None


def test_ot_12_codes_are_audited_without_the_code(sessions, mother, half, code, enter):
    walk, right = half(), code()
    wrong = "000000" if right != "000000" else "000001"
    assert enter(walk, wrong) == WrongCode(tries_left=4)
    assert isinstance(enter(walk, right), SignedInWhole)
    with transaction(sessions) as db:
        rows = db.scalars(select(AuditEvent)).all()
    assert sorted(row.name for row in rows) == ["signin.code_failed", "signin.succeeded"]
    assert {row.subject_id for row in rows} == {mother.id}
    written = repr([(row.reason, row.detail) for row in rows])
    assert wrong not in written
    assert right not in written


def test_the_last_sign_in_is_remembered(sessions, clock, mother, sign_in):
    sign_in()
    with transaction(sessions) as db:
        assert db.get(Account, mother.id).last_sign_in_at == clock()


def test_b17_kept_sessions_last_their_days_where_the_installation_offers_it(
    sessions, clock, keys, visitor, mother, half, person_of
):
    setup = Setup(keys=keys, sessions=SessionLimits(kept=timedelta(days=30)))
    walk = half(use=DeviceUse.KEPT)
    with transaction(sessions) as db:
        person = find_candidate(db, mother.id, now=clock())
        proved = completion.Authentication(person, StepKind.MAIL, walk.device_use)
        kept = completion.complete_sign_in(db, walk.id, proved, visitor, setup=setup, now=clock())
    assert kept.cookie_lifetime == timedelta(days=30)
    clock.advance(timedelta(days=30) - timedelta(microseconds=1))
    assert person_of(kept.token) is not None
    clock.advance(timedelta(microseconds=1))
    assert person_of(kept.token) is None


def test_b17_without_the_offer_a_forged_tick_keeps_nothing(sign_in, clock, person_of):
    outcome = sign_in(use=DeviceUse.KEPT)
    assert outcome.cookie_lifetime is None
    clock.advance(timedelta(minutes=60))
    assert person_of(outcome.token) is None


def test_ot_11_sending_again_and_typing_at_the_same_moment_never_block_each_other(
    sessions, clock, setup, half, code, enter, race
):
    walk, right = half(), code()
    clock.advance(timedelta(seconds=30))

    def act(number):
        if number % 2:
            return enter(walk, right)
        with transaction(sessions) as db:
            return send_again(db, walk, setup=setup, now=clock())

    outcomes = race(10, act)
    assert sum(isinstance(each, SignedInWhole) for each in outcomes) == 1
    assert sum(isinstance(each, CodeSent) for each in outcomes) <= 1
