"""Which passwords may be chosen, how they are stored, and how many are hashed at once."""

import threading
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.base.texts import load_texts
from idp.db.session import transaction
from idp.domain.signin.choosing import Chosen, choose_password, look_at_choice
from idp.domain.signin.passwords import (
    MAX_LENGTH,
    Hasher,
    HasherBusy,
    PasswordFault,
    PersonWords,
    check_password,
    find_hash_of,
    set_password,
)
from idp.domain.signin.person_words import person_words
from idp.model.people import Account, CredentialState, PasswordCredential
from tests import factories
from tests.hashers import make_hasher

ROOT = Path(__file__).parents[3]
NOBODY = PersonWords()
#: Fits no list: each test varies its ends or its length.
LONG = "mochi-ringo-ame-kasa-kawa-"


@pytest.fixture
def family(sessions, clock, town):
    """A mother with readings, a phone and a child."""
    with transaction(sessions) as db:
        person = factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            password=None,
            email="misaki.sakura@example.jp",
            family_name_kana="サクラ",
            given_name_kana="ミサキ",
            phone_number="+819012345678",
        )
        factories.make_household(
            db,
            now=clock(),
            municipality_id=town.id,
            representative=person,
            children=(("佐倉 ひより", date(2024, 5, 6)),),
        )
        return person


@pytest.mark.parametrize(
    ("candidate", "fault"),
    [
        ("Kx-7294-w", PasswordFault.SHORT),
        ("Kx-7294-wb", None),
        ("kxmrwbqatu", PasswordFault.CLASSES),
        ("kxmrw7294u", PasswordFault.CLASSES),
        ("KXmrw7294u", None),
        ("kxmr-7294u", None),
        ("kxmrwbqatuzpgh", PasswordFault.CLASSES),
        ("kxmrwbqatuzpghv", None),
        ("correct horse pencil lamp", None),
        (" Kx-7294 w ", None),
        ("🍙🍡🍵🌸🐟 Kx72", None),
        ("はるのうみひねもすのたり", PasswordFault.CLASSES),
        ("はるのうみひねもすのたりのたりかな", None),
    ],
)
def test_pw_01_a14_length_and_kinds_of_characters_decide(candidate, fault):
    assert check_password(candidate, NOBODY) == (() if fault is None else (fault,))


@pytest.mark.parametrize("length", [64, 127, 128])
def test_pw_01_a_long_password_is_taken_up_to_the_maximum(length):
    assert check_password((LONG * 6)[:length], NOBODY) != (PasswordFault.LONG,)


def test_pw_01_one_more_than_the_maximum_is_too_long():
    assert check_password("é" * (MAX_LENGTH + 1), NOBODY) == (PasswordFault.LONG,)


def test_pw_01_counted_is_the_normal_form():
    decomposed = unicodedata.normalize("NFD", "é") * 9
    assert len(decomposed) == 18
    assert PasswordFault.SHORT in check_password(decomposed, NOBODY)


def test_pw_01_nothing_is_trimmed():
    hasher = make_hasher()
    stored = hasher.hash(" Kx-7294 wb ")
    assert hasher.verify(stored, " Kx-7294 wb ")
    assert not hasher.verify(stored, "Kx-7294 wb")


@pytest.mark.parametrize(
    "candidate",
    [
        "Password2026!",
        "P@ssw0rd1234",
        "Qwertyuiop1",
        "1qaz2wsx3edc4rfv",
        "aaaaaaaaaaaaaaaa",
        "Abc1Abc1Abc1Abc1",
        "01234567890123456",
        "ｐａｓｓｗｏｒｄ２０２６！",
    ],
)
def test_pw_02_b08_what_everybody_tries_first_is_refused(candidate):
    assert PasswordFault.COMMON in check_password(candidate, NOBODY)


def test_pw_02_b08_the_three_thousand_most_common_are_refused():
    taken = [
        each for each in FREQUENCY_LISTS["passwords"][:3000] if not check_password(each, NOBODY)
    ]
    assert taken == []


@pytest.mark.parametrize(
    "candidate",
    [
        "misaki.sakura@example.jp",
        "Misaki-Sakura1",
        "佐倉美咲・美咲佐倉・2024！",
        "ミサキサクラミサキサクラミサキ",
        "Hiyori20240506",
        "R6/05/06-20240506",
        "090-1234-5678-Aa",
        "Ab20240506!",
    ],
)
def test_pw_02_b08_b44_what_others_know_of_a_person_is_refused(sessions, family, candidate):
    with transaction(sessions) as db:
        words = person_words(db, family.id)
    assert check_password(candidate, words) == (PasswordFault.PERSONAL,)


def test_pw_02_b08_the_town_and_its_service_are_refused(sessions, family, town):
    with transaction(sessions) as db:
        words = person_words(db, family.id)
    for name in (town.name, town.service_name):
        assert check_password((name * 16)[:30] + "A1", words) == (PasswordFault.PERSONAL,)


def test_b44_a_name_inside_a_good_password_is_no_fault(sessions, family):
    with transaction(sessions) as db:
        words = person_words(db, family.id)
    assert check_password("sakura-mochi-wo-tabeta-hi", words) == ()


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("fault", list(PasswordFault))
def test_b24_every_fault_names_its_reason(language, fault):
    texts = load_texts(ROOT / "templates/texts")
    key = f"signin.password.error.{fault.value}"
    assert texts.get(language, key, minimum=10, classes=3, maximum=128)


def test_pw_03_a_password_is_compared_whole():
    hasher = make_hasher()
    prefix = "k" * 72
    stored = hasher.hash(f"{prefix}Kx-7294")
    assert not hasher.verify(stored, f"{prefix}Kx-7295")
    assert not hasher.verify(stored, prefix)
    assert not hasher.verify(stored, f"{prefix}kx-7294")
    with_nul = hasher.hash("Kx-7294\0wbqa")
    assert not hasher.verify(with_nul, "Kx-7294\0tuzp")
    assert not hasher.verify(with_nul, "Kx-7294")


@pytest.mark.parametrize(
    "word", ["Å-ångström-1957", "ǿ-smørrebrød-42", "がぎぐげござじずぜぞだぢづ"]
)
def test_pw_04_composed_and_decomposed_are_the_same_password(word):
    hasher = make_hasher()
    stored = hasher.hash(unicodedata.normalize("NFC", word))
    assert hasher.verify(stored, unicodedata.normalize("NFD", word))


def test_pw_06_stored_is_argon2id_with_a_salt_of_its_own_under_the_pepper():
    usual = Hasher(pepper=factories.PEPPER)
    stored = usual.hash("Kx-7294-wbqa")
    parameters = extract_parameters(stored)
    assert parameters.type is Type.ID
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (2, 19456, 1)
    assert usual.hash("Kx-7294-wbqa") != stored
    assert usual.verify(stored, "Kx-7294-wbqa")
    assert not Hasher(pepper=b"another pepper, 32 bytes long ..").verify(stored, "Kx-7294-wbqa")


def test_en_02_what_stands_for_an_unknown_id_is_a_hash_like_any_other():
    """It is read whole and compared, so it costs the same; and it fits nothing."""
    hasher = make_hasher()
    assert extract_parameters(hasher._decoy) == extract_parameters(hasher.hash("Kx-7294-wbqa"))
    assert len(hasher._decoy) == len(hasher.hash("Kx-7294-wbqa"))
    with pytest.raises(VerifyMismatchError):
        hasher._argon2.verify(hasher._decoy, "Kx-7294-wbqa")


def test_pw_06_a_hash_under_older_parameters_is_outdated():
    assert make_hasher().is_outdated(make_hasher(older=True).hash("Kx-7294-wbqa"))
    assert not make_hasher().is_outdated(make_hasher().hash("Kx-7294-wbqa"))


@pytest.mark.parametrize("stored", ["", "Kx-7294-wbqa", "$argon2id$v=19$m=16,t=1,p=1$broken"])
def test_pw_06_what_is_no_hash_verifies_nothing(stored):
    assert not make_hasher().verify(stored, "Kx-7294-wbqa")


def test_pw_06_a_new_hash_replaces_the_old_one(sessions, clock, family):
    hasher = make_hasher()
    for password in ("Kx-7294-wbqa", "Tz-3958-pghv"):
        hashed = hasher.hash(password)
        with transaction(sessions) as db:
            set_password(db, family.id, hashed, now=clock())
    with transaction(sessions) as db:
        assert db.query(PasswordCredential).filter_by(account_id=family.id).count() == 1
        assert hasher.verify(find_hash_of(db, family.id), "Tz-3958-pghv")
        assert db.get_one(Account, family.id).credential_state is CredentialState.SET


def test_a14_the_password_of_before_is_refused(sessions, clock, family):
    hasher = make_hasher()
    with transaction(sessions) as db:
        first = look_at_choice(db, family.id)
    chosen = choose_password(first, "Kx-7294-wbqa", hasher=hasher)
    assert isinstance(chosen, Chosen)
    with transaction(sessions) as db:
        set_password(db, family.id, chosen.hashed, now=clock())
        again = look_at_choice(db, family.id)
    assert choose_password(again, "Kx-7294-wbqa", hasher=hasher) == (PasswordFault.SAME,)
    assert isinstance(choose_password(again, "Tz-3958-pghv", hasher=hasher), Chosen)


def test_pw_06_whoever_finds_no_place_to_wait_hears_that_it_is_busy():
    """One hash is held open, one waits, the third is refused at once."""
    hasher = Hasher(pepper=factories.PEPPER, concurrency=1, waiting=1, time_cost=1, memory_kib=16)
    started, release = threading.Event(), threading.Event()
    mix = hasher._mix

    def slow_mix(password):
        started.set()
        assert release.wait(timeout=30)
        return mix(password)

    hasher._mix = slow_mix
    running = threading.Thread(target=hasher.hash, args=("Kx-7294-wbqa",))
    running.start()
    assert started.wait(timeout=30)
    waiting = threading.Thread(target=hasher.hash, args=("Kx-7294-wbqa",))
    waiting.start()
    try:
        # The second takes the last place as soon as its thread runs.
        while hasher._admitted._value > 0:
            threading.Event().wait(0.001)
        with pytest.raises(HasherBusy):
            hasher.verify("", "Kx-7294-wbqa")
    finally:
        release.set()
        running.join()
        waiting.join()
    assert hasher.verify(hasher.hash("Kx-7294-wbqa"), "Kx-7294-wbqa")


@pytest.mark.parametrize(
    "candidate",
    [
        "Hoikuen2026!",
        "Arigatou123!",
        "Natsuyasumi1!",
        "Youchien#2026",
        "aaaaaaaaaaaaaa1",
        "1q2w3e4r5t6y!A",
        "20260401aA!",
        "さくらさくらさくら12A",
    ],
)
def test_pw_02_b08_what_people_here_try_first_is_refused(candidate):
    assert check_password(candidate, NOBODY) == (PasswordFault.COMMON,)
