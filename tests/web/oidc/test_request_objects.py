"""Signed authorization requests over HTTP: by value, pushed, and by reference (RFC 9101)."""

import hmac
import json
from dataclasses import replace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.base.http import HttpClient
from idp.base.secret import to_base64url
from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.grants.jose import REGISTRIES
from idp.domain.grants.request_objects import RequestObjects
from idp.web.deps import SERVICES
from tests import factories
from tests.serving import Port, serving
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, SECRET, Service, answer_of, secret_row
from tests.web.oidc.fapi import KEY, OTHER_KEY, make_service
from tests.web.oidc.test_authorize import assert_error, assert_shown

RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
FOREIGN = ECKey.generate_key("P-256", {"kid": "fapi-1"})
KEYS = {"ES256": KEY, "RS256": RSA, "PS256": RSA, "EdDSA": ED}


def public(*keys):
    return {"keys": [json.loads(json.dumps(key.as_dict(private=False))) for key in keys]}


class Signer(Service):
    """Signs its requests."""

    def claims(self, clock, **changes):
        now = int(clock().timestamp())
        values = self.params() | {
            "iss": self.client_id,
            "aud": ORIGIN,
            "nbf": now,
            "exp": now + 300,
        }
        values |= changes
        return {name: value for name, value in values.items() if value is not None}


def sign(claims, alg="ES256", key=None, **header):
    signer = key or KEYS[alg]
    head = {"alg": alg, "kid": signer.kid, "typ": "oauth-authz-req+jwt"} | header
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims, signer, registry=REGISTRIES[alg])


def sign_with_public_key(claims):
    """HS256 with the text of our own public key as the secret (JW-02)."""
    head = to_base64url(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode())
    text = f"{head}.{to_base64url(json.dumps(claims).encode())}"
    signature = hmac.new(KEY.as_pem(private=False), text.encode(), "sha256").digest()
    return f"{text}.{to_base64url(signature)}"


def unsigned(claims):
    head = to_base64url(json.dumps({"alg": "none"}).encode())
    return f"{head}.{to_base64url(json.dumps(claims).encode())}."


@pytest.fixture
def signer(app, world, sessions, clock):
    """An ordinary client with keys."""
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id="signer",
            sector="municipality:990001",
            details={"jwks": public(KEY, RSA, ED)},
        )
        db.add(secret_row("signer", SECRET, now=clock()))
    return Signer(app, "signer")


@pytest.fixture
def fapi(app, world, sessions, clock):
    """A client of FAPI 2.0 Message Signing: it signs what it pushes."""
    return make_service(
        app,
        sessions,
        clock,
        jwks=public(KEY, RSA),
        require_signed_request_object=True,
    )


def send(service, browser, request, **beside):
    """Send a request by value to the authorization endpoint."""
    wanted = {"client_id": service.client_id, "request": request} | beside
    return browser.get(with_query("/authorize", wanted)).arrive()


def fapi_claims(fapi, clock, **changes):
    return Signer.claims(fapi, clock, **changes)


def push(fapi, request, **beside):
    return fapi.call("/par", client_id=fapi.client_id, request=request, **beside)


@pytest.mark.parametrize("alg", KEYS)
def test_a_signed_request_is_answered(signer, browser, session_id, clock, alg):
    answer = answer_of(send(signer, browser, sign(signer.claims(clock), alg)))
    assert {"code", "state", "iss"} <= set(answer)
    assert signer.redeem(answer["code"]).claims()["nonce"] == "n-1"


@pytest.mark.parametrize("header", [{"kid": None}, {"typ": None}, {"typ": "JWT"}])
def test_kid_and_typ_may_be_missing(signer, browser, session_id, clock, header):
    assert "code" in answer_of(send(signer, browser, sign(signer.claims(clock), **header)))


def test_only_what_the_object_says_counts(signer, browser, session_id, clock):
    request = sign(signer.claims(clock, state="inside", nonce=None))
    beside = signer.params(state="outside", nonce="outside", scope="openid nothing")
    answer = answer_of(send(signer, browser, request, **beside))
    assert answer["state"] == "inside"
    assert "nonce" not in signer.redeem(answer["code"]).claims()


def test_what_is_missing_inside_is_not_taken_from_outside(signer, browser, clock):
    request = sign(signer.claims(clock, redirect_uri=None))
    assert_shown(send(signer, browser, request, redirect_uri=CALLBACK))
    request = sign(signer.claims(clock, response_type=None))
    assert_error(send(signer, browser, request, **signer.params()), "invalid_request")


def test_the_checks_are_those_of_every_request(signer, browser, clock):
    request = sign(signer.claims(clock, redirect_uri="https://evil.example/"))
    assert_shown(send(signer, browser, request))
    request = sign(signer.claims(clock, code_challenge=None))
    assert_error(send(signer, browser, request), "invalid_request")
    request = sign(signer.claims(clock, state="a\r\nb"))
    assert_error(send(signer, browser, request), "invalid_request", state=None)


def bad_objects(signer, clock):
    """Objects that were not signed as they must be, by the case that names them."""
    good = signer.claims(clock)
    head, body, signature = sign(good).split(".")
    jwk = {name: str(value) for name, value in FOREIGN.as_dict(private=False).items()}
    return {
        "jw_01_none": unsigned(good),
        "jw_02_hs256": sign_with_public_key(good),
        "jw_03_jwk": sign(good, key=FOREIGN, jwk=jwk),
        "jw_04_kid": sign(good, kid="../../dev/null"),
        "foreign_key": sign(good, key=FOREIGN),
        "bad_signature": f"{head}.{body}.{signature[:-4]}AAAA",
        "other_body": f"{head}.{to_base64url(json.dumps({**good, 'state': 'x'}).encode())}."
        + signature,
        "encrypted": f"{head}.a.b.c.{signature}",
        "nothing": "x",
        "dots": "..",
        "jw_09_aud": sign(signer.claims(clock, aud="https://other.example")),
        "expired": sign(signer.claims(clock, exp=1)),
        "jw_07_type": sign(good, typ="at+jwt"),
    }


def test_jw_01_to_jw_09_a_bad_object_is_reported_where_it_may_be(signer, browser, clock):
    for name, request in bad_objects(signer, clock).items():
        page = send(signer, browser, request, redirect_uri=CALLBACK, state="st-1")
        assert_error(page, "invalid_request_object"), name
        assert_shown(send(signer, browser, request))
        page = send(signer, browser, request, redirect_uri="https://evil.example/")
        assert_shown(page)


def test_jw_05_a_critical_header_is_refused(signer, browser, clock):
    head, body, signature = sign(signer.claims(clock)).split(".")
    head = to_base64url(json.dumps({"alg": "ES256", "kid": KEY.kid, "crit": ["x"]}).encode())
    page = send(signer, browser, f"{head}.{body}.{signature}", redirect_uri=CALLBACK)
    assert_error(page, "invalid_request_object", state=None)


def test_the_client_outside_must_be_the_one_inside(signer, other, browser, clock):
    request = sign(signer.claims(clock))
    assert_error(send(other, browser, request, **other.params()), "request_not_supported")
    request = sign(signer.claims(clock, client_id="other"))
    page = send(signer, browser, request, redirect_uri=CALLBACK)
    assert_error(page, "invalid_request_object", state=None)
    assert_shown(browser.get(with_query("/authorize", {"request": request})))


def test_a_client_without_keys_cannot_sign(rp, browser, clock):
    page = send(rp, browser, "a.b.c", **rp.params())
    assert_error(page, "request_not_supported")


def test_a_registered_algorithm_is_the_only_one(app, world, sessions, clock, browser, session_id):
    with transaction(sessions) as db:
        details = {"jwks": public(KEY, RSA), "request_object_signing_alg": "PS256"}
        factories.make_client(db, now=clock(), client_id="signer", details=details)
    service = Signer(app, "signer")
    claims = service.claims(clock)
    assert "code" in answer_of(send(service, browser, sign(claims, "PS256")))
    for alg in ("ES256", "RS256"):
        page = send(service, browser, sign(claims, alg), redirect_uri=CALLBACK)
        assert_error(page, "invalid_request_object", state=None)


def test_a_client_that_must_sign_is_refused_without(app, world, sessions, clock, browser):
    with transaction(sessions) as db:
        details = {"jwks": public(KEY), "require_signed_request_object": True}
        factories.make_client(db, now=clock(), client_id="signer", details=details)
    assert_error(Signer(app, "signer").authorize(browser), "invalid_request")


def test_fapi2_message_signing_happy_flow(fapi, browser, session_id, clock):
    pushed = push(fapi, sign(fapi_claims(fapi, clock)))
    assert pushed.status == 201, pushed.body
    answer = answer_of(fapi.visit(browser, pushed.request_uri, state="outside"))
    assert (answer["state"], answer["iss"]) == ("st-1", ORIGIN)


def test_fapi2_message_signing_ensure_unsigned_request_at_par_endpoint_fails(fapi):
    assert fapi.push().error == (400, "invalid_request")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"},
        {"exp": None},
        {"nbf": None},
        {"exp": 1},
        {"request_uri": "urn:x"},
        {"client_id": "signer"},
        {"iss": "signer"},
    ],
)
def test_fapi2_message_signing_bad_request_objects_are_refused_when_pushed(fapi, clock, changes):
    answer = push(fapi, sign(fapi_claims(fapi, clock, **changes)))
    assert answer.error == (400, "invalid_request_object")


@pytest.mark.parametrize("minutes", [-70, 70])
def test_fapi2_message_signing_nbf_and_exp_over_60_fail(fapi, clock, minutes):
    now = int(clock().timestamp())
    changes = {"nbf": now + minutes * 60} if minutes < 0 else {"exp": now + minutes * 60}
    answer = push(fapi, sign(fapi_claims(fapi, clock, **changes)))
    assert answer.error == (400, "invalid_request_object")


def test_fapi2_message_signing_nbf_8_seconds_ahead_and_multiple_aud_are_accepted(fapi, clock):
    now = int(clock().timestamp())
    claims = fapi_claims(fapi, clock, nbf=now + 8, aud=[ORIGIN, "https://other.example"])
    assert push(fapi, sign(claims)).status == 201


def test_fapi2_message_signing_rs256_none_bad_signature_and_other_keys_fail(fapi, clock):
    claims = fapi_claims(fapi, clock)
    good = sign(claims)
    wrong = [
        sign(claims, "RS256"),
        unsigned(claims),
        good[:-4] + "AAAA",
        sign(claims, key=OTHER_KEY),
        sign(claims, key=FOREIGN),
    ]
    for request in wrong:
        assert push(fapi, request).error == (400, "invalid_request_object")


def test_fapi2_message_signing_ensure_request_object_without_redirect_uri_fails(fapi, clock):
    answer = push(fapi, sign(fapi_claims(fapi, clock, redirect_uri=None)), redirect_uri=CALLBACK)
    assert answer.error == (400, "invalid_request")


def test_fapi2_a_signed_request_has_to_be_pushed_all_the_same(fapi, browser, clock):
    page = send(fapi, browser, sign(fapi_claims(fapi, clock)), redirect_uri=CALLBACK)
    assert_error(page, "invalid_request", state=None)


class Host:
    """A server of the client that gives its objects out, and counts who asks."""

    def __init__(self):
        self.content = {}
        self.calls = []

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.calls.append(path)
        status, body = self.content.get(path, ("404 Not Found", ""))
        start_response(status, [("Content-Type", "application/oauth-authz-req+jwt")])
        return [body.encode()]


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def reference(app, world, sessions, clock, host):
    """A client that registered one address for its objects."""
    port = Port()
    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id="signer",
            sector="municipality:990001",
            details={
                "jwks": public(KEY),
                "request_uris": [f"{port.origin}/object", f"{port.origin}/other#v1"],
            },
        )
    http = HttpClient(timeout_seconds=2, allow_loopback=True)
    services = app.extensions[SERVICES]
    app.extensions[SERVICES] = replace(services, request_objects=RequestObjects(http))
    with serving(host, port) as origin:
        service = Signer(app, "signer")
        service.origin = origin
        yield service


def refer(service, browser, path, **beside):
    wanted = {"client_id": "signer", "request_uri": service.origin + path} | beside
    return browser.get(with_query("/authorize", wanted)).arrive()


@pytest.mark.parametrize("path", ["/object", "/object#v7", "/other#v1"])
def test_oidcc_request_uri_signed_is_fetched(reference, host, browser, session_id, clock, path):
    signed = sign(reference.claims(clock))
    host.content = {"/object": ("200 OK", signed), "/other": ("200 OK", signed)}
    answer = answer_of(refer(reference, browser, path, state="outside"))
    assert answer["state"] == "st-1"
    assert len(host.calls) == 1


@pytest.mark.parametrize("path", ["/object/", "/object?x", "/Object", "/other", "/other#v2", ""])
def test_sr_01_nothing_but_a_registered_address_is_called(reference, host, browser, path):
    page = refer(reference, browser, path, redirect_uri=CALLBACK, state="st-1")
    assert_error(page, "invalid_request_uri")
    assert host.calls == []


@pytest.mark.parametrize(
    "uri", ["https://evil.example/r", "http://169.254.169.254/", "file:///etc/passwd", "urn:x"]
)
def test_sr_01_addresses_of_others_are_not_called(reference, browser, uri):
    wanted = reference.params(request_uri=uri)
    assert_error(browser.get(with_query("/authorize", wanted)), "invalid_request_uri")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        ("404 Not Found", "", "invalid_request_uri"),
        ("500 Oops", "", "invalid_request_uri"),
        ("302 Found", "", "invalid_request_uri"),
        ("200 OK", "x" * 40_000, "invalid_request_uri"),
        ("200 OK", "x" * 70_000, "invalid_request_uri"),
        ("200 OK", "<html>", "invalid_request_object"),
        ("200 OK", "é.日.本", "invalid_request_object"),
        ("200 OK", "", "invalid_request_object"),
    ],
)
def test_sr_04_whatever_comes_from_there_is_answered(reference, host, browser, status, body, error):
    host.content = {"/object": (status, body)}
    page = refer(reference, browser, "/object", redirect_uri=CALLBACK, state="st-1")
    assert_error(page, error)


def test_sr_04_a_failure_is_remembered_for_a_moment(reference, host, browser, later):
    for _ in range(3):
        refer(reference, browser, "/object", redirect_uri=CALLBACK)
    assert len(host.calls) == 1
    later(seconds=5)
    refer(reference, browser, "/object", redirect_uri=CALLBACK)
    assert len(host.calls) == 2


def test_a_fragment_names_the_content(reference, host, browser, session_id, clock, later):
    host.content = {"/object": ("200 OK", sign(reference.claims(clock)))}
    refer(reference, browser, "/object#v1")
    later(seconds=60)
    refer(reference, browser, "/object#v1")
    assert len(host.calls) == 1
    refer(reference, browser, "/object#v2")
    assert len(host.calls) == 2


def test_a_service_that_is_away_is_no_failure_of_ours(reference, browser):
    wanted = reference.params(request_uri=reference.origin + "/object")
    reference.app.extensions[SERVICES].request_objects.fetch(
        reference.origin + "/object", now=reference.app.extensions[SERVICES].clock()
    )
    assert_error(browser.get(with_query("/authorize", wanted)), "invalid_request_uri")


def test_value_and_reference_do_not_go_together(reference, browser):
    page = refer(reference, browser, "/object", request="a.b.c", redirect_uri=CALLBACK)
    assert_error(page, "invalid_request", state=None)


def test_the_documents_say_what_is_taken(app, world):
    found = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN).get_json()
    assert found["request_parameter_supported"] is True
    assert found["request_uri_parameter_supported"] is True
    assert found["require_request_uri_registration"] is True
    assert found["request_object_signing_alg_values_supported"] == [
        "PS256",
        "ES256",
        "EdDSA",
        "RS256",
    ]
