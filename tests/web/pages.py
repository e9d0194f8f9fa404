"""A browser without a screen: keeps cookies, reads forms, fills them in, follows redirects.

    browser = Browser(app)
    page = browser.get("/login")
    page = page.submit(login_id="…", password="…")     # fills the first form; page.form("/cancel")
    page = page.follow()                               # one redirect of our own

Cookies are those of an https origin, so `__Host-` cookies are kept.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit


@dataclass
class Form:
    """A form of a page: where it goes and what it carries unless somebody types."""

    action: str
    fields: dict[str, str | list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []
        self.links = []
        self.select = None
        self.area = None

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            self.forms.append(Form(found.get("action", "")))
        elif tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif self.forms and found.get("name"):
            self._read_field(tag, found)
        elif self.forms and tag == "option":
            self._read_option(found)

    def _read_field(self, tag, found):
        form = self.forms[-1]
        form.names.append(found["name"])
        self.select = found["name"] if tag == "select" else None
        kind = found.get("type", "text")
        self.area = found["name"] if tag == "textarea" else None
        if tag == "textarea":
            form.fields[found["name"]] = ""
        elif tag == "input" and kind == "checkbox" and "checked" in found:
            self._tick(found["name"], found.get("value", ""))
        elif tag == "input" and (kind in {"hidden", "text"} or "checked" in found):
            form.fields[found["name"]] = found.get("value", "")

    def _tick(self, name, value):
        """Boxes of one name are sent together."""
        fields = self.forms[-1].fields
        known = fields.get(name)
        if known is None:
            fields[name] = value
        else:
            fields[name] = [*([known] if isinstance(known, str) else known), value]

    def handle_endtag(self, tag):
        if tag == "textarea" and self.area:
            fields = self.forms[-1].fields
            # HTML: the first line break after the tag is not part of it.
            fields[self.area] = fields[self.area].removeprefix("\n")
            self.area = None

    def handle_data(self, data):
        if self.area:
            self.forms[-1].fields[self.area] += data

    def _read_option(self, found):
        """The first option of a choice stands, unless another one is selected."""
        fields = self.forms[-1].fields
        if self.select and (self.select not in fields or "selected" in found):
            fields[self.select] = found.get("value", "")


def read_forms(text: str) -> list[Form]:
    """Return the forms of a page, in order."""
    reader = _Reader()
    reader.feed(text)
    return reader.forms


class Page:
    """An answer, with what a person can do on it."""

    def __init__(self, browser, response):
        self.browser = browser
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.get_data(as_text=True)
        self.location = response.headers.get("Location")
        reader = _Reader()
        reader.feed(self.text)
        self.forms = reader.forms
        self.links = reader.links

    def __repr__(self):
        return f"<{self.status} {self.location or self.title}>"

    @property
    def title(self):
        found = re.search(r"<title>(.*?)</title>", self.text, re.DOTALL)
        return found[1].strip() if found else ""

    def form(self, path=""):
        """Return the first form of `main` whose address begins so; signing out is never meant."""
        fitting = [each for each in self.forms if each.action.startswith(path or "/")]
        if not path:
            fitting = [each for each in fitting if not each.action.startswith("/logout")]
        assert fitting, f"no form {path} on {self!r}: {[each.action for each in self.forms]}"
        return fitting[0]

    def submit(self, to="", **typed):
        """Fill in the form and send it."""
        form = self.form(to)
        return self.browser.post(form.action, form.fields | typed)

    def follow(self):
        """Go where one redirect of our own leads."""
        assert self.status == 303, self
        assert self.location.startswith("/"), self.location
        return self.browser.get(self.location)

    def arrive(self):
        """Follow redirects of our own to a page, or to the first one that leads elsewhere."""
        page = self
        while page.status == 303 and page.location.startswith("/"):
            page = page.follow()
        return page


class Browser:
    """One browser: its cookies, its address, its name."""

    def __init__(self, app, *, address="192.0.2.7", agent="", language="ja"):
        self.client = app.test_client()
        self.origin = app.config["ORIGIN"]
        self.options = {
            "base_url": self.origin,
            "environ_overrides": {"REMOTE_ADDR": address},
        }
        self.headers = {"User-Agent": agent, "Accept-Language": language}

    def get(self, path, **headers):
        return self._open("GET", path, headers=headers)

    def post(self, path, fields=None, **headers):
        return self._open("POST", path, data=fields or {}, headers=headers)

    def _open(self, method, path, *, headers, data=None):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.open(
            path, method=method, data=data, headers=self.headers | names, **self.options
        )
        return Page(self, response)

    def cookie(self, kind):
        """Return the value of one of our cookies, if the browser has it."""
        host = urlsplit(self.origin).hostname
        found = self.client.get_cookie(f"__Host-kid_{kind}", domain=host)
        return found.value if found else None

    def set_cookie(self, kind, value):
        """Put a cookie there, as somebody who steals or invents one."""
        host = urlsplit(self.origin).hostname
        self.client.set_cookie(f"__Host-kid_{kind}", value, domain=host, secure=True)
