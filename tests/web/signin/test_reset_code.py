"""The page after the request: the mailed code instead of the link, and the mail again."""

from datetime import timedelta

import pytest

from idp.db.session import transaction
from tests import factories
from tests.web.pages import Browser

NEW = "Tsukimi-77-dango"


@pytest.fixture
def ask(mother, clock):
    """Send the request page; return the page that says where the mail went."""

    def run(browser, email=mother.email):
        clock.advance(timedelta(minutes=1))
        page = browser.get("/password/reset").submit(email=email, email_confirm=email)
        return page.follow()

    return run


@pytest.fixture
def code(mailbox):
    """Return the code of the newest mail."""
    return lambda: mailbox("password_link")[-1][1]["code"]


def wrong_code(right):
    return f"{(int(right) + 1) % 1_000_000:06d}"


def test_a18_b23_the_page_says_what_to_do_when_no_mail_comes(browser, ask, mother):
    page = ask(browser)
    assert mother.email in page.text
    for said in ("迷惑メール", "10分", "こども課"):
        assert said in page.text
    assert page.form("/password/reset/sent").names[-1] == "code"


def test_a13_b52_the_code_opens_what_the_link_opens(browser, ask, code):
    page = ask(browser).submit(code=code())
    assert page.location == "/password/reset/new"
    page = page.follow().submit(new_password=NEW, confirm_password=NEW)
    assert page.location == "/password/reset/done"


@pytest.mark.parametrize(
    "write",
    [
        lambda code: code.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        lambda code: f" {code[:3]} {code[3:]} ",
        lambda code: f"{code[:3]}-{code[3:]}",
    ],
)
def test_a13_b35_the_code_may_be_typed_as_people_type(browser, ask, code, write):
    assert ask(browser).submit(code=write(code())).location == "/password/reset/new"


@pytest.mark.parametrize("typed", ["", " ", "12345", "1234567", "abcdef", "1" * 5000])
def test_a13_what_is_no_code_costs_no_try(browser, ask, code, typed):
    page = ask(browser)
    for _ in range(6):
        page = page.submit(code=typed)
        assert page.status == 422
        assert "6けたの番号を入れてください" in page.text
    assert page.submit(code=code()).location == "/password/reset/new"


def test_a13_rs_02_code_and_link_are_one_secret(app, browser, ask, code, mailbox):
    page = ask(browser)
    url = mailbox("password_link")[-1][1]["url"]
    assert page.submit(code=code()).status == 303
    other = Browser(app)
    assert other.get("/password/reset/link?" + url.partition("?")[2]).arrive().status == 400


def test_a13_rs_02_the_code_works_once(app, browser, ask, code):
    page = ask(browser)
    kept = browser.cookie("reset")
    assert page.submit(code=code()).status == 303
    browser.set_cookie("reset", kept)
    assert page.submit(code=code()).status == 400


def test_a13_the_code_is_bound_to_the_browser_that_asked(app, browser, ask, code):
    ask(browser)
    right = code()
    other = Browser(app)
    page = ask(other, "nobody.knows.me@example.jp")
    assert page.submit(code=right).status == 422
    assert browser.get("/password/reset/sent").submit(code=right).status == 303


def test_a13_the_code_takes_five_tries(browser, ask, code):
    page = ask(browser)
    right = code()
    for _ in range(4):
        page = page.submit(code=wrong_code(right))
        assert page.status == 422
        assert "番号が合わない" in page.text
    page = page.submit(code=wrong_code(right))
    assert "使えなくなりました" in page.text
    page = page.submit(code=right)
    assert page.status == 422
    assert "使えなくなりました" in page.text


def test_a13_the_fifth_try_may_be_right(browser, ask, code):
    page = ask(browser)
    for _ in range(4):
        page = page.submit(code=wrong_code(code()))
    assert page.submit(code=code()).status == 303


def test_a13_the_tries_of_a_mailbox_are_counted_across_requests(browser, ask, code):
    for _ in range(2):
        page = ask(browser)
        for _ in range(5):
            page = page.submit(code=wrong_code(code()))
    page = ask(browser).submit(code=code())
    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "分ほど待ってから" in page.text


@pytest.mark.parametrize(("minutes", "status"), [(59, 303), (60, 422), (61, 422)])
def test_a13_the_code_lives_sixty_minutes(browser, ask, code, clock, minutes, status):
    page = ask(browser)
    clock.advance(timedelta(minutes=minutes))
    assert page.submit(code=code()).status == status


def test_a18_b23_the_mail_is_sent_again_and_the_older_one_is_void(browser, ask, mailbox, clock):
    page = ask(browser)
    older = mailbox("password_link")[-1][1]["code"]
    clock.advance(timedelta(seconds=30))
    page = page.submit(resend="1")
    assert page.location == "/password/reset/sent?resent=1"
    page = page.follow()
    assert "もう一度送りました" in page.text
    newer = mailbox("password_link")[-1][1]["code"]
    assert len(mailbox("password_link")) == 2
    if older != newer:
        assert page.submit(code=older).status == 422
    assert page.submit(code=newer).status == 303


@pytest.mark.parametrize(("seconds", "status"), [(29, 429), (30, 303)])
def test_a18_b23_asking_again_waits_half_a_minute(browser, ask, mailbox, clock, seconds, status):
    page = ask(browser)
    clock.advance(timedelta(seconds=seconds))
    page = page.submit(resend="1")
    assert page.status == status
    assert len(mailbox("password_link")) == (1 if status == 429 else 2)


def test_en_03_asking_again_for_an_unknown_address_looks_the_same(browser, ask, mailbox, clock):
    page = ask(browser, "nobody.knows.me@example.jp")
    assert page.submit(resend="1").status == 429
    clock.advance(timedelta(seconds=30))
    assert page.submit(resend="1").location == "/password/reset/sent?resent=1"
    assert mailbox() == []


def test_b12_the_page_without_a_request_starts_at_the_beginning(browser, town):
    assert browser.get("/password/reset/sent").location == "/password/reset"
    token = browser.get("/login").form("/login").fields["form_token"]
    page = browser.post("/password/reset/sent", {"form_token": token, "code": "123456"})
    assert page.status == 400
    assert "/password/reset" in page.links


def test_d15_the_code_tells_which_of_two_people_it_is(
    sessions, clock, town, browser, mother, ask, mailbox
):
    with transaction(sessions) as db:
        factories.make_account(
            db, now=clock(), municipality_id=town.id, email=mother.email, login_id="12345678"
        )
    page = ask(browser)
    codes = [facts["code"] for _, facts in mailbox("password_link")]
    assert len(set(codes)) == 2
    page = page.submit(code=codes[1]).follow()
    shown = {"12345678", mother.login_id} & {
        name for name in ("12345678", mother.login_id) if name in page.text
    }
    assert len(shown) == 1
    assert page.submit(new_password=NEW, confirm_password=NEW).status == 303


def test_a13_the_link_opened_in_the_same_browser_leaves_the_code_page_alone(
    browser, ask, code, mailbox
):
    page = ask(browser)
    url = mailbox("password_link")[-1][1]["url"]
    assert browser.get("/password/reset/link?" + url.partition("?")[2]).arrive().status == 200
    assert browser.get("/password/reset/sent").status == 200
    assert page.submit(code=code()).status == 303
