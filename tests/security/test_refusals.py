"""What is refused to somebody who is signed in leaves one row in the audit log, and no flood."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.signin.refusals import PURPOSE, ROWS_OF_A_SESSION, Refusal
from idp.model.people import Account, Door
from idp.model.signin import BrowserSession, FailureCount
from idp.model.staff import Role
from idp.model.upkeep import AuditEvent
from tests import factories
from tests.security.support import form_routes, form_token, role_of, rows
from tests.security.test_forms import TRACES
from tests.web.applications import ORIGIN, build_app
from tests.web.pages import Browser

SHARE = ROWS_OF_A_SESSION.count
FOREIGN = {"Origin": "https://evil.example"}


@pytest.fixture
def app(database_url, clock):
    """The provider on both databases."""
    return build_app(database_url, clock)


@pytest.fixture
def refused(sessions):
    """Return the rows about refusals that came since the last call."""
    seen = set()

    def run():
        names = ("form.refused", "request.refused")
        with transaction(sessions) as db:
            found = db.scalars(select(AuditEvent).where(AuditEvent.name.in_(names))).all()
        new = [row for row in found if row.id not in seen]
        seen.update(row.id for row in new)
        return new

    return run


@pytest.fixture
def people(sessions):
    """Return (account, municipality) of whoever is signed in with a browser."""

    def run(browser):
        with transaction(sessions) as db:
            return db.execute(
                select(Account.id, Account.municipality_id)
                .join(BrowserSession, BrowserSession.account_id == Account.id)
                .where(BrowserSession.token_digest == digest(browser.cookie("session")))
            ).one()

    return run


def forget_shares(sessions):
    with transaction(sessions) as db:
        db.execute(delete(FailureCount).where(FailureCount.purpose == PURPOSE))


def test_br_01_every_refused_form_of_somebody_signed_in_leaves_one_row(
    app, roles, sessions, refused, people, clock
):
    stranger = form_token(Browser(app, address="198.51.100.7"))
    wrong = {
        Refusal.FORM_TOKEN: ({"form_token": stranger}, {}),
        Refusal.FOREIGN_ORIGIN: ({}, FOREIGN),
    }
    tokens = {name: form_token(browser) for name, browser in roles.items()}
    before = rows(sessions, without=TRACES)
    refused()  # looking for a form, a clerk came to a page that is not hers
    for path in form_routes(app):
        browser = roles[role_of(path)]
        account_id, municipality_id = people(browser)
        forget_shares(sessions)
        for reason, (fields, headers) in wrong.items():
            sent = {"form_token": tokens[role_of(path)]} | fields
            assert browser.post(path, sent, **headers).status == 403, path
            [row] = refused()
            assert (row.name, row.reason) == ("form.refused", reason), path
            assert (row.actor_kind, row.actor_id) == ("account", account_id)
            assert (row.subject_id, row.municipality_id) == (account_id, municipality_id)
            assert (row.address, row.at) == ("192.0.2.7", clock())
            assert row.detail["method"] == "POST"
    assert rows(sessions, without=TRACES) == before


def test_br_01_a_browser_that_keeps_no_cookies_is_told_and_written_down(roles, refused):
    assert roles["family"].post("/account/sessions/end", {}).status == 400
    [row] = refused()
    assert row.reason == Refusal.COOKIES_OFF


def test_br_01_a_refused_form_of_nobody_leaves_no_row(app, roles, refused):
    for path in form_routes(app):
        assert roles["nobody"].post(path, {}, **FOREIGN).status == 403
    assert refused() == []


def test_br_01_a_form_that_is_ours_leaves_no_row_of_a_refusal(roles, refused):
    browser = roles["family"]
    fields = {"form_token": form_token(browser), "to": "en"}
    assert browser.post("/language", fields, Origin=ORIGIN).status == 303
    assert refused() == []


def test_br_01_tn_02_a_missing_permission_leaves_one_row(sign_in_as, here, refused, people):
    browser = sign_in_as(here, Role.AUDITOR)
    token = form_token(browser)
    refused()
    account_id, municipality_id = people(browser)
    for method, send in (
        ("GET", lambda: browser.get("/admin/clients")),
        ("POST", lambda: browser.post("/admin/clients/new", {"form_token": token})),
    ):
        assert send().status == 403
        [row] = refused()
        assert (row.name, row.reason) == ("request.refused", Refusal.PERMISSION)
        assert (row.actor_id, row.subject_id) == (account_id, account_id)
        assert row.municipality_id == municipality_id
        assert row.detail["method"] == method


def test_br_01_somebody_whose_role_has_ended_leaves_one_row(
    sign_in, sessions, here, refused, clock
):
    with transaction(sessions) as db:
        former = factories.make_account(
            db, now=clock(), municipality_id=here.id, door=Door.STAFF
        ).id
    browser = sign_in(former)
    assert browser.get("/staff/").status == 403
    [row] = refused()
    assert (row.reason, row.actor_id) == (Refusal.NO_ROLE, former)


def test_br_01_nobody_fills_the_log_and_the_last_row_says_so(roles, refused, sessions, clock):
    browser = roles["family"]
    for _ in range(SHARE + 20):
        clock.advance(timedelta(seconds=1))
        assert browser.post("/language", {}, **FOREIGN).status == 403
    found = refused()
    assert len(found) == SHARE
    assert [row for row in found if row.detail.get("more_not_written")] == [
        max(found, key=lambda row: row.at)
    ]
    with transaction(sessions) as db:
        counts = select(func.count()).where(FailureCount.purpose == PURPOSE)
        assert db.scalar(counts) == 1
    # Somebody else's session has its own share; this one has another in the next hour.
    assert roles["proxy"].post("/language", {}, **FOREIGN).status == 403
    assert len(refused()) == 1
    for _ in range(2):
        clock.advance(timedelta(minutes=30))
        browser.get("/account/profile")
    assert browser.post("/language", {}, **FOREIGN).status == 403
    assert len(refused()) == 1
