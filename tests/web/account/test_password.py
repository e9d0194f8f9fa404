"""A new password from the page of security (A24)."""

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.model.people import PasswordCredential
from tests import factories
from tests.web.pages import Browser

NEW = "Tanpopo-77-nohara"


@pytest.fixture
def change(hers):
    def run(current=factories.PASSWORD, new=NEW, confirm=None):
        page = hers.get("/account/security")
        return page.submit(
            "/account/password",
            current_password=current,
            new_password=new,
            confirm_password=new if confirm is None else confirm,
        )

    return run


def test_a24_a_new_password_ends_other_sessions_and_is_mailed(
    app, hers, change, mother, enter_session, mailbox
):
    other = Browser(app)
    enter_session(other, mother)
    page = change()
    assert page.location == "/account/security?done=changed"
    assert "パスワードを変えました" in page.follow().text
    assert other.get("/account/security").status == 303
    assert [name for name, _facts in mailbox("password_changed")] == ["password_changed"]
    assert change().status == 422
    assert change(current=NEW, new="Kosumosu-88-hatake").status == 303


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"current": "Himawari-43-batake"}, "いまのパスワードが違うようです。"),
        ({"confirm": "Tanpopo-78-nohara"}, "二つのパスワードが違います。"),
        ({"new": "short"}, "10文字以上にしてください。"),
        ({"new": factories.PASSWORD}, "前と同じパスワードです。"),
    ],
)
def test_a24_a_refused_password_says_why_and_changes_nothing(hers, change, typed, words):
    page = change(**typed)
    assert page.status == 422
    assert words in page.text
    assert "Tanpopo" not in page.text
    assert change().status == 303


def test_a24_the_current_password_cannot_be_guessed_in_a_session(change):
    pages = [change(current=f"Himawari-{number}-batake") for number in range(50, 57)]
    assert pages[-1].status == 429
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert change().status == 429


def test_pw_07_a_change_needs_the_current_password_and_ones_own_session(
    app, hers, mother, father, sessions
):
    def hashes():
        with transaction(sessions) as db:
            rows = db.scalars(select(PasswordCredential)).all()
        return {row.account_id: row.hash for row in rows}

    before = hashes()
    page = hers.get("/account/security")
    new = {"new_password": NEW, "confirm_password": NEW}
    assert page.submit("/account/password", **new).status == 422
    fields = new | {"current_password": factories.PASSWORD, "account_id": str(father.id)}
    # A half session: the password was right, the code is still to come.
    half = Browser(app)
    page = half.get("/login").submit(login_id=mother.login_id, password=factories.PASSWORD)
    token = page.arrive().form("/login/code").fields["form_token"]
    answer = half.post("/account/password", fields | {"form_token": token})
    assert (answer.status, answer.location) == (303, "/login")
    assert hashes() == before
    # Another person's id in the form changes nobody but oneself.
    page = hers.get("/account/security").submit("/account/password", **fields)
    assert page.status == 303
    after = hashes()
    assert after[father.id] == before[father.id]
    assert after[mother.id] != before[mother.id]


def test_se_01_the_session_has_a_new_token_after_the_change(app, hers, change):
    stolen = hers.cookie("session")
    assert change().status == 303
    assert hers.get("/account/security").status == 200
    thief = Browser(app)
    thief.set_cookie("session", stolen)
    assert thief.get("/account/security").status == 303
