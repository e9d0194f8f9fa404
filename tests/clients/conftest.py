"""Settings, provider and both relying parties."""

import pytest

from clients.booking.rules import Rules
from clients.booking.site import create_app as create_booking
from clients.certificate.site import create_app as create_certificate
from clients.kit.context import kit
from clients.kit.settings import Office, Settings
from tests.clients.provider import StandInProvider, new_key
from tests.clients.visitor import BASE_URL, MORNING, Visitor
from tests.clock import FrozenClock

OFFICE = Office(
    code="990001",
    tel="0000-12-3456",
    name={"ja": "架空市", "en": "Kakuu City"},
    office={"ja": "こども課", "en": "Children’s Division"},
    hours={"ja": "平日 8時30分から17時15分まで", "en": "Weekdays, 8:30 to 17:15"},
)


@pytest.fixture(scope="session")
def provider_key():
    return new_key("key-1")


@pytest.fixture
def provider(provider_key):
    provider = StandInProvider(provider_key)
    yield provider
    provider.stop()


@pytest.fixture
def clock():
    return FrozenClock(MORNING)


@pytest.fixture
def settings(provider, tmp_path):
    return Settings(
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        base_url=BASE_URL,
        database=tmp_path / "rp.sqlite3",
        session_key=b"a key of a test, long enough for it",
        office=OFFICE,
    )


@pytest.fixture
def rules():
    return Rules(
        monthly_hours=10, monthly_hours_by_municipality={}, fee_yen_per_hour=300, fictional_weeks=8
    )


@pytest.fixture
def booking(settings, rules, clock):
    return create_booking(settings, rules, clock=clock)


@pytest.fixture
def certificate(settings, clock):
    return create_certificate(settings, clock=clock)


@pytest.fixture
def visitor(booking, provider):
    return Visitor(booking, provider)


@pytest.fixture
def holder(certificate, provider):
    """A visitor of the certificate application."""
    return Visitor(certificate, provider)


def kit_of(app):
    with app.app_context():
        return kit()
