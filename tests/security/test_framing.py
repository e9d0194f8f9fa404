"""Pages of ours in a frame of another site, in the real browser."""

import pytest

from idp.base.clock import utc_now
from tests.chromium import open_context
from tests.serving import Port, serving
from tests.web.applications import build_app

pytestmark = pytest.mark.browser

PAGES = (
    "/login",
    "/staff/login",
    "/password/reset",
    "/signed-out",
    "/device",
    "/admin",
    "/nothing",
)


def frame_of(address):
    """Return the page of an attacker: ours below a bait."""
    body = f'<!doctype html><title>bait</title><iframe id="ours" src="{address}"></iframe>'.encode()

    def app(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/html")])
        return [body]

    return app


@pytest.fixture
def ours(sqlite_url):
    port = Port()
    app = build_app(sqlite_url, utc_now, provider={"issuer": port.origin}, dev={"allow_http": True})
    with serving(app, port) as origin:
        yield origin


@pytest.mark.parametrize("path", PAGES)
def test_br_08_no_page_of_ours_shows_in_a_frame_of_another_origin(ours, chromium, path):
    with serving(frame_of(f"{ours}{path}"), Port()) as bait, open_context(chromium) as context:
        page = context.new_page()
        page.goto(bait)
        frame = page.query_selector("#ours").content_frame()
        # Chromium shows its own error page in the place of a document that may not be framed.
        assert frame.url.startswith("chrome-error://")
        page.goto(f"{ours}{path}")
        assert page.query_selector("main") is not None
