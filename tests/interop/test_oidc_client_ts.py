"""npm's oidc-client-ts, unmodified, in Chromium: a service that is only a page."""

import json
from pathlib import Path

import pytest

from tests.chromium import open_context
from tests.serving import Port, serving

HERE = Path(__file__).parent
SCRIPT = HERE / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"
FILES = {
    "/oidc-client-ts.min.js": (SCRIPT, "text/javascript"),
    "/app.js": (HERE / "pages/app.js", "text/javascript"),
}

pytestmark = pytest.mark.interop


class Service:
    """The pages of the service, and its registration."""

    def __init__(self, provider, port):
        self.origin = port.origin
        self.settings = {
            "authority": provider.issuer,
            "client_id": "oidc-client-ts",
            "redirect_uri": f"{self.origin}/callback",
            "silent_redirect_uri": f"{self.origin}/silent",
            "post_logout_redirect_uri": f"{self.origin}/",
            "response_type": "code",
            "scope": "openid profile",
            "loadUserInfo": True,
            "automaticSilentRenew": False,
        }

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/settings.json":
            body, kind = json.dumps(self.settings).encode(), "application/json"
        else:
            file, kind = FILES.get(path, (HERE / "pages/app.html", "text/html"))
            body = file.read_bytes()
        start_response("200 OK", [("Content-Type", f"{kind}; charset=utf-8")])
        return [body]


@pytest.fixture
def service(provider):
    assert SCRIPT.exists(), "run tests/tools/node-packages.sh"
    port = Port()
    service = Service(provider, port)
    provider.register(
        "oidc-client-ts",
        token_endpoint_auth_method="none",
        redirect_uris=[service.settings["redirect_uri"], service.settings["silent_redirect_uri"]],
        post_logout_redirect_uris=[service.settings["post_logout_redirect_uri"]],
        grant_types=["authorization_code", "refresh_token"],
        kosodate_cors_origins=[service.origin],
    )
    with serving(service, port):
        yield service


@pytest.fixture
def watched(service):
    """The service's library watches the session at the provider, every half second."""
    watching = {"monitorSession": True, "checkSessionIntervalInSeconds": 0.5}
    service.settings |= watching
    return service


@pytest.fixture
def page(chromium):
    with open_context(chromium, language="en-GB") as context:
        yield context.new_page()


def wait_for(page, text):
    page.wait_for_function(
        "text => document.getElementById('state')?.textContent.startsWith(text)", arg=text
    )


def sign_in(provider, service, page):
    """Sign in from the service's page as a person would."""
    page.goto(f"{service.origin}/")
    wait_for(page, "ready")
    page.evaluate("() => { window.manager.signinRedirect() }")
    provider.sign_in_with(page)
    page.wait_for_url(f"{service.origin}/callback**")
    wait_for(page, "signed in")
    return page.evaluate("() => window.user.profile")


def renew(page):
    """Let the library ask again in a hidden frame (prompt=none)."""
    return page.evaluate(
        """() => window.manager.signinSilent({ forceIframeAuth: true })
            .then((user) => ({ sub: user.profile.sub }))
            .catch((error) => ({ error: error.error ?? error.message }))"""
    )


def test_oidc_client_ts_signs_in_renews_silently_and_signs_out(provider, service, page):
    profile = sign_in(provider, service, page)
    assert profile["name"] == "佐倉 美咲"

    page.goto(f"{service.origin}/")
    wait_for(page, "ready")
    assert renew(page) == {"sub": profile["sub"]}

    page.evaluate("() => { window.manager.signoutRedirect() }")
    page.wait_for_url(f"{service.origin}/**")
    wait_for(page, "ready")
    assert renew(page) == {"error": "login_required"}


def wait_for_event(page, name):
    page.wait_for_function("name => window.happened.includes(name)", arg=name)


def ask_provider(page):
    """Let the library look into the provider's frame once; return what that answered."""
    return page.evaluate(
        """() => new Promise((answer) => {
            const listen = (event) => {
                if (event.origin === location.origin) return
                removeEventListener('message', listen)
                answer(event.data)
            }
            addEventListener('message', listen)
        })"""
    )


def test_oidc_client_ts_hears_in_its_frame_that_she_signed_out_in_another_tab(
    provider, watched, page
):
    sign_in(provider, watched, page)
    assert ask_provider(page) == "unchanged"
    assert page.evaluate("() => window.happened") == []

    provider.sign_out_with(page.context.new_page())
    wait_for_event(page, "UserSignedOut")
    assert page.evaluate("() => window.happened") == ["UserSignedOut"]


def test_oidc_client_ts_tells_a_new_session_of_the_same_person_from_a_sign_out(
    provider, watched, page
):
    sign_in(provider, watched, page)
    page.goto("about:blank")
    other = page.context.new_page()
    provider.sign_out_with(other)
    sign_in(provider, watched, other)
    page.goto(f"{watched.origin}/")
    wait_for_event(page, "UserSessionChanged")
    assert page.evaluate("() => window.happened") == ["UserSessionChanged"]
    assert ask_provider(page) == "unchanged"


def test_oidc_client_ts_is_not_alarmed_when_she_shows_her_password_again(provider, watched, page):
    sign_in(provider, watched, page)
    other = page.context.new_page()
    other.goto(f"{watched.origin}/")
    wait_for(other, "ready")
    other.evaluate("() => { window.manager.signinRedirect({ prompt: 'login' }) }")
    provider.sign_in_with(other)
    other.wait_for_url(f"{watched.origin}/callback**")
    wait_for(other, "signed in")
    assert ask_provider(page) == "unchanged"
    assert page.evaluate("() => window.happened") == []
