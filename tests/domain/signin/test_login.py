"""One try with a password: who gets in, who is counted, who is locked, what is said."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.people import accounts
from idp.domain.signin import attempts, interactions, limits
from idp.domain.signin.completion import SignedInWhole
from idp.domain.signin.interactions import DeviceUse
from idp.domain.signin.login import Locked, Paused, Prepared, Typed, prepare_login, verify_login
from idp.domain.signin.login_outcome import SignedInHalf, WrongCredentials, record_login
from idp.domain.signin.policy import StepKind
from idp.domain.signin.recognition import find_session
from idp.model.households import SecondStep
from idp.model.people import AccountStatus, CredentialState, Door, PasswordCredential
from idp.model.upkeep import AuditEvent, OutboxMessage
from idp.protocol.acr import Acr
from tests import factories
from tests.hashers import make_hasher

WRONG = "Himawari-43-batake"
HOME = frozenset({interactions.HOME})


@pytest.fixture
def try_login(sessions, clock, setup, hasher, open_walk, visitor, town):
    """One try, in the three parts of the real thing; returns what came of it."""

    def run(login_id, password=factories.PASSWORD, *, browser=visitor, walk=None, **changes):
        facts = {"door": Door.FAMILY, "municipality_id": town.id} | changes
        typed = Typed(login_id=login_id, password=password, **facts)
        with transaction(sessions) as db:
            prepared = prepare_login(db, typed, browser, setup=setup, now=clock())
        if not isinstance(prepared, Prepared):
            return prepared
        verified = verify_login(prepared, hasher=hasher)
        walk = walk or open_walk()
        with transaction(sessions) as db:
            return record_login(db, verified, walk, browser, setup=setup, now=clock())

    return run


@pytest.fixture
def mails(sessions, keys):
    """Return name and facts of every mail in the outbox."""

    def run():
        with transaction(sessions) as db:
            rows = db.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at)).all()
            return [
                (
                    row.name,
                    json.loads(keys.sealer.unseal(row.sealed_body, context=f"outbox:{row.id}"))[
                        "facts"
                    ],
                )
                for row in rows
            ]

    return run


@pytest.fixture
def change(sessions):
    """Change columns of a row."""

    def run(row, **columns):
        with transaction(sessions) as db:
            found = db.get(type(row), row.id)
            for name, value in columns.items():
                setattr(found, name, value)

    return run


def test_a19_the_right_password_leads_to_the_second_step_and_a_mail(try_login, mother, mails):
    assert try_login(mother.login_id) == SignedInHalf(StepKind.MAIL)
    assert [name for name, _facts in mails()] == ["login_code"]


def test_se_06_half_a_sign_in_is_no_session(sessions, try_login, mother, open_walk, clock):
    walk = open_walk(browser_token="browser")
    try_login(mother.login_id, walk=walk)
    with transaction(sessions) as db:
        found = interactions.find_walk(db, walk.id, "browser", now=clock())
    assert found.is_half
    assert found.session_id is None


@pytest.mark.parametrize(
    "typed",
    [
        "MISAKI.SAKURA@EXAMPLE.JP",
        " misaki.sakura@example.jp ",
        "ｍｉｓａｋｉ．ｓａｋｕｒａ＠ｅｘａｍｐｌｅ．ｊｐ",
        "misaki.sakura@example.jp\u200b",
    ],
)
def test_a20_b15_case_width_and_spaces_of_the_id_do_not_matter(try_login, mother, typed):
    assert isinstance(try_login(typed), SignedInHalf)


def test_b15_a_password_in_full_width_letters_is_the_same(try_login, mother):
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in factories.PASSWORD)
    assert isinstance(try_login(mother.login_id, wide), SignedInHalf)


def test_b15_case_of_the_password_matters(try_login, mother):
    outcome = try_login(mother.login_id, factories.PASSWORD.lower())
    assert isinstance(outcome, WrongCredentials)


@pytest.mark.parametrize("change_it", [lambda p: p + "x", lambda p: p + "\x00", lambda p: p + " "])
def test_pw_03_the_whole_password_is_compared(try_login, mother, change_it):
    outcome = try_login(mother.login_id, change_it(factories.PASSWORD))
    assert isinstance(outcome, WrongCredentials)


def test_pw_03_a_long_password_is_compared_beyond_72_bytes(
    sessions, clock, town, hasher, try_login
):
    long = "Himawari-" * 9 + "end-1"
    with transaction(sessions) as db:
        person = factories.make_account(
            db, now=clock(), municipality_id=town.id, password=long, hasher=hasher
        )
    assert isinstance(try_login(person.login_id, long[:-1] + "2"), WrongCredentials)
    assert isinstance(try_login(person.login_id, long), SignedInHalf)


@pytest.mark.parametrize("typed", ["Bl\u00e5b\u00e6r-42-skog", "Bla\u030ab\u00e6r-42-skog"])
def test_pw_04_composed_and_decomposed_letters_are_the_same_password(
    sessions, clock, town, hasher, try_login, typed
):
    with transaction(sessions) as db:
        person = factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            password="Bl\u00e5b\u00e6r-42-skog",
            hasher=hasher,
        )
    assert isinstance(try_login(person.login_id, typed), SignedInHalf)


def test_pw_05_what_is_longer_than_any_password_is_wrong_without_hashing(
    sessions, clock, setup, visitor, mother
):
    typed = Typed(door=Door.FAMILY, login_id=mother.login_id, password="x" * 129)
    with transaction(sessions) as db:
        prepared = prepare_login(db, typed, visitor, setup=setup, now=clock())
    # No hasher is given: touching one would fail.
    assert not verify_login(prepared, hasher=None).is_right


def test_b14_a_sign_in_id_works_and_the_address_of_one_person_as_well(try_login, mother, change):
    change(mother, login_id="20481234")
    assert isinstance(try_login("２０４８１２３４"), SignedInHalf)
    assert isinstance(try_login(mother.email), SignedInHalf)


def test_b14_an_address_that_two_people_share_does_not_tell_them_apart(
    sessions, clock, town, hasher, try_login, mother, change
):
    change(mother, login_id="20481234")
    with transaction(sessions) as db:
        father = factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email=mother.email,
            login_id="20481235",
            password="Tampopo-77-harappa",
            hasher=hasher,
        )
    assert isinstance(try_login(mother.email), WrongCredentials)
    assert isinstance(try_login(father.login_id, "Tampopo-77-harappa"), SignedInHalf)


STATES = {
    "wrong password": {},
    "suspended": {"status": AccountStatus.SUSPENDED},
    "invited": {"status": AccountStatus.ISSUED},
    "closed": {"status": AccountStatus.CLOSED},
    "no password": {"credential_state": CredentialState.NONE},
    "must reset": {"credential_state": CredentialState.RESET_REQUIRED},
    "other door": {"door": Door.STAFF},
    "no mail": {"email": None, "email_key": None},
}


@pytest.mark.parametrize("state", STATES)
def test_en_01_a08_nobody_hears_why_she_may_not_come_in(try_login, mother, change, state):
    unknown = [try_login("nobody@example.jp") for _ in range(5)]
    change(mother, **STATES[state])
    password = WRONG if state == "wrong password" else factories.PASSWORD
    known = [try_login(mother.login_id, password) for _ in range(5)]
    assert known == unknown
    assert unknown[:4] == [
        WrongCredentials(remaining, minutes=30, lead_with_reset=False)
        for remaining in (None, 3, 2, 1)
    ]
    assert isinstance(unknown[4], Locked)


def test_en_01_an_unknown_id_costs_as_much_as_a_known_one(sessions, clock, setup, visitor, mother):
    """What is hashed is counted, since a clock would make the test unsteady."""

    class CountingHasher:
        def __init__(self):
            self.calls = []

        def verify(self, stored, password):
            self.calls.append("hash")
            return False

        def verify_dummy(self, password):
            self.calls.append("hash")

    for login_id in (mother.login_id, "nobody@example.jp", "", "x" * 10_000):
        hasher = CountingHasher()
        typed = Typed(door=Door.FAMILY, login_id=login_id, password=WRONG)
        with transaction(sessions) as db:
            prepared = prepare_login(db, typed, visitor, setup=setup, now=clock())
        verify_login(prepared, hasher=hasher)
        assert hasher.calls == ["hash"]


def test_a08_staff_do_not_come_in_at_the_family_door_nor_families_at_the_staff_door(
    sessions, clock, town, hasher, keys, try_login, mother
):
    with transaction(sessions) as db:
        officer = factories.make_staff(
            db, now=clock(), municipality_id=town.id, hasher=hasher, keys=keys
        )
    assert isinstance(try_login(officer.login_id), WrongCredentials)
    assert isinstance(try_login(mother.login_id, door=Door.STAFF), WrongCredentials)
    assert try_login(officer.login_id, door=Door.STAFF) == SignedInHalf(StepKind.TOTP)


def test_a08_staff_without_an_app_do_not_come_in(sessions, clock, town, hasher, try_login):
    with transaction(sessions) as db:
        officer = factories.make_account(
            db, now=clock(), municipality_id=town.id, door=Door.STAFF, hasher=hasher
        )
    assert isinstance(try_login(officer.login_id, door=Door.STAFF), WrongCredentials)


def test_b36_b37_five_wrong_passwords_lock_for_half_an_hour(try_login, mother, clock):
    for _ in range(4):
        assert isinstance(try_login(mother.login_id, WRONG), WrongCredentials)
    until = clock() + timedelta(minutes=30)
    assert try_login(mother.login_id, WRONG) == Locked(until, lead_with_reset=False)
    clock.set(until - timedelta(microseconds=1))
    assert try_login(mother.login_id) == Locked(until, lead_with_reset=False)
    clock.set(until)
    assert isinstance(try_login(mother.login_id), SignedInHalf)


@pytest.mark.parametrize(("setting", "minutes"), [(5, 5), (60, 60), (1, 5), (600, 60)])
def test_b37_the_municipality_sets_the_lock_between_five_and_sixty_minutes(
    try_login, mother, town, change, clock, setting, minutes
):
    change(town, lock_minutes=setting)
    outcomes = [try_login(mother.login_id, WRONG) for _ in range(5)]
    assert outcomes[0].minutes == minutes
    assert outcomes[-1].until == clock() + timedelta(minutes=minutes)


def test_b36_four_wrong_tries_and_a_right_one_start_anew(try_login, mother):
    for _ in range(3):
        for _ in range(4):
            try_login(mother.login_id, WRONG)
        assert isinstance(try_login(mother.login_id), SignedInHalf)


def test_b36_spellings_of_one_id_share_one_budget(try_login, mother):
    for login_id in (mother.login_id, mother.login_id.upper(), "  " + mother.login_id, "x"):
        try_login(login_id, WRONG)
    try_login("ｍｉｓａｋｉ．ｓａｋｕｒａ＠ｅｘａｍｐｌｅ．ｊｐ", WRONG)
    assert isinstance(try_login(mother.login_id, WRONG), Locked)


def test_b38_a_finished_reset_ends_the_lock(sessions, try_login, mother):
    for _ in range(5):
        try_login(mother.login_id, WRONG)
    with transaction(sessions) as db:
        limits.forget_wrong_passwords(db, mother.id)
    assert isinstance(try_login(mother.login_id), SignedInHalf)


def test_b39_after_the_second_lock_the_page_leads_with_a_new_password(try_login, mother, clock):
    for _ in range(2):
        outcomes = [try_login(mother.login_id, WRONG) for _ in range(5)]
        clock.advance(timedelta(minutes=30))
    assert outcomes[-1].lead_with_reset
    assert try_login(mother.login_id, WRONG).lead_with_reset


def test_rl_01_one_mail_tells_the_owner_and_one_audit_row_every_lock(
    sessions, try_login, mother, mails, clock
):
    first = clock() + timedelta(minutes=30)
    for _ in range(3):
        for _ in range(20):
            try_login(mother.login_id, WRONG)
        clock.advance(timedelta(minutes=30))
    assert mails() == [("locked", {"until": first.isoformat()})]
    with transaction(sessions) as db:
        names = list(db.scalars(select(AuditEvent.name).order_by(AuditEvent.at, AuditEvent.id)))
    assert names.count("signin.locked") == 3
    assert names.count("signin.failed") == 15


def test_rl_01_b39_a_day_later_the_owner_is_told_again(try_login, mother, mails, clock):
    for _ in range(2):
        for _ in range(5):
            try_login(mother.login_id, WRONG)
        clock.advance(timedelta(days=1))
    assert [name for name, _facts in mails()] == ["locked", "locked"]


def test_rl_02_while_a_stranger_is_locked_out_the_owner_signs_in(try_login, mother, visitor):
    stranger = replace(visitor, network="198.51.100.9", address="198.51.100.9")
    for _ in range(30):
        outcome = try_login(mother.login_id, WRONG, browser=stranger)
    assert isinstance(outcome, Locked)
    assert isinstance(try_login(mother.login_id), SignedInHalf)


def test_rl_02_b36_a_known_device_keeps_its_own_budget_at_the_same_address(
    sessions, clock, try_login, mother, visitor
):
    with transaction(sessions) as db:
        token = factories.make_device(db, account_id=mother.id, now=clock())
    hers = replace(visitor, device_token=token)
    for _ in range(5):
        try_login(mother.login_id, WRONG)
    assert isinstance(try_login(mother.login_id), Locked)
    assert isinstance(try_login(mother.login_id, browser=hers), SignedInHalf)
    for _ in range(4):
        assert isinstance(try_login(mother.login_id, WRONG, browser=hers), WrongCredentials)
    assert isinstance(try_login(mother.login_id, WRONG, browser=hers), Locked)


def test_rl_02_an_attack_from_everywhere_does_not_shut_out_a_known_device(
    sessions, clock, try_login, mother, visitor
):
    with transaction(sessions) as db:
        token = factories.make_device(db, account_id=mother.id, now=clock())
    for number in range(100):
        network = f"203.0.113.{number}"
        try_login(mother.login_id, WRONG, browser=replace(visitor, network=network))
    fresh = replace(visitor, network="198.51.100.77")
    assert isinstance(try_login(mother.login_id, browser=fresh), Locked)
    hers = replace(fresh, device_token=token)
    assert isinstance(try_login(mother.login_id, browser=hers), SignedInHalf)


def test_rl_03_a_network_that_tries_many_ids_is_paused_and_others_are_not(
    sessions, clock, try_login, mother, visitor
):
    with transaction(sessions) as db:
        for _ in range(100):
            for counter in limits.spray_counters(visitor.network):
                attempts.reserve(db, counter, now=clock())
    assert try_login("anyone@example.jp", WRONG) == Paused(clock() + timedelta(minutes=15))
    assert isinstance(
        try_login(mother.login_id, browser=replace(visitor, network="198.51.100.1")),
        SignedInHalf,
    )
    clock.advance(timedelta(minutes=15))
    assert isinstance(try_login(mother.login_id), SignedInHalf)


def test_rl_03_the_ninety_ninth_wrong_password_of_a_network_pauses_nobody(try_login, mother):
    for number in range(99):
        try_login(f"someone{number}@example.jp", WRONG)
    assert isinstance(try_login(mother.login_id), SignedInHalf)
    try_login("someone@example.jp", WRONG)
    assert isinstance(try_login(mother.login_id), Paused)


def test_rl_04_of_twenty_parallel_wrong_tries_five_are_evaluated(try_login, mother, race):
    outcomes = race(20, lambda _number: try_login(mother.login_id, WRONG))
    assert sum(isinstance(each, WrongCredentials) for each in outcomes) == 4
    assert sum(isinstance(each, Locked) for each in outcomes) == 16


def test_where_the_person_may_choose_the_password_is_enough_and_says_so(
    sessions, clock, try_login, mother, town, change
):
    change(town, second_step=SecondStep.USER_CHOICE)
    outcome = try_login(mother.login_id)
    assert isinstance(outcome, SignedInWhole)
    with transaction(sessions) as db:
        person = find_session(db, outcome.token, now=clock())
    assert (person.acr, person.amr) == (Acr.PASSWORD, ("pwd",))


def test_b28_where_the_person_may_choose_she_can_ask_for_the_code(try_login, mother, town, change):
    change(town, second_step=SecondStep.USER_CHOICE)
    change(mother, wants_second_step=True)
    assert isinstance(try_login(mother.login_id), SignedInHalf)


@pytest.mark.parametrize(
    ("acr_values", "expected"),
    [
        (["urn:kosodate:acr:pwd+emailotp"], SignedInHalf),
        (["urn:kosodate:acr:mfa"], SignedInHalf),
        (["urn:kosodate:acr:pwd"], SignedInWhole),
        (["urn:kosodate:acr:mfa", "urn:kosodate:acr:pwd"], SignedInWhole),
        (["1", "2"], SignedInWhole),
    ],
)
def test_a_service_may_ask_for_the_code_by_acr_values(
    try_login, mother, town, change, open_walk, acr_values, expected
):
    change(town, second_step=SecondStep.USER_CHOICE)
    walk = open_walk(request={"acr_values": acr_values})
    assert isinstance(try_login(mother.login_id, walk=walk), expected)


@pytest.mark.parametrize(
    ("days", "is_shared", "expected"),
    [(7, False, SignedInWhole), (0, False, SignedInHalf), (7, True, SignedInHalf)],
    ids=["trusted", "not offered any more", "b18 shared"],
)
def test_b17_a_trusted_device_skips_the_code_while_the_municipality_allows_it(
    sessions, clock, try_login, mother, town, change, visitor, days, is_shared, expected
):
    change(town, trusted_device_days=days)
    with transaction(sessions) as db:
        token = factories.make_device(db, account_id=mother.id, now=clock(), trust_days=7)
    hers = replace(visitor, device_token=token)
    outcome = try_login(
        mother.login_id, browser=hers, use=DeviceUse.SHARED if is_shared else DeviceUse.OWN
    )
    assert isinstance(outcome, expected)


def test_se_05_a_person_suspended_while_the_hash_ran_does_not_come_in(
    sessions, clock, setup, hasher, visitor, mother, open_walk
):
    typed = Typed(door=Door.FAMILY, login_id=mother.login_id, password=factories.PASSWORD)
    with transaction(sessions) as db:
        prepared = prepare_login(db, typed, visitor, setup=setup, now=clock())
    verified = verify_login(prepared, hasher=hasher)
    assert verified.is_right
    with transaction(sessions) as db:
        accounts.suspend(db, mother.id, now=clock())
    with transaction(sessions) as db:
        outcome = record_login(db, verified, open_walk(), visitor, setup=setup, now=clock())
    assert isinstance(outcome, WrongCredentials)


def test_se_04_a_password_changed_while_the_hash_ran_does_not_let_the_old_one_in(
    sessions, clock, setup, hasher, visitor, mother, open_walk
):
    typed = Typed(door=Door.FAMILY, login_id=mother.login_id, password=factories.PASSWORD)
    with transaction(sessions) as db:
        prepared = prepare_login(db, typed, visitor, setup=setup, now=clock())
    verified = verify_login(prepared, hasher=hasher)
    with transaction(sessions) as db:
        db.get(PasswordCredential, mother.id).hash = hasher.hash("Tampopo-77-harappa")
    with transaction(sessions) as db:
        outcome = record_login(db, verified, open_walk(), visitor, setup=setup, now=clock())
    assert isinstance(outcome, WrongCredentials)


def test_pw_06_a_hash_under_older_parameters_is_renewed_at_sign_in(
    sessions, town, try_login, mother, hasher
):
    with transaction(sessions) as db:
        before = db.get(PasswordCredential, mother.id).hash
        older = make_hasher(older=True).hash(factories.PASSWORD)
        db.get(PasswordCredential, mother.id).hash = older
    assert isinstance(try_login(mother.login_id), SignedInHalf)
    with transaction(sessions) as db:
        after = db.get(PasswordCredential, mother.id)
        assert after.hash not in {before, older}
        assert not hasher.is_outdated(after.hash)
    assert isinstance(try_login(mother.login_id), SignedInHalf)


def test_ot_12_no_password_stands_in_the_audit(sessions, try_login, mother):
    try_login(mother.login_id, WRONG)
    try_login(mother.login_id)
    with transaction(sessions) as db:
        for event in db.scalars(select(AuditEvent)):
            assert WRONG not in repr(vars(event))
            assert factories.PASSWORD not in repr(vars(event))
            assert mother.login_id not in repr(vars(event))


def test_a_visitor_is_audited_by_address_and_never_by_what_was_typed(sessions, try_login, visitor):
    try_login("nobody@example.jp", WRONG)
    with transaction(sessions) as db:
        event = db.scalars(select(AuditEvent)).one()
        written = (event.name, event.actor_kind, event.address, event.subject_id)
    assert written == ("signin.failed", "visitor", visitor.address, None)
