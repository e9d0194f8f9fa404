"""npm's oidc-client-ts, unmodified, in Chromium: a service that is only a page."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import factories
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
    page.wait_for_url(f"{provider.issuer}/login**")
    page.fill("[name=login_id]", provider.mother.login_id)
    page.fill("[name=password]", factories.PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(f"{provider.issuer}/login/code**")
    page.fill("[name=code]", provider.mailed_code())
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()
    if urlsplit(page.url).path == "/consent":
        page.click("button[name=decision][value=allow]")
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
