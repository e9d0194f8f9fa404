"""The services' own console belongs to the administrator of the installation alone (TN-06)."""

import pytest

from idp.base.failures import places_of
from idp.model.staff import Role
from tests.security.support import fill, form_token, routes, rows
from tests.security.test_forms import TRACES


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM_ADMIN])
def test_tn_06_no_role_of_a_town_reads_or_changes_a_service(
    app, rp, sign_in_as, here, sessions, role
):
    browser = sign_in_as(here, role)
    token = form_token(browser)
    before = rows(sessions, without=TRACES)
    for method in ("GET", "POST"):
        for rule, _kind in routes(app, method):
            if rule.startswith("/admin"):
                own, nobodys = (
                    fill(rule.replace("<client_id>", client_id)) for client_id in ("rp", "nothing")
                )
                for path in (own, nobodys):
                    page = (
                        browser.get(path)
                        if method == "GET"
                        else browser.post(path, {"form_token": token, "client_name": "x"})
                    )
                    assert page.status == 403, (method, path)
    assert rows(sessions, without=TRACES) == before


def test_tn_09_nobody_looks_at_the_pages_of_somebody_else(app, roles, here, sessions):
    """There is no impersonation: pages of families show whoever the cookie belongs to."""
    own = [rule for rule, _kind in routes(app, "GET") if rule.startswith("/account")]
    assert len(own) > 5
    assert [rule for rule in own if "account_id" in rule] == []
    before = rows(sessions, without=TRACES)
    for name in ("clerk", "administrator"):
        for rule in own:
            # Whom they name in the address changes nothing: they are sent to the families' door.
            page = roles[name].get(f"{fill(rule, here)}?account_id={here.guardian}")
            assert (page.status, page.location.partition("?")[0]) == (303, "/login"), rule
    page = roles["proxy"].get(f"/account/profile?account_id={here.guardian}&sub={here.guardian}")
    assert page.status == 200
    assert "健" in page.text
    assert rows(sessions, without=TRACES) == before


def test_lg_01_in_03_a_failure_is_written_down_without_its_words():
    try:
        try:
            int("secret-one")
        except ValueError as error:
            raise RuntimeError("secret-two\nforged line") from error
    except RuntimeError as error:
        written = places_of(error)
    assert "secret" not in written
    assert "\n" not in written
    assert "test_console.py" in written
    assert "after:ValueError" in written
