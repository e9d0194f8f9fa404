"""A service gets a token for another service's API, about the same acting person (RFC 8693)."""

import pytest
from sqlalchemy import select, update

from idp.db.session import transaction
from idp.domain.grants.token_families import revoke_families_of_consent
from idp.model.clients import Client, ClientStatus
from idp.model.grants import TokenFamily
from idp.model.people import Account, AccountStatus
from idp.model.upkeep import AuditEvent
from idp.protocol.subject import SubjectKind, derive_subject
from tests import factories
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import SECRET, Service, secret_row
from tests.web.oidc.fapi import DPOP_KEY, OTHER_DPOP_KEY, FapiService
from tests.web.oidc.test_token import assert_error

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
API = "https://certificate.example/api"
OTHER_API = "https://clinic.example/api"
MIDDLE_API = "https://middle.example/api"
SCOPE = "openid profile household"


@pytest.fixture
def world(world, sessions, town):
    """Booking may call the certificate's API, and a service in the middle may go on there."""
    with transaction(sessions) as db:

        def add(client_id, sector, **details):
            factories.make_client(
                db,
                now=world,
                client_id=client_id,
                municipality_id=town.id,
                sector=sector,
                details={"scope": SCOPE} | details,
            )
            db.add(secret_row(client_id, SECRET, now=world))

        granted = {"grant_types": ["authorization_code", "refresh_token", GRANT]}
        add("booking", "sector-a", kosodate_resources=[API, OTHER_API, MIDDLE_API], **granted)
        add("middle", "sector-m", kosodate_audiences=[MIDDLE_API], kosodate_resources=[API])
        add("certificate", "sector-b", kosodate_audiences=[API])
        add("twin", "sector-b", kosodate_audiences=["https://twin.example/"])
        for name in ("clinic", "dentist"):
            add(name, f"sector-{name}", kosodate_audiences=[OTHER_API])
        middle = db.get_one(Client, "middle")
        middle.details = middle.details | granted
    return world


class Exchanging(Service):
    def exchange(self, token, **changes):
        form = {
            "grant_type": GRANT,
            "subject_token": token,
            "subject_token_type": ACCESS,
            "resource": API,
        }
        return self.call("/token", **(form | changes))


@pytest.fixture
def booking(app, world):
    return Exchanging(app, "booking")


@pytest.fixture
def middle(app, world):
    return Exchanging(app, "middle")


@pytest.fixture
def certificate(app, world):
    return Exchanging(app, "certificate")


@pytest.fixture
def token(booking, browser, session_id):
    return booking.sign_in(browser, scope=SCOPE).access_token


def test_the_acting_person_stays_in_sub_as_the_other_service_knows_her(
    booking, certificate, token, mother, household, keys
):
    answer = booking.exchange(token)
    assert answer.status == 200
    assert answer.body["issued_token_type"] == ACCESS
    assert answer.token_type == "Bearer"
    assert not {"refresh_token", "id_token"} & set(answer.body)
    claims = answer.claims("access_token")
    known = {"sector": "sector-b"}
    key = keys.subject_key
    assert claims["sub"] == derive_subject(key, SubjectKind.PERSON, entity_id=mother.id, **known)
    assert claims["household_id"] == derive_subject(
        key, SubjectKind.HOUSEHOLD, entity_id=household.id, **known
    )
    assert (claims["aud"], claims["client_id"]) == (API, "booking")
    assert claims["scope"] == SCOPE
    assert "act" not in claims
    seen = certificate.introspect(answer.access_token)
    assert seen["active"] is True
    assert seen["sub"] == claims["sub"]
    assert seen["household_id"] == claims["household_id"]


def test_the_identifiers_of_two_services_are_not_the_same(booking, browser, session_id):
    tokens = booking.sign_in(browser, scope=SCOPE)
    theirs = booking.exchange(tokens.access_token).claims("access_token")
    assert theirs["sub"] != tokens.claims()["sub"]
    known = booking.userinfo(tokens.access_token).body["kosodate_household"]["id"]
    assert theirs["household_id"] != known


def test_without_the_scope_the_household_is_not_named(booking, token):
    claims = booking.exchange(token, scope="openid").claims("access_token")
    assert "household_id" not in claims
    assert claims["scope"] == "openid"


def test_a_household_of_another_municipality_is_not_named(booking, token, sessions, clock):
    with transaction(sessions) as db:
        elsewhere = factories.make_municipality(db, now=clock())
        moved = {"municipality_id": elsewhere.id, "version": Client.version + 1}
        db.execute(update(Client).where(Client.id == "certificate").values(**moved))
    assert "household_id" not in booking.exchange(token).claims("access_token")


@pytest.mark.parametrize("scope", ["openid email", SCOPE + " children", "openid\\"])
def test_rt_04_nobody_gets_more_than_the_token_has(booking, token, scope):
    assert_error(booking.exchange(token, scope=scope), "invalid_scope")


def test_the_new_token_lives_no_longer_than_the_one_that_was_brought(booking, token, later):
    assert booking.exchange(token).expires_in == 300
    later(seconds=200)
    answer = booking.exchange(token)
    assert answer.expires_in == 100
    exchanged = answer.access_token
    later(seconds=99)
    assert booking.introspect(exchanged)["active"] is True
    later(seconds=1)
    assert booking.introspect(exchanged) == {"active": False}
    assert_error(booking.exchange(token), "invalid_request")


@pytest.mark.parametrize("name", ["resource", "audience"])
def test_the_target_may_stand_as_resource_or_as_audience(booking, token, name):
    target = {"resource": None, name: API}
    assert booking.exchange(token, **target).claims("access_token")["aud"] == API
    assert booking.exchange(token, audience=API).status == 200


@pytest.mark.parametrize(
    "target",
    [
        {"resource": None},
        {"resource": API + "/"},
        {"resource": "https://twin.example/"},
        {"audience": MIDDLE_API},
        {"resource": [API, MIDDLE_API]},
        {"resource": "certificate"},
        {"resource": ORIGIN},
    ],
)
def test_a_target_that_is_not_the_clients_or_not_one_is_refused(booking, token, target):
    assert_error(booking.exchange(token, **target), "invalid_target")


def test_a_target_that_knows_people_by_several_identifiers_is_refused(booking, token):
    assert_error(booking.exchange(token, resource=OTHER_API), "invalid_target")


def test_az_16_a_target_that_was_disabled_is_refused(booking, token, sessions):
    with transaction(sessions) as db:
        off = {"status": ClientStatus.DISABLED, "version": Client.version + 1}
        db.execute(update(Client).where(Client.id == "certificate").values(**off))
    assert_error(booking.exchange(token), "invalid_target")


@pytest.mark.parametrize("kind", [ACCESS, JWT])
def test_access_tokens_of_ours_are_both_types(booking, token, kind):
    answer = booking.exchange(token, subject_token_type=kind, requested_token_type=kind)
    assert answer.body["issued_token_type"] == kind


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"},
        {"actor_token": "x"},
        {"actor_token_type": ACCESS},
        {"subject_token": "x" * 17_000},
    ],
)
def test_what_is_not_supported_is_an_invalid_request(booking, token, changes):
    assert_error(booking.exchange(token, **changes), "invalid_request")


def test_jw_07_no_other_kind_of_token_is_exchanged(booking, browser, session_id):
    tokens = booking.sign_in(browser, scope=SCOPE)
    for other in (tokens.id_token, tokens.refresh_token, "x", "a.b.c"):
        assert_error(booking.exchange(other), "invalid_request")


def test_a_token_of_somebody_else_is_refused(booking, middle, rp, token, browser, session_id):
    assert_error(middle.exchange(token), "invalid_request")
    assert_error(booking.exchange(rp.sign_in(browser).access_token), "invalid_request")


def test_a_token_of_a_client_alone_has_no_person(app, sessions, world, booking):
    with transaction(sessions) as db:
        row = db.get_one(Client, "booking")
        grants = [*row.details["grant_types"], "client_credentials"]
        row.details = row.details | {"grant_types": grants}
        row.version += 1
    own = booking.call("/token", grant_type="client_credentials", scope="profile")
    assert_error(booking.exchange(own.access_token), "invalid_request")


def test_a_service_goes_on_with_the_token_it_was_called_with(booking, middle, token):
    first = booking.exchange(token, resource=MIDDLE_API, scope="openid household").access_token
    answer = middle.exchange(first)
    claims = answer.claims("access_token")
    assert (claims["aud"], claims["client_id"]) == (API, "middle")
    assert claims["scope"] == "openid household"
    direct = booking.exchange(token).claims("access_token")
    assert claims["sub"] == direct["sub"]
    assert_error(middle.exchange(first, scope=SCOPE), "invalid_scope")


def test_ca_01_only_clients_that_prove_themselves_and_have_the_grant(app, certificate, token):
    assert_error(certificate.exchange(token), "unauthorized_client")
    nobody = Exchanging(app, "booking", None)
    assert nobody.exchange(token).error == (401, "invalid_client")
    wrong = Exchanging(app, "booking", "x" * 40)
    assert wrong.exchange(token).error == (401, "invalid_client")


def test_px_08_nothing_of_ours_takes_the_exchanged_token(booking, token):
    exchanged = booking.exchange(token).access_token
    assert booking.userinfo(exchanged).error == (401, "invalid_token")


def test_rt_09_an_exchanged_token_is_shown_to_its_audience_and_its_client(
    app, booking, certificate, middle, token
):
    exchanged = booking.exchange(token).access_token
    assert booking.introspect(exchanged)["active"] is True
    assert certificate.introspect(exchanged)["active"] is True
    assert middle.introspect(exchanged) == {"active": False}


def test_rt_07_what_ends_the_authorization_ends_the_exchanged_token(
    booking, certificate, token, sessions, mother, clock
):
    exchanged = booking.exchange(token).access_token
    with transaction(sessions) as db:
        revoke_families_of_consent(db, mother.id, "booking", "test", now=clock())
    assert certificate.introspect(exchanged) == {"active": False}
    assert_error(booking.exchange(token), "invalid_request")


def test_rt_06_a_person_who_was_stopped_acts_nowhere(booking, certificate, token, sessions, mother):
    exchanged = booking.exchange(token).access_token
    with transaction(sessions) as db:
        stopped = update(Account).where(Account.id == mother.id)
        db.execute(stopped.values(status=AccountStatus.SUSPENDED))
    assert certificate.introspect(exchanged) == {"active": False}
    assert_error(booking.exchange(token), "invalid_request")


def test_disabling_the_client_that_exchanged_ends_its_token(
    booking, middle, certificate, token, sessions
):
    first = booking.exchange(token, resource=MIDDLE_API).access_token
    exchanged = middle.exchange(first).access_token
    with transaction(sessions) as db:
        off = {"status": ClientStatus.DISABLED, "version": Client.version + 1}
        db.execute(update(Client).where(Client.id == "middle").values(**off))
    assert certificate.introspect(exchanged) == {"active": False}
    assert booking.introspect(token)["active"] is True


def test_rt_08_the_client_that_exchanged_revokes_its_own_token_alone(booking, middle, token):
    first = booking.exchange(token, resource=MIDDLE_API).access_token
    exchanged = middle.exchange(first).access_token
    assert booking.call("/revoke", token=exchanged).status == 200
    assert middle.introspect(exchanged)["active"] is True
    assert middle.call("/revoke", token=exchanged).status == 200
    assert middle.introspect(exchanged) == {"active": False}
    assert booking.introspect(first)["active"] is True


def test_the_act_is_in_the_audit(booking, token, sessions, mother):
    booking.exchange(token)
    with transaction(sessions) as db:
        row = db.scalars(select(AuditEvent).where(AuditEvent.name == "token.exchanged")).one()
    assert (row.client_id, row.subject_id) == ("booking", mother.id)
    assert row.detail["target"] == "certificate"
    with transaction(sessions) as db:
        assert len(db.scalars(select(TokenFamily)).all()) == 1


def test_a_bound_token_stays_bound(app, booking, middle, browser, session_id, clock):
    def proved(key):
        return FapiService(app, clock, "", None).proof("/token", key)

    code = booking.code(browser, scope=SCOPE)
    tokens = booking.redeem(code, headers=booking.basic() | proved(DPOP_KEY))
    assert tokens.token_type == "DPoP"
    token = tokens.access_token
    assert_error(booking.exchange(token), "invalid_dpop_proof")
    other = booking.exchange(token, headers=booking.basic() | proved(OTHER_DPOP_KEY))
    assert_error(other, "invalid_dpop_proof")
    good = booking.exchange(token, resource=MIDDLE_API, headers=booking.basic() | proved(DPOP_KEY))
    assert good.token_type == "DPoP"
    first = good.access_token
    # The service in the middle has seen the first proof at its door; it brings its own.
    assert_error(middle.exchange(first), "invalid_dpop_proof")
    theirs = middle.exchange(first, headers=middle.basic() | proved(OTHER_DPOP_KEY))
    assert theirs.token_type == "DPoP"
    mine = good.claims("access_token")["cnf"]
    assert theirs.claims("access_token")["cnf"] != mine
