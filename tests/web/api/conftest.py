"""A service that calls us about a household."""

import base64

import pytest

from idp.base.ids import new_id
from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.clients import find_client
from idp.model.clients import ClientSecret
from idp.model.households import MembershipRole
from idp.protocol.subject import SubjectKind, derive_subject
from tests import factories
from tests.web.applications import ORIGIN

SECRET = "a-secret-of-a-good-length-0123456789"


@pytest.fixture
def household(sessions, clock, town, mother):
    """The mother's household, with a grandmother as proxy."""
    now = clock()
    with transaction(sessions) as db:
        home = factories.make_household(db, now=now, municipality_id=town.id, representative=mother)
        proxy = factories.make_account(db, now=now, municipality_id=town.id)
        factories.make_member(
            db, household_id=home.id, account=proxy, now=now, role=MembershipRole.PROXY
        )
        for client_id, may_notify in (("booking", True), ("silent", False)):
            factories.make_client(
                db,
                now=now,
                client_id=client_id,
                municipality_id=town.id,
                may_notify=may_notify,
                sector="municipality:990001",
            )
            db.add(
                ClientSecret(
                    id=new_id(now=now),
                    client_id=client_id,
                    digest=digest(SECRET),
                    created_at=now,
                )
            )
    return home


@pytest.fixture
def subject(sessions, keys, household):
    """Return the household's id as booking knows it."""
    with transaction(sessions) as db:
        client = find_client(db, "booking")
    return derive_subject(
        keys.subject_key,
        SubjectKind.HOUSEHOLD,
        sector=client.sector,
        entity_id=household.id,
    )


@pytest.fixture
def call(app, household):
    """Call the API as a service does."""
    http = app.test_client(use_cookies=False)

    def run(method, path, body, client_id="booking", secret=SECRET, **options):
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"} if secret else {}
        return http.open(
            path, method=method, json=body, headers=headers, base_url=ORIGIN, **options
        )

    return run
