"""The codes that devices show and people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.user_code import (
    ALPHABET,
    LENGTH,
    new_user_code,
    parse_user_code,
    show_user_code,
)


@pytest.mark.parametrize(
    "typed",
    [
        "WDJB-MJHT",
        "wdjbmjht",
        " wdjb mjht ",
        "ＷＤＪＢ－ＭＪＨＴ",
        "ｗｄｊｂーｍｊｈｔ",
        "wdjb–mjht",
        "W D J B — M J H T",
        "wdjb\u200bmjht",
    ],
)
def test_every_spelling_of_a_code_is_understood(typed):
    assert parse_user_code(typed) == "WDJBMJHT"


@pytest.mark.parametrize(
    "typed", ["", "WDJB", "WDJB-MJHTX", "WDJB-MJHA", "12345678", "ÄDJBMJHT" + "x" * 57, "W" * 4000]
)
def test_what_can_be_no_code_is_none(typed):
    assert parse_user_code(typed) is None


@given(st.text())
def test_any_text_is_a_code_or_none(text):
    code = parse_user_code(text)
    assert code is None or (len(code) == LENGTH and set(code) <= set(ALPHABET))


def test_a_new_code_is_read_back_as_it_is_shown():
    made = {new_user_code() for _ in range(200)}
    assert len(made) == 200
    assert all(parse_user_code(show_user_code(code)) == code for code in made)
    assert {letter for code in made for letter in code} == set(ALPHABET)
