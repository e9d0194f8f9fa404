"""Proofs of possession: every text is read or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.dpop import Proof, ProofFault, normalize_htu, parse_proof, thumbprint


@given(st.text())
def test_every_text_is_read_or_refused(text):
    assert isinstance(parse_proof(text), Proof | ProofFault)


@given(st.text(alphabet="abc./-_=%#?:@[]0123456789https", max_size=80))
def test_a_normal_address_stays_as_it_is(text):
    normal = normalize_htu(text)
    assert normal is None or normalize_htu(normal) == normal


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("https://a.example:443/x?y#z", "https://a.example/x"),
        ("HTTPS://A.example", "https://a.example/"),
        ("https://a.example/%7euser", "https://a.example/~user"),
        ("https://a.example/%2f", "https://a.example/%2F"),
    ],
)
def test_addresses_that_mean_the_same_compare(one, same):
    assert normalize_htu(one) == same


@pytest.mark.parametrize(
    "text", ["", "x", "https://u@a.example/", "ftp://a.example/", "https://\n"]
)
def test_what_is_no_address_is_none(text):
    assert normalize_htu(text) is None


def test_a_thumbprint_is_that_of_rfc_8037_appendix_a_3():
    key = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
