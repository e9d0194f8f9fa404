"""A relying party and a signed-in mother, over HTTP."""

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from idp.base.ids import new_id
from idp.base.secret import digest, from_base64url
from idp.db.session import transaction
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.clients import ClientSecret
from idp.model.grants import KeyState, SigningKey
from idp.model.people import Door
from idp.protocol import acr, pkce
from tests import factories
from tests.signing import install_keys
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

CALLBACK = "https://rp.example/callback"
VERIFIER = "v" * 43
SECRET = "rp-secret-of-a-good-length-0123456789"
SPA_ORIGIN = "https://spa.example"


@dataclass
class Tokens:
    """A token response."""

    response: object

    @property
    def status(self):
        return self.response.status_code

    @property
    def body(self):
        return self.response.get_json(force=True)

    @property
    def error(self):
        return (self.status, self.body.get("error"))

    def __getattr__(self, name):
        return self.body[name]

    def claims(self, name="id_token"):
        return json.loads(from_base64url(self.body[name].split(".")[1]))


class Service:
    """What a relying party does: sends people to us, exchanges what comes back."""

    def __init__(self, app, client_id="rp", secret=SECRET):
        self.app = app
        self.client_id = client_id
        self.secret = secret
        self.http = app.test_client(use_cookies=False)

    def params(self, **changes):
        values = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile",
            "state": "st-1",
            "nonce": "n-1",
            "code_challenge": pkce.build_challenge(VERIFIER),
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in values.items() if value is not None}

    def authorize(self, browser, **changes):
        """Send the browser here; return the page it arrives at, or the answer."""
        from werkzeug.urls import iri_to_uri

        from idp.base.url import with_query

        return browser.get(iri_to_uri(with_query("/authorize", self.params(**changes)))).arrive()

    def code(self, browser, **changes):
        """Go all the way and return the code."""
        return answer_of(self.authorize(browser, **changes))["code"]

    def basic(self, secret=None):
        pair = f"{self.client_id}:{secret or self.secret}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    def call(self, path, *, headers=None, query=None, method="POST", **form):
        if headers is None and self.secret is None:
            form = {"client_id": self.client_id} | form
        found = (self.basic() if self.secret else {}) if headers is None else headers
        form = {name: value for name, value in form.items() if value is not None}
        return Tokens(
            self.http.open(
                path, method=method, data=form, headers=found, base_url=ORIGIN, query_string=query
            )
        )

    def redeem(self, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.call("/token", **(form | changes))

    def refresh(self, token, **changes):
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return self.call("/token", **(form | changes))

    def userinfo(self, token, **headers):
        return Tokens(
            self.http.get(
                "/userinfo",
                headers={"Authorization": f"Bearer {token}"} | headers,
                base_url=ORIGIN,
            )
        )

    def introspect(self, token):
        return self.call("/introspect", token=token).body

    def sign_in(self, browser, **changes):
        """Go all the way and return the tokens."""
        return self.redeem(self.code(browser, **changes))


def answer_of(page):
    """Return the parameters with which the browser was sent to the service."""
    assert page.status == 303, page
    assert page.location.startswith(CALLBACK), page.location
    found = parse_qs(urlsplit(page.location).query, keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


@pytest.fixture
def household(sessions, clock, town, mother):
    with transaction(sessions) as db:
        return factories.make_household(
            db, now=clock(), municipality_id=town.id, representative=mother
        )


@pytest.fixture
def world(sessions, clock, town, keys, household):
    """The keys and the services of the municipality."""
    now = clock()
    with transaction(sessions) as db:
        known = select(SigningKey).where(SigningKey.state == KeyState.ACTIVE)
        if not db.scalars(known).all():
            install_keys(db, keys=keys, now=now)
        shared = {"now": now, "municipality_id": town.id, "sector": "municipality:990001"}
        scope = "openid profile email phone address household children delegation offline_access"
        details = {
            "scope": scope,
            "backchannel_logout_uri": "https://rp.example/backchannel",
            "tos_uri": "https://rp.example/terms",
            "policy_uri": "https://rp.example/privacy",
            "kosodate_operator": "架空市こども課",
        }
        factories.make_client(db, client_id="rp", details=details, **shared)
        db.add(secret_row("rp", SECRET, now=now))
        factories.make_client(
            db, client_id="other", details={"scope": scope}, is_consented=False, **shared
        )
        db.add(secret_row("other", SECRET, now=now))
        factories.make_client(
            db,
            client_id="spa",
            details={
                "scope": "openid profile offline_access",
                "token_endpoint_auth_method": "none",
                "kosodate_cors_origins": [SPA_ORIGIN],
            },
            **shared,
        )
    return now


def secret_row(client_id, secret, *, now):
    return ClientSecret(
        id=new_id(now=now), client_id=client_id, digest=digest(secret), created_at=now
    )


@pytest.fixture
def rp(app, world):
    return Service(app)


@pytest.fixture
def other(app, world):
    return Service(app, "other")


@pytest.fixture
def spa(app, world):
    return Service(app, "spa", None)


@pytest.fixture
def enter_session(sessions, clock, household):
    """Sign a person in without the pages; return the id of the session."""

    def run(browser, account, **changes):
        facts = {
            "account_id": account.id,
            "door": Door.FAMILY,
            "acr": acr.Acr.MAILED_CODE.value,
            "amr": ("pwd", "otp"),
            "device_label": "Firefox",
            "limits": SessionLimits(),
            "household_id": household.id,
        }
        with transaction(sessions) as db:
            started = start_session(db, NewSession(**(facts | changes)), now=clock())
        browser.set_cookie("session", started.token)
        return started.session_id

    return run


@pytest.fixture
def session_id(browser, mother, enter_session, world):
    """The mother is signed in in `browser`."""
    return enter_session(browser, mother)


@pytest.fixture
def stranger(app, sessions, clock, town, enter_session, world):
    """Another person's browser."""
    with transaction(sessions) as db:
        account = factories.make_account(db, now=clock(), municipality_id=town.id)
    found = Browser(app, address="192.0.2.9")
    enter_session(found, account, household_id=None)
    return found


@pytest.fixture
def later(clock):
    return lambda **by: clock.advance(timedelta(**by))
