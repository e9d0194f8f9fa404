"""An administrator's browser."""

import pytest

from idp.db.session import transaction
from idp.domain.grants.key_rotation import list_keys
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.people import Door
from idp.model.staff import Role
from tests import factories
from tests.signing import install_keys
from tests.web.pages import Browser


@pytest.fixture
def enter_console(app, sessions, clock, keys, town):
    """Sign a member of staff in with a role; return her browser."""

    def run(role, **columns):
        now = clock()
        with transaction(sessions) as db:
            person = factories.make_staff(db, now=now, keys=keys, role=role, **columns)
            started = start_session(
                db,
                NewSession(
                    account_id=person.id,
                    door=Door.STAFF,
                    acr="urn:kosodate:acr:mfa",
                    amr=("pwd", "otp", "mfa"),
                    device_label="Firefox",
                    limits=SessionLimits(),
                ),
                now=now,
            )
        browser = Browser(app)
        browser.set_cookie("session", started.token)
        return browser

    return run


@pytest.fixture
def admin(enter_console, sessions, clock, keys):
    with transaction(sessions) as db:
        if not list_keys(db):
            install_keys(db, keys=keys, now=clock())
    return enter_console(Role.SYSTEM_ADMIN)
