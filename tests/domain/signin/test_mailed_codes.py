"""Mailed codes: made well, sent in measure, tried seldom, used once."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp.base.secret import new_digits
from idp.db.session import transaction
from idp.domain.signin import mailed_codes
from idp.domain.signin.candidates import find_candidate
from idp.domain.signin.code_mails import CodeNotSent, CodeRules, CodeSent, send_code
from idp.domain.signin.code_text import read_code
from idp.domain.signin.mailed_codes import (
    CodeRight,
    CodesPaused,
    CodeWrong,
    NoCode,
    NoValidCode,
    TryTaken,
)
from idp.model.people import Account
from idp.model.signin import OneTimeSecret
from idp.model.upkeep import OutboxMessage
from tests import factories

RULES = CodeRules()


@pytest.fixture
def mailed(sessions, keys):
    """Return every code that was mailed so far, by the id of its mail."""

    def run():
        with transaction(sessions) as db:
            opened = {
                mail.id: json.loads(
                    keys.sealer.unseal(mail.sealed_body, context=f"outbox:{mail.id}")
                )
                for mail in db.scalars(select(OutboxMessage))
            }
        return {mail_id: body["facts"]["code"] for mail_id, body in opened.items()}

    return run


@pytest.fixture
def send(sessions, clock, keys, mother, mailed):
    """Mail a code for a walk and return it."""

    def run(walk, account=mother):
        before = mailed()
        with transaction(sessions) as db:
            person = find_candidate(db, account.id, now=clock())
            outcome = send_code(db, walk.id, person, rules=RULES, keys=keys, now=clock())
        assert isinstance(outcome, CodeSent), outcome
        (new,) = mailed().items() - before.items()
        return new[1]

    return run


@pytest.fixture
def enter(sessions, clock, keys, mother):
    """Type a code, in the two transactions of the real thing."""

    def run(walk, typed, account=mother):
        with transaction(sessions) as db:
            taken = mailed_codes.take_try(db, walk.id, account.id, typed, rules=RULES, now=clock())
        if not isinstance(taken, TryTaken):
            return taken
        with transaction(sessions) as db:
            return mailed_codes.judge_code(db, taken, typed, keys=keys, now=clock())

    return run


def other_than(code):
    return "000000" if code != "000000" else "000001"


def test_ot_01_codes_are_uniform_and_keep_their_zeros():
    codes = [new_digits(6) for _ in range(100_000)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    for place in range(6):
        counts = Counter(code[place] for code in codes)
        # 10,000 each; six standard deviations are 570.
        assert all(9_430 < counts[digit] < 10_570 for digit in "0123456789")


def test_ot_01_the_code_is_not_stored(sessions, open_walk, send):
    code = send(open_walk())
    with transaction(sessions) as db:
        row = db.scalars(select(OneTimeSecret)).one()
        assert code.encode() not in row.digest
        assert len(row.digest) == 32


def test_a21_the_right_code_is_accepted(open_walk, send, enter):
    walk = open_walk()
    assert enter(walk, send(walk)) == CodeRight()


def test_ot_02_after_five_wrong_tries_the_right_code_is_refused(open_walk, send, enter):
    walk = open_walk()
    code = send(walk)
    left = [enter(walk, other_than(code)) for _ in range(5)]
    assert left == [CodeWrong(tries_left) for tries_left in (4, 3, 2, 1, 0)]
    assert enter(walk, code) == NoValidCode(is_expired=False)


def test_ot_02_four_wrong_tries_leave_the_code_usable(open_walk, send, enter):
    walk = open_walk()
    code = send(walk)
    for _ in range(4):
        enter(walk, other_than(code))
    assert enter(walk, code) == CodeRight()


def test_ot_03_resending_does_not_give_more_than_ten_tries_an_hour(open_walk, send, enter, clock):
    walk = open_walk()
    for _ in range(2):
        code = send(walk)
        clock.advance(timedelta(seconds=30))
        for _ in range(4):
            assert isinstance(enter(walk, other_than(code)), CodeWrong)
    code = send(walk)
    assert isinstance(enter(walk, other_than(code)), CodeWrong)
    until = clock() + timedelta(minutes=10)
    assert enter(walk, other_than(code)) == CodesPaused(until)
    assert enter(walk, code) == CodesPaused(until)


def test_ot_03_the_pause_ends_by_itself(open_walk, send, enter, clock):
    walk = open_walk()
    for _ in range(2):
        code = send(walk)
        clock.advance(timedelta(seconds=30))
        for _ in range(5):
            enter(walk, other_than(code))
    clock.advance(timedelta(minutes=10))
    assert enter(walk, send(walk)) == CodeRight()


def test_ot_04_twenty_browsers_share_one_budget(open_walk, send, enter, clock):
    evaluated = 0
    for _ in range(5):
        walk = open_walk()
        code = send(walk)
        for _ in range(4):
            evaluated += isinstance(enter(walk, other_than(code)), CodeWrong)
    # The tenth is the one that starts the pause.
    assert evaluated == 9


def test_ot_05_of_a_hundred_parallel_codes_at_most_five_are_evaluated(
    sessions, clock, mother, open_walk, send, race
):
    walk = open_walk()
    send(walk)

    def attempt(number):
        outcomes = []
        for step in range(5):
            with transaction(sessions) as db:
                outcomes.append(
                    mailed_codes.take_try(
                        db,
                        walk.id,
                        mother.id,
                        f"{number * 5 + step:06d}",
                        rules=RULES,
                        now=clock(),
                    )
                )
        return outcomes

    outcomes = [each for many in race(20, attempt) for each in many]
    assert len(outcomes) == 100
    assert sum(isinstance(each, TryTaken) for each in outcomes) == 5


def test_ot_06_the_right_code_is_used_once_by_twenty_parallel_tries(open_walk, send, enter, race):
    walk = open_walk()
    code = send(walk)
    outcomes = race(20, lambda _number: enter(walk, code))
    assert outcomes.count(CodeRight()) == 1


def test_ot_07_a_code_of_another_browser_is_refused_and_counted(open_walk, send, enter, sessions):
    mine, other = open_walk(), open_walk()
    send(mine)
    code_of_other = send(other)
    assert enter(mine, code_of_other) == CodeWrong(tries_left=4)
    assert enter(other, code_of_other) == CodeRight()


def test_ot_07_a_code_of_another_person_is_refused(sessions, clock, town, open_walk, send, enter):
    with transaction(sessions) as db:
        father = factories.make_account(db, now=clock(), municipality_id=town.id)
    walk = open_walk()
    code = send(walk)
    assert enter(walk, code, account=father) == NoValidCode(is_expired=False)
    assert enter(walk, code) == CodeRight()


def test_ot_08_a_used_code_is_refused(open_walk, send, enter):
    walk = open_walk()
    code = send(walk)
    enter(walk, code)
    assert enter(walk, code) == NoValidCode(is_expired=False)


@pytest.mark.parametrize("write", ["{0} {1}", "{0}-{1}", " {0}{1}\n", "「{0}{1}」"])
def test_ot_08_spaces_and_dashes_do_not_matter(open_walk, send, enter, write):
    walk = open_walk()
    code = send(walk)
    assert enter(walk, write.format(code[:3], code[3:])) == CodeRight()


def test_ot_08_full_width_digits_are_the_same_code(open_walk, send, enter):
    walk = open_walk()
    wide = send(walk).translate({ord("0") + i: 0xFF10 + i for i in range(10)})
    assert enter(walk, wide) == CodeRight()


def test_ot_08_a_wrong_code_in_full_width_raises_the_same_counter(open_walk, send, enter):
    walk = open_walk()
    code = send(walk)
    wrong = other_than(code)
    enter(walk, wrong)
    wide = wrong.translate({ord("0") + i: 0xFF10 + i for i in range(10)})
    assert enter(walk, wide) == CodeWrong(tries_left=3)


def test_ot_09_b30_a_code_lives_ten_minutes_and_not_a_moment_longer(open_walk, send, enter, clock):
    walk = open_walk()
    code = send(walk)
    clock.advance(timedelta(minutes=10) - timedelta(microseconds=1))
    wrong = enter(walk, other_than(code))
    assert isinstance(wrong, CodeWrong)
    clock.advance(timedelta(microseconds=1))
    assert enter(walk, code) == NoValidCode(is_expired=True)


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "true", '{"code":1}', "１" * 65, "abcdef", "-", "\x00"]
)
def test_ot_10_what_is_no_code_is_neither_evaluated_nor_counted(open_walk, send, enter, typed):
    walk = open_walk()
    code = send(walk)
    assert enter(walk, typed) == NoCode()
    assert enter(walk, other_than(code)) == CodeWrong(tries_left=4)


@given(st.text(max_size=80))
def test_ot_10_any_text_is_six_digits_or_no_code(typed):
    read = read_code(typed)
    assert read is None or (len(read) == 6 and read.isascii() and read.isdigit())


def test_ot_11_half_a_minute_lies_between_two_mails_of_a_walk(
    sessions, clock, keys, mother, open_walk, send
):
    walk = open_walk()
    send(walk)
    until = clock() + timedelta(seconds=30)
    clock.set(until - timedelta(microseconds=1))
    with transaction(sessions) as db:
        person = find_candidate(db, mother.id, now=clock())
        outcome = send_code(db, walk.id, person, rules=RULES, keys=keys, now=clock())
    assert outcome == CodeNotSent(until)
    clock.set(until)
    send(walk)


def test_ot_11_at_most_five_mails_in_a_quarter_of_an_hour(
    sessions, clock, keys, mother, open_walk, send
):
    start = clock()
    for _ in range(5):
        send(open_walk())
        clock.advance(timedelta(seconds=30))
    walk = open_walk()
    with transaction(sessions) as db:
        person = find_candidate(db, mother.id, now=clock())
        outcome = send_code(db, walk.id, person, rules=RULES, keys=keys, now=clock())
    assert outcome == CodeNotSent(start + timedelta(minutes=15))
    clock.set(start + timedelta(minutes=15))
    send(walk)


def test_ot_11_at_most_twenty_mails_a_day(sessions, clock, keys, mother, open_walk, send):
    start = clock()
    for _ in range(20):
        send(open_walk())
        clock.advance(timedelta(minutes=16))
    walk = open_walk()
    with transaction(sessions) as db:
        person = find_candidate(db, mother.id, now=clock())
        outcome = send_code(db, walk.id, person, rules=RULES, keys=keys, now=clock())
    assert outcome == CodeNotSent(start + timedelta(days=1))


def test_ot_11_two_people_with_one_mailbox_do_not_shut_each_other_out(
    sessions, clock, town, mother, open_walk, send
):
    with transaction(sessions) as db:
        father = factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email=mother.email,
            login_id="20000001",
        )
    for _ in range(5):
        send(open_walk())
    send(open_walk(), account=father)


def test_ot_11_a_right_code_ends_the_limit_on_mails(open_walk, send, enter):
    for _ in range(8):
        walk = open_walk()
        assert enter(walk, send(walk)) == CodeRight()


def test_b30_the_newest_two_codes_are_valid_and_an_older_one_is_not(open_walk, send, enter, clock):
    walk = open_walk()
    codes = []
    while len(codes) < 3:
        codes.append(send(walk))
        clock.advance(timedelta(seconds=30))
    assert len(set(codes)) == 3
    assert isinstance(enter(walk, codes[0]), CodeWrong)
    assert enter(walk, codes[1]) == CodeRight()


def test_b30_the_right_code_voids_the_other_one(open_walk, send, enter, clock):
    walk = open_walk()
    first = send(walk)
    clock.advance(timedelta(seconds=30))
    assert enter(walk, send(walk)) == CodeRight()
    assert enter(walk, first) == NoValidCode(is_expired=False)


def test_a_code_is_void_when_the_address_has_changed(
    sessions, clock, mother, open_walk, send, enter
):
    walk = open_walk()
    code = send(walk)
    with transaction(sessions) as db:
        db.get(Account, mother.id).email_key = "new@example.jp"
    assert isinstance(enter(walk, code), CodeWrong)


def test_ot_12_the_code_is_not_readable_in_the_outbox(sessions, open_walk, send):
    code = send(open_walk())
    with transaction(sessions) as db:
        [mail] = db.scalars(select(OutboxMessage))
        assert mail.sealed_body
        assert code.encode() not in mail.sealed_body
