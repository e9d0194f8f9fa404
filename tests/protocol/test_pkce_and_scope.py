"""PKCE and scopes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import pkce
from idp.protocol.scope import SUPPORTED, is_narrower, join_scope, parse_scope, split_scope


def test_the_example_of_rfc_7636_appendix_b_verifies():
    assert pkce.verifies(
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    )


@pytest.mark.parametrize(
    "verifier", ["", "x" * 42, "x" * 129, "x" * 42 + "!", "x" * 42 + "\n", "é" * 43]
)
def test_pk_06_a_verifier_of_another_shape_verifies_nothing(verifier):
    assert not pkce.verifies(verifier, pkce.build_challenge("x" * 43))
    assert not pkce.is_verifier(verifier)


@given(st.text(), st.text())
def test_only_the_verifier_itself_verifies(verifier, other):
    good = "a" * 43
    assert pkce.verifies(verifier, pkce.build_challenge(good)) == (verifier == good)
    assert not pkce.verifies(other, None) or other == ""


@given(st.text(max_size=200))
def test_a_scope_is_read_or_refused_and_written_back(text):
    names = parse_scope(text)
    if names is None:
        return
    assert all(name and " " not in name for name in names)
    assert set(parse_scope(join_scope(names))) == set(names)


def test_scopes_are_written_in_one_order():
    assert join_scope({"email", "openid", "profile"}) == "openid profile email"
    assert split_scope("openid  profile") == {"openid", "profile"}


def test_rt_04_narrower_is_a_subset():
    assert is_narrower("openid", "openid profile")
    assert not is_narrower("openid email", "openid profile")


def test_every_scope_is_supported_once():
    assert len(set(SUPPORTED)) == len(SUPPORTED)
