"""Every page of both relying parties in a real browser: no barrier, no sideways scrolling."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from clients.booking.site import create_app as create_booking
from clients.certificate.site import create_app as create_certificate
from tests.chromium import DESKTOP, PHONE, look_at, open_chromium, open_context
from tests.clients.visitor import HIYORI, MINATO, family
from tests.serving import Port, serving

pytestmark = pytest.mark.browser

CHILDREN = [HIYORI, MINATO]
WORDS = {
    "ja": {
        "book": "予約する",
        "next": "次へ進む",
        "minami": "架空みなみ保育園",
        "hour": "9時00分から10時00分",
        "later": "あとで確認する",
        "check": "認定証を確認する",
        "confirm": "確認しました",
        "out": "ログアウト",
        "cancel": "取り消す",
    },
    "en": {
        "book": "Book",
        "next": "Continue",
        "minami": "Kakuu Minami Nursery",
        "hour": "9:00 to 10:00",
        "later": "Check it later",
        "check": "Check the certificate",
        "confirm": "I have checked it",
        "out": "Sign out",
        "cancel": "Cancel the booking",
    },
}


@pytest.fixture(scope="module")
def chromium():
    with open_chromium() as browser:
        yield browser


@pytest.fixture(params=[("ja", PHONE), ("en", DESKTOP)], ids=str)
def reader(request, chromium, provider):
    """A page, and the words to click in its language."""
    lang, viewport = request.param
    provider.person = family(children=CHILDREN) | {"locale": lang}
    with open_context(chromium, viewport=viewport, language=lang) as context:
        page = context.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        yield page, WORDS[lang]
        assert [text for text in complaints if "Security Policy" in text] == []


@contextmanager
def served(build, settings):
    port = Port()
    app = build(replace(settings, base_url=port.origin))
    with serving(app, port) as origin:
        yield origin


def test_booking_in_chromium(reader, settings, rules, clock, provider):
    page, words = reader
    with served(lambda s: create_booking(s, rules, clock=clock), settings) as origin:
        page.goto(origin)
        look_at(page, "booking-facilities")
        page.get_by_role("link", name=words["minami"]).click()
        look_at(page, "booking-slots")
        page.get_by_role("button", name=words["next"]).click()
        look_at(page, "booking-slots-error")
        page.goto(f"{origin}/facilities/minami?day=2026-12-02")
        page.locator("label", has_text=words["hour"]).click()  # the label is the whole card
        page.get_by_role("button", name=words["next"]).click()
        look_at(page, "booking-confirm")
        page.get_by_role("button", name=words["book"]).click()
        look_at(page, "booking-made")
        page.goto(f"{origin}/bookings")
        look_at(page, "booking-list")
        page.goto(origin + page.locator("a[href$='/cancel']").get_attribute("href"))
        look_at(page, "booking-cancel")
        page.get_by_role("button", name=words["cancel"]).click()
        look_at(page, "booking-cancelled")
        for name, path in (
            ("children", "/children"),
            ("choose-child", "/facilities/minami/children"),
            ("ended", "/facilities/minami?child=child-minato"),
            ("list-past", "/bookings"),
            ("missing", "/nowhere"),
            ("lost", "/callback?state=a"),
        ):
            page.goto(origin + path)
            look_at(page, f"booking-{name}")
        page.goto(f"{origin}/children")
        page.locator("input[name=nickname]").first.fill("あ" * 31)
        page.locator("main form button").first.click()
        look_at(page, "booking-nickname-error")


def test_certificate_in_chromium(reader, settings, clock, provider):
    page, words = reader
    with served(lambda s: create_certificate(s, clock=clock), settings) as origin:
        page.goto(origin)
        look_at(page, "certificate-unread")
        page.get_by_role("button", name=words["later"]).click()
        look_at(page, "certificate-list")
        page.locator("table a").first.click()
        look_at(page, "certificate-to-confirm")
        page.get_by_role("button", name=words["confirm"]).click()
        look_at(page, "certificate-confirmed")
        page.context.clear_cookies()
        page.goto(f"{origin}/signed-out")
        look_at(page, "certificate-signed-out")


def test_signing_out_in_chromium_reaches_the_provider(reader, settings, clock, provider):
    """`form-action` also governs the redirect after the form: it must name the provider."""
    page, words = reader
    with served(lambda s: create_certificate(s, clock=clock), settings) as origin:
        page.goto(origin)
        page.get_by_role("button", name=words["out"]).click()
        page.wait_for_url(f"{origin}/signed-out?**")
        look_at(page, "certificate-signed-out-everywhere")


def test_pages_work_without_scripts(chromium, settings, clock, provider):
    provider.person = family(children=CHILDREN)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    with served(lambda s: create_certificate(s, clock=clock), settings) as origin:
        page.goto(origin)
        page.get_by_role("link", name=WORDS["ja"]["check"]).click()
        page.get_by_role("button", name=WORDS["ja"]["confirm"]).click()
        assert page.get_by_role("status").is_visible()
        page.get_by_role("button", name=WORDS["ja"]["out"]).click()
        page.wait_for_url(f"{origin}/signed-out?**")
    context.close()
