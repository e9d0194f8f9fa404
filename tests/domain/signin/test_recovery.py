"""Setting a password by mail: asked neutrally, opened once, finished without a sign-in."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.db.session import reading, transaction
from idp.domain.people import accounts
from idp.domain.recovery.activation import (
    ActivationStopped,
    FactRight,
    FactTaken,
    FactWrong,
    ToldFact,
    judge_fact,
    take_fact,
)
from idp.domain.recovery.asking import AskedTooOften, ResetAsked, ask, ask_again
from idp.domain.recovery.finishing import ResetDone, ResetGone, finish
from idp.domain.recovery.opening import (
    CodeTaken,
    CodeUsedUp,
    CodeWrong,
    DeadLink,
    NoCode,
    ResetOpened,
    is_live_link,
    judge_code,
    open_by_link,
    take_code,
)
from idp.domain.recovery.rules import ResetSetup
from idp.domain.recovery.standing import find_asked, find_open
from idp.domain.signin.choosing import choose_password, look_at_choice
from idp.domain.signin.passwords import find_hash_of
from idp.model.people import Account, AccountStatus, CredentialState
from idp.model.signin import OneTimeSecret, PasswordReset
from idp.model.upkeep import AuditEvent, OutboxMessage
from tests import factories
from tests.hashers import make_hasher

PAGE = "https://id.kakuu.example.jp/password/reset/link"
NEW = "Tz-3958-pghv"


@pytest.fixture
def reset_setup(keys):
    return ResetSetup(keys=keys, link_page_url=PAGE)


@pytest.fixture
def newcomer(sessions, clock, town):
    with transaction(sessions) as db:
        return factories.make_newcomer(db, now=clock(), municipality_id=town.id)


@pytest.fixture
def mails(sessions, keys):
    """Return (account, facts) of every mail with a link, the oldest first."""

    def run(name="password_link"):
        with reading(sessions) as db:
            query = select(OutboxMessage).where(OutboxMessage.name == name)
            return [
                (
                    row.account_id,
                    json.loads(keys.sealer.unseal(row.sealed_body, context=f"outbox:{row.id}"))[
                        "facts"
                    ],
                )
                for row in db.scalars(query.order_by(OutboxMessage.created_at, OutboxMessage.id))
                if row.sealed_body
            ]

    return run


@pytest.fixture
def ask_for(sessions, clock, visitor, reset_setup):
    """Ask for a mail a second after the last one; return the outcome."""

    def run(email):
        clock.advance(timedelta(seconds=1))
        with transaction(sessions) as db:
            return ask(db, email, visitor, setup=reset_setup, now=clock())

    return run


@pytest.fixture
def use_link(sessions, clock, visitor, reset_setup):
    def run(token):
        with transaction(sessions) as db:
            return open_by_link(db, token, visitor, rules=reset_setup.rules, now=clock())

    return run


@pytest.fixture
def use_code(sessions, clock, keys, visitor, reset_setup):
    """Type a code in the browser that holds this token."""

    def run(browser_token, typed):
        rules = reset_setup.rules
        with transaction(sessions) as db:
            asked = find_asked(db, browser_token, keys=keys, now=clock())
            if asked is None:
                return None
            taken = take_code(db, asked, typed, rules=rules, keys=keys, now=clock())
        if not isinstance(taken, CodeTaken):
            return taken
        with transaction(sessions) as db:
            return judge_code(db, taken, visitor, rules=rules, keys=keys, now=clock())

    return run


@pytest.fixture
def opened(sessions, clock, ask_for, mails, use_link):
    """Ask for an address and use the newest link; return the open reset."""

    def run(email):
        ask_for(email)
        outcome = use_link(link_of(mails()[-1]))
        with reading(sessions) as db:
            return find_open(db, outcome.browser_token, now=clock())

    return run


@pytest.fixture
def set_new(sessions, clock, keys, visitor):
    """Choose a password in an open reset."""

    def run(reset, password=NEW):
        with reading(sessions) as db:
            choice = look_at_choice(db, reset.account_id)
        chosen = choose_password(choice, password, hasher=make_hasher())
        with transaction(sessions) as db:
            return finish(db, reset, chosen, visitor, keys=keys, now=clock())

    return run


@pytest.fixture
def tell(sessions, clock, visitor, reset_setup):
    def run(reset, **fact):
        rules = reset_setup.rules
        with transaction(sessions) as db:
            taken = take_fact(db, reset, ToldFact(**fact), rules=rules, now=clock())
        if not isinstance(taken, FactTaken):
            return taken
        with transaction(sessions) as db:
            return judge_fact(db, taken, visitor, rules=rules, now=clock())

    return run


def link_of(mail):
    return parse_qs(urlsplit(mail[1]["url"]).query)["t"][0]


def other_code(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def count(sessions, table):
    with reading(sessions) as db:
        return db.scalar(select(func.count()).select_from(table))


def test_a12_b22_en_03_an_unknown_address_gets_the_same_answer_and_no_mail(
    sessions, mother, mails, ask_for, use_code
):
    known, unknown = ask_for(mother.email), ask_for("nobody@example.jp")
    assert type(known) is type(unknown) is ResetAsked
    assert [account_id for account_id, _ in mails()] == [mother.id]
    assert count(sessions, PasswordReset) == 2
    wrong = other_code(mails()[-1][1]["code"])
    tries = [[use_code(each.browser_token, wrong) for _ in range(6)] for each in (known, unknown)]
    assert tries[0] == tries[1]
    assert tries[0][-1] == CodeUsedUp()


@pytest.mark.parametrize("status", [AccountStatus.SUSPENDED, AccountStatus.CLOSED])
def test_en_03_whoever_may_not_come_in_gets_no_mail(sessions, clock, town, mails, ask_for, status):
    with transaction(sessions) as db:
        person = factories.make_account(db, now=clock(), municipality_id=town.id, status=status)
    assert isinstance(ask_for(person.email), ResetAsked)
    assert mails() == []


def test_en_03_the_limit_for_mails_is_the_same_for_an_unknown_address(mother, ask_for):
    for email in (mother.email, "nobody@example.jp"):
        outcomes = [type(ask_for(email)) for _ in range(6)]
        assert outcomes == [ResetAsked] * 5 + [AskedTooOften]


def test_a10_full_width_and_capitals_are_the_same_address(mother, mails, ask_for):
    ask_for(mother.email.upper())
    assert len(mails()) == 1


def test_a12_two_people_with_one_mailbox_get_a_mail_each(
    sessions, clock, town, mother, mails, ask_for, use_code
):
    with transaction(sessions) as db:
        father = factories.make_account(
            db, now=clock(), municipality_id=town.id, email=mother.email, login_id="26110001"
        )
    asked = ask_for(mother.email)
    found = dict(mails())
    assert set(found) == {mother.id, father.id}
    outcome = use_code(asked.browser_token, found[father.id]["code"])
    with reading(sessions) as db:
        reset = find_open(db, outcome.browser_token, now=clock())
    assert (reset.account_id, reset.login_id) == (father.id, "26110001")


def test_rs_01_rs_02_the_link_starts_with_the_issuer_and_is_hashed_at_rest(
    sessions, mother, mails, ask_for
):
    ask_for(mother.email)
    (mail,) = mails()
    assert mail[1]["url"].startswith(f"{PAGE}?t=")
    assert len(link_of(mail)) == 43
    with reading(sessions) as db:
        digests = db.scalars(select(OneTimeSecret.digest)).all()
    assert len(digests) == 2
    assert all(link_of(mail).encode() not in each for each in digests)


def test_a13_rs_03_looking_at_a_link_does_not_use_it_up(
    sessions, clock, mother, mails, ask_for, use_link
):
    ask_for(mother.email)
    token = link_of(mails()[0])
    for _ in range(5):
        with reading(sessions) as db:
            assert is_live_link(db, token, now=clock())
    assert isinstance(use_link(token), ResetOpened)
    assert isinstance(use_link(token), DeadLink)


def test_a13_rs_02_of_twenty_posts_of_one_link_one_opens_it(
    sessions, mother, mails, ask_for, use_link, race
):
    ask_for(mother.email)
    token = link_of(mails()[0])
    outcomes = Counter(type(each) for each in race(20, lambda _: use_link(token)))
    assert outcomes == {ResetOpened: 1, DeadLink: 19}


def test_a13_link_and_code_of_one_mail_raced_open_it_once(
    mother, mails, ask_for, use_link, use_code, race
):
    asked = ask_for(mother.email)
    (mail,) = mails()

    def run(number):
        if number % 2:
            return use_link(link_of(mail))
        return use_code(asked.browser_token, mail[1]["code"])

    outcomes = Counter(isinstance(each, ResetOpened) for each in race(8, run))
    assert outcomes[True] == 1


def test_a13_the_code_works_once_and_only_in_the_browser_that_asked(
    mother, mails, ask_for, use_code
):
    asked = ask_for(mother.email)
    stranger = ask_for("nobody@example.jp")
    code = mails()[0][1]["code"]
    assert isinstance(use_code(stranger.browser_token, code), CodeWrong)
    assert use_code(asked.browser_token, "12345") == NoCode()
    assert isinstance(use_code(asked.browser_token, code), ResetOpened)
    assert use_code(asked.browser_token, code) is None


def test_a13_the_browser_that_asked_does_not_ride_on_a_link_used_elsewhere(
    sessions, clock, mother, mails, ask_for, use_link
):
    """Somebody else may have asked: only who opened the mail may go on."""
    asked = ask_for(mother.email)
    use_link(link_of(mails()[0]))
    with reading(sessions) as db:
        assert find_open(db, asked.browser_token, now=clock()) is None


def test_a13_five_wrong_codes_use_the_request_up(mother, mails, ask_for, use_code):
    asked = ask_for(mother.email)
    code = mails()[0][1]["code"]
    lefts = [use_code(asked.browser_token, other_code(code)) for _ in range(5)]
    assert [each.tries_left for each in lefts] == [4, 3, 2, 1, 0]
    assert use_code(asked.browser_token, code) == CodeUsedUp()


def test_a13_many_wrong_codes_at_once_are_five_tries(mother, mails, ask_for, use_code, race):
    asked = ask_for(mother.email)
    wrong = other_code(mails()[0][1]["code"])
    outcomes = race(20, lambda _: use_code(asked.browser_token, wrong))
    assert sum(isinstance(each, CodeWrong) for each in outcomes) == 5


@pytest.mark.parametrize(("minutes", "is_live"), [(59, True), (60, False)])
def test_a13_rs_02_a_link_lives_an_hour(mother, clock, mails, ask_for, use_link, minutes, is_live):
    ask_for(mother.email)
    clock.advance(timedelta(minutes=minutes))
    assert isinstance(use_link(link_of(mails()[0])), ResetOpened) is is_live


@pytest.mark.parametrize(("days", "is_live"), [(6, True), (7, False)])
def test_a13_rs_13_the_first_link_lives_a_week(
    newcomer, clock, mails, ask_for, use_link, days, is_live
):
    ask_for(newcomer.email)
    ((_, facts),) = mails()
    assert (facts["is_activation"], facts["days"]) == (True, 7)
    clock.advance(timedelta(days=days))
    assert isinstance(use_link(link_of(mails()[0])), ResetOpened) is is_live


def test_a13_a_newer_mail_voids_the_older_one(mother, mails, ask_for, use_link):
    ask_for(mother.email)
    ask_for(mother.email)
    first, second = (link_of(each) for each in mails())
    assert isinstance(use_link(first), DeadLink)
    assert isinstance(use_link(second), ResetOpened)


def test_a13_a_changed_address_voids_the_link(sessions, clock, mother, mails, ask_for, use_link):
    ask_for(mother.email)
    with transaction(sessions) as db:
        accounts.change_address(db, mother.id, "new@example.jp", now=clock())
    assert isinstance(use_link(link_of(mails()[0])), DeadLink)


def test_b23_the_mail_is_sent_again_after_half_a_minute(
    sessions, clock, keys, mother, visitor, mails, ask_for, reset_setup
):
    first = ask_for(mother.email)

    def again():
        with transaction(sessions) as db:
            asked = find_asked(db, first.browser_token, keys=keys, now=clock())
            return ask_again(db, asked, visitor, setup=reset_setup, now=clock())

    assert isinstance(again(), AskedTooOften)
    clock.advance(timedelta(seconds=30))
    assert isinstance(again(), ResetAsked)
    assert len(mails()) == 2


def test_a15_rs_05_pw_08_a_finished_reset_sets_the_password_and_tells_by_mail(
    sessions, mother, mails, opened, set_new
):
    assert set_new(opened(mother.email)) == ResetDone()
    with reading(sessions) as db:
        assert make_hasher().verify(find_hash_of(db, mother.id), NEW)
    assert [account_id for account_id, _ in mails("password_changed")] == [mother.id]


def test_rs_02_a_finished_reset_voids_every_other_link(
    clock, mother, mails, ask_for, opened, set_new, use_link
):
    reset = opened(mother.email)
    ask_for(mother.email)
    # What waits in the outbox is taken out of it, so the links are noted before.
    links = [link_of(each) for each in mails()]
    set_new(reset)
    clock.advance(timedelta(seconds=1))
    assert [use_link(each) for each in links] == [DeadLink()] * 2
    assert mails() == []


def test_rs_06_of_two_posts_of_one_new_password_one_sets_it(
    sessions, clock, keys, visitor, mother, opened, race
):
    reset = opened(mother.email)
    with reading(sessions) as db:
        choice = look_at_choice(db, mother.id)
    chosen = choose_password(choice, NEW, hasher=make_hasher())

    def run(_):
        with transaction(sessions) as db:
            return type(finish(db, reset, chosen, visitor, keys=keys, now=clock()))

    assert Counter(race(8, run)) == {ResetDone: 1, ResetGone: 7}


def test_rs_06_an_asked_but_unopened_reset_sets_nothing(sessions, clock, mother, ask_for):
    asked = ask_for(mother.email)
    with reading(sessions) as db:
        for token in (asked.browser_token, "", None, "x" * 43):
            assert find_open(db, token, now=clock()) is None


def test_rs_05_a_suspension_during_the_reset_stays(sessions, clock, mother, opened, set_new):
    reset = opened(mother.email)
    with transaction(sessions) as db:
        accounts.suspend(db, mother.id, now=clock())
    set_new(reset)
    with reading(sessions) as db:
        assert db.get_one(Account, mother.id).status is AccountStatus.SUSPENDED


def test_a07_rs_13_the_first_password_activates_the_account(
    sessions, clock, newcomer, opened, tell, set_new
):
    reset = opened(newcomer.email)
    assert reset.asks_fact
    assert set_new(reset) == ResetGone()
    assert tell(reset, birthdate=factories.NEWCOMERS_CHILD_BORN) == FactRight()
    with reading(sessions) as db:
        row = db.get_one(PasswordReset, reset.id)
        assert row.fact_checked_at == clock()
    assert set_new(replace(reset, asks_fact=False)) == ResetDone()
    with reading(sessions) as db:
        person = db.get_one(Account, newcomer.id)
        assert person.status is AccountStatus.ACTIVE
        assert person.credential_state is CredentialState.SET
        assert person.email_verified_at == clock()
        names = set(db.scalars(select(AuditEvent.name)))
    assert "account.activated" in names


def test_a07_five_wrong_facts_stop_the_activation(
    sessions, newcomer, mails, opened, tell, use_link
):
    reset = opened(newcomer.email)
    wrong = [tell(reset, application_number="99999") for _ in range(5)]
    assert [each.tries_left for each in wrong[:4]] == [4, 3, 2, 1]
    assert all(isinstance(each, FactWrong) for each in wrong[:4])
    assert wrong[4] == ActivationStopped()
    assert tell(reset, birthdate=factories.NEWCOMERS_CHILD_BORN) == ActivationStopped()
    with reading(sessions) as db:
        assert db.get_one(Account, newcomer.id).activation_stopped_at is not None


def test_a07_many_wrong_facts_at_once_are_five_tries(newcomer, opened, tell, race):
    reset = opened(newcomer.email)
    outcomes = race(12, lambda _: tell(reset, birthdate=date(2020, 1, 1)))
    assert sum(isinstance(each, FactWrong) for each in outcomes) <= 4
    assert tell(reset, birthdate=factories.NEWCOMERS_CHILD_BORN) == ActivationStopped()


def test_rs_06_finishing_asking_and_opening_at_once_never_wait_in_a_circle(
    clock, mother, mails, opened, ask_for, use_link, set_new, race
):
    """The newer link may close the reset that is being finished; both orders are fine."""
    for number in range(5):
        clock.advance(timedelta(minutes=16))
        reset = opened(mother.email)
        ask_for(mother.email)
        newer = link_of(mails()[-1])
        outcomes = race(
            6,
            lambda turn, reset=reset, newer=newer, number=number: (
                use_link(newer) if turn % 2 else set_new(reset, f"{NEW}-{number}-{turn}")
            ),
        )
        done = [each for each in outcomes if isinstance(each, ResetDone)]
        through = [each for each in outcomes if isinstance(each, ResetOpened)]
        assert len(done) <= 1
        assert len(through) <= 1
        assert done or through
