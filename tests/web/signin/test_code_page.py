"""The page of the code: right, wrong, late, again, too often, and never skipped."""

import re
from datetime import timedelta

import pytest

from idp.db.session import transaction
from idp.domain.people import accounts
from idp.model.households import SecondStep
from tests import factories
from tests.web.pages import Browser


@pytest.fixture
def at_code(enter, browser):
    """Bring a browser to the page of the code."""

    def run(at=browser, **changes):
        page = enter(at, **changes).arrive()
        assert page.form().action.startswith("/login/code"), page
        return page

    return run


def other_than(code):
    return "000000" if code != "000000" else "000001"


def test_a21_b31_the_page_says_where_the_code_went_and_takes_it(at_code, browser, newest_code):
    page = at_code()
    assert "mi***@ex***.jp" in page.text
    assert 'inputmode="numeric"' in page.text
    assert 'autocomplete="one-time-code"' in page.text
    page = page.submit(code=newest_code())
    assert (page.status, page.location) == (303, "/")


def test_b35_b15_a_code_typed_in_full_width_with_spaces_is_taken(at_code, newest_code):
    page = at_code()
    wide = newest_code().translate({ord("0") + i: 0xFF10 + i for i in range(10)})
    assert page.submit(code=f" {wide[:3]}　{wide[3:]} ").status == 303


def test_se_06_who_signs_out_takes_an_open_step_up_with_her(
    sessions, town, browser, enter, open_walk, mailbox
):
    with transaction(sessions) as db:
        db.merge(town).second_step = SecondStep.USER_CHOICE
    assert enter(browser).location == "/"
    walk = open_walk(request={"acr_values": ["urn:kosodate:acr:pwd+emailotp"]})
    page = browser.get(f"/continue?i={walk}").follow()
    assert "mi***@ex***.jp" in page.text
    assert len(mailbox("login_code")) == 1
    browser.get("/logout").submit("/logout")
    for address in (f"/login/code?i={walk}", "/login/code", f"/continue?i={walk}"):
        after = browser.get(address)
        assert after.status == 400
        assert "mi***" not in after.text


def test_ot_02_wrong_codes_count_down_and_then_a_new_one_is_needed(at_code, newest_code, clock):
    page = at_code()
    code = newest_code()
    shown = []
    for _ in range(5):
        page = page.submit(code=other_than(code))
        assert page.status == 422
        shown.append(re.findall("あと([0-9])回", page.text))
    assert shown == [["4"], ["3"], ["2"], ["1"], []]
    refused = page.submit(code=code)
    assert refused.status == 422
    assert "もう一度送ってください" in refused.text
    clock.advance(timedelta(seconds=30))
    again = refused.submit("/login/code", resend="1")
    assert again.status == 200
    assert again.submit(code=newest_code()).status == 303


def test_ot_03_after_ten_wrong_codes_the_page_says_until_when(at_code, newest_code, clock):
    page = at_code()
    for _ in range(2):
        for _ in range(5):
            page = page.submit(code=other_than(newest_code()))
        if page.status == 422:
            clock.advance(timedelta(seconds=30))
            page = page.submit(resend="1")
    assert page.status == 429
    assert page.headers["Retry-After"] == "600"
    assert "10時10分" in page.text


def test_ot_07_a_code_of_another_browser_is_refused(app, at_code, enter, newest_code):
    mine, other = at_code(), Browser(app)
    code = newest_code()
    theirs = at_code(other)
    assert theirs.submit(code=code).status == 422
    assert mine.submit(code=code).status == 303


def test_ot_09_an_expired_code_is_replaced_by_a_new_one(at_code, newest_code, clock, mailbox):
    page = at_code()
    old = newest_code()
    clock.advance(timedelta(minutes=10))
    page = page.submit(code=old)
    assert page.status == 422
    assert "時間がたったため" in page.text
    assert len(mailbox("login_code")) == 2
    assert page.submit(code=newest_code()).status == 303


@pytest.mark.parametrize("typed", ["", "12345", "true", "-123456 7", "１" * 10_000, "[1]"])
def test_ot_10_what_is_no_code_is_refused_without_a_count(at_code, newest_code, typed):
    page = at_code()
    code = newest_code()
    for _ in range(12):
        again = page.submit(code=typed)
        assert again.status == 422
    assert again.submit(code=code).status == 303


def test_ot_10_a_missing_field_and_a_field_twice_are_no_server_error(at_code, browser):
    page = at_code()
    form = page.form()
    token = form.fields["form_token"]
    assert browser.post(form.action, {"form_token": token}).status == 422
    twice = {"form_token": token, "code": ["123456", "654321"]}
    assert browser.post(form.action, twice).status in {400, 422}


def test_ot_11_sending_again_waits_half_a_minute(at_code, clock, mailbox):
    page = at_code()
    assert 'data-countdown="30"' in page.text
    refused = page.submit(resend="1")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "30")
    clock.advance(timedelta(seconds=30))
    sent = refused.submit(resend="1")
    assert sent.status == 200
    assert "もう一度送りました" in sent.text
    assert len(mailbox("login_code")) == 2


def test_ot_11_at_most_five_mails_in_a_quarter_of_an_hour(at_code, clock, mailbox):
    page = at_code()
    for _ in range(4):
        clock.advance(timedelta(seconds=30))
        page = page.submit(resend="1")
        assert page.status == 200
    clock.advance(timedelta(seconds=30))
    refused = page.submit(resend="1")
    assert refused.status == 429
    assert len(mailbox("login_code")) == 5


def test_ot_12_the_code_stands_in_no_page_address_or_header(at_code, newest_code, clock):
    page = at_code()
    code = newest_code()
    clock.advance(timedelta(seconds=30))
    answers = [page, page.submit(resend="1"), page.submit(code=other_than(code))]
    answers.append(page.submit(code=newest_code()))
    for answer in answers:
        assert code not in answer.text
        assert code not in str(answer.headers)


def test_ot_13_the_page_is_not_reached_without_a_password(browser, open_walk, town):
    browser.get("/login")
    walk = open_walk()
    page = browser.get(f"/login/code?i={walk}")
    assert page.location == f"/continue?i={walk}"
    assert page.follow().location == f"/login?i={walk}"


def test_ot_13_an_old_form_sent_again_leads_back_to_the_walk(at_code, newest_code, browser):
    page = at_code()
    form = page.form()
    code = newest_code()
    page.submit(code=code)
    # The token was made before the sign-in.
    assert browser.post(form.action, form.fields | {"code": code}).status in {303, 403}


def test_se_06_with_half_a_sign_in_only_the_code_page_answers(at_code, browser):
    page = at_code()
    assert browser.cookie("session") is None
    walk = page.form().action.partition("i=")[2]
    for path in ("/", "/account/security", f"/acting-for?i={walk}"):
        answer = browser.get(path)
        assert (answer.status, answer.location.partition("?")[0]) == (303, "/login")
    assert browser.get(f"/continue?i={walk}").location == f"/login/code?i={walk}"


def test_se_05_a_person_suspended_before_the_code_does_not_come_in(
    sessions, clock, at_code, newest_code, mother, browser
):
    page = at_code()
    with transaction(sessions) as db:
        accounts.suspend(db, mother.id, now=clock())
    page = page.submit(code=newest_code()).arrive()
    assert page.form().action.startswith("/login?i=")
    assert browser.cookie("session") is None


def test_se_01_every_authentication_gives_a_new_token_and_kills_the_old_one(
    app, browser, sign_in, open_walk, newest_code, enter, clock
):
    sign_in(browser)
    clock.advance(timedelta(seconds=1))
    first = browser.cookie("session")
    walk = open_walk(request={"prompt": ["login"]})
    page = enter(browser, at=browser.get(f"/continue?i={walk}").location).arrive()
    assert browser.cookie("session") == first
    page.submit(code=newest_code())
    second = browser.cookie("session")
    assert second != first
    thief = Browser(app)
    thief.set_cookie("session", first)
    assert thief.get("/account/security").status == 303


def test_az_11_going_back_does_not_skip_a_demanded_sign_in(browser, sign_in, open_walk):
    sign_in(browser)
    walk = open_walk(request={"prompt": ["login"]})
    for _ in range(2):
        assert browser.get(f"/continue?i={walk}").location == f"/login?i={walk}"
        assert browser.get(f"/login?i={walk}").status == 200


def test_b18_b19_a_shared_device_remembers_nothing_and_idles_five_minutes(browser, sign_in, clock):
    sign_in(browser, shared_device="1")
    assert browser.cookie("device") is None
    clock.advance(timedelta(minutes=4, seconds=59))
    assert browser.get("/account/security").status == 200
    clock.advance(timedelta(minutes=5))
    assert browser.get("/account/security").status == 303


def test_b17_b28_b34_a_trusted_device_is_offered_by_the_municipality_and_skips_the_code(
    sessions, browser, sign_in, enter, town, clock
):
    with transaction(sessions) as db:
        db.get(type(town), town.id).trusted_device_days = 14
    sign_in(browser, code_form={"trust_device": "1"})
    token = browser.cookie("session")
    browser.client.delete_cookie("__Host-kid_session", domain="id.kakuu.example.jp")
    assert token is not None
    page = enter(browser)
    assert page.location == "/"
    clock.advance(timedelta(days=14))
    page = enter(browser, at="/login")
    assert page.location.startswith("/login/code")


def test_b17_without_the_setting_the_device_is_not_offered(at_code):
    assert "trust_device" not in at_code().form().names


def test_b28_where_the_person_may_choose_the_password_is_enough(
    sessions, browser, enter, town, mailbox
):
    with transaction(sessions) as db:
        db.get(type(town), town.id).second_step = SecondStep.USER_CHOICE
    assert enter(browser).location == "/"
    assert mailbox("login_code") == []


def test_two_tabs_of_one_browser_do_not_mix_their_walks(browser, open_walk, enter, newest_code):
    browser.get("/login")
    one, two = (open_walk(return_path=path) for path in ("/account/security", "/"))
    page = enter(browser, at=f"/login?i={one}").arrive()
    browser.get(f"/login?i={two}")
    assert page.submit(code=newest_code()).location == "/account/security"


def test_a_person_of_two_households_says_for_which_she_acts(
    sessions, clock, town, mother, browser, sign_in
):
    with transaction(sessions) as db:
        homes = [
            factories.make_household(
                db, now=clock(), municipality_id=town.id, representative=mother
            )
            for _ in range(2)
        ]
        foreign = factories.make_household(db, now=clock(), municipality_id=town.id)
    page = sign_in(browser).arrive()
    assert page.form().action.startswith("/acting-for?i=")
    assert page.submit(household_id="").status == 422
    assert page.submit(household_id=str(foreign.id)).status == 422
    assert page.submit(household_id=str(homes[1].id)).arrive().status == 200
    again = browser.get("/acting-for")
    assert again.submit(household_id=str(homes[0].id)).location == "/"
