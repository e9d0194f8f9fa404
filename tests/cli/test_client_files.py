"""Services as files: every member that can be registered goes in, comes out and goes in again."""

import json
from dataclasses import fields

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from idp.db.session import transaction
from idp.domain.grants.clients import find_any_client
from idp.protocol.client import ClientMetadata, RegisteredClient
from tests.serving import Port, serving

EC = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "B" * 43, "kid": "one"}
CALLBACK = "https://rp.example/callback"
PLAIN = {"client_id": "plain", "client_name": "Plain", "redirect_uris": [CALLBACK]}
#: A value that is not the usual one for every member; what excludes each other is spread out.
FULL = {
    "client_id": "full",
    "client_name": "書庫",
    "client_name#en": "Archive",
    "kosodate_description": "しらべる",
    "kosodate_description#en": "Look things up",
    "kosodate_operator": "架空市",
    "kosodate_operator#en": "Kakuu City",
    "kosodate_glyph": "書",
    "kosodate_municipality": "990001",
    "kosodate_sector": "archive",
    "kosodate_consented": True,
    "kosodate_may_notify": True,
    "application_type": "native",
    "redirect_uris": [CALLBACK, "jp.example.archive:/callback"],
    "post_logout_redirect_uris": ["https://rp.example/"],
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "PS256",
    "jwks": {"keys": [EC]},
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": "openid profile household",
    "subject_type": "public",
    "id_token_signed_response_alg": "EdDSA",
    "id_token_encrypted_response_alg": "ECDH-ES",
    "id_token_encrypted_response_enc": "A256GCM",
    "userinfo_signed_response_alg": "ES256",
    "userinfo_encrypted_response_alg": "ECDH-ES+A128KW",
    "userinfo_encrypted_response_enc": "A128GCM",
    "authorization_signed_response_alg": "PS256",
    "introspection_signed_response_alg": "ES256",
    "request_object_signing_alg": "ES256",
    "require_signed_request_object": True,
    "request_uris": ["https://rp.example/request.jwt#hash"],
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
    "default_max_age": 600,
    "default_acr_values": ["urn:kosodate:acr:pwd+emailotp"],
    "initiate_login_uri": "https://rp.example/login",
    "backchannel_logout_uri": "https://rp.example/back",
    "backchannel_logout_session_required": True,
    "frontchannel_logout_uri": "https://rp.example/front",
    "frontchannel_logout_session_required": True,
    "client_uri": "https://rp.example/",
    "logo_uri": "https://rp.example/logo.png",
    "policy_uri": "https://rp.example/privacy",
    "tos_uri": "https://rp.example/terms",
    "contacts": ["dev@rp.example"],
    "authorization_details_types": ["kosodate_delegation"],
    "kosodate_response_modes": ["form_post", "query"],
    "kosodate_require_pkce": False,
    "kosodate_cors_origins": ["https://rp.example"],
    "kosodate_accepts_token_endpoint_audience": True,
    "kosodate_resources": ["https://api.example/records"],
    "kosodate_audiences": ["https://rp.example/api"],
    "kosodate_event_endpoint": "https://rp.example/events",
    "kosodate_events": ["account.closed"],
}
#: The profile excludes some of that, and keys stand in the document or at an address.
FAPI = {
    "client_id": "fapi",
    "client_name": "FAPI",
    "redirect_uris": [CALLBACK],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks_uri": "https://rp.example/keys",
    "kosodate_profile": "fapi2",
}
#: What no file says: how a client came to be, and what became of it.
UNSEEN = {"version", "secrets", "logo", "client_id", "is_active", "is_removed"}


@pytest.fixture
def find(database_url):
    """Return a client as the provider reads it."""
    engine = create_engine(database_url)

    def run(client_id):
        with transaction(sessionmaker(engine)) as db:
            return find_any_client(db, client_id)

    yield run
    engine.dispose()


@pytest.fixture
def sector():
    """Serve the document that proves a sector; yield its address."""

    def answer(_environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps([CALLBACK]).encode()]

    with serving(answer, Port()) as origin:
        yield f"{origin}/sector.json"


@pytest.fixture
def documents(config, idp, town, sector):
    """Documents that use every member, and an installation that may call this machine."""
    text = config.read_text(encoding="utf-8")
    text = text.replace("https://login.kakuu.example", "http://127.0.0.1:1")
    config.write_text(text + "\n[dev]\nallow_http = true\n", encoding="utf-8")
    assert idp("keys", "ensure")[0] == 0
    proven = PLAIN | {"client_id": "proven", "sector_identifier_uri": sector}
    return [PLAIN, FULL, FAPI, proven]


def test_every_registered_member_survives_export_and_import(idp, write, documents, find):
    assert idp("clients", "import", write("all.json", json.dumps(documents)))[0] == 0
    for document in documents:
        name = document["client_id"]
        exported = json.loads(idp("clients", "export", name)[1])
        assert document.items() <= exported.items()
        copy = write("copy.json", json.dumps(exported | {"client_id": f"{name}-copy"}))
        assert idp("clients", "import", copy)[0] == 0
        again = json.loads(idp("clients", "export", f"{name}-copy")[1])
        assert again == exported | {"client_id": f"{name}-copy"}
        assert facts(find(f"{name}-copy")) == facts(find(name))


def facts(client):
    return {name: value for name, value in vars(client).items() if name not in UNSEEN}


def test_no_member_is_missing_from_the_documents_of_this_test(idp, write, documents, find):
    """A new member of a client fails here until it is written, read and tried above."""
    assert idp("clients", "import", write("all.json", json.dumps(documents)))[0] == 0
    plain = find("plain")
    others = [find(document["client_id"]) for document in documents[1:]]
    names = {field.name for field in (*fields(ClientMetadata), *fields(RegisteredClient))}
    same = {
        name
        for name in names - UNSEEN
        if all(getattr(other, name) == getattr(plain, name) for other in others)
    }
    assert same == set()


def test_importing_what_was_exported_changes_nothing(idp, write, documents, find):
    file = write("all.json", json.dumps(documents))
    first = idp("clients", "import", file)[1]
    assert first.count("shown this once") == 2
    before = [find(document["client_id"]) for document in documents]
    exported = [json.loads(idp("clients", "export", each.client_id)[1]) for each in before]
    again = idp("clients", "import", write("again.json", json.dumps(exported)))
    assert (again[0], again[1].count("shown this once")) == (0, 0)
    after = [find(document["client_id"]) for document in documents]
    assert [facts(each) for each in after] == [facts(each) for each in before]
    assert [each.secrets for each in after] == [each.secrets for each in before]


def test_a_service_of_a_municipality_that_is_not_there_is_refused(idp, write, documents):
    wrong = FULL | {"kosodate_municipality": "999999"}
    code, _, problem = idp("clients", "import", write("wrong.json", json.dumps(wrong)))
    assert (code, "municipality_unknown" in problem) == (1, True)


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"kosodate_municipality": "999999"}, "client 2 of the file (full): municipality_unknown"),
        ({"redirect_uris": "x"}, "client 2 of the file (full): redirect_uris: "),
        ({"client_id": None, "redirect_uris": "x"}, "client 2 of the file (without client_id): "),
    ],
)
def test_az_08_a_file_with_a_fault_registers_nothing(idp, write, documents, find, second, problem):
    faulty = [PLAIN, FULL | second, FULL | second | {"client_id": "third"}]
    code, printed, complaint = idp("clients", "import", write("all.json", json.dumps(faulty)))
    assert (code, printed) == (1, "")
    assert problem in complaint
    assert find("plain") is None


def test_az_08_a_file_with_a_fault_changes_nothing(idp, write, documents, find):
    assert idp("clients", "import", write("one.json", json.dumps(PLAIN)))[0] == 0
    before = find("plain")
    changed = [PLAIN | {"client_name": "Changed"}, PLAIN | {"kosodate_sector": "another"}]
    code, printed, problem = idp("clients", "import", write("two.json", json.dumps(changed)))
    assert (code, printed) == (1, "")
    assert "client 2 of the file (plain): sector_fixed" in problem
    assert find("plain") == before


def test_ca_09_a_file_that_switches_to_signing_prints_a_new_secret_once(idp, write, documents):
    assert idp("clients", "import", write("plain.json", json.dumps(PLAIN)))[0] == 0
    signing = PLAIN | {"token_endpoint_auth_method": "client_secret_jwt"}
    file = write("signing.json", json.dumps(signing))
    code, printed, _ = idp("clients", "import", file)
    assert (code, printed.count("shown this once")) == (0, 1)
    assert "client_secret" not in idp("clients", "import", file)[1]
    assert idp("clients", "rotate-secret", "plain")[1].startswith("client_secret\t")


def test_ca_09_a_file_with_a_secret_that_has_ended_is_refused(idp, write, documents, find):
    file = write("plain.json", json.dumps(PLAIN | {"client_secret": "x" * 43}))
    assert idp("clients", "import", file)[0] == 0
    assert idp("clients", "rotate-secret", "plain")[0] == 0
    assert idp("clients", "import", file)[0] == 0
    assert idp("clients", "end-old-secrets", "plain")[0] == 0
    before = find("plain")
    code, printed, problem = idp("clients", "import", file)
    assert (code, printed) == (1, "")
    assert "secret_retired" in problem
    assert "take it out of the file" in problem
    assert find("plain") == before


TOKEN = ("clients", "registration-token")


def test_an_initial_access_token_is_made_listed_and_ended(idp, town):
    code, made, _ = idp(
        *(*TOKEN, "create", "架空システム", "--days", 30, "--uses", 2),
        *("--municipality", town, "--scope", "openid profile", "--legacy"),
    )
    assert code == 0
    facts_of = dict(line.split("\t")[:2] for line in made.splitlines())
    assert len(facts_of["initial_access_token"]) >= 43
    listed = idp(*TOKEN, "list")[1]
    assert listed == f"{facts_of['token_id']}\tusable\t2 left, 0 registered\t架空システム\n"
    assert facts_of["initial_access_token"] not in listed
    assert idp(*TOKEN, "revoke", facts_of["token_id"])[0] == 0
    assert "\tended\t" in idp(*TOKEN, "list")[1]
    code, _, problem = idp(*TOKEN, "revoke", facts_of["token_id"])
    assert (code, "no such token" in problem) == (1, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--days", "0"), "--days is from 1"),
        (("--days", "100000"), "--days is from 1"),
        (("--uses", "0"), "--uses from 1"),
        (("--scope", "openid everything"), "--scope must name"),
        (("--scope", "a  b"), "--scope must name"),
        (("--municipality", "999999"), "municipality_unknown"),
    ],
)
def test_an_initial_access_token_out_of_bounds_is_not_made(idp, town, words, problem):
    code, printed, complaint = idp(*TOKEN, "create", "架空システム", *words)
    assert (code, printed, problem in complaint) == (1, "", True)
    assert idp(*TOKEN, "list")[1] == ""
