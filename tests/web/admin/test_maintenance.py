"""The console page of maintenance."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.upkeep.maintenance import list_windows
from idp.model.staff import Role
from idp.model.upkeep import AuditEvent

TYPED = {"starts_at": "2026-04-05T00:00", "ends_at": "2026-04-05T05:00", "announce_days": "7"}


@pytest.fixture
def plans(sessions, clock):
    def run():
        with transaction(sessions) as db:
            return list_windows(db, now=clock())

    return run


def test_b43_an_administrator_plans_it_and_every_page_says_so(admin, browser, plans, sessions):
    page = admin.get("/admin/maintenance").submit("/admin/maintenance", **TYPED, note_ja="ひとこと")
    assert page.location == "/admin/maintenance?done=planned"
    page = page.follow()
    assert "2026年4月5日（日）0時00分" in page.text
    [window] = plans()
    assert window.starts_at.isoformat() == "2026-04-04T15:00:00+00:00"
    assert window.ends_at - window.starts_at == timedelta(hours=5)
    assert "2026年4月5日（日）5時00分まで" in browser.get("/login").text
    with transaction(sessions) as db:
        row = db.scalars(select(AuditEvent).where(AuditEvent.name == "maintenance.planned")).one()
    assert (row.actor_kind, row.subject_id) == ("account", window.id)


def test_b43_an_administrator_calls_it_off(admin, browser, plans):
    page = admin.get("/admin/maintenance").submit("/admin/maintenance", **TYPED).follow()
    [window] = plans()
    page = page.submit(f"/admin/maintenance/{window.id}/end")
    assert page.location == "/admin/maintenance?done=called_off"
    assert plans() == ()
    assert "手入れのお知らせ" not in browser.get("/login").text
    form = admin.get("/admin/maintenance").form("/admin/maintenance")
    page = admin.post(f"/admin/maintenance/{window.id}/end", form.fields)
    assert page.location == "/admin/maintenance?done=not_there"
    assert page.follow().status == 200


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"starts_at": ""}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00"}, "starts_at"),
        ({"ends_at": "soon"}, "ends_at"),
        ({"ends_at": "2026-04-04T23:59"}, "ends_at"),
        ({"starts_at": "2026-03-01T00:00", "ends_at": "2026-03-01T05:00"}, "ends_at"),
        ({"ends_at": "2026-04-13T00:00"}, "ends_at"),
        ({"announce_days": "61"}, "announce_days"),
        ({"announce_days": "x"}, "announce_days"),
        ({"note_ja": "あ" * 201}, "note_ja"),
        ({"note_en": "a" * 201}, "note_ja"),
    ],
)
def test_b43_what_makes_no_sense_comes_back_with_what_was_typed(admin, plans, typed, field):
    page = admin.get("/admin/maintenance").submit("/admin/maintenance", **(TYPED | typed))
    assert page.status == 422
    assert f'href="#{field}"' in page.text
    assert TYPED["announce_days" if "announce_days" not in typed else "ends_at"] in page.text
    assert plans() == ()


def test_b43_an_empty_form_asks_to_choose_as_the_browser_lets_one(admin):
    page = admin.get("/admin/maintenance").submit("/admin/maintenance", starts_at="", ends_at="")
    assert "始まり：日と時刻を選んでください。" in page.text
    assert "終わり：日と時刻を選んでください。" in page.text
    assert "2026-11-29T" not in page.text


@pytest.mark.parametrize("role", [Role.MUNICIPALITY_STAFF, Role.AUDITOR, Role.READ_ONLY])
def test_b43_tn_02_staff_of_a_town_plan_nothing(enter_console, plans, role, town):
    browser = enter_console(role, municipality_id=town.id)
    assert browser.get("/admin/maintenance").status == 403
    assert plans() == ()
