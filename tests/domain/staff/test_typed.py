"""Reading what staff typed: tolerant of width, strict about nonsense (UM, B02, B03, D10)."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.people.facts import application_key
from idp.domain.staff.applications import FamilyApplication
from idp.domain.staff.fields import Fault, TypedDate
from idp.domain.staff.typed import (
    MOST_CHILDREN,
    TypedChild,
    TypedFamily,
    TypedPerson,
    TypedProxy,
    parse_family,
)

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
MOTHER = TypedPerson(
    family_name="佐倉",
    given_name="美咲",
    family_name_kana="さくら",
    given_name_kana="ﾐｻｷ",
    email="ｍｉｓａｋｉ@example.jp",
    phone="０９０（００００）１２３４",
)
CHILD = TypedChild("child1_", "佐倉 ひより", "サクラ ヒヨリ", TypedDate("令和7", "６", "1"))
PROXY = TypedProxy(
    TypedPerson("proxy1_", "佐倉", "健", email="ken@example.jp"),
    relationship="father",
    until=TypedDate("2027", "3", "31"),
)
FAMILY = TypedFamily(MOTHER, "Ｒ８-００４１７", children=(CHILD,), proxies=(PROXY,))


def faults(**changes):
    found = parse_family(replace(FAMILY, **changes), now=NOW)
    assert isinstance(found, tuple)
    return found


def guardian_faults(**changes):
    return faults(guardian=replace(MOTHER, **changes))


def test_b03_an_application_is_read_whatever_the_width():
    application = parse_family(FAMILY, now=NOW)
    assert isinstance(application, FamilyApplication)
    guardian = application.guardian
    assert (guardian.email, guardian.phone_number) == ("misaki@example.jp", "+819000001234")
    assert guardian.name.kana == "サクラ ミサキ"
    assert application.children[0].birthdate == date(2025, 6, 1)
    proxy = application.proxies[0]
    assert proxy.valid_until == datetime(2027, 3, 31, 15, 0, tzinfo=UTC)
    assert (proxy.last_day, proxy.categories) == (date(2027, 3, 31), {})


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("２０２６－００９００", "2026-00900"),
        ("2026ー00900", "2026-00900"),
        ("2026\u221200900", "2026-00900"),
        (" ２０２６‐００９００\u3000", "2026-00900"),
        ("202600900", "202600900"),
        ("センター12", "センター12"),
        ("ｾﾝﾀｰ－１２", "センター-12"),
    ],
)
def test_b03_an_application_number_is_kept_in_half_width_with_plain_hyphens(typed, shown):
    application = parse_family(replace(FAMILY, application_number=typed), now=NOW)
    assert application.application_number == shown


@pytest.mark.parametrize("text", ["", " ", "-", "ーー", "\u200b"])
def test_b07_a_number_nobody_could_answer_with_is_missing(text):
    assert faults(application_number=text) == (Fault("application_number", "missing"),)


def test_um_01_a_number_is_one_line_of_forty_signs_at_most_when_folded():
    assert faults(application_number="8\r\n9") == (Fault("application_number", "control"),)
    # One sign that is four when folded.
    assert faults(application_number="㍿" * 11) == (Fault("application_number", "too_long"),)


def test_a39_an_application_may_lack_an_address():
    application = parse_family(replace(FAMILY, guardian=replace(MOTHER, email=" ")), now=NOW)
    assert application.guardian.email is None


def test_b03_a_single_name_is_enough():
    person = replace(MOTHER, family_name="Suharto", given_name="", family_name_kana="")
    application = parse_family(replace(FAMILY, guardian=person), now=NOW)
    assert application.guardian.name.full == "Suharto"


@pytest.mark.parametrize(
    "text",
    [
        "a@x.no,b@y.no",
        '"x" <a@x.no>',
        "a@x.no>",
        "a@x.no (comment)",
        '"quoted"@x.no',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@b",
        "@x.no",
        "a@x.no\r\nBcc: b@y.no",
        "a@x.no\x00",
        "a" * 300 + "@x.no",
    ],
)
def test_um_01_um_02_what_is_no_single_address_is_refused(text):
    [fault] = guardian_faults(email=text)
    assert fault.field == "email"
    assert fault.reason.startswith("mail_")


@pytest.mark.parametrize("text", ["a..b@docomo.ne.jp", "abc.@ezweb.ne.jp"])
def test_um_02_old_addresses_of_carriers_are_accepted(text):
    application = parse_family(replace(FAMILY, guardian=replace(MOTHER, email=text)), now=NOW)
    assert application.guardian.email == text


@pytest.mark.parametrize("text", ["美\r\n咲", "美\x00咲", "美\u2028咲", "\u202e咲美"])
def test_um_01_um_04_control_characters_are_no_name(text):
    assert guardian_faults(given_name=text) == (Fault("given_name", "control"),)


@pytest.mark.parametrize(
    "text", ["https://evil.test", "www.evil.test", "evil.test", "a@evil.test", "押して http://x"]
)
def test_um_06_a_link_is_no_name(text):
    assert guardian_faults(given_name=text) == (Fault("given_name", "looks_like_link"),)


@pytest.mark.parametrize(
    "text", ["<b>美咲</b>", "{{7*7}}", "${7*7}", "%s", "{0.__class__}", "St. John"]
)
def test_in_02_um_06_odd_names_are_kept_as_typed(text):
    person = replace(MOTHER, given_name=text)
    application = parse_family(replace(FAMILY, guardian=person), now=NOW)
    assert application.guardian.name.given_name == text


@pytest.mark.parametrize("text", ["髙", "﨑", "葛󠄀", "か\u3099", "神"])
def test_b03_names_are_not_rewritten(text):
    person = replace(MOTHER, family_name=text)
    application = parse_family(replace(FAMILY, guardian=person), now=NOW)
    assert application.guardian.name.family_name == text


def test_a02_everything_that_is_wrong_is_told_at_once():
    blank = TypedFamily(
        TypedPerson(email="x"),
        children=(TypedChild("child1_"),),
        proxies=(TypedProxy(TypedPerson("proxy1_"), categories=()),),
    )
    found = parse_family(blank, now=NOW)
    assert [(fault.field, fault.reason) for fault in found] == [
        ("family_name", "missing"),
        ("email", "mail_shape"),
        ("application_number", "missing"),
        ("child1_name", "missing"),
        ("child1_birthdate", "missing"),
        ("proxy1_family_name", "missing"),
        ("proxy1_email", "missing"),
        ("proxy1_relationship", "choice"),
        ("proxy1_until", "missing"),
        ("proxy1_categories", "no_category"),
    ]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (TypedDate("2026", "13", "1"), "date"),
        (TypedDate("x", "1", "1"), "date"),
        (TypedDate("9999", "12", "31"), "date"),
        (TypedDate("2026", "4", "2"), "birthdate_range"),
        (TypedDate("1980", "1", "1"), "birthdate_range"),
    ],
)
def test_b06_a_birthdate_is_a_childs(typed, reason):
    child = replace(CHILD, birthdate=typed)
    assert faults(children=(child,)) == (Fault("child1_birthdate", reason),)


@pytest.mark.parametrize("year", ["2026", "2028"])
def test_a34_a_proxys_last_day_is_within_a_year(year):
    proxy = replace(PROXY, until=TypedDate(year, "3", "31"))
    assert faults(proxies=(proxy,)) == (Fault("proxy1_until", "proxy_period"),)


def test_a35_less_than_everything_is_said_by_category():
    proxy = replace(PROXY, categories=("booking",))
    application = parse_family(replace(FAMILY, proxies=(proxy,)), now=NOW)
    assert application.proxies[0].categories == {"booking": True, "certificate": False}


def test_in_05_choices_outside_the_lists_are_refused():
    assert guardian_faults(locale="xx") == (Fault("locale", "choice"),)
    assert faults(intake_route="admin") == (Fault("intake_route", "choice"),)
    proxy = replace(PROXY, relationship="boss")
    assert faults(proxies=(proxy,)) == (Fault("proxy1_relationship", "choice"),)


def test_rl_05_one_form_is_one_family():
    many = tuple(replace(CHILD, prefix=f"child{n}_") for n in range(MOST_CHILDREN + 1))
    assert faults(children=many) == (Fault("", "too_many"),)


@given(st.lists(st.text(max_size=60), min_size=9, max_size=9))
def test_in_02_whatever_is_typed_is_read_or_refused(texts):
    person = TypedPerson("", *texts[:6])
    child = TypedChild("child1_", texts[6], texts[7], TypedDate(texts[8], texts[7], texts[6]))
    found = parse_family(TypedFamily(person, texts[8], children=(child,)), now=NOW)
    assert isinstance(found, FamilyApplication | tuple)


@given(st.text(max_size=60))
def test_in_02_a_number_that_is_read_has_one_kind_of_hyphen(text):
    found = parse_family(replace(FAMILY, application_number=text), now=NOW)
    if isinstance(found, FamilyApplication):
        assert application_key(found.application_number)
        assert not re.search("[\u2010-\u2015\u2212\uff0d]", found.application_number)
