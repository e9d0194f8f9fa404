"""Client authentication: one proof in a request, and one answer to all that fail."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.client import AuthMethod
from idp.protocol.client_auth import (
    ASSERTION_TYPE,
    PresentedAssertion,
    PresentedNothing,
    PresentedSecret,
    parse_client_proof,
)
from idp.protocol.errors import EndpointError
from idp.protocol.params import parse_params


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def parse(authorization=None, **form):
    return parse_client_proof(parse_params(form.items()), authorization=authorization)


def refused(authorization=None, **form):
    with pytest.raises(EndpointError) as caught:
        parse(authorization, **form)
    return caught.value.code, caught.value.status


def test_a_secret_in_the_header():
    assert parse(basic("rp:s3cret")) == PresentedSecret("rp", "s3cret", AuthMethod.BASIC)


def test_the_scheme_is_read_in_any_case():
    assert parse(basic("rp:s").replace("Basic", "bAsIc")).client_id == "rp"


def test_ca_02_id_and_secret_are_form_decoded():
    assert parse(basic("a%3Ab:p%25w+%3A")) == PresentedSecret("a:b", "p%w :", AuthMethod.BASIC)


def test_a_secret_in_the_body():
    expected = PresentedSecret("rp", "s", AuthMethod.POST)
    assert parse(client_id="rp", client_secret="s") == expected


def test_a_public_client_only_names_itself():
    assert parse(client_id="app") == PresentedNothing("app")


def test_an_assertion_comes_with_its_type():
    form = {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE}
    assert parse(**form) == PresentedAssertion("a.b.c", None)
    assert parse(**form, client_id="rp") == PresentedAssertion("a.b.c", "rp")


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !!!", "Basic cnA=", "Bearer x", "Basic " + "A" * 3000, "Basic /w==",
     "Basic 日本"],
)  # fmt: skip
def test_ca_02_a_broken_header_is_an_unknown_client(header):
    assert refused(header) == ("invalid_client", 401)


@pytest.mark.parametrize(
    "form",
    [
        {"client_id": "rp", "client_secret": "s"},
        {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE},
    ],
)
def test_ca_03_two_methods_at_once_are_malformed(form):
    assert refused(basic("rp:s"), **form) == ("invalid_request", 400)


def test_ca_03_an_assertion_and_a_secret_are_two():
    form = {"client_assertion": "a", "client_assertion_type": ASSERTION_TYPE, "client_secret": "s"}
    assert refused(**form) == ("invalid_request", 400)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"client_secret": "s"},
        {"client_assertion": "a.b.c"},
        {"client_assertion_type": ASSERTION_TYPE, "client_id": "rp"},
        {"client_assertion": "a", "client_assertion_type": "other"},
    ],
)
def test_half_a_proof_is_none(form):
    assert refused(**form) == ("invalid_client", 401)


def test_the_header_and_the_body_name_one_client():
    assert parse(basic("rp:s"), client_id="rp").client_id == "rp"
    assert refused(basic("rp:s"), client_id="other") == ("invalid_client", 401)


def test_ca_01_every_failure_reads_the_same():
    texts = set()
    for arguments in ((None, {}), ("Basic !!!", {}), (None, {"client_secret": "s"})):
        with pytest.raises(EndpointError) as caught:
            parse(arguments[0], **arguments[1])
        texts.add((caught.value.code, caught.value.description))
    assert len(texts) == 1


@given(st.text(), st.dictionaries(st.sampled_from(["client_id", "client_secret"]), st.text()))
def test_ca_02_every_header_is_read_or_refused(header, form):
    try:
        parse(header, **form)
    except EndpointError as error:
        codes = {"invalid_client", "invalid_request"}
        if error.code not in codes:
            raise


@given(st.binary())
def test_ca_02_every_encoded_pair_is_read_or_refused(pair):
    header = "Basic " + base64.b64encode(pair).decode()
    try:
        presented = parse(header)
    except EndpointError:
        return
    assert isinstance(presented, PresentedSecret)
