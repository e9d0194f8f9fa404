"""Registration of services by themselves over HTTP (RFC 7591, OIDC Registration)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from idp.base.secret import digest
from idp.db.session import transaction
from idp.domain.grants.clients import find_client
from idp.domain.grants.initial_access_tokens import list_initial_tokens, revoke_initial_token
from idp.domain.upkeep.audit import SYSTEM
from idp.model.clients import Client, ClientSecret, InitialAccessToken
from idp.model.upkeep import AuditEvent
from idp.web.deps import SERVICES
from tests.web.applications import ORIGIN, build_app
from tests.web.oidc.conftest import CALLBACK, Service, answer_of
from tests.web.oidc.registering import Elsewhere, Registered, Registrar, make_token

KEY = ECKey.generate_key("P-256", {"kid": "1"})
KEYS = {"keys": [KEY.as_dict(private=False)]}
SECTOR = "https://sector.example/uris"
OTHER_HOST = "https://two.example/callback"
UNSAFE_URIS = (
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://localhost./",
    "https://[::1]/",
    "https://169.254.169.254/",
    "https://10.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://rp.example:22/",
    "https://user:pw@rp.example/",
    "file:///etc/passwd",
    "gopher://rp.example/",
    "ftp://rp.example/",
    "data:text/plain,x",
    "javascript:alert(1)",
)


@pytest.fixture
def elsewhere(app):
    found = Elsewhere()
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], http=found)
    return found


@pytest.fixture
def registrar(app, world, sessions, clock, elsewhere):
    return Registrar(app, make_token(sessions, clock))


@pytest.fixture
def legacy(app, world, sessions, clock, elsewhere):
    return Registrar(app, make_token(sessions, clock, is_legacy=True))


@pytest.fixture
def count(sessions):
    def run():
        with sessions() as db:
            return db.scalar(select(func.count()).select_from(Client))

    return run


def assert_refused(answer, code, words=""):
    assert answer.status_code == 400
    assert answer.content_type.startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json(force=True)["error"] == code
    assert words in answer.get_json(force=True)["error_description"]


def test_oidcc_server_a_service_registers_and_gets_everything_back(registrar, sessions):
    answer = registrar.post(contacts=["dev@rp.example"], response_types=["code"])
    body = answer.get_json(force=True)
    assert answer.status_code == 201
    assert answer.content_type.startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["client_secret_expires_at"] == 0
    assert body["registration_client_uri"] == f"{ORIGIN}/register/{body['client_id']}"
    assert body["redirect_uris"] == [CALLBACK]
    assert body["contacts"] == ["dev@rp.example"]
    assert body["token_endpoint_auth_method"] == "client_secret_basic"
    assert body["id_token_signed_response_alg"] == "RS256"
    assert body["subject_type"] == "pairwise"
    assert body["scope"] == "openid profile email phone address offline_access"
    assert len(body["client_secret"]) >= 43
    with sessions() as db:
        row = db.get(Client, body["client_id"])
        assert row.registration_digest == digest(body["registration_access_token"])
        stored = db.scalar(select(ClientSecret).where(ClientSecret.client_id == row.id))
        assert stored.digest == digest(body["client_secret"])


def test_what_was_registered_signs_people_in(app, legacy, browser, session_id):
    made = Registered(legacy, legacy.post(grant_types=["authorization_code", "refresh_token"]))
    service = Service(app, made.client_id, made.body["client_secret"])
    page = service.authorize(browser, code_challenge=None, code_challenge_method=None)
    page = page.submit("/consent", decision="allow") if page.status == 200 else page
    code = answer_of(page.arrive())["code"]
    tokens = service.redeem(code, code_verifier=None)
    assert tokens.status == 200, tokens.body
    assert tokens.claims()["aud"] == made.client_id


def test_oidcc_discovery_endpoint_verification_names_the_endpoint(app, world):
    document = app.test_client().get("/.well-known/openid-configuration", base_url=ORIGIN)
    assert document.get_json()["registration_endpoint"] == f"{ORIGIN}/register"


def test_closed_registration_is_neither_named_nor_open(database_url, clock):
    app = build_app(database_url, clock, registration={"mode": "closed"})
    answer = Registrar(app, "x").post()
    assert (answer.status_code, answer.get_json(force=True)["error"]) == (403, "access_denied")
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic eA==", "Bearer nobody's"])
def test_without_a_good_token_nobody_registers(app, registrar, count, header):
    before = count()
    headers = {} if header is None else {"Authorization": header}
    answer = registrar.http.post(
        "/register", json={"redirect_uris": [CALLBACK]}, headers=headers, base_url=ORIGIN
    )
    assert answer.status_code == 401
    assert answer.get_json(force=True)["error"] == "invalid_token"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert count() == before


def test_a_token_has_uses_an_end_and_can_be_revoked(app, world, sessions, clock, elsewhere):
    once = Registrar(app, make_token(sessions, clock, uses=1))
    assert once.post().status_code == 201
    assert once.post().status_code == 401
    short = Registrar(app, make_token(sessions, clock, expires_at=clock() + timedelta(seconds=60)))
    clock.advance(timedelta(seconds=59))
    assert short.post().status_code == 201
    clock.advance(timedelta(seconds=1))
    assert short.post().status_code == 401
    ended = Registrar(app, make_token(sessions, clock, label="ended"))
    with transaction(sessions) as db:
        token = next(each for each in list_initial_tokens(db) if each.label == "ended")
        assert revoke_initial_token(db, token.id, actor=SYSTEM, now=clock())
        assert not revoke_initial_token(db, token.id, actor=SYSTEM, now=clock())
    assert ended.post().status_code == 401


def test_a_refused_registration_costs_no_use(app, world, sessions, clock, elsewhere):
    once = Registrar(app, make_token(sessions, clock, uses=1))
    assert once.post(redirect_uris=[CALLBACK, OTHER_HOST]).status_code == 400
    assert once.post(redirect_uris=["http://rp.example/"]).status_code == 400
    assert once.post().status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[{}]",
        b'"text"',
        b"null",
        b"\xff",
        b'{"client_name": NaN}',
        b'{"contacts": ["\\u0000"]}',
        b'{"contacts": ["\\ud800"]}',
        b"[" * 60_000,
        b'{"client_name": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_a_body_that_is_no_object_is_refused(registrar, body):
    answer = registrar.post(body=body)
    assert_refused(answer, "invalid_client_metadata")


def test_only_json_is_read(registrar):
    answer = registrar.call(
        "/register", "POST", registrar.token, data=b"{}", kind="application/x-www-form-urlencoded"
    )
    assert_refused(answer, "invalid_client_metadata")


@pytest.mark.parametrize(
    "uri",
    [
        f"{CALLBACK}#fragment",
        "http://rp.example/callback",
        "javascript:alert(1)",
        "javascript://rp.example/%0aalert(1)",
        "data:text/html,x",
        "https://*.example/",
        "https://user@rp.example/",
        "https://192.0.2.1/",
        "https://rp.example/" + "x" * 5_000,
    ],
)
def test_oidcc_redirect_uri_regfrag_az_08_a_bad_redirect_uri_is_refused(registrar, count, uri):
    before = count()
    assert_refused(registrar.post(redirect_uris=[uri]), "invalid_redirect_uri", "redirect_uris: ")
    assert count() == before


def test_az_08_a_refusal_is_in_the_audit(registrar, sessions):
    registrar.post(redirect_uris=["http://rp.example/"])
    with sessions() as db:
        wanted = AuditEvent.name == "client.registration_refused"
        row = db.scalars(select(AuditEvent).where(wanted)).one()
    assert row.detail["faults"] == "redirect_uris: uri_not_https"
    assert row.actor_kind == "registrant"


@pytest.mark.parametrize(
    "metadata",
    [
        {"redirect_uris": None},
        {"redirect_uris": "https://rp.example/"},
        {"redirect_uris": [1]},
        {"response_types": ["code", "token"]},
        {"grant_types": ["implicit"]},
        {"grant_types": [["authorization_code"]]},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": {}},
        {"jwks": {"keys": "none"}},
        {"jwks": KEYS, "jwks_uri": "https://rp.example/jwks"},
        {"id_token_signed_response_alg": "none"},
        {"userinfo_signed_response_alg": "HS256"},
        {"scope": ["openid"]},
        {"client_name": 5},
        {"client_name#<script>": "x"},
        {"kosodate_cors_origins": [5, ["https://rp.example"]]},
    ],
)
def test_bad_metadata_is_refused_without_being_repeated(registrar, metadata):
    answer = registrar.post(**metadata)
    assert answer.status_code == 400
    body = answer.get_json(force=True)
    assert body["error"] in {"invalid_client_metadata", "invalid_redirect_uri"}
    assert body["error_description"].isascii()
    assert "<script>" not in body["error_description"]


def test_oidcc_3rd_party_init_login_the_address_is_registered_and_told(registrar):
    uri = "https://rp.example/login"
    made = Registered(registrar, registrar.post(initiate_login_uri=uri))
    assert made.body["initiate_login_uri"] == uri
    assert made.get().status_code == 200
    assert made.get().get_json(force=True)["initiate_login_uri"] == uri


def test_oidcc_3rd_party_init_login_nohttps_is_refused(registrar):
    answer = registrar.post(initiate_login_uri="http://rp.example/login")
    assert_refused(answer, "invalid_client_metadata", "initiate_login_uri: uri_not_https")


@pytest.mark.parametrize(
    "name",
    [
        "jwks_uri",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
        "sector_identifier_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "initiate_login_uri",
    ],
)
def test_sr_02_sr_03_no_unsafe_address_is_registered_or_called(registrar, elsewhere, name):
    for uri in UNSAFE_URIS:
        answer = registrar.post(**{name: uri})
        assert_refused(answer, "invalid_client_metadata", f"{name}: ")
    assert elsewhere.asked == []


def test_unknown_members_are_ignored(registrar):
    answer = registrar.post(software_id="x", require_auth_time=True, anything={"deep": [1]})
    assert answer.status_code == 201
    assert "software_id" not in answer.get_json(force=True)


def test_what_the_provider_alone_decides_is_not_the_registrants(registrar, sessions, town):
    answer = registrar.post(
        client_id="booking",
        client_secret="x" * 40,
        scope="openid profile household children",
        grant_types=["authorization_code", "client_credentials"],
        kosodate_consented=True,
        kosodate_may_notify=True,
        kosodate_municipality=town.code,
        kosodate_sector=f"municipality:{town.code}",
        kosodate_operator="架空市こども課",
        kosodate_require_pkce=False,
        kosodate_accepts_token_endpoint_audience=True,
        kosodate_cors_origins=["https://elsewhere.example"],
        kosodate_resources=["https://api.example/"],
        kosodate_audiences=["https://api.example/"],
        kosodate_events=[],
        kosodate_event_endpoint="https://rp.example/events",
        authorization_details_types=["kosodate_delegation"],
    )
    assert answer.status_code == 201
    body = answer.get_json(force=True)
    assert body["client_id"] != "booking"
    assert body["client_secret"] != "x" * 40
    assert body["scope"] == "openid profile"
    with sessions() as db:
        client = find_client(db, body["client_id"])
    assert not client.is_consented
    assert not client.may_notify
    assert client.municipality_id is None
    assert client.sector == "host:rp.example"
    assert client.operators == {}
    assert client.require_pkce
    assert not client.accepts_token_endpoint_audience
    assert client.grant_types == {"authorization_code"}
    assert client.cors_origins == frozenset()
    assert client.audiences == client.resources == ()
    assert client.event_endpoint is None
    assert client.authorization_details_types == ()


def test_a_page_is_let_in_only_from_the_services_own_origin(registrar):
    wanted = ["https://rp.example", "https://elsewhere.example"]
    answer = registrar.post(token_endpoint_auth_method="none", kosodate_cors_origins=wanted)
    assert answer.get_json(force=True)["kosodate_cors_origins"] == ["https://rp.example"]
    assert "client_secret" not in answer.get_json(force=True)


def test_the_token_says_how_strict_its_clients_are(registrar, legacy, sessions):
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}
    cases = [
        (registrar, {}, True, False),
        (legacy, {}, False, True),
        (legacy, keys, False, True),
        (legacy, {"kosodate_require_pkce": True}, True, True),
        (legacy, {"token_endpoint_auth_method": "none"}, True, True),
        (legacy, keys | {"kosodate_profile": "fapi2", "id_token_signed_response_alg": "ES256"},
         True, False),
    ]  # fmt: skip
    for program, metadata, needs_pkce, takes_endpoint in cases:
        answer = program.post(**metadata)
        assert answer.status_code == 201, answer.get_data()
        with sessions() as db:
            client = find_client(db, answer.get_json(force=True)["client_id"])
        assert client.require_pkce is needs_pkce
        assert client.accepts_token_endpoint_audience is takes_endpoint


def test_a_municipalitys_token_makes_its_services(app, world, sessions, clock, town, elsewhere):
    scopes = frozenset({"openid", "household"})
    token = make_token(sessions, clock, municipality_code=town.code, scopes=scopes)
    answer = Registrar(app, token).post(
        redirect_uris=[CALLBACK, OTHER_HOST], scope="openid household email"
    )
    assert answer.status_code == 201
    assert answer.get_json(force=True)["scope"] == "openid household"
    with sessions() as db:
        client = find_client(db, answer.get_json(force=True)["client_id"])
    assert client.municipality_id == town.id
    assert client.sector == f"municipality:{town.code}"


def test_a_service_without_a_name_is_called_after_its_host(registrar):
    answer = registrar.post(client_name=None)
    assert answer.get_json(force=True)["client_name"] == "rp.example"


def test_names_in_several_languages_are_kept(registrar):
    names = {"client_name": "予約", "client_name#en": "Booking", "client_name#ja-Hani-JP": "予約"}
    body = registrar.post(**names).get_json(force=True)
    assert {name: body[name] for name in names} == names


def test_oidcc_registration_sector_uri_several_hosts_share_a_proven_sector(
    registrar, elsewhere, sessions
):
    uris = [CALLBACK, OTHER_HOST]
    assert_refused(registrar.post(redirect_uris=uris), "invalid_client_metadata", "redirect_uris")
    elsewhere.put(SECTOR, json.dumps([*uris, "https://three.example/"]).encode())
    answer = registrar.post(redirect_uris=uris, sector_identifier_uri=SECTOR)
    assert answer.status_code == 201
    assert answer.get_json(force=True)["sector_identifier_uri"] == SECTOR
    with sessions() as db:
        client = find_client(db, answer.get_json(force=True)["client_id"])
    assert client.sector == "host:sector.example"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps([OTHER_HOST]).encode(), 200),
        (json.dumps([CALLBACK + "/"]).encode(), 200),
        (json.dumps({"uris": [CALLBACK]}).encode(), 200),
        (json.dumps([[CALLBACK]]).encode(), 200),
        (json.dumps(CALLBACK).encode(), 200),
        (json.dumps([CALLBACK]).encode(), 404),
        (json.dumps([CALLBACK]).encode(), 302),
        (b"<html>", 200),
        (b"\xff", 200),
        (b"[" * 60_000, 200),
        (b"", 200),
    ],
)
def test_oidcc_registration_sector_bad_sr_04_is_refused(registrar, elsewhere, count, body, status):
    before = count()
    elsewhere.put(SECTOR, body, status=status)
    answer = registrar.post(sector_identifier_uri=SECTOR)
    assert_refused(answer, "invalid_client_metadata", "sector_identifier_uri")
    assert count() == before


def test_a_sector_whose_server_is_away_is_refused(registrar, elsewhere):
    answer = registrar.post(sector_identifier_uri=SECTOR)
    assert_refused(answer, "invalid_client_metadata", "sector_identifier_uri")
    assert elsewhere.asked == [SECTOR]


def test_sr_02_a_name_that_leads_inside_is_refused_at_the_call(app, world, sessions, clock):
    """With the real outgoing client: the name of this machine is no server of others."""
    app.extensions[SERVICES] = replace(app.extensions[SERVICES], http=_of_this_machine())
    answer = Registrar(app, make_token(sessions, clock)).post(sector_identifier_uri=SECTOR)
    assert_refused(answer, "invalid_client_metadata", "sector_identifier_uri")


def _of_this_machine():
    """The real client, asked for an address every time that is of this machine."""
    from idp.base.http import HttpClient

    class Inside(Elsewhere):
        def get(self, _url):
            return HttpClient(timeout_seconds=2).get("https://localhost/uris")

    return Inside()


def test_registrations_are_bounded_by_address(database_url, clock):
    app = build_app(database_url, clock, limits={"per_minute": 10})
    registrar = Registrar(app, "nobody's")
    codes = [registrar.post().status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_every_registration_is_in_the_audit(registrar, sessions):
    made = Registered(registrar, registrar.post())
    with sessions() as db:
        row = db.scalars(select(AuditEvent).where(AuditEvent.name == "client.registered")).one()
        assert (row.actor_kind, row.client_id) == ("registrant", made.client_id)
        token = db.scalars(select(InitialAccessToken)).one()
        assert db.get(Client, made.client_id).initial_access_token_id == token.id
        assert token.uses_left == 99
        listed = list_initial_tokens(db)
    assert [each.client_count for each in listed] == [1]
