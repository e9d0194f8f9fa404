"""Pushed authorization requests over HTTP (RFC 9126)."""

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.grants.client_registry import disable_client
from idp.domain.grants.pushed_requests import PREFIX
from idp.domain.upkeep.audit import SYSTEM
from idp.model.clients import Client
from idp.model.grants import TokenFamily
from idp.protocol.params import KNOWN
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, SECRET, Service, answer_of, secret_row
from tests.web.oidc.fapi import DPOP_KEY, OTHER_DPOP_KEY, OTHER_KEY, make_service
from tests.web.oidc.test_authorize import assert_error, assert_shown


@pytest.fixture
def fapi(app, world, sessions, clock):
    return make_service(app, sessions, clock)


@pytest.fixture
def second(app, world, sessions, clock):
    return make_service(app, sessions, clock, "fapi-2", OTHER_KEY)


def push(service, **changes):
    return service.call("/par", **service.params(**changes))


def visit(service, browser, request_uri, **beside):
    wanted = {"client_id": service.client_id, "request_uri": request_uri} | beside
    return browser.get(with_query("/authorize", wanted)).arrive()


def test_fapi2_happy_flow_begins_with_a_pushed_request(fapi, browser, session_id):
    answer = fapi.push()
    assert answer.status == 201
    assert set(answer.body) == {"request_uri", "expires_in"}
    assert answer.expires_in == 90
    assert answer.request_uri.startswith(PREFIX)
    assert answer.response.headers["Cache-Control"] == "no-store"
    answer = answer_of(fapi.visit(browser, answer.request_uri))
    assert {"code", "state", "iss"} <= set(answer)
    assert answer["iss"] == ORIGIN


def test_every_client_may_push(rp, spa, browser, session_id):
    for service in (rp, spa):
        pushed = push(service, scope="openid")
        assert pushed.status == 201
        code = answer_of(visit(service, browser, pushed.request_uri))["code"]
        assert service.redeem(code).status == 200


def test_the_client_id_may_be_left_to_the_authentication(rp, browser, session_id):
    form = {name: value for name, value in rp.params().items() if name != "client_id"}
    pushed = rp.call("/par", **form)
    assert pushed.status == 201
    assert "code" in answer_of(visit(rp, browser, pushed.request_uri))


def test_the_client_has_to_prove_itself(rp, fapi, second):
    assert rp.call("/par", headers=rp.basic("wrong"), **rp.params()).error == (
        401,
        "invalid_client",
    )
    assert rp.call("/par", headers={}, **rp.params()).error == (401, "invalid_client")
    assert fapi.call("/par", **second.params()).error == (401, "invalid_client")
    assert fapi.call("/par", client_assertion="x", **fapi.params()).error == (401, "invalid_client")


def test_a_public_client_cannot_push_in_anothers_name(spa):
    answer = spa.call("/par", **spa.params(client_id="rp"))
    assert answer.error == (401, "invalid_client")


@pytest.mark.parametrize(
    "beside",
    [
        {"state": "outside"},
        {"nonce": "outside"},
        {"redirect_uri": "https://evil.example/"},
        {"scope": "openid nothing", "response_type": "token", "prompt": "login"},
    ],
)
def test_fapi2_ensure_different_state_and_nonce_outside_are_ignored(
    rp, browser, session_id, beside
):
    page = visit(rp, browser, push(rp).request_uri, **beside)
    answer = answer_of(page)
    assert answer["state"] == "st-1"
    assert rp.redeem(answer["code"]).claims()["nonce"] == "n-1"


def test_fapi2_state_only_outside_request_object_not_used(fapi, browser, session_id):
    page = fapi.visit(browser, fapi.pushed(state=None), state="outside")
    assert "state" not in answer_of(page)


@pytest.mark.parametrize("changes", [{"state": None}, {"nonce": None}, {"nonce": "n" * 64}])
def test_fapi2_ensure_authorization_request_without_state_or_nonce_success(
    fapi, browser, session_id, changes
):
    assert "code" in answer_of(fapi.authorize(browser, **changes))


def test_fapi2_ensure_authorization_request_with_long_nonce_and_state(rp, browser, session_id):
    pushed = push(rp, nonce="n" * 384, state="s" * 1_024)
    answer = answer_of(visit(rp, browser, pushed.request_uri))
    assert answer["state"] == "s" * 1_024
    assert rp.redeem(answer["code"]).claims()["nonce"] == "n" * 384


def test_fapi2_ensure_unsigned_authorization_request_without_using_par_fails(
    fapi, browser, session_id
):
    page = browser.get(with_query("/authorize", fapi.params())).arrive()
    assert_error(page, "invalid_request")
    page = browser.get(with_query("/authorize", fapi.params(redirect_uri=None)))
    assert_shown(page)


def test_a_client_may_be_registered_to_push_always(app, world, sessions, clock, browser):
    with transaction(sessions) as db:
        details = {"require_pushed_authorization_requests": True}
        factories.make_client(db, now=clock(), client_id="pusher", details=details)
        db.add(secret_row("pusher", SECRET, now=clock()))
    service = Service(app, "pusher")
    assert_error(service.authorize(browser), "invalid_request")
    assert visit(service, browser, push(service).request_uri).status == 200


def test_fapi2_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    fapi, browser, enter_session, mother
):
    request_uri = fapi.pushed(prompt="login")
    for _ in range(2):
        assert fapi.visit(browser, request_uri).status == 200
    request_uri = fapi.pushed()
    first = browser.get(with_query("/authorize", {"client_id": "fapi", "request_uri": request_uri}))
    enter_session(browser, mother)
    assert "code" in answer_of(fapi.visit(browser, request_uri))
    # The walk that was begun first ends second: there is no code for it.
    onward = first.location.replace("/login", "/continue")
    assert_error(browser.get(onward).arrive(), "invalid_request_uri")


def test_fapi2_par_attempt_reuse_request_uri(fapi, browser, session_id):
    request_uri = fapi.pushed()
    assert "code" in answer_of(fapi.visit(browser, request_uri))
    assert_error(fapi.visit(browser, request_uri), "invalid_request_uri")


@pytest.mark.parametrize(("seconds", "is_good"), [(89, True), (90, False), (95, False)])
def test_fapi2_par_attempt_to_use_expired_request_uri(
    fapi, browser, session_id, later, seconds, is_good
):
    request_uri = fapi.pushed()
    later(seconds=seconds)
    page = fapi.visit(browser, request_uri)
    if is_good:
        assert "code" in answer_of(page)
    else:
        assert_error(page, "invalid_request_uri")


def test_a_walk_may_take_longer_than_the_reference_lives(fapi, browser, session_id, later):
    start = {"client_id": "fapi", "request_uri": fapi.pushed()}
    first = browser.get(with_query("/authorize", start))
    later(minutes=10)
    assert "code" in answer_of(first.arrive())


def test_fapi2_par_attempt_to_use_request_uri_for_different_client(fapi, second, browser):
    assert_shown(second.visit(browser, fapi.pushed()))


@pytest.mark.parametrize("request_uri", [PREFIX, PREFIX + "x" * 43, PREFIX + "'--", PREFIX * 9])
def test_az_02_an_unknown_reference_leads_nowhere(rp, browser, request_uri):
    assert_shown(visit(rp, browser, request_uri, redirect_uri=CALLBACK))


def test_fapi2_par_authorization_request_containing_request_uri_form_param(fapi, rp):
    for service in (fapi, rp):
        answer = service.call("/par", request_uri=PREFIX + "x", **service.params())
        assert answer.error == (400, "invalid_request")


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE", "PATCH"])
def test_fapi2_par_attempt_invalid_http_method(rp, method):
    answer = rp.call("/par", method=method, **rp.params())
    assert answer.status == 405
    assert answer.response.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "/other"}, "invalid_request"),
        ({"scope": "openid nothing"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"state": "x" * 4_097}, "invalid_request"),
        ({"state": "a\rb"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_fapi2_par_checks_everything_when_it_is_pushed(fapi, changes, error):
    """ensure-pkce-required, plain-pkce-rejected, response types, redirect URIs and the rest."""
    answer = fapi.push(**changes)
    assert answer.error == (400, error)
    assert answer.body["error_description"].isascii()
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.response.headers


def test_fapi2_par_without_duplicate_parameters(app, rp):
    body = urlencode(rp.params()) + "&state=again"
    answer = rp.http.post(
        "/par",
        data=body,
        headers=rp.basic() | {"Content-Type": "application/x-www-form-urlencoded"},
        base_url=ORIGIN,
    )
    assert (answer.status_code, answer.get_json(force=True)["error"]) == (400, "invalid_request")


def test_what_stands_in_the_address_or_in_json_is_refused(rp):
    answer = rp.call("/par", query={"scope": "openid"}, **rp.params())
    assert answer.error == (400, "invalid_request")
    answer = rp.http.post("/par", json=rp.params(), headers=rp.basic(), base_url=ORIGIN)
    assert answer.status_code == 400


def test_a_redirect_uri_that_was_taken_away_meanwhile_is_not_followed(
    fapi, browser, session_id, sessions, clock
):
    request_uri = fapi.pushed()
    with transaction(sessions) as db:
        row = db.get_one(Client, "fapi")
        row.details = row.details | {"redirect_uris": ["https://rp.example/new"]}
        row.version += 1
    assert_shown(fapi.visit(browser, request_uri))


def test_az_16_a_client_disabled_meanwhile_is_shown(fapi, browser, sessions, clock):
    request_uri = fapi.pushed()
    with transaction(sessions) as db:
        disable_client(db, "fapi", actor=SYSTEM, now=clock())
    assert_shown(fapi.visit(browser, request_uri))


def test_errors_of_a_pushed_request_come_in_its_mode(fapi, browser):
    page = fapi.authorize(browser, response_mode="form_post", prompt="none")
    fields = page.form(CALLBACK).fields
    assert (fields["error"], fields["state"]) == ("login_required", "st-1")


def test_fapi2_happy_flow_ends_with_tokens_bound_to_the_key(fapi, browser, session_id):
    code = answer_of(fapi.authorize(browser))["code"]
    tokens = fapi.redeem(code)
    assert (tokens.status, tokens.token_type) == (200, "DPoP")
    assert tokens.claims("access_token")["cnf"] == {"jkt": DPOP_KEY.thumbprint()}


def test_fapi2_ensure_dpopproof_at_par_endpoint_binding_success(fapi, browser, session_id):
    pushed = fapi.call("/par", headers=fapi.proof("/par"), **fapi.params())
    assert pushed.status == 201
    code = answer_of(fapi.visit(browser, pushed.request_uri))["code"]
    assert fapi.redeem(code).status == 200


def test_fapi2_ensure_dpop_auth_code_binding_success(fapi, browser, session_id):
    code = answer_of(fapi.authorize(browser, dpop_jkt=DPOP_KEY.thumbprint()))["code"]
    assert fapi.redeem(code).status == 200


@pytest.mark.parametrize("way", ["proof", "dpop_jkt"])
def test_fapi2_ensure_token_endpoint_fails_with_mismatched_dpop_key(fapi, browser, session_id, way):
    if way == "proof":
        pushed = fapi.call("/par", headers=fapi.proof("/par"), **fapi.params())
    else:
        pushed = fapi.push(dpop_jkt=DPOP_KEY.thumbprint())
    code = answer_of(fapi.visit(browser, pushed.request_uri))["code"]
    refused = fapi.redeem(code, key=OTHER_DPOP_KEY)
    assert refused.status == 400
    assert refused.body["error"] in {"invalid_grant", "invalid_request", "invalid_dpop_proof"}
    assert fapi.redeem(code).status == 200


def test_fapi2_ensure_mismatched_dpop_jkt_fails(fapi):
    form = fapi.params(dpop_jkt=OTHER_DPOP_KEY.thumbprint())
    answer = fapi.call("/par", headers=fapi.proof("/par"), **form)
    assert answer.error == (400, "invalid_dpop_proof")
    form = fapi.params(dpop_jkt=DPOP_KEY.thumbprint())
    assert fapi.call("/par", headers=fapi.proof("/par"), **form).status == 201


@pytest.mark.parametrize(
    "changes", [{"htm": "GET"}, {"htu": f"{ORIGIN}/token"}, {"iat": 1}, {"jti": None}]
)
def test_fapi2_a_wrong_proof_is_refused_where_requests_are_pushed(fapi, changes):
    answer = fapi.call("/par", headers=fapi.proof("/par", **changes), **fapi.params())
    assert answer.error == (400, "invalid_dpop_proof")


def test_a_code_is_bound_to_the_key_that_was_named(rp, browser, session_id, sessions):
    jkt = "k" * 43
    pushed = push(rp, dpop_jkt=jkt)
    answer_of(visit(rp, browser, pushed.request_uri))
    with transaction(sessions) as db:
        family = db.scalars(select(TokenFamily)).one()
        assert family.facts["dpop_jkt"] == jkt


def test_the_documents_say_where_to_push(app, world):
    found = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN).get_json()
    assert found["pushed_authorization_request_endpoint"] == f"{ORIGIN}/par"
    assert found["require_pushed_authorization_requests"] is False


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    changes=st.dictionaries(
        st.sampled_from(sorted(KNOWN - {"client_id", "client_secret", "client_assertion"})),
        st.text(max_size=30),
        max_size=3,
    )
)
def test_n5_whatever_is_pushed_is_kept_or_refused(rp, changes):
    answer = rp.call("/par", **(rp.params() | changes))
    assert answer.status in (201, 400, 401)
    assert ("request_uri" in answer.body) == (answer.status == 201)
