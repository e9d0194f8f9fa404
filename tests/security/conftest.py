"""Everyone who might send something: nobody, a family, a clerk, an administrator, a service."""

import pytest

from idp.model.people import Door
from idp.model.staff import Role
from tests.signing import install_keys
from tests.web.conftest import (  # noqa: F401 - fixtures
    app,
    browser,
    hasher,
    keys,
    mailbox,
    mother,
    services,
    sessions,
    town,
)
from tests.web.oidc.conftest import (  # noqa: F401 - fixtures
    enter_session,
    household,
    rp,
    session_id,
    spa,
    world,
)
from tests.web.pages import Browser
from tests.web.signin.conftest import (  # noqa: F401 - fixtures
    enter,
    newest_code,
)
from tests.web.signin.conftest import sign_in as walk_in  # noqa: F401 - a fixture
from tests.web.staff.conftest import here, sign_in, sign_in_as, there  # noqa: F401 - fixtures


@pytest.fixture
def roles(app, sign_in, sign_in_as, here, sessions, clock, keys):  # noqa: F811
    """A browser for each role, by its name."""
    with sessions.begin() as db:
        install_keys(db, keys=keys, now=clock())
    return {
        "nobody": Browser(app),
        "family": sign_in(here.guardian, Door.FAMILY),
        "proxy": sign_in(here.proxy, Door.FAMILY),
        "clerk": sign_in(here.clerk),
        "administrator": sign_in_as(here, Role.SYSTEM_ADMIN),
    }
