"""Sessions and recent sign-ins: own ones only, ended at once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.signin import BrowserSession
from idp.model.upkeep import AuditEvent
from tests import factories
from tests.web.pages import Browser


@pytest.fixture
def phone(app, hers, mother, enter_session):
    """Another browser of the mother; returns it with the id of its session."""
    found = Browser(app, address="192.0.2.20")
    found.session_id = enter_session(found, mother, device_label="Safari (iPhone)")
    return found


def end(browser, **fields):
    form = browser.get("/account/security").form("/account/sessions/end")
    return browser.post(form.action, {"form_token": form.fields["form_token"]} | fields)


def test_se_07_a24_own_sessions_are_listed_with_their_browsers(hers, phone, his):
    text = hers.get("/account/security").text
    assert "Safari (iPhone)" in text
    assert text.count("この端末</span>") == 1


def test_se_07_ending_a_session_works_at_its_next_request(hers, phone):
    assert phone.get("/account/security").status == 200
    page = end(hers, session_id=str(phone.session_id))
    assert page.location == "/account/security?done=ended"
    assert "ログアウトしました" in page.follow().text
    assert phone.get("/account/security").status == 303
    assert hers.get("/account/security").status == 200


def test_se_07_the_session_of_another_person_does_not_exist(
    hers, app, father, delegation, enter_session
):
    browser = Browser(app)
    session_id = enter_session(browser, father)
    assert str(session_id) not in hers.get("/account/security").text
    assert end(hers, session_id=str(session_id)).status == 404
    assert end(hers, session_id=str(uuid4())).status == 404
    assert end(hers, session_id="x").status == 404
    assert browser.get("/account/security").status == 200


def test_a24_all_other_sessions_are_ended_with_one_button(hers, phone, sessions, mother):
    assert end(hers, others="1").location == "/account/security?done=ended_others"
    assert phone.get("/account/security").status == 303
    assert hers.get("/account/security").status == 200
    with transaction(sessions) as db:
        names = db.scalars(select(AuditEvent.name).where(AuditEvent.subject_id == mother.id)).all()
    assert names == ["signout.others"]


def test_a24_b19_signing_out_everywhere_ends_this_session_too(hers, phone, sessions, mother):
    page = end(hers, all="1")
    assert page.location == "/signed-out"
    assert hers.cookie("session") is None
    assert phone.get("/account/security").status == 303
    with transaction(sessions) as db:
        ends = db.scalars(
            select(BrowserSession.ended_at).where(BrowserSession.account_id == mother.id)
        )
        assert None not in ends.all()


def test_lo_06_ending_sessions_without_a_form_token_changes_nothing(hers, phone):
    hers.get("/account/security")
    assert hers.post("/account/sessions/end", {"all": "1"}).status == 403
    assert phone.get("/account/security").status == 200


def test_a24_failed_sign_ins_stand_in_the_history(hers, sessions, clock, mother, father):
    with transaction(sessions) as db:
        for name, person in (
            ("signin.failed", mother),
            ("signin.locked", mother),
            ("signin.code_failed", father),
        ):
            act = Act(name, subject_id=person.id)
            record(db, act, actor=Actor(kind="visitor", address="198.51.100.1"), now=clock())
    text = hers.get("/account/security").text
    assert "パスワードが違った" in text
    assert "止められていた" in text
    assert "確認コードが違った" not in text
    assert "198.51.100.1" not in text


def test_a24_a_successful_sign_in_names_its_browser(hers, sessions, clock, mother):
    with transaction(sessions) as db:
        act = Act("signin.succeeded", subject_id=mother.id)
        record(db, act, actor=Actor(kind="account", account_id=mother.id), now=clock())
    text = hers.get("/account/security").text
    assert text.count("Firefox (Windows)") == 2


def test_a22_home_names_the_sign_in_before_this_one(
    app, hers, sessions, clock, mother, enter_session
):
    with transaction(sessions) as db:
        act = Act("signin.succeeded", subject_id=mother.id)
        record(db, act, actor=Actor(kind="account", account_id=mother.id), now=clock())
    assert "前回のログイン" not in hers.get("/").text
    clock.advance(timedelta(hours=1))
    again = Browser(app)
    enter_session(again, mother)
    assert "前回のログイン" in again.get("/").text


def test_b48_every_member_sees_her_own_account_only(hers, his, mother, father):
    assert mother.login_id in hers.get("/account/profile").text
    assert father.login_id not in hers.get("/account/profile").text
    assert mother.login_id not in his.get("/account/profile").text
    assert factories.PASSWORD not in his.get("/account/security").text
