"""Authlib's own client in a Flask application, as docs/relying-parties.md shows it."""

import time

import pytest
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import ClientSecretJWT
from flask import Flask, jsonify, session

from tests.serving import Port, serving

pytestmark = pytest.mark.interop


class ShortAssertion(ClientSecretJWT):
    """What docs/relying-parties.md shows: for the issuer, and for a minute instead of an hour."""

    def __init__(self, issuer):
        super().__init__()
        self.issuer = issuer

    def sign(self, auth, token_endpoint):
        self.claims = {"aud": self.issuer, "exp": int(time.time()) + 60}
        return super().sign(auth, token_endpoint)


def build_service(provider, origin, secret, method):
    """Return the service; its session is the cookie of Flask."""
    app = Flask("service")
    app.secret_key = "a key of this test alone"
    kosodate = OAuth(app).register(
        "kosodate",
        server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
        client_id="authlib",
        client_secret=secret,
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": method,
        },
        client_auth_methods=[ShortAssertion(provider.issuer)],
    )

    @app.get("/login")
    def login():
        return kosodate.authorize_redirect(f"{origin}/callback")

    @app.get("/callback")
    def callback():
        token = kosodate.authorize_access_token()
        session["id_token"] = token["id_token"]
        return jsonify(claims=token["userinfo"], userinfo=kosodate.userinfo(token=token))

    @app.get("/logout")
    def logout():
        return kosodate.logout_redirect(f"{origin}/", id_token_hint=session.pop("id_token"))

    @app.get("/")
    def home():
        return jsonify(signed_in="id_token" in session)

    return app


@pytest.fixture(params=["client_secret_basic", "client_secret_jwt"])
def service(provider, request):
    port = Port()
    secret = provider.register(
        "authlib",
        redirect_uris=[f"{port.origin}/callback"],
        post_logout_redirect_uris=[f"{port.origin}/"],
        token_endpoint_auth_method=request.param,
    )
    application = build_service(provider, port.origin, secret, request.param)
    with serving(application, port) as origin:
        yield origin


def test_authlib_signs_in_and_out(provider, service, person):
    person.open(f"{service}/login")
    provider.sign_in(person)
    if person.path == "/consent":
        person.submit("/consent", decision="allow")
    answer = person.page.json()
    assert answer["claims"]["aud"] == "authlib"
    assert answer["userinfo"]["name"] == "佐倉 美咲"
    assert answer["userinfo"]["sub"] == answer["claims"]["sub"]

    person.open(f"{service}/logout")
    assert person.page.json() == {"signed_in": False}
    person.open(f"{service}/login")
    assert person.path == "/login"
