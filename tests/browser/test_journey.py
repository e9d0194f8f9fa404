"""The whole journey in Chromium, on the demo as `make demo` starts it (A01-A36, A42)."""

import json
import re
from contextlib import ExitStack

import pytest

from tests.chromium import PHONE, look_at, open_context
from tests.demo.test_demo import OFFSETS, Demo, find_base

GUARDIAN = {
    "family_name": "架空",
    "given_name": "花子",
    "family_name_kana": "かくう",
    "given_name_kana": "ﾊﾅｺ",
    "email": "hanako.kakuu@example.jp",
    "phone": "０９０-００００-１１１１",
    "application_number": "R8-00999",
    "child1_name": "架空 つばさ",
    "child1_birthdate_year": "2025",
    "child1_birthdate_month": "４",
    "child1_birthdate_day": "2",
}
PROXY = {
    "proxy1_family_name": "架空",
    "proxy1_given_name": "太郎",
    "proxy1_email": "taro.kakuu@example.jp",
}
PASSWORD = "Tsubasa no Hana 2026"


class World:
    """The running demo, and the browsers of the people in it."""

    def __init__(self, demo, data, chromium, stack):
        self.demo = demo
        self.data = data
        self.chromium = chromium
        self.stack = stack

    def url(self, part, path="/"):
        return f"http://127.0.0.1:{self.demo.base + OFFSETS[part]}{path}"

    def browser(self, **options):
        return self.stack.enter_context(open_context(self.chromium, **options)).new_page()

    def login(self, note):
        """Return the login of the person whose note begins so."""
        logins = json.loads((self.data / "credentials.json").read_text())["logins"]
        return next(each for each in logins if each["note"].startswith(note))

    def totp(self, login_id):
        codes = json.loads(self.demo.get("mailbox", "/totp.json")[1])
        return next(each["code"] for each in codes if each["login_id"] == login_id)

    def mails(self, to, subject):
        return [mail for mail in self.demo.mails(to) if subject in mail["subject"]]

    def wait_until_signed_out(self, page, part):
        """The worker calls the service within a moment; then it knows nobody any more."""
        for _ in range(100):
            page.goto(self.url(part))
            if page.url.startswith(self.url("provider", "/login")):
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"still signed in to {part}: {page.url}")

    def wait_for_mail(self, page, to, subject, count=1):
        """Return the newest such mail; the worker sends it within a moment."""
        for _ in range(100):
            found = self.mails(to, subject)
            if len(found) >= count:
                return found[0]
            page.wait_for_timeout(100)
        raise AssertionError(f"no mail {subject} to {to}")


@pytest.fixture
def world(chromium, tmp_path):
    demo = Demo(tmp_path / "data", find_base()).wait_until_ready()
    try:
        with ExitStack() as stack:
            yield World(demo, tmp_path / "data", chromium, stack)
    finally:
        demo.stop()


def fill(page, **typed):
    for name, value in typed.items():
        page.locator(f'main [name="{name}"]').first.fill(value)


def go_by(page, what):
    """Press a button or a link and wait for the page it leads to: a click alone does not."""
    with page.expect_navigation():
        what.click()


def press(page, name):
    go_by(page, page.get_by_role("button", name=name, exact=True).first)


def first_number(mail, digits):
    return re.search(rf"(?m)^\s*([0-9]{{{digits}}})\s*$", mail["text"])[1]


def sign_in_at_the_desk(world, page):
    clerk = world.login("municipal staff")
    page.goto(world.url("provider", "/staff/login"))
    look_at(page, "staff-login")
    fill(page, login_id=clerk["login_id"], password=clerk["password"])
    press(page, "ログイン")
    look_at(page, "staff-code")
    fill(page, code=world.totp(clerk["login_id"]))
    go_by(page, page.locator("main form button[type=submit]").first)
    page.wait_for_url("**/staff/**")
    look_at(page, "staff-search")


def register_family(world, page):
    """A01-A05, A34: the family of the application, with a proxy; the act of issuing."""
    page.goto(world.url("provider", "/staff/register"))
    go_by(page, page.locator('button[name="add"][value="proxy"]'))
    assert page.evaluate("document.activeElement.name") == "proxy1_family_name"
    fill(page, **GUARDIAN, **PROXY)
    page.locator('[name="proxy1_relationship"]').select_option("father")
    look_at(page, "staff-register")
    go_by(page, page.locator('button[name="step"][value="check"]:visible').last)
    look_at(page, "staff-check")
    go_by(page, page.locator('button[name="step"][value="issue"]'))
    page.wait_for_url("**/staff/people/**")
    look_at(page, "staff-person")
    page.goto(world.url("provider", "/staff/audit"))
    look_at(page, "staff-audit")


def set_first_password(world, page, mailbox, email, *, by_link):
    """A05-A16: notice, request, mail, one more fact, password, done."""
    notice = world.wait_for_mail(mailbox, email, "アカウント発行のお知らせ")
    assert "/password/reset" in notice["text"]
    page.goto(re.search(r"http://\S+/password/reset", notice["text"])[0])
    look_at(page, "reset-request")
    fill(page, email=email, email_confirm=email.replace("kakuu", "ｋａｋｕｕ"))
    press(page, "メール送信")
    look_at(page, "reset-sent")
    mail = world.wait_for_mail(mailbox, email, "パスワードリセットのご案内")
    if by_link:
        page.goto(re.search(r"http://\S+/password/reset/link\S+", mail["text"])[0])
        assert "?" not in page.url
        look_at(page, "reset-link")
        go_by(page, page.locator("main form button[type=submit]").first)
    else:
        fill(page, code=first_number(mail, 6))
        go_by(page, page.locator("main form button[type=submit]").first)
    look_at(page, "activate-check")
    fill(page, application_number="ｒ8-00999")
    go_by(page, page.locator("main form button[type=submit]").first)
    look_at(page, "reset-new")
    fill(page, new_password=PASSWORD, confirm_password=PASSWORD)
    press(page, "変更")
    look_at(page, "reset-done")


def sign_in(world, page, mailbox, *, count=1):
    """A19-A30 as far as the page where the service or the home page takes over."""
    look_at(page, "login")
    fill(page, login_id="ＨＡＮＡＫＯ.kakuu@example.jp", password=PASSWORD)
    press(page, "ログイン")
    look_at(page, "code")
    mail = world.wait_for_mail(mailbox, GUARDIAN["email"], "確認コード", count)
    fill(page, code=first_number(mail, 6))
    press(page, "ログイン")


def agree_to_terms(page):
    look_at(page, "terms")
    page.locator("label[for=agree]").click()  # the label is the whole card
    page.locator("label[for=suppress_until_changed]").click()
    press(page, "同意する")


def allow_data(page):
    """B13: what the service asks for, allowed once."""
    page.wait_for_url("**/consent**")
    look_at(page, "consent")
    press(page, "許可する")


def book_an_hour(world, page):
    """A31-A33, A42 at booking: a facility, a free hour, the child, done."""
    page.wait_for_url(f"{world.url('booking')}**")
    look_at(page, "booking-facilities")
    go_by(page, page.locator("main a[href*='/facilities/']").first)
    go_by(page, page.locator("main a.day").last)
    look_at(page, "booking-slots")
    page.locator("main .choice--card label").first.click()
    press(page, "次へ進む")
    look_at(page, "booking-confirm")
    press(page, "予約する")
    look_at(page, "booking-made")


def open_certificates(world, page):
    """A22, A31: no second sign-in; the unread certificate stands before all else."""
    page.goto(world.url("certificate"))
    if page.url.startswith(world.url("certificate", "/signed-out")):
        raise AssertionError(page.url)
    page.wait_for_url(f"{world.url('certificate')}**")
    look_at(page, "certificate-unread")


def test_a01_a02_a03_a04_a05_a06_a07_a08_a19_a20_a21_a22_a25_a34_the_whole_journey(world):
    desk, family = world.browser(), world.browser(viewport=PHONE)
    sign_in_at_the_desk(world, desk)
    register_family(world, desk)
    set_first_password(world, family, desk, GUARDIAN["email"], by_link=True)
    set_first_password(world, world.browser(), desk, PROXY["proxy1_email"], by_link=False)
    family.goto(world.url("booking"))
    sign_in(world, family, desk)
    agree_to_terms(family)
    allow_data(family)
    book_an_hour(world, family)
    mail = world.wait_for_mail(desk, GUARDIAN["email"], "予約")
    assert "一時あずかり予約" in mail["text"]
    assert world.wait_for_mail(desk, PROXY["proxy1_email"], "予約")
    open_certificates(world, family)
    family.goto(world.url("provider"))
    look_at(family, "home")
    press(family, "ログアウト")
    look_at(family, "signed-out")
    for part in ("booking", "certificate"):
        world.wait_until_signed_out(family, part)
