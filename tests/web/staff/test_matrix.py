"""Who may open and send what: every route, role and town (TN-01, TN-02)."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.staff.roles import PERMISSIONS, Permission
from idp.model.people import Door
from idp.model.staff import Role
from idp.model.tables import METADATA
from idp.model.upkeep import AuditEvent
from tests.web.pages import Browser

PERSON = "/staff/people/<uuid:account_id>"
HOME = "/staff/households/<uuid:household_id>"
CHANGE = f"{PERSON}/<any(suspend, resume, close, unlock):action>"
PROXY = f"{HOME}/proxies/<uuid:membership_id>/remove"
#: The written table: what each route of the console demands. A reviewer reads it in a diff.
ROUTES = {
    ("GET", "/staff/"): Permission.VIEW_PEOPLE,
    ("GET", "/staff/register"): Permission.ISSUE,
    ("POST", "/staff/register"): Permission.ISSUE,
    ("GET", "/staff/mail"): Permission.VIEW_MAIL,
    ("GET", "/staff/mail.csv"): Permission.VIEW_MAIL,
    ("POST", "/staff/mail/send-again"): Permission.ISSUE,
    ("GET", "/staff/audit"): Permission.VIEW_AUDIT,
    ("GET", PERSON): Permission.VIEW_PEOPLE,
    ("POST", f"{PERSON}/issue"): Permission.ISSUE,
    ("POST", f"{PERSON}/send-again"): Permission.ISSUE,
    ("GET", f"{PERSON}/address"): Permission.CORRECT,
    ("POST", f"{PERSON}/address"): Permission.CORRECT,
    ("GET", CHANGE): Permission.SUSPEND,
    ("POST", CHANGE): Permission.SUSPEND,
    ("GET", f"{PERSON}/recover"): Permission.RECOVER,
    ("POST", f"{PERSON}/recover"): Permission.RECOVER,
    ("GET", f"{PERSON}/protect"): Permission.PROTECT,
    ("POST", f"{PERSON}/protect"): Permission.PROTECT,
    ("POST", f"{PERSON}/protection/lift"): Permission.PROTECT,
    ("POST", f"{PERSON}/protection/keep"): Permission.PROTECT,
    ("GET", HOME): Permission.VIEW_PEOPLE,
    ("GET", f"{HOME}/proxies/new"): Permission.MANAGE_MEMBERS,
    ("POST", f"{HOME}/proxies/new"): Permission.MANAGE_MEMBERS,
    ("GET", PROXY): Permission.MANAGE_MEMBERS,
    ("POST", PROXY): Permission.MANAGE_MEMBERS,
    ("GET", f"{HOME}/children/new"): Permission.MANAGE_MEMBERS,
    ("POST", f"{HOME}/children/new"): Permission.MANAGE_MEMBERS,
}
#: Where `/staff/` leads those who may not search: every sign-in of staff ends there.
STARTS = {Role.AUDITOR: "/staff/audit", Role.SYSTEM_ADMIN: "/admin/clients"}
#: What a complete form of each address holds, so that a POST would do its work.
FORMS = {
    "/staff/register": {"family_name": "山田", "household": "new", "step": "issue"},
    f"{PERSON}/address": {"email": "other@example.jp", "reason": "x"},
    CHANGE: {"reason": "x"},
    f"{PERSON}/recover": {
        "fact_name": "1",
        "fact_phone": "1",
        "document": "passport",
        "reason": "x",
    },
    f"{PERSON}/protect": {"reason": "x"},
    f"{HOME}/proxies/new": {
        "family_name": "山田",
        "email": "x@example.jp",
        "relationship": "other",
        "until_year": "2026",
        "until_month": "12",
        "until_day": "1",
        "category_booking": "1",
    },
    f"{HOME}/children/new": {
        "name": "山田",
        "birthdate_year": "2025",
        "birthdate_month": "1",
        "birthdate_day": "1",
    },
}
#: Rows that a look or a sign-in may write.
TRACES = {"audit_event", "browser_session", "failure_count"}


def address(rule, ids):
    """Fill in the ids of a town."""
    return (
        re.sub(r"<any[^>]*>", "suspend", rule)
        .replace("<uuid:account_id>", str(ids.get("person")))
        .replace("<uuid:household_id>", str(ids.get("household")))
        .replace("<uuid:membership_id>", str(ids.get("membership")))
    )


def of(town):
    return {
        "person": town.guardian,
        "household": town.household,
        "membership": town.membership,
    }


def token(browser):
    """Return a form token of this browser, from any page that holds a form."""
    for path in ("/staff/", "/staff/audit", "/accessibility"):
        for form in browser.get(path).forms:
            if "form_token" in form.fields:
                return form.fields["form_token"]
    return ""


def send(browser, method, rule, ids):
    path = address(rule, ids)
    if method == "GET":
        return browser.get(path)
    return browser.post(path, FORMS.get(rule, {}) | {"form_token": token(browser)})


def everything(sessions):
    """Return a digest of every table that only an act may change."""
    with transaction(sessions) as db:
        rows = {
            table.name: sorted(repr(row) for row in db.execute(select(table)))
            for table in METADATA.sorted_tables
            if table.name not in TRACES
        }
    return digest(repr(rows))


def masked(page):
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", page.text)
    return re.sub(r'(nonce|value)="[^"]*"', "", text)


def test_tn_01_the_table_names_every_route_of_the_console(app):
    found = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/staff") and not rule.rule.startswith("/staff/login")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert found - {("POST", "/staff/logout")} == set(ROUTES)


@pytest.mark.parametrize(("method", "rule"), list(ROUTES))
def test_tn_01_each_route_demands_what_the_table_says(app, method, rule):
    [view] = [
        app.view_functions[each.endpoint]
        for each in app.url_map.iter_rules()
        if each.rule == rule and method in each.methods
    ]
    assert view.guard.permission is ROUTES[method, rule]


def test_tn_01_whoever_is_not_staff_is_sent_to_the_staff_door(app, sessions, sign_in, here):
    visitors = [
        Browser(app),
        sign_in(here.guardian, Door.FAMILY),
        sign_in(here.proxy, Door.FAMILY),
    ]
    before = everything(sessions)
    for method, rule in ROUTES:
        for browser in visitors:
            page = send(browser, method, rule, of(here))
            assert page.status in {303, 403}, (method, rule)
            if page.status == 303:
                assert page.location.startswith("/staff/login"), (method, rule)
    assert everything(sessions) == before


@pytest.mark.parametrize("role", list(Role))
def test_tn_01_tn_02_each_role_gets_what_the_table_says_and_nothing_else(
    sessions, sign_in_as, here, role
):
    browser = sign_in_as(here, role)
    for (method, rule), permission in ROUTES.items():
        before = everything(sessions)
        page = send(browser, method, rule, of(here))
        if (method, rule) == ("GET", "/staff/") and role in STARTS:
            assert (page.status, page.location) == (303, STARTS[role])
        elif permission in PERMISSIONS[role]:
            assert page.status not in {403, 404, 500}, (method, rule, page.text)
        else:
            assert page.status == 403, (method, rule)
            assert everything(sessions) == before, (method, rule)


def test_tn_01_another_towns_row_answers_like_one_that_does_not_exist(sessions, clerk, here, there):
    before = everything(sessions)
    nobody = {"person": uuid4(), "household": uuid4(), "membership": uuid4()}
    for method, rule in ROUTES:
        if "<uuid:" in rule:
            foreign = send(clerk, method, rule, of(there))
            unknown = send(clerk, method, rule, nobody)
            assert (foreign.status, unknown.status) == (404, 404), (method, rule)
            assert masked(foreign) == masked(unknown), (method, rule)
    assert everything(sessions) == before


def test_tn_01_a_proxy_of_another_household_is_not_taken_out(sessions, clerk, here, there):
    before = everything(sessions)
    mixed = of(here) | {"membership": there.membership}
    assert send(clerk, "GET", PROXY, mixed).status == 404
    assert send(clerk, "POST", PROXY, mixed).status == 404
    assert everything(sessions) == before


def test_tn_04_a_colleague_is_nobody_at_the_desk(sessions, clerk, here):
    before = everything(sessions)
    for method, rule in ROUTES:
        if "account_id" in rule:
            assert send(clerk, method, rule, {"person": here.clerk}).status == 404, (method, rule)
    assert everything(sessions) == before


@pytest.mark.parametrize(("method", "rule"), [("GET", PERSON), ("GET", HOME)])
def test_tn_07_one_look_is_one_row_of_the_log(sessions, clerk, here, method, rule):
    send(clerk, method, rule, of(here))
    with transaction(sessions) as db:
        rows = db.scalars(select(AuditEvent)).all()
        [row] = [each for each in rows if each.name.endswith(".viewed")]
        assert (row.actor_id, row.municipality_id) == (here.clerk, here.id)
        assert row.address == "192.0.2.7"


def test_tn_07_no_role_can_change_the_log(app):
    writing = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "audit" in rule.rule and rule.methods - {"GET", "HEAD", "OPTIONS"}
    ]
    assert writing == []


@pytest.mark.parametrize("garbage", ["0", "x", "-1", "%00", "../../etc/passwd", "1e9"])
def test_in_10_an_id_that_is_none_is_not_found(clerk, garbage):
    for path in (f"/staff/people/{garbage}", f"/staff/households/{garbage}"):
        assert clerk.get(path).status in {400, 404}


@pytest.mark.parametrize("page", ["0", "-1", "1000000000", "x", "１", "2", "1.0"])
@pytest.mark.parametrize("path", ["/staff/?q=&page=", "/staff/mail?page=", "/staff/audit?page="])
def test_in_10_a_page_that_is_none_is_not_found(clerk, path, page):
    assert clerk.get(path + page).status == 404


@pytest.mark.parametrize("role", list(Role))
def test_tn_02_every_role_arrives_at_a_page_of_its_own(sign_in_as, here, role):
    page = sign_in_as(here, role).get("/staff/").arrive()
    assert page.status == 200
