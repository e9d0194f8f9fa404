"""How many SQL statements a person's way to a service takes: a count is no time, so it may fail."""

import json

import pytest
from sqlalchemy import event, select

from idp.db.session import transaction
from idp.model.households import SecondStep
from idp.model.people import Account
from idp.model.upkeep import OutboxMessage
from tests import factories
from tests.web.pages import Browser


class Counter:
    """Counts what the application says to its database: statements and commits."""

    def __init__(self, engine):
        self.number = 0
        event.listen(engine, "before_cursor_execute", self._count_statement)
        event.listen(engine, "commit", self._count)

    def _count(self, *_facts):
        self.number += 1

    def _count_statement(self, _connection, _cursor, statement, *_facts):
        self.number += not statement.startswith("BEGIN")

    def take(self):
        """Return how many there were since the last time."""
        number, self.number = self.number, 0
        return number


@pytest.fixture
def counter(app, rp):
    with app.app_context():
        counter = Counter(app.extensions["sqlalchemy"].engine)
    # Once in a process: what it keeps of the service and of plans for maintenance.
    rp.authorize(Browser(app))
    counter.take()
    return counter


@pytest.fixture
def newest_code(sessions, keys):
    def run():
        with transaction(sessions) as db:
            newest = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(1)
            mail = db.scalars(newest).one()
            body = keys.sealer.unseal(mail.sealed_body, context=f"outbox:{mail.id}")
        return json.loads(body)["facts"]["code"]

    return run


@pytest.fixture
def arrive(rp, browser, counter):
    """Go to the sign-in page of the service; return it and what it took."""

    def run():
        page = rp.authorize(browser)
        assert page.form().action.startswith("/login?i=")
        return page, counter.take()

    return run


def enter(page, mother):
    return page.submit(login_id=mother.login_id, password=factories.PASSWORD)


def beyond(counted, bounds):
    """Return what took more statements than it may."""
    named = zip(counted.items(), bounds, strict=True)
    return {name: number for (name, number), bound in named if number > bound}


def is_answered(page):
    return page.status == 303 and "code=" in page.location


def test_a_sign_in_with_a_password_asks_each_thing_once(
    sessions, town, mother, arrive, counter, rp, browser
):
    with transaction(sessions) as db:
        db.get(type(town), town.id).second_step = SecondStep.USER_CHOICE
    counter.take()
    page, before = arrive()
    assert is_answered(enter(page, mother))
    after_password = counter.take()
    assert is_answered(rp.authorize(browser, prompt="none"))
    counted = {
        "to the sign-in page": before,
        "password": after_password,
        "again, without a page": counter.take(),
    }
    assert beyond(counted, (4, 22, 8)) == {}


def test_a_sign_in_with_a_mailed_code_asks_each_thing_once(
    mother, arrive, counter, newest_code, sessions, clock
):
    with transaction(sessions) as db:  # as of everybody who has set her own password
        db.get_one(Account, mother.id).email_verified_at = clock()
    counter.take()
    page, before = arrive()
    half = enter(page, mother)
    assert half.location.startswith("/login/code?i=")
    after_password = counter.take()
    page = half.follow()
    shown = counter.take()
    code = newest_code()
    counter.take()
    assert is_answered(page.submit(code=code))
    counted = {
        "to the sign-in page": before,
        "password": after_password,
        "page of the code": shown,
        "code": counter.take(),
    }
    assert beyond(counted, (4, 15, 3, 26)) == {}
