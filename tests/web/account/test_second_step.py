"""The person's own choice of a second step, on the page of security (B33)."""

import pytest
from sqlalchemy import select, update

from idp.db.session import transaction
from idp.model.households import Municipality, SecondStep
from idp.model.people import Account
from idp.model.upkeep import AuditEvent
from tests import factories
from tests.web.pages import Browser

PLACE = "/account/second-step"


@pytest.fixture
def write(sessions):
    """Change rows behind the pages."""

    def run(table, **values):
        with transaction(sessions) as db:
            db.execute(update(table).values(**values))

    return run


@pytest.fixture
def free(write, town, mother):
    """The municipality leaves it to the person."""
    write(Municipality, second_step=SecondStep.USER_CHOICE)


@pytest.fixture
def wishes(sessions, mother):
    def run():
        with transaction(sessions) as db:
            return db.scalar(select(Account.wants_second_step).where(Account.id == mother.id))

    return run


@pytest.fixture
def acts(sessions, mother):
    def run():
        with transaction(sessions) as db:
            named = AuditEvent.name.startswith("second_step.")
            return db.scalars(select(AuditEvent.name).where(named)).all()

    return run


@pytest.fixture
def sign_in(app, mother):
    """Sign in anew with the password; tell where it leads."""

    def run():
        browser = Browser(app, address="192.0.2.77")
        typed = {"login_id": mother.login_id, "password": factories.PASSWORD}
        return browser.get("/login").submit("/login", **typed).location

    return run


def switch_off(hers, password=factories.PASSWORD):
    page = hers.get("/account/security")
    return page.submit(PLACE, wanted="off", step_password=password)


@pytest.mark.usefixtures("free")
def test_b33_a_person_switches_the_code_on_and_is_told_by_mail(hers, wishes, acts, mailbox):
    page = hers.get("/account/security").submit(PLACE, wanted="on")
    assert page.location == "/account/security?done=step_on"
    assert "確認コードを使うことにしました" in page.follow().text
    assert wishes()
    assert acts() == ["second_step.on"]
    assert len(mailbox("second_step_on")) == 1


@pytest.mark.usefixtures("free")
def test_b33_a_second_press_changes_nothing_and_mails_nobody(hers, acts, mailbox):
    first = hers.get("/account/security")
    for _ in range(2):
        assert first.submit(PLACE, wanted="on").status == 303
    assert acts() == ["second_step.on"]
    assert len(mailbox("second_step_on")) == 1


@pytest.mark.usefixtures("free")
def test_b33_only_the_password_switches_it_off(hers, write, wishes, acts, mailbox):
    write(Account, wants_second_step=True)
    page = switch_off(hers, "Himawari-43-batake")
    assert page.status == 422
    assert "いまのパスワードが違うようです。" in page.text
    assert "Himawari-43" not in page.text
    assert "<details open>" in page.text
    assert wishes()
    assert switch_off(hers).location == "/account/security?done=step_off"
    assert not wishes()
    assert acts() == ["second_step.off"]
    assert len(mailbox("second_step_off")) == 1


@pytest.mark.usefixtures("free")
def test_b33_b38_the_password_cannot_be_guessed_at_this_form(hers, write, wishes):
    write(Account, wants_second_step=True)
    pages = [switch_off(hers, f"Himawari-{number}-batake") for number in range(50, 57)]
    assert pages[-1].status == 429
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert switch_off(hers).status == 429
    assert wishes()


def test_b33_where_the_municipality_decides_there_is_no_switch(hers, wishes, acts):
    page = hers.get("/account/security")
    assert "の決まりなので、変えられません。" in page.text
    assert PLACE not in page.text
    token = page.form("/account/password").fields["form_token"]
    refused = hers.post(PLACE, {"form_token": token, "wanted": "on"})
    assert refused.status == 422
    assert "ここでは変えられません" in refused.text
    assert not wishes()
    assert acts() == []


@pytest.mark.usefixtures("free")
def test_b33_without_a_mailbox_the_way_to_the_office_is_shown(hers, write, wishes):
    form = hers.get("/account/security").form(PLACE)
    write(Account, email=None, email_key=None)
    assert "メールアドレスの登録がいります" in hers.get("/account/security").text
    refused = hers.post(PLACE, form.fields | {"wanted": "on"})
    assert refused.status == 422
    assert not wishes()


@pytest.mark.usefixtures("free")
def test_b33_a_form_that_says_nothing_is_refused(hers, wishes):
    form = hers.get("/account/security").form(PLACE)
    assert hers.post(PLACE, form.fields | {"wanted": "perhaps"}).status == 422
    assert not wishes()


@pytest.mark.usefixtures("free")
def test_b14_b33_the_next_sign_in_follows_the_choice(hers, sign_in):
    assert not sign_in().startswith("/login/code")
    hers.get("/account/security").submit(PLACE, wanted="on")
    assert sign_in().startswith("/login/code")


@pytest.mark.usefixtures("free")
def test_b33_a_choice_that_cannot_be_met_any_more_shuts_nobody_out(hers, write, sign_in):
    hers.get("/account/security").submit(PLACE, wanted="on")
    write(Account, email=None, email_key=None)
    assert not sign_in().startswith("/login")


def test_b33_whoever_cannot_come_back_is_told_so_where_the_municipality_demands_a_code(hers, write):
    write(Account, email=None, email_key=None)
    text = hers.get("/account/security").text
    assert "次のログインができません" in text
    assert "変えられません。" not in text


@pytest.fixture
def app_alone(sessions, clock, keys, mother, write):
    """She has an authenticator app, and no mailbox any more."""
    with transaction(sessions) as db:
        factories.make_totp(db, account_id=mother.id, keys=keys, now=clock())
    write(Account, email=None, email_key=None)


@pytest.mark.usefixtures("free", "app_alone")
def test_b33_an_authenticator_app_is_means_enough(hers, wishes, acts, mailbox):
    page = hers.get("/account/security")
    assert "認証アプリの確認コードを加えると" in page.text
    assert page.submit(PLACE, wanted="on").location == "/account/security?done=step_on"
    assert wishes()
    assert "認証アプリの確認コードを入力します" in hers.get("/account/security").text
    assert acts() == ["second_step.on"]
    assert mailbox("second_step_on") == []


@pytest.mark.usefixtures("app_alone")
def test_b33_with_an_app_the_demand_of_the_municipality_can_be_met(hers):
    text = hers.get("/account/security").text
    assert "の決まりなので、変えられません。" in text
    assert "次のログインができません" not in text
