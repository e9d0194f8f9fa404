"""Initial access tokens in the console: made, shown once, ended."""

import re

import pytest
from sqlalchemy import select

from idp.base.secret import digest
from idp.model.clients import InitialAccessToken
from idp.model.upkeep import AuditEvent

TOKENS = "/admin/registration-tokens"
TYPED = {"label": "架空ソフトの検証環境", "days": "３０", "uses": "2", "scope": ["email", "phone"]}


def make(admin, **typed):
    return admin.get(TOKENS).submit(TOKENS, **(TYPED | typed))


def token_on(page):
    return re.search(r'code-number">([^<]+)</code>', page.text)[1]


def test_a_token_is_made_and_shown_once(admin, sessions, clock, town):
    page = make(admin, municipality=town.code, legacy="1")
    assert page.status == 200
    with sessions() as db:
        row = db.scalars(select(InitialAccessToken)).one()
        assert row.token_digest == digest(token_on(page))
        assert row.scopes == ["email", "openid", "phone"]
        assert (row.expires_at - clock()).days == 30
        assert (row.uses_left, row.municipality_id, row.is_legacy) == (2, town.id, True)
        event = db.scalars(
            select(AuditEvent).where(AuditEvent.name == "registration_token.created")
        ).one()
        assert event.actor_id is not None
    listed = admin.get(TOKENS)
    assert "架空ソフトの検証環境" in listed.text
    assert "あと2回" in listed.text
    assert token_on(page) not in listed.text


def test_a_token_is_revoked_once(admin, sessions):
    make(admin)
    with sessions() as db:
        path = f"{TOKENS}/{db.scalars(select(InitialAccessToken.id)).one()}/revoke"
    page = admin.get(TOKENS)
    assert page.submit(path).location == f"{TOKENS}?done=token_revoked"
    assert page.submit(path).location == f"{TOKENS}?done=token_over"
    page = admin.get(f"{TOKENS}?done=token_revoked")
    assert "取り消しました" in page.text
    assert not [form for form in page.forms if form.action == path]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"label": " "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"days": "0"}, "days"),
        ({"days": "91"}, "days"),
        ({"days": "²"}, "days"),
        ({"uses": "10001"}, "uses"),
        ({"uses": "9" * 5000}, "uses"),
        ({"municipality": "000000"}, "municipality"),
    ],
)
def test_az_08_a_fault_stands_at_its_field_with_what_was_typed(admin, sessions, typed, field):
    page = make(admin, **typed)
    assert page.status == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-error"' in page.text
    assert page.form(TOKENS).fields["scope"] == ["email", "phone"]
    with sessions() as db:
        assert db.scalars(select(InitialAccessToken)).all() == []


def test_a_scope_of_nobodys_is_left_out(admin, sessions):
    make(admin, scope=["email", "root"])
    with sessions() as db:
        assert db.scalars(select(InitialAccessToken.scopes)).one() == ["email", "openid"]
