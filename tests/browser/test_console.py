"""The administrator's form in the real browser: folded parts, without scripts, with a file."""

import pytest

from tests.browser.preview import ORIGIN, open_pages
from tests.chromium import DESKTOP, PHONE, find_barriers, is_wider_than_its_window, open_chromium

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with open_chromium() as opened:
        yield opened


@pytest.fixture
def page(browser):
    with open_pages(browser, viewport=DESKTOP) as opened:
        yield opened


@pytest.fixture
def plain_page(browser):
    with open_pages(browser, viewport=PHONE, java_script_enabled=False) as opened:
        yield opened


def test_a_part_that_holds_nothing_is_folded_and_opens_by_the_keyboard(page):
    page.goto(f"{ORIGIN}/ja/admin/client_form")
    assert page.locator("details[open]").count() == 0
    page.locator("#part-keys summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "jwks"


def test_with_everything_open_there_is_no_barrier_and_all_fits(page):
    page.goto(f"{ORIGIN}/en/admin/client_form")
    page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert find_barriers(page) == []
    page.set_viewport_size(PHONE)
    assert not is_wider_than_its_window(page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert not is_wider_than_its_window(page)


def test_without_scripts_every_fault_is_in_sight_and_the_summary_leads_to_it(plain_page):
    page = plain_page
    page.goto(f"{ORIGIN}/ja/admin/client_form--wrong")
    for link in page.locator(".error-summary a").all():
        target = link.get_attribute("href")
        assert page.locator(target).is_visible(), target
        assert page.locator(f"{target}-error").is_visible(), target


def test_without_scripts_a_file_is_pasted_and_no_button_waits_for_one(plain_page):
    plain_page.goto(f"{ORIGIN}/ja/admin/client_files")
    assert not plain_page.locator("#file").is_visible()
    assert plain_page.locator("#document").is_visible()


def test_a_file_is_opened_into_the_field_and_is_not_sent_itself(page, tmp_path):
    file = tmp_path / "clients.json"
    file.write_text('{"client_name": "一時あずかり予約"}', encoding="utf-8")
    page.goto(f"{ORIGIN}/ja/admin/client_files")
    assert find_barriers(page) == []
    page.locator("#file").set_input_files(file)
    page.wait_for_function("document.getElementById('document').value !== ''")
    assert page.locator("#document").input_value() == file.read_text(encoding="utf-8")
    assert page.locator("#file").get_attribute("name") is None
    assert page.evaluate("document.activeElement.id") == "document"
