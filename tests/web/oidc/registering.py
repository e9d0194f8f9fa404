"""What a service does that registers itself, and other servers as they would answer it."""

from datetime import timedelta

from idp.base.http import Fetched, FetchError
from idp.db.session import transaction
from idp.domain.grants.initial_access_tokens import TokenOrder, create_initial_token
from idp.domain.upkeep.audit import SYSTEM
from idp.protocol.self_registration import USUAL_SCOPES
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK


class Elsewhere:
    """The servers of others, by address; what nobody put there does not answer."""

    def __init__(self):
        self.answers = {}
        self.asked = []

    def put(self, url, body, *, status=200, kind="application/json"):
        self.answers[url] = Fetched(status, kind, body)

    def get(self, url):
        self.asked.append(url)
        if url not in self.answers:
            raise FetchError("connection")
        return self.answers[url]


class Registrar:
    """A program that registers services over HTTP."""

    def __init__(self, app, token):
        self.http = app.test_client(use_cookies=False)
        self.token = token

    def post(self, *, token=None, body=None, **metadata):
        document = {"client_name": "Tests", "redirect_uris": [CALLBACK]} | metadata
        document = {name: value for name, value in document.items() if value is not None}
        return self.call("/register", "POST", token or self.token, json=document, data=body)

    def call(self, path, method, token, *, json=None, data=None, kind="application/json"):
        content = {"json": json} if data is None else {"data": data, "content_type": kind}
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.http.open(path, method=method, headers=headers, base_url=ORIGIN, **content)


class Registered:
    """A service that has registered itself, and manages itself."""

    def __init__(self, registrar, answer):
        self.registrar = registrar
        self.body = answer.get_json(force=True)
        self.client_id = self.body["client_id"]
        self.token = self.body["registration_access_token"]
        self.path = self.body["registration_client_uri"].removeprefix(ORIGIN)

    def get(self, token=None):
        return self.registrar.call(self.path, "GET", token or self.token)

    def put(self, *, token=None, **changes):
        document = self.body | changes
        document = {name: value for name, value in document.items() if value is not None}
        return self.registrar.call(self.path, "PUT", token or self.token, json=document)

    def delete(self, token=None):
        return self.registrar.call(self.path, "DELETE", token or self.token)


def make_token(sessions, clock, **changes):
    """Make an initial access token; return it in clear."""
    order = {
        "label": "tests",
        "scopes": USUAL_SCOPES,
        "expires_at": clock() + timedelta(days=1),
        "uses": 100,
    }
    with transaction(sessions) as db:
        made = create_initial_token(db, TokenOrder(**(order | changes)), actor=SYSTEM, now=clock())
    return made.token
