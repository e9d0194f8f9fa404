"""Authorization details: read whole, or refused (RFC 9396 §5)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.details import DelegationDetail, parse_details, read_details, write_details
from idp.protocol.errors import RedirectedError
from tests.protocol.support import CLIENT, client

ACTS = client(authorization_details_types=("kosodate_delegation",))
KIND = {"type": "kosodate_delegation"}


def refusal(text, registered=ACTS):
    with pytest.raises(RedirectedError) as caught:
        parse_details(text, registered)
    return caught.value.code


def test_the_details_are_read():
    text = json.dumps([{**KIND, "household_id": "h", "categories": ["booking", "booking"]}])
    assert parse_details(text, ACTS) == DelegationDetail("h", ("booking",))
    assert parse_details(json.dumps([KIND]), ACTS) == DelegationDetail()
    assert parse_details(None, ACTS) is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        [KIND, KIND],
        ["kosodate_delegation"],
        [{}],
        [{"type": "openid_credential"}],
        [{"type": ["kosodate_delegation"]}],
        [{**KIND, "household_id": 5}],
        [{**KIND, "household_id": ""}],
        [{**KIND, "household_id": None}],
        [{**KIND, "categories": "booking"}],
        [{**KIND, "categories": []}],
        [{**KIND, "categories": [5]}],
        [{**KIND, "categories": ["x"] * 21}],
        [{**KIND, "actions": ["read"]}],
        None,
        5,
    ],
)
def test_anything_else_is_refused(content):
    assert refusal(json.dumps(content)) == "invalid_authorization_details"


@pytest.mark.parametrize("text", ["", "[", "[{]", "[" * 3_000, '[{"type":NaN}]'])
def test_jw_06_what_is_no_json_is_refused(text):
    assert refusal(text) == "invalid_authorization_details"


def test_a_client_uses_the_types_that_it_registered():
    assert refusal(json.dumps([KIND]), CLIENT) == "invalid_authorization_details"


@given(
    st.text()
    | st.builds(
        json.dumps,
        st.recursive(
            st.none() | st.text() | st.sampled_from(["type", "kosodate_delegation"]),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["type", "household_id", "categories", "x"]), inner
                )
            ),
            max_leaves=6,
        ),
    )
)
def test_every_text_is_read_or_refused(text):
    try:
        found = parse_details(text, ACTS)
    except RedirectedError as error:
        if error.code != "invalid_authorization_details":
            raise
    else:
        assert read_details(write_details(found)) == found
