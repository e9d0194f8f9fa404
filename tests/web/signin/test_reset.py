"""Setting a password by mail, on the pages: request, link, new password, done."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from idp.db.session import transaction
from idp.domain.signin import interactions
from idp.model.people import Account, AccountStatus, CredentialState, PasswordCredential
from idp.model.signin import BrowserSession, OneTimeSecret, PasswordReset
from idp.model.upkeep import AuditEvent, OutboxMessage
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

NEW = "Tsukimi-77-dango"
NEUTRAL = "が登録されていれば、案内を送りました"


@pytest.fixture
def ask(mother, clock):
    """Send the request page."""

    def run(browser, email=mother.email, **typed):
        clock.advance(timedelta(minutes=1))
        typed = {"email_confirm": email} | typed
        return browser.get("/password/reset").submit(email=email, **typed)

    return run


@pytest.fixture
def link(mailbox):
    """Return the path of the newest mailed link."""
    return lambda: mailbox("password_link")[-1][1]["url"].removeprefix(ORIGIN)


@pytest.fixture
def open_link(ask, link):
    """Ask for a mail, open its link, press the button."""

    def run(browser):
        ask(browser)
        return browser.get(link()).follow().submit()

    return run


def choose(page, password=NEW, again=None):
    return page.arrive().submit(
        new_password=password, confirm_password=password if again is None else again
    )


def hash_of(sessions, account):
    with transaction(sessions) as db:
        return db.get(PasswordCredential, account.id).hash


def test_a09_a16_the_request_page_is_reached_from_the_sign_in_page(browser, town):
    assert "/password/reset" in browser.get("/login").links
    page = browser.get("/password/reset")
    assert page.status == 200
    assert "パスワードリセット申請" in page.title
    assert "メールアドレス 入力" in page.text
    assert page.form("/password/reset").names[-2:] == ["email", "email_confirm"]
    assert "/login" in page.links


def test_a10_the_address_may_be_asked_for_once(sessions, browser, town):
    with transaction(sessions) as db:
        db.merge(town).asks_address_twice = False
    page = browser.get("/password/reset")
    assert "email_confirm" not in page.form("/password/reset").names
    assert page.submit(email="someone@example.jp").location == "/password/reset/sent"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"email": ""}, "メールアドレスを入れてください"),
        ({"email": "  "}, "メールアドレスを入れてください"),
        ({"email": "misaki"}, "メールアドレスの形ではない"),
        ({"email": "a" * 400 + "@example.jp"}, "メールアドレスの形ではない"),
        ({"email": "a@example.jp\r\nBcc: x@example.jp"}, "メールアドレスの形ではない"),
        ({"email": "a@example.jp, b@example.jp"}, "メールアドレスの形ではない"),
        ({"email_confirm": ""}, "もう一度入れてください"),
        ({"email_confirm": "other@example.jp"}, "二つのアドレスが違います"),
    ],
)
def test_a10_a_wrong_form_says_what_and_keeps_what_was_typed(browser, mother, mailbox, typed, said):
    fields = {"email": mother.email, "email_confirm": mother.email} | typed
    page = browser.get("/password/reset").submit(**fields)
    assert page.status == 422
    assert said in page.text
    assert mailbox() == []
    shown = page.form("/password/reset").fields
    assert shown["email"] == fields["email"].replace("\r\n", " ") or "\n" in fields["email"]


@pytest.mark.parametrize("typed", ["ＭＩＳＡＫＩ.sakura＠example.jp", " misaki.sakura@EXAMPLE.jp "])
def test_a12_b15_full_width_letters_and_case_do_not_matter(browser, ask, mailbox, typed):
    assert ask(browser, typed).location == "/password/reset/sent"
    assert len(mailbox("password_link")) == 1


def test_a12_b22_en_03_known_and_unknown_addresses_get_the_same_answer(
    app, sessions, clock, town, mother, ask, mailbox, hasher
):
    with transaction(sessions) as db:
        factories.make_account(
            db,
            now=clock(),
            municipality_id=town.id,
            email="stopped.person@example.jp",
            status=AccountStatus.SUSPENDED,
        )
        factories.make_staff(db, now=clock(), municipality_id=town.id, email="staff@example.jp")
    answers, pages = [], set()
    for email in (
        mother.email,
        "nobody.knows.me@example.jp",
        "stopped.person@example.jp",
        "staff@example.jp",
    ):
        browser = Browser(app)
        page = ask(browser, email)
        shown = page.follow()
        assert NEUTRAL in shown.text
        names = sorted(page.headers.keys())
        answers.append((page.status, page.location, names, len(browser.cookie("reset"))))
        pages.add(strip_noise(shown.text.replace(email, "")))
    assert answers == [answers[0]] * 4
    assert len(pages) == 1
    # She and the member of staff got a mail; nobody else did.
    assert len(mailbox("password_link")) == 2


def strip_noise(text):
    """Leave out what differs from page to page anyway: nonces and form tokens."""
    return "\n".join(
        line for line in text.splitlines() if "form_token" not in line and "nonce" not in line
    )


def test_en_03_a_wrong_code_looks_the_same_for_an_unknown_address(app, ask, mother):
    said = []
    for email in (mother.email, "nobody.knows.me@example.jp"):
        browser = Browser(app)
        page = ask(browser, email).follow()
        tries = [page.submit(code="000000") for _ in range(6)]
        said.append([(each.status, "使えなくなりました" in each.text) for each in tries])
    assert said[0] == said[1] == [(422, False)] * 4 + [(422, True)] * 2


def test_a13_rs_01_the_link_starts_with_the_issuer_whatever_the_request_says(
    app, browser, mother, mailbox
):
    form = browser.get("/password/reset").form("/password/reset").fields
    browser.post(
        "/password/reset",
        form | {"email": mother.email, "email_confirm": mother.email},
        X_Forwarded_Host="evil.example",
        X_Forwarded_Proto="http",
        Forwarded="host=evil.example;proto=http",
        X_Original_URL="https://evil.example/",
    )
    (mail,) = mailbox("password_link")
    assert mail[1]["url"].startswith(f"{ORIGIN}/password/reset/link?t=")
    assert "evil" not in str(mail)


def test_rs_01_a_foreign_host_is_refused(browser, mother, mailbox):
    form = browser.get("/password/reset").form("/password/reset").fields
    fields = form | {"email": mother.email, "email_confirm": mother.email}
    assert browser.post("/password/reset", fields, Host="evil.example").status == 400
    assert mailbox() == []


def test_a13_rs_02_the_link_is_long_and_only_its_digest_is_stored(sessions, browser, ask, link):
    ask(browser)
    token = link().partition("t=")[2]
    assert len(token) >= 43  # 256 bits
    with transaction(sessions) as db:
        rows = db.scalars(select(OneTimeSecret)).all()
        mails = db.scalars(select(OutboxMessage)).all()
    assert {len(row.digest) for row in rows} == {32}
    assert all(token.encode() not in row.digest for row in rows)
    assert all(token.encode() not in mail.sealed_body for mail in mails)


def test_rs_04_the_token_leaves_the_address_at_once(browser, ask, link):
    ask(browser)
    page = browser.get(link())
    assert (page.status, page.location) == (303, "/password/reset/link")
    shown = page.follow()
    token = link().partition("t=")[2]
    assert token not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}


def test_rs_03_a_scanner_that_opens_the_link_uses_nothing_up(app, sessions, ask, link):
    person = Browser(app)
    ask(person)
    with transaction(sessions) as db:
        before = [row.used_at for row in db.scalars(select(OneTimeSecret))]
    for _ in range(5):
        scanner = Browser(app, address="198.51.100.7")
        assert scanner.get(link()).arrive().status == 200
        assert scanner._open("HEAD", link(), headers={}).status == 303
    with transaction(sessions) as db:
        assert [row.used_at for row in db.scalars(select(OneTimeSecret))] == before
        assert db.scalar(select(func.count()).select_from(PasswordReset)) == 1
    page = person.get(link()).follow()
    assert page.form("/password/reset/link").action == "/password/reset/link"
    assert page.submit().location == "/password/reset/new"


def test_rs_03_the_button_needs_a_form_of_ours(browser, ask, link, sessions):
    ask(browser)
    browser.get(link())
    assert browser.post("/password/reset/link").status == 403
    with transaction(sessions) as db:
        assert {row.used_at for row in db.scalars(select(OneTimeSecret))} == {None}


def test_a13_the_link_works_in_another_browser_than_the_one_that_asked(app, browser, ask, link):
    ask(browser)
    phone = Browser(app, address="203.0.113.9")
    page = phone.get(link()).follow().submit()
    assert choose(page).location == "/password/reset/done"


def test_a13_rs_02_the_link_works_once(app, browser, open_link, link):
    page = open_link(browser)
    assert page.location == "/password/reset/new"
    other = Browser(app)
    page = other.get(link()).follow()
    assert page.status == 400
    assert "この案内は使えません" in page.text
    token = other.get("/login").form("/login").fields["form_token"]
    assert other.post("/password/reset/link", {"form_token": token}).status == 400


@pytest.mark.parametrize(("minutes", "status"), [(59, 303), (60, 400), (61, 400)])
def test_a13_the_link_lives_sixty_minutes(browser, ask, link, clock, minutes, status):
    ask(browser)
    page = browser.get(link()).follow()
    clock.advance(timedelta(minutes=minutes))
    assert page.submit().status == status


def test_a13_a_newer_mail_makes_the_older_one_void(app, browser, ask, mailbox):
    ask(browser)
    ask(browser)
    older, newer = (mail[1]["url"].removeprefix(ORIGIN) for mail in mailbox("password_link"))
    assert Browser(app).get(older).arrive().status == 400
    assert Browser(app).get(newer).arrive().status == 200


def test_a13_the_link_is_void_after_a_change_of_the_address(browser, sessions, ask, link, mother):
    ask(browser)
    page = browser.get(link()).follow()
    with transaction(sessions) as db:
        account = db.get(Account, mother.id)
        account.email, account.email_key = "new@example.jp", "new@example.jp"
    assert page.submit().status == 400


@pytest.mark.parametrize("token", ["", "x", "../../etc/passwd", "%00", "あ", "A" * 43, "A" * 5000])
def test_rs_02_what_is_no_link_of_ours_leads_nowhere(browser, town, token):
    browser.get("/login")
    assert browser.get(f"/password/reset/link?t={token}").arrive().status == 400


def test_a14_the_page_of_the_new_password_says_the_rules(browser, open_link):
    page = open_link(browser).follow()
    assert "パスワードリセット" in page.title
    assert "パスワードの再設定" in page.text
    for rule in ("10文字以上", "英大文字・英小文字・数字・記号", "人に当てられやすい"):
        assert rule in page.text
    assert 'aria-describedby="password-rules"' in page.text
    assert page.text.count('autocomplete="new-password"') == 2


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("", "", "パスワードを入れてください"),
        (NEW, "", "もう一度入れてください"),
        (NEW, f"{NEW} ", "二つのパスワードが違います"),
        ("Ab1-xyzqw", None, "10文字以上にしてください"),
        ("kumoriame42", None, "使う文字の種類を増やしてください"),
        ("Kumori-7" * 16 + "x", None, "128文字以内にしてください"),
        ("Password1234", None, "よく使われるため"),
        ("Misaki.Sakura-1", None, "名前やメールアドレスに似ている"),
        (factories.PASSWORD, None, "前と同じパスワード"),
    ],
)
def test_a14_pw_01_pw_02_a_refused_password_is_told_why_and_never_shown(
    sessions, browser, open_link, mother, password, again, said
):
    before = hash_of(sessions, mother)
    page = choose(open_link(browser), password, again)
    assert page.status == 422
    assert said in page.text
    if password:
        assert password not in page.text
    assert hash_of(sessions, mother) == before
    assert choose(page).location == "/password/reset/done"


def test_a15_rs_05_the_person_signs_in_anew_with_the_new_password(
    browser, open_link, sign_in, enter, mother
):
    page = choose(open_link(browser))
    assert page.location == "/password/reset/done"
    done = page.follow()
    assert "パスワード設定完了" in done.title
    assert "ログイン画面へ戻る" in done.text
    assert browser.cookie("session") is None
    assert browser.cookie("reset") is None
    assert enter(browser).status == 422
    assert sign_in(browser, password=NEW).arrive().status == 200


def test_a15_rs_05_sessions_end_and_the_mail_leaves(
    app, sessions, browser, sign_in, open_link, mailbox
):
    other = Browser(app)
    sign_in(other)
    choose(open_link(browser))
    assert other.get("/account/security").status == 303
    with transaction(sessions) as db:
        assert {row.end_reason for row in db.scalars(select(BrowserSession))} == {
            "password_changed"
        }
    assert len(mailbox("password_changed")) == 1


def test_rs_07_the_code_is_still_asked_after_a_reset(browser, open_link, enter):
    choose(open_link(browser))
    page = enter(browser, password=NEW).arrive()
    assert page.form("/login/code").names[-1] == "code"


def test_b38_rs_05_a_finished_reset_ends_the_lock(browser, open_link, enter, sign_in):
    for _ in range(5):
        enter(browser, password="Wrong-password-1")
    assert enter(browser).status == 429
    choose(open_link(browser))
    assert sign_in(browser, password=NEW).arrive().status == 200


def test_rs_05_a_suspension_that_came_in_between_stays(sessions, browser, open_link, mother, enter):
    page = open_link(browser).follow()
    with transaction(sessions) as db:
        db.get(Account, mother.id).status = AccountStatus.SUSPENDED
    assert choose(page).location == "/password/reset/done"
    with transaction(sessions) as db:
        assert db.get(Account, mother.id).status is AccountStatus.SUSPENDED
    assert enter(browser, password=NEW).status == 422


def test_a09_a15_the_sign_in_that_waited_goes_on(
    sessions, clock, browser, open_walk, open_link, town
):
    with transaction(sessions) as db:
        client = factories.make_client(db, now=clock(), municipality_id=town.id)
    walk = open_walk(purpose=interactions.AUTHORIZE, client_id=client.id)
    page = choose(open_link(browser)).follow()
    assert f"/login?i={walk}" in page.links
    page = browser.get("/login")
    assert page.form("/login").action == f"/login?i={walk}"
    assert "一時あずかり予約" in page.text


def test_rs_06_without_a_link_or_code_nothing_is_set(sessions, browser, mother, ask):
    before = hash_of(sessions, mother)
    fields = {
        "new_password": NEW,
        "confirm_password": NEW,
        "user_id": str(mother.id),
        "account_id": str(mother.id),
    }
    token = browser.get("/login").form("/login").fields["form_token"]
    assert browser.post("/password/reset/new", fields | {"form_token": token}).status == 400
    ask(browser)  # a request alone opens nothing
    assert browser.get("/password/reset/new").status == 400
    assert browser.post("/password/reset/new", fields | {"form_token": token}).status == 400
    browser.set_cookie("reset", "A" * 43)
    assert browser.post("/password/reset/new", fields | {"form_token": token}).status == 400
    assert hash_of(sessions, mother) == before


def test_rs_06_a_finished_reset_sets_nothing_more(sessions, browser, open_link, mother):
    page = open_link(browser).follow()
    kept = browser.cookie("reset")
    choose(page)
    after = hash_of(sessions, mother)
    browser.set_cookie("reset", kept)
    assert choose(page, "Susuki-88-mangetsu").status == 400
    assert hash_of(sessions, mother) == after


@pytest.mark.parametrize(("minutes", "status"), [(59, 303), (60, 400)])
def test_rs_06_an_opened_reset_lives_an_hour(browser, open_link, clock, minutes, status):
    page = open_link(browser).follow()
    clock.advance(timedelta(minutes=minutes))
    assert choose(page).status == status


def test_rs_09_what_the_form_does_not_have_is_ignored(
    sessions, clock, browser, town, open_link, mother
):
    page = open_link(browser).follow()
    typed = {"email": "x@example.jp", "status": "active", "role": "system_admin"}
    page.submit(new_password=NEW, confirm_password=NEW, email_verified="true", **typed)
    with transaction(sessions) as db:
        account = db.get(Account, mother.id)
        assert account.email == mother.email
        assert account.credential_state is CredentialState.SET
        assert db.scalar(select(func.count()).select_from(Account)) == 1


def test_rs_02_a_finished_reset_voids_every_other_link(app, sessions, browser, ask, link, mailbox):
    ask(browser)
    first = browser.get(link()).follow().submit()
    ask(Browser(app))
    second = link()
    assert choose(first).location == "/password/reset/done"
    assert Browser(app).get(second).arrive().status == 400


def test_pw_05_a_huge_password_is_refused_before_any_hash(browser, open_link):
    page = open_link(browser).follow()
    assert choose(page, "A1-" + "x" * 1_000_000).status == 413


def test_b46_password_managers_find_the_page_that_changes_a_password(browser, town):
    page = browser.get("/.well-known/change-password")
    assert page.status == 303
    assert page.location.startswith("/account/security")


def test_a12_too_many_requests_are_told_when_to_come_back(browser, ask, mailbox, mother):
    for _ in range(5):
        assert ask(browser).status == 303
    page = ask(browser)
    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "何度も送りました" in page.text
    assert len(mailbox("password_link")) == 5


def test_en_03_the_limit_of_an_unknown_address_is_the_same(browser, ask):
    pages = [ask(browser, "nobody.knows.me@example.jp") for _ in range(6)]
    assert [page.status for page in pages] == [303] * 5 + [429]


def test_d15_two_people_with_one_mailbox_get_a_mail_each(
    app, sessions, clock, town, browser, mother, ask
):
    with transaction(sessions) as db:
        father = factories.make_account(
            db, now=clock(), municipality_id=town.id, email=mother.email, login_id="12345678"
        )
    ask(browser)
    with transaction(sessions) as db:
        rows = db.scalars(select(OutboxMessage).where(OutboxMessage.name == "password_link")).all()
        assert {row.account_id for row in rows} == {mother.id, father.id}
        assert db.scalar(select(func.count()).select_from(OneTimeSecret)) == 4


def test_a24_b22_what_happened_is_written_down_without_addresses(
    sessions, browser, open_link, mother, ask
):
    choose(open_link(browser))
    ask(browser, "nobody.knows.me@example.jp")
    with transaction(sessions) as db:
        events = db.scalars(select(AuditEvent).order_by(AuditEvent.at)).all()
    names = [event.name for event in events]
    assert names.count("password.reset_asked") == 2
    assert "password.reset_opened" in names
    assert "password.set" in names
    assert events[-1].subject_id is None
    assert all("example.jp" not in str(event.detail) for event in events)


def test_a08_a_member_of_staff_comes_back_to_her_own_door(
    sessions, clock, town, browser, ask, link
):
    with transaction(sessions) as db:
        factories.make_staff(db, now=clock(), municipality_id=town.id, email="staff@example.jp")
    ask(browser, "staff@example.jp")
    page = choose(browser.get(link()).follow().submit()).follow()
    assert "/staff/login" in page.links


def test_b41_without_cookies_the_page_says_so(app, town):
    page = Browser(app).get("/password/reset/link")
    assert page.status == 400
    assert "Cookie" in page.text


def test_b49_no_address_stands_in_an_address_of_ours(browser, ask, mother):
    page = ask(browser)
    assert "@" not in page.location
    assert mother.email in page.follow().text


def test_rs_01_pages_of_the_reset_are_in_english_too(app, ask, link):
    browser = Browser(app, language="en")
    page = ask(browser).follow()
    assert page.headers["Content-Language"] == "en"
    page = browser.get(link()).follow()
    assert "Choose your password" in page.text
    assert browser.get(link()).follow().submit().follow().status == 200


def test_a11_going_back_keeps_the_sign_in_that_waits(sessions, clock, browser, open_walk, town):
    with transaction(sessions) as db:
        client = factories.make_client(db, now=clock(), municipality_id=town.id)
    walk = open_walk(purpose=interactions.AUTHORIZE, client_id=client.id)
    page = browser.get("/password/reset")
    assert "メール送信" in page.text
    assert "戻る" in page.text
    assert f"/login?i={walk}" in page.links
    assert browser.get("/login").form("/login").action == f"/login?i={walk}"


def test_a17_the_link_and_its_page_have_one_name(browser, ask, link, mailbox):
    ask(browser)
    (mail,) = mailbox("password_link")
    assert mail[1]["url"].removeprefix(ORIGIN).startswith("/password/reset/link")
    page = browser.get(link()).follow()
    assert "パスワードを決める画面" in page.text
    assert "ログインURL" not in page.text


def test_rs_10_a_link_sets_the_password_of_its_own_person_only(
    app, sessions, clock, town, browser, mother, sign_in, hasher, link, ask
):
    """Opened by somebody else who is signed in: what the form says about people is ignored."""
    with transaction(sessions) as db:
        father = factories.make_account(
            db, now=clock(), municipality_id=town.id, email="takeru@example.jp", hasher=hasher
        )
    sign_in(browser)
    before = hash_of(sessions, mother)
    ask(Browser(app), father.email)
    page = browser.get(link()).follow().submit().follow()
    page = page.submit(
        new_password=NEW,
        confirm_password=NEW,
        email=mother.email,
        account_id=str(mother.id),
        role="system_admin",
    )
    assert page.status == 303
    assert hash_of(sessions, mother) == before
    assert hasher.verify(hash_of(sessions, father), NEW)
    assert browser.get("/account/security").status == 200
