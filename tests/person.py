"""A person with a browser that has no screen, on real ports: for journeys through several sites."""

from urllib.parse import urljoin, urlsplit

import requests

from tests.web.pages import Form, read_forms


class Person:
    """Opens pages, follows redirects between sites, fills in forms; `page` is what is open now."""

    def __init__(self):
        self.http = requests.Session()
        self.http.trust_env = False
        self.page = None

    def open(self, url: str):
        self.page = self.http.get(url, timeout=20)
        return self

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def form(self, action: str = "") -> Form:
        """Return the first form whose address begins so; signing out is never meant."""
        forms = [form for form in read_forms(self.page.text) if form.action.startswith(action)]
        forms = [form for form in forms if action or not form.action.startswith("/logout")]
        assert forms, f"no form {action} at {self.page.url}: {self.page.text[:2000]}"
        return forms[0]

    def submit(self, action: str = "", **typed):
        """Fill in the form and send it."""
        form = self.form(action)
        # What a browser sends with every form; the provider refuses forms from elsewhere by it.
        parts = urlsplit(self.page.url)
        self.page = self.http.post(
            urljoin(self.page.url, form.action),
            data=form.fields | typed,
            headers={"Origin": f"{parts.scheme}://{parts.netloc}"},
            timeout=20,
        )
        return self

    def close(self):
        self.http.close()
