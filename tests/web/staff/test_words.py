"""What staff read of the audit log, and of a page their role does not open (A43, D3)."""

import pytest

from idp.db.session import transaction
from idp.domain.upkeep.audit import SYSTEM, Act, record
from idp.model.staff import Role, StaffRole


def test_a43_what_was_done_and_why_is_shown_in_words_only(sessions, clock, clerk, here):
    rows = {
        "signin.succeeded": None,
        "family.registered": "paper",
        "proxy.removed": "representative",
        "account.suspended": "paper",
        "of.another.version": "of_another_version",
    }
    with transaction(sessions) as db:
        for name, reason in rows.items():
            act = Act(name, here.guardian, here.id, reason=reason)
            record(db, act, actor=SYSTEM, now=clock())
    log, person = clerk.get("/staff/audit").text, clerk.get(f"/staff/people/{here.guardian}").text
    for text in ("ログインした", "家族を登録した", "利用を止めた", "ほかの操作をした"):
        assert text in log
        assert text in person
    for text in ("窓口・郵送（紙）", "代表の方が止めた", "そのほか"):
        assert text in log
    assert log.count(">paper<") == 1
    for name in (*rows, "representative", "of_another_version"):
        assert name not in log
        assert name not in person


def test_a43_the_recent_entries_leave_out_who_looked(clerk, here):
    path = f"/staff/people/{here.guardian}"
    clerk.get(path)
    assert "利用者の画面を見た" not in clerk.get(path).text
    assert "利用者の画面を見た" in clerk.get("/staff/audit").text


@pytest.mark.parametrize("path", ["/staff/audit", "/admin/clients"])
def test_a43_a_page_that_a_role_does_not_open_says_so(here, sign_in_as, path):
    page = sign_in_as(here, Role.READ_ONLY).get(path)
    assert page.status == 403
    assert "この画面を開く権限がありません" in page.text
    assert "/staff/mail" in page.links
    assert "長く開いていた" not in page.text


def test_a43_staff_without_a_role_hear_the_same(here, sign_in, sessions, clock):
    with transaction(sessions) as db:
        db.query(StaffRole).delete()
    page = sign_in(here.clerk).get("/staff/")
    assert page.status == 403
    assert "この画面を開く権限がありません" in page.text
