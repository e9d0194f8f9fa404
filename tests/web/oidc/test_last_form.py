"""The last form of a sign-in answers the service itself."""

import pytest

from idp.db.session import transaction
from idp.model.households import SecondStep
from tests import factories
from tests.web.oidc.conftest import CALLBACK, answer_of


@pytest.fixture
def sign_in(sessions, town, mother, rp, browser):
    """Go through the sign-in page, where the password is enough; return what it answers."""
    with transaction(sessions) as db:
        db.get(type(town), town.id).second_step = SecondStep.USER_CHOICE

    def run(**changes):
        page = rp.authorize(browser, **changes)
        return page.submit(login_id=mother.login_id, password=factories.PASSWORD)

    return run


def test_the_answer_brings_the_session_and_what_shows_it_to_services(sign_in, rp, browser):
    page = sign_in()
    answer = answer_of(page)
    assert browser.cookie("session") is not None
    assert answer["session_state"].count(".") == 1
    assert browser.cookie("state") is not None
    assert rp.redeem(answer["code"]).status == 200
    assert answer_of(rp.authorize(browser, prompt="none"))["code"]


def test_br_07_a_page_that_posts_itself_comes_behind_a_redirect(sign_in, rp):
    page = sign_in(response_mode="form_post")
    assert page.location.startswith("/continue?i=")
    page = page.follow()
    form = page.form(CALLBACK)
    assert rp.redeem(form.fields["code"]).status == 200


def test_what_else_is_to_be_asked_comes_before_the_answer(sign_in):
    assert sign_in(prompt="consent").location.startswith("/consent?i=")


def test_an_error_is_an_answer_too(sign_in):
    page = sign_in(claims='{"id_token": {"sub": {"value": "somebody else"}}}')
    assert answer_of(page)["error"] == "login_required"


def test_going_back_and_sending_the_form_again_signs_in_nobody(sign_in, rp, browser, mother):
    page = rp.authorize(browser)
    form = page.form()
    typed = form.fields | {"login_id": mother.login_id, "password": factories.PASSWORD}
    assert answer_of(browser.post(form.action, typed))["code"]
    # The token of the page was made before the sign-in.
    assert browser.post(form.action, typed).status == 403
