"""What tests of security share: every route of ours, and a digest of every row."""

import re
from uuid import UUID

from sqlalchemy import select

from idp.base.secret import digest
from idp.db.session import transaction
from idp.model.tables import METADATA
from idp.web.guards import GuardKind

NOBODY = "00000000-0000-7000-8000-000000000000"


def routes(app, method):
    """Return (address, kind of guard) of every route that takes this method, ids filled in."""
    found = []
    for rule in app.url_map.iter_rules():
        if method in rule.methods and rule.endpoint != "static":
            guard = app.view_functions[rule.endpoint].guard
            found.append((rule.rule, guard.kind))
    return sorted(found)


def fill(rule, town=None):
    """Write an address out; the ids are those of a town, or nobody's."""
    ids = {
        "account_id": town.guardian if town else NOBODY,
        "household_id": town.household if town else NOBODY,
        "membership_id": town.membership if town else NOBODY,
        "client_id": "booking",
        "row_id": NOBODY,
        "name": "00" * 32,
    }
    rule = re.sub(r"<any\('?([\w-]+).*?\):\w+>", r"\1", rule)
    for name, value in ids.items():
        rule = re.sub(rf"<(\w+:)?{name}>", str(value), rule)
    assert "<" not in rule, rule
    return rule


def form_routes(app):
    """Return the address of everything that takes a form of ours."""
    foreign = {GuardKind.CLIENT, GuardKind.CROSS_SITE}
    return [fill(rule) for rule, kind in routes(app, "POST") if kind not in foreign]


def role_of(path):
    """Name who may use the forms of an address."""
    if path.startswith("/admin"):
        return "administrator"
    if path.startswith("/staff"):
        return "clerk"
    return "family"


def visitors(roles, rule):
    """Return the browsers of nobody and of whoever belongs to this address."""
    return [roles["nobody"], roles[role_of(rule)]]


def rows(sessions, *, without=()):
    """Return a digest of each table."""
    with transaction(sessions) as db:
        return {
            table.name: digest(repr(sorted(repr(row) for row in db.execute(select(table)))))
            for table in METADATA.sorted_tables
            if table.name not in without
        }


def form_token(browser):
    """Return a form token of this browser, from any page that holds a form."""
    for path in ("/", "/admin/clients/new", "/staff/", "/staff/audit", "/login"):
        for form in browser.get(path).forms:
            if "form_token" in form.fields:
                return form.fields["form_token"]
    raise AssertionError("no page has a form")


def masked(text):
    """Return a page without what differs between any two answers."""
    text = re.sub(r'(name="form_token" value|nonce)="[^"]*"', "", text)
    text = re.sub(r'value="[^"]*@[^"]*"', "", text)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "…", text)


def is_id(text):
    """Whether this is an id of ours."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
