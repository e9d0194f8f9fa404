"""A new password from the page of security (A24)."""

import pytest

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
