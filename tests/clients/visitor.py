"""A browser as the relying parties see it: cookies, redirects, forms read from the page."""

import html
import re
from datetime import datetime
from urllib.parse import urlsplit

import requests

from clients.kit.clock import TOKYO

BASE_URL = "http://127.0.0.1:8001"

#: 9:00 on a Tuesday in 架空市.
MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=TOKYO)

HIYORI = {"id": "child-hiyori", "birthdate": "2024-05-12", "status": "active"}
MINATO = {"id": "child-minato", "birthdate": "2023-04-01", "status": "aged_out"}


def family(role="representative", *, sub="misaki", household="sakura", children=(HIYORI,)):
    """The claims of somebody of a household."""
    return {
        "sub": sub,
        "name": "佐倉 美咲",
        "locale": "ja",
        "email": "nobody-needs-it@example.jp",
        "kosodate_household": {"id": household, "municipality_code": "990001", "role": role},
        "kosodate_children": list(children),
    }


class Visitor:
    """One browser in front of one relying party and its provider."""

    def __init__(self, app, provider, base_url=BASE_URL):
        self.client = app.test_client()
        self.provider = provider
        self.base_url = base_url
        self.page = None

    def get(self, path, **arguments):
        self.page = self.client.get(path, base_url=self.base_url, **arguments)
        return self.page

    def post(self, path, data=None, **arguments):
        """Send a form as the page that is open holds it: with its token."""
        data = {"csrf_token": self.token()} | (data or {})
        self.page = self.client.post(path, data=data, base_url=self.base_url, **arguments)
        return self.page

    def token(self):
        found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', self.text())
        return found[1] if found else ""

    def text(self):
        return html.unescape(self.page.get_data(as_text=True)) if self.page else ""

    def go_to_provider(self, path):
        """Open a page that asks for a sign-in; return the provider's answer address."""
        first = self.get(path)
        if first.status_code == 200:  # signed in already: ask for another sign-in
            first = self.get(f"/login?next={path}")
        assert first.status_code == 303, first.status_code
        away = self.get(first.location) if first.location.startswith("/login") else first
        answer = requests.get(away.location, allow_redirects=False, timeout=5)
        return answer.headers["Location"].removeprefix(self.base_url)

    def sign_in(self, person, path="/"):
        """Go the whole way and follow our own redirects to the page at its end."""
        self.provider.person = person
        return self.follow(self.get(self.go_to_provider(path)))

    def follow(self, response):
        while response.status_code == 303 and response.location.startswith("/"):
            response = self.get(response.location)
        return response

    def cookie(self, purpose):
        cookies = {cookie.key: cookie for cookie in self.client._cookies.values()}
        return next((c for name, c in cookies.items() if name.endswith(f"-{purpose}")), None)

    def fields(self):
        """Every hidden field of the page's last form."""
        form = self.text().rsplit("<form", 1)[1]
        return re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)


def path_of(location):
    return urlsplit(location).path
