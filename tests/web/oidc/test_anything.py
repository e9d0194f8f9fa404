"""Whatever is sent, the answer is never a failure of ours and never goes where it must not."""

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.protocol import pkce
from idp.protocol.params import KNOWN
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, SECRET, VERIFIER

NAMES = st.sampled_from(sorted(KNOWN)) | st.text(max_size=5)
GOOD = {
    "client_id": "rp",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "code_challenge": pkce.build_challenge(VERIFIER),
    "code_challenge_method": "S256",
    "client_secret": SECRET,
    "grant_type": "authorization_code",
}
VALUES = st.sampled_from(sorted(GOOD.values())) | st.text(max_size=30) | st.just("[" * 500)
CHANGES = st.lists(st.tuples(NAMES, VALUES), max_size=6)

few = settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def encode(changes, good=GOOD):
    """Write the good parameters and the changes, one after the other or in their place."""
    merged = (
        list(({**good, **dict(changes)}).items()) if len(changes) % 2 else [*good.items(), *changes]
    )
    return urlencode([(name, value.encode("utf-8", "replace")) for name, value in merged])


@few
@given(changes=CHANGES)
def test_az_02_any_authorization_request_is_shown_or_answered_at_a_registered_address(
    rp, browser, session_id, changes
):
    page = browser.get(f"/authorize?{encode(changes)}").arrive()
    assert page.status in (200, 303, 400, 414)
    assert page.location is None or page.location.startswith(CALLBACK)


@few
@given(changes=CHANGES)
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_cd_12_any_call_of_a_client_is_answered_in_json(rp, path, changes):
    answer = rp.http.post(
        path,
        data=encode(changes),
        content_type="application/x-www-form-urlencoded",
        base_url=ORIGIN,
    )
    assert answer.status_code in (200, 400, 401)
    body = answer.get_json(force=True)
    assert answer.status_code == 200 or body["error_description"].isascii()
    assert "access_token" not in body


@few
@given(changes=CHANGES)
def test_lo_01_any_logout_request_stays_with_us_or_goes_where_it_was_registered(
    rp, browser, session_id, changes
):
    good = {"client_id": "rp", "post_logout_redirect_uri": "https://rp.example/"}
    page = browser.get(f"/end_session?{encode(changes, good)}")
    assert page.status in (200, 303, 400)
    assert page.location is None or page.location.startswith("/signed-out")


@few
@given(
    header=st.text(max_size=60).map(
        lambda text: text.encode("latin-1", "replace").decode("latin-1")
    )
)
def test_ca_02_any_authorization_header_is_refused_in_json(rp, header):
    clean = "".join(sign for sign in header if sign not in "\r\n\0")
    for path in ("/token", "/introspect"):
        answer = rp.http.post(
            path,
            data={"token": "x", "grant_type": "authorization_code"},
            headers={"Authorization": clean},
            base_url=ORIGIN,
        )
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    answer = rp.http.get("/userinfo", headers={"Authorization": clean}, base_url=ORIGIN)
    assert answer.status_code in (400, 401)
