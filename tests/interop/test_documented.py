"""The Flask service of docs/relying-parties.md, run as it stands there."""

import os

import pytest
import requests
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, request, session, url_for
from joserfc import errors, jwk, jwt

from tests.interop.libraries import DOCUMENT, written
from tests.serving import Port, serving

pytestmark = pytest.mark.interop

SCOPE = "openid profile household children"


@pytest.fixture
def secret(monkeypatch):
    """Put the service's secrets where the document reads them."""
    monkeypatch.setenv("SESSION_KEY", "a key of this test alone")

    def keep(secret):
        monkeypatch.setenv("SERVICE_SECRET", secret)

    return keep


@pytest.fixture
def flask_service(provider, secret):
    """The service of the document, with what it leaves to the reader."""
    port, ended = Port(), []
    names = {
        "Flask": Flask,
        "OAuth": OAuth,
        "end_sessions": ended.append,
        "errors": errors,
        "jwk": jwk,
        "jwt": jwt,
        "os": os,
        "redirect": redirect,
        "request": request,
        "requests": requests,
        "session": session,
        "url_for": url_for,
        "__name__": "service",
    }
    secret(
        provider.register(
            "care-booking",
            scope=SCOPE,
            redirect_uris=[f"{port.origin}/callback"],
            post_logout_redirect_uris=[f"{port.origin}/"],
            backchannel_logout_uri=f"{port.origin}/backchannel-logout",
        )
    )
    for begin in ("app = Flask", "EVENT ="):
        text = written(begin, "python").replace("https://login.example.jp", provider.issuer)
        exec(compile(text, str(DOCUMENT), "exec"), names)  # noqa: S102 - our own document
    app = names["app"]

    @app.get("/")
    def home():
        return {name: session[name] for name in ("person", "sid") if name in session}

    with serving(app, port) as origin:
        yield origin, ended


def test_the_flask_service_of_the_document_signs_in_and_out(provider, flask_service, person):
    origin, ended = flask_service
    person.open(f"{origin}/login")
    provider.sign_in(person)
    signed_in = person.page.json()
    assert signed_in["person"]["kosodate_household"]["role"] == "representative"

    person.open(f"{origin}/logout")
    assert (person.path, person.page.json()) == ("/", {})
    assert person.page.url.startswith(origin)
    assert provider.worker.run_once() == 1
    assert ended == [signed_in["sid"]]
    person.open(f"{origin}/logout")
    assert person.page.url == f"{origin}/"
    person.open(f"{origin}/login")
    assert person.path == "/login"


def test_the_flask_service_of_the_document_refuses_what_is_no_logout_token(flask_service):
    origin, ended = flask_service
    answer = requests.post(
        f"{origin}/backchannel-logout", data={"logout_token": "a.b.c"}, timeout=20
    )
    assert (answer.status_code, ended) == (400, [])
