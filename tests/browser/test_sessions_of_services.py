"""Front-channel logout and session management in the real browser, between two origins."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.base.url import with_query
from idp.db.session import transaction
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.people import Door
from idp.protocol import acr, pkce
from idp.web.deps import SERVICES
from tests import factories
from tests.chromium import open_context
from tests.serving import Port, serving
from tests.signing import install_keys
from tests.web.applications import build_app

pytestmark = pytest.mark.browser

VERIFIER = "v" * 43
PAGE = """<!doctype html><html lang="en"><title>service</title><main>here</main>
<iframe id="op" src="{frame}" hidden></iframe>
<script>
var waiting = [];
window.addEventListener("message", function (event) {{
  waiting.shift()(event.origin + " " + event.data);
}});
function ask(message) {{
  return new Promise(function (answer) {{
    waiting.push(answer);
    document.getElementById("op").contentWindow.postMessage(message, "{origin}");
  }});
}}
</script></html>"""
PUBLIC = {"token_endpoint_auth_method": "none", "scope": "openid"}


class Service:
    """A service on an origin of its own: its pages, and what was asked for there."""

    def __init__(self, issuer, port):
        self.issuer, self.origin = issuer, port.origin
        self.told = []

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/frontchannel":
            self.told.append(parse_qs(environ["QUERY_STRING"]))
        page = PAGE.format(frame=f"{self.issuer}/check_session", origin=self.issuer)
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [page.encode()]

    @property
    def details(self):
        return PUBLIC | {
            "redirect_uris": [f"{self.origin}/callback"],
            "post_logout_redirect_uris": [f"{self.origin}/bye"],
            "frontchannel_logout_uri": f"{self.origin}/frontchannel?from=op",
        }

    def start(self):
        """Return the address that starts a sign-in."""
        params = {
            "client_id": "watcher",
            "redirect_uri": f"{self.origin}/callback",
            "response_type": "code",
            "scope": "openid",
            "state": "st",
            "code_challenge": pkce.build_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        return with_query(f"{self.issuer}/authorize", params)


@pytest.fixture
def port():
    port = Port()
    yield port
    port.close()


@pytest.fixture
def app(sqlite_url, port):
    return build_app(
        sqlite_url, utc_now, provider={"issuer": port.origin}, dev={"allow_http": True}
    )


@pytest.fixture
def service(app, port):
    with serving(app, port) as issuer:
        place = Port()
        service = Service(issuer, place)
        with serving(service, place):
            yield service


@pytest.fixture
def token(app, service):
    """The cookie of a mother who is signed in."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    now, keys = utc_now(), app.extensions[SERVICES].keys
    with transaction(sessionmaker(engine, expire_on_commit=False)) as db:
        install_keys(db, keys=keys, now=now)
        town = factories.make_municipality(db, now=now)
        factories.make_client(
            db, now=now, client_id="watcher", municipality_id=town.id, details=service.details
        )
        mother = factories.make_account(db, now=now, municipality_id=town.id)
        home = factories.make_household(db, now=now, municipality_id=town.id, representative=mother)
        wanted = NewSession(
            account_id=mother.id,
            door=Door.FAMILY,
            acr=acr.Acr.MAILED_CODE.value,
            amr=("pwd", "otp"),
            device_label="Chrome",
            limits=SessionLimits(),
            household_id=home.id,
        )
        started = start_session(db, wanted, now=now)
    yield started.token
    engine.dispose()


def enter(context, service, token):
    """Come to the service as somebody signed in; return its page and the answer it got."""
    context.add_cookies([{"name": "kid_session", "value": token, "url": service.issuer}])
    page = context.new_page()
    page.goto(service.start())
    page.wait_for_url(f"{service.origin}/callback**")
    answer = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    return page, answer


def ask(page, message):
    return page.evaluate("message => ask(message)", message).rpartition(" ")[2]


def sign_out(context, service):
    """Sign out on a page of ours, in another tab."""
    page = context.new_page()
    page.goto(f"{service.issuer}/logout")
    page.click("main button[value=logout]")
    page.wait_for_url(f"{service.issuer}/signed-out")
    return page


def id_token(app, service, code):
    form = {
        "grant_type": "authorization_code",
        "client_id": "watcher",
        "code": code,
        "redirect_uri": f"{service.origin}/callback",
        "code_verifier": VERIFIER,
    }
    answer = app.test_client().post("/token", data=form, base_url=service.issuer)
    return answer.get_json()["id_token"]


def test_oidcc_session_management_rp_sees_the_sign_out_without_asking_us(service, token, chromium):
    with open_context(chromium) as context:
        page, answer = enter(context, service, token)
        message = f"watcher {answer['session_state']}"
        assert ask(page, message) == "unchanged"
        assert ask(page, message) == "unchanged"
        assert ask(page, f"other {answer['session_state']}") == "changed"
        assert ask(page, f"watcher {'A' * 43}.salt") == "changed"
        for wrong in ("", "watcher", "watcher x", answer["session_state"], {"a": 1}, None):
            assert ask(page, wrong) == "error"
        sign_out(context, service)
        assert ask(page, message) == "changed"


def test_a_site_that_borrowed_the_value_learns_nothing(service, token, chromium):
    thief = Port()
    with serving(Service(service.issuer, thief), thief), open_context(chromium) as context:
        _, answer = enter(context, service, token)
        page = context.new_page()
        page.goto(f"{thief.origin}/")
        page.wait_for_load_state()
        assert ask(page, f"watcher {answer['session_state']}") == "changed"


def test_our_own_sign_out_reaches_the_service_in_a_frame(service, token, chromium):
    with open_context(chromium) as context:
        enter(context, service, token)
        page = sign_out(context, service)
        assert page.query_selector("main") is not None
    (told,) = service.told
    assert told["iss"] == [service.issuer]
    assert set(told) == {"iss", "sid", "from"}


@pytest.mark.parametrize("scripts", [True, False])
def test_oidcc_frontchannel_rp_initiated_logout_goes_on_by_itself(
    app, service, token, chromium, scripts
):
    context = chromium.new_context(java_script_enabled=scripts)
    page, answer = enter(context, service, token)
    refused = []
    page.on("console", lambda line: refused.append(line.text) if line.type == "error" else None)
    params = {
        "id_token_hint": id_token(app, service, answer["code"]),
        "post_logout_redirect_uri": f"{service.origin}/bye",
        "state": "s" * 128,
    }
    page.goto(f"{service.issuer}/end_session?{urlencode(params)}")
    page.wait_for_url(f"{service.origin}/bye?state={'s' * 128}")
    context.close()
    assert len(service.told) == 1
    assert refused == []
