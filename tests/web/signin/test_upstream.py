"""A person proves at another provider who she is: linked, claimed, used to get back in."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey
from sqlalchemy import select
from structlog.testing import capture_logs

from idp.base.http import HttpClient
from idp.db.session import transaction
from idp.domain.backstage.housekeeping import clean_up
from idp.domain.signin import interactions
from idp.domain.upstream.identities import LinkRefusal
from idp.domain.upstream.provider import UpstreamConfig, UpstreamProvider
from idp.model.people import Account, AccountStatus
from idp.model.signin import BrowserSession, Interaction, PasswordReset
from idp.model.tables import METADATA
from idp.model.upkeep import AuditEvent
from idp.model.upstream import LinkedIdentity, UpstreamRequest
from idp.protocol.upstream import Profile, UpstreamFault
from idp.web.deps import SERVICES
from tests import factories
from tests.serving import Port, serving
from tests.upstream import CLIENT_ID, CLIENT_KEY, Upstream, make_upstream_app, new_key
from tests.web.applications import ORIGIN
from tests.web.pages import Browser

PASSWORD = factories.PASSWORD
HOME = "/account/identity"


@pytest.fixture
def upstream(clock):
    port = Port()
    provider = Upstream(port.origin, clock)
    with serving(make_upstream_app(provider), port):
        yield provider


@pytest.fixture
def connect(app, upstream):
    """Configure the provider as an operator does, with what a test changes."""

    def run(**changes):
        config = {
            "issuer": upstream.issuer,
            "client_id": CLIENT_ID,
            "redirect_uri": f"{ORIGIN}/upstream/callback",
            "profile": Profile.DIGITAL_AUTH_APP,
            "key": CLIENT_KEY,
        } | changes
        http = HttpClient(timeout_seconds=5, allow_loopback=True)
        provider = UpstreamProvider(UpstreamConfig(**config), http)
        app.extensions[SERVICES] = replace(app.extensions[SERVICES], upstream=provider)
        return provider

    return run


@pytest.fixture
def provider(connect):
    return connect()


@pytest.fixture
def person(browser, sign_in, provider):
    sign_in(browser)
    return browser


def leave(browser, password=PASSWORD):
    """Begin to link; return where the browser is sent."""
    page = browser.get(HOME).submit(f"{HOME}/link", current_password=password)
    assert page.status == 303, page
    return page.location


def visit_upstream(address):
    """Be the browser at the provider; return the path with which it comes back."""
    answer = httpx.get(address, follow_redirects=False)
    assert answer.headers["Location"].startswith(ORIGIN)
    return answer.headers["Location"].removeprefix(ORIGIN)


def link(browser):
    return browser.get(visit_upstream(leave(browser)))


def recover(browser):
    page = browser.get("/password/reset/identity").submit("/password/reset/identity")
    assert page.status == 303, page
    return browser.get(visit_upstream(page.location))


def rows(sessions, table):
    with transaction(sessions) as db:
        return db.scalars(select(table)).all()


def acts(sessions, prefix="identity."):
    return {row.name for row in rows(sessions, AuditEvent) if row.name.startswith(prefix)}


def assert_refused(page, sessions, failure="failed"):
    assert page.location == f"{HOME}?failed={failure}"
    assert rows(sessions, LinkedIdentity) == []


def test_a_person_links_her_card_and_hears_of_it(
    person, upstream, sessions, mother, mailbox, clock
):
    before = person.cookie("session")
    page = link(person)
    assert page.location == f"{HOME}?done=linked"
    assert "本人を確かめました" in page.follow().text
    (row,) = rows(sessions, LinkedIdentity)
    assert (row.account_id, row.issuer, row.subject) == (mother.id, upstream.issuer, "card-1")
    assert row.proofed_at == clock()
    assert row.method == "digital_auth_app"
    assert acts(sessions) == {"identity.linked"}
    assert len(mailbox("identity_linked")) == 1
    # SE-01: a new token, since the session is worth more now.
    assert person.cookie("session") != before
    session = max(rows(sessions, BrowserSession), key=lambda each: each.started_at)
    assert session.acr == "urn:kosodate:acr:upstream"
    assert session.amr == ["pwd", "otp", "sc", "mfa"]


def test_the_request_is_what_the_app_of_the_digital_agency_wants(person, upstream):
    address = leave(person)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid name"
    assert asked["acr_values"] == "aal3 crl"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{ORIGIN}/upstream/callback"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    person.get(visit_upstream(address))
    form = upstream.asked[-2] if upstream.asked[-1] == "jwks" else upstream.asked[-1]
    assert "client_secret" not in form


def test_a_provider_that_takes_no_key_gets_the_secret(connect, browser, sign_in, upstream):
    connect(key=None, client_secret="s" * 40, profile=Profile.OPENID)
    sign_in(browser)
    assert link(browser).location == f"{HOME}?failed=failed"  # this one insists on the key
    form = next(each for each in upstream.asked if "code_verifier" in each)
    assert form["client_secret"] == "s" * 40
    assert "acr_values" not in next(each for each in upstream.asked if "state" in each)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "upstream_issuer"),
        ({"iss": None}, "upstream_issuer"),
        ({"aud": "somebody-else"}, "upstream_audience"),
        ({"aud": [CLIENT_ID, "somebody-else"]}, "upstream_audience"),
        ({"azp": "somebody-else"}, "upstream_audience"),
        ({"nonce": "n" * 43}, "upstream_nonce"),
        ({"nonce": None}, "upstream_nonce"),
        ({"exp": None}, "upstream_time"),
        ({"exp": 1}, "upstream_time"),
        ({"exp": "soon"}, "upstream_time"),
        ({"iat": None}, "upstream_time"),
        ({"iat": 4_000_000_000}, "upstream_time"),
        ({"sub": None}, "upstream_subject"),
        ({"sub": 7}, "upstream_subject"),
        ({"sub": "x" * 256}, "upstream_subject"),
        ({"sub": ""}, "upstream_subject"),
    ],
)
def test_jw_09_an_id_token_that_is_not_the_answer_links_nothing(
    person, upstream, sessions, claims, reason
):
    upstream.claims = claims
    with capture_logs() as lines:
        assert_refused(link(person), sessions)
    assert [line["reason"] for line in lines if line["event"] == "upstream.refused"] == [reason]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, UpstreamFault.SIGNATURE),
        ({"kid": "unknown"}, UpstreamFault.SIGNATURE),
        ({"typ": "at+jwt"}, UpstreamFault.CONTENT),
    ],
)
def test_jw_01_a_signature_that_is_none_or_of_an_unknown_key_is_refused(
    person, upstream, sessions, header, reason
):
    upstream.header = header
    with capture_logs() as lines:
        assert_refused(link(person), sessions)
    assert [line["reason"] for line in lines if line["event"] == "upstream.refused"] == [reason]


def test_jw_02_a_foreign_key_under_the_known_name_is_refused(person, upstream, sessions):
    upstream.published = [new_key()]
    assert_refused(link(person), sessions)


def test_jw_02_a_shared_secret_made_of_the_public_key_is_refused(person, upstream, sessions):
    secret = OctKey.import_key(str(upstream.key.as_dict(private=False)), {"kid": upstream.key.kid})
    upstream.published = [upstream.key]
    upstream.key = secret
    upstream.header = {"alg": "HS256"}
    assert_refused(link(person), sessions)


def test_kt_01_a_new_key_of_the_provider_is_asked_for(person, upstream, sessions, clock):
    assert link(person).location == f"{HOME}?done=linked"
    upstream.key = new_key("up-2")
    clock.advance(timedelta(seconds=31))
    assert link(person).location == f"{HOME}?done=linked"
    assert upstream.asked.count("jwks") == 2
    # An unknown one makes us ask at most every half minute.
    upstream.header = {"kid": "unknown"}
    for _ in range(3):
        assert link(person).location == f"{HOME}?failed=failed"
    assert upstream.asked.count("jwks") == 2


@pytest.mark.parametrize("issuer", [None, "https://evil.example", ""])
def test_az_15_an_answer_of_another_provider_is_not_taken(person, upstream, sessions, issuer):
    upstream.answer = {"iss": issuer}
    page = link(person)
    assert_refused(page, sessions)
    # The code never went to the token endpoint (mix-up).
    assert not any("code_verifier" in each for each in upstream.asked)


def test_a_provider_that_does_not_name_itself_may_leave_it_out(person, upstream, sessions):
    upstream.metadata = {"authorization_response_iss_parameter_supported": False}
    upstream.answer = {"iss": None}
    assert link(person).location == f"{HOME}?done=linked"


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": ["x"]}],
)
def test_kt_05_a_discovery_document_that_is_not_the_issuers_is_not_believed(
    person, upstream, metadata
):
    upstream.metadata = metadata
    page = person.get(HOME).submit(f"{HOME}/link", current_password=PASSWORD)
    assert page.location == f"{HOME}?failed=away"


def test_ft_01_a_provider_that_is_away_harms_nobody(person, upstream, sessions):
    upstream.status = 500
    with capture_logs() as lines:
        page = person.get(HOME).submit(f"{HOME}/link", current_password=PASSWORD)
    assert UpstreamFault.REFUSED in {line.get("reason") for line in lines}
    assert page.location == f"{HOME}?failed=away"
    assert "いまは本人を確かめられません" in page.follow().text
    assert rows(sessions, UpstreamRequest) == []
    page = person.get("/password/reset/identity").submit("/password/reset/identity")
    assert page.status == 503


def test_ft_01_a_provider_that_nobody_runs_any_more_is_away(connect, person):
    closed = Port()
    closed.close()
    connect(issuer=closed.origin)
    with capture_logs() as lines:
        page = person.get(HOME).submit(f"{HOME}/link", current_password=PASSWORD)
    assert UpstreamFault.AWAY in {line.get("reason") for line in lines}
    assert page.location == f"{HOME}?failed=away"


def test_ot_08_an_answer_is_taken_once(person, upstream, sessions):
    path = visit_upstream(leave(person))
    assert person.get(path).location == f"{HOME}?done=linked"
    assert person.get(path).status == 400


def test_ot_09_an_answer_is_taken_for_ten_minutes(person, upstream, sessions, clock):
    path = visit_upstream(leave(person))
    clock.advance(timedelta(minutes=9, seconds=59))
    upstream.claims = {}
    assert person.get(path).location == f"{HOME}?done=linked"
    path = visit_upstream(leave(person))
    clock.advance(timedelta(minutes=10))
    assert person.get(path).status == 400


def test_ot_07_the_state_of_another_browser_is_nobodys(app, person, upstream, sessions):
    path = visit_upstream(leave(person))
    other = Browser(app)
    assert other.get(path).status == 400
    assert rows(sessions, LinkedIdentity) == []
    # It is not used up by that.
    assert person.get(path).location == f"{HOME}?done=linked"


@pytest.mark.parametrize("query", ["", "?code=x", "?state=&code=x", "?state=a&state=b&code=x"])
def test_an_answer_without_a_state_is_nobodys(person, query):
    assert person.get(f"/upstream/callback{query}").status == 400


def test_cancelling_at_the_provider_leads_back(person, upstream, sessions):
    upstream.answer = {"code": None, "error": "access_denied"}
    assert_refused(link(person), sessions)


def test_the_code_and_an_error_together_are_an_error(person, upstream, sessions):
    upstream.answer = {"error": "access_denied"}
    assert_refused(link(person), sessions)


def test_whoever_signed_in_meanwhile_gets_nothing_linked(
    person, upstream, sessions, clock, town, hasher, sign_in
):
    path = visit_upstream(leave(person))
    with transaction(sessions) as db:
        other = factories.make_account(
            db, now=clock(), municipality_id=town.id, hasher=hasher, email="aoi@example.jp"
        )
    person.get("/logout").submit("/logout")
    sign_in(person, login_id=other.login_id)
    assert_refused(person.get(path), sessions, "identity_session")


def test_one_card_belongs_to_one_account(
    app, person, upstream, sessions, clock, town, hasher, sign_in
):
    link(person)
    with transaction(sessions) as db:
        other = factories.make_account(
            db, now=clock(), municipality_id=town.id, hasher=hasher, email="aoi@example.jp"
        )
    theirs = Browser(app, address="192.0.2.9")
    sign_in(theirs, login_id=other.login_id)
    assert link(theirs).location == f"{HOME}?failed=identity_taken"
    assert len(rows(sessions, LinkedIdentity)) == 1
    assert "identity.refused" in acts(sessions)


def test_one_account_has_one_card(person, upstream, sessions):
    link(person)
    upstream.subject = "card-2"
    assert link(person).location == f"{HOME}?failed={LinkRefusal.OTHER}"


def test_a_renewed_card_is_linked_after_the_old_one_was_taken_away(person, upstream, sessions):
    link(person)
    page = person.get(HOME).submit("", current_password=PASSWORD)
    form = person.get(HOME).form(HOME).fields
    page = person.post(f"{HOME}/unlink", form | {"current_password": PASSWORD})
    assert page.location == f"{HOME}?done=unlinked"
    upstream.subject = "card-2"
    assert link(person).location == f"{HOME}?done=linked"
    assert acts(sessions) == {"identity.linked", "identity.unlinked"}


@pytest.mark.parametrize("name", ["佐倉美咲", "佐倉　美咲", " 佐倉 美咲 "])
def test_the_name_on_the_card_is_compared_as_people_are_searched(person, upstream, sessions, name):
    upstream.name = name
    assert link(person).location == f"{HOME}?done=linked"


def test_the_card_of_somebody_else_is_not_linked(person, upstream, sessions):
    upstream.name = "佐倉 健"
    assert_refused(link(person), sessions, "identity_name")


def test_without_a_name_it_is_linked_but_proves_no_identity(person, upstream, sessions):
    upstream.name = None
    assert link(person).location == f"{HOME}?done=linked"
    (row,) = rows(sessions, LinkedIdentity)
    assert row.proofed_at is None


@pytest.mark.parametrize(("acr", "wins"), [("aal3", True), ("aal1", False), (None, False)])
def test_a_weaker_proof_than_the_operator_demands_is_refused(
    connect, browser, sign_in, upstream, sessions, acr, wins
):
    connect(required_acr=("aal3",))
    sign_in(browser)
    upstream.claims = {"acr": acr}
    assert link(browser).location.endswith("done=linked" if wins else "failed=failed")


@pytest.mark.parametrize("act", ["link", "unlink"])
def test_pw_07_without_the_password_nothing_is_linked_or_taken_away(person, sessions, act):
    link(person)
    fields = person.get(HOME).form(HOME).fields
    for wrong in ("", "wrong", "x" * 500):
        page = person.post(f"{HOME}/{act}", fields | {"current_password": wrong})
        assert page.status == 422
    assert len(rows(sessions, LinkedIdentity)) == 1


def test_a_stolen_session_cannot_guess_the_password_here(person):
    fields = person.get(HOME).form(HOME).fields
    pages = [person.post(f"{HOME}/link", fields | {"current_password": "x"}) for _ in range(6)]
    assert [page.status for page in pages] == [422] * 5 + [429]
    assert int(pages[-1].headers["Retry-After"]) > 0


def test_unlinking_is_told_by_mail(person, sessions, mailbox):
    link(person)
    fields = person.get(HOME).form(HOME).fields
    person.post(f"{HOME}/unlink", fields | {"current_password": PASSWORD})
    assert rows(sessions, LinkedIdentity) == []
    assert len(mailbox("identity_unlinked")) == 1


def test_rs_07_whoever_linked_gets_back_in_and_is_still_asked_for_the_code(
    app, person, upstream, sessions, mother, mailbox, clock
):
    link(person)
    other = Browser(app, address="192.0.2.9")
    page = recover(other)
    assert page.location == "/password/reset/new"
    new = "Tsubame-88-no-ki"
    page = page.follow().submit(new_password=new, confirm_password=new).arrive()
    assert "新しいパスワード" in page.text
    assert other.cookie("session") is None
    # Everything that hung on the old password has ended.
    assert person.get(HOME).status == 303
    assert len(mailbox("password_changed")) == 1
    clock.advance(timedelta(seconds=1))
    page = other.get("/login").submit(login_id=mother.login_id, password=new).arrive()
    assert page.form().action.startswith("/login/code")


def test_a_reset_by_card_proves_no_mail_address(app, person, sessions, mother):
    link(person)
    with transaction(sessions) as db:
        db.get_one(Account, mother.id).email_verified_at = None
    other = Browser(app)
    new = "Tsubame-88-no-ki"
    recover(other).follow().submit(new_password=new, confirm_password=new)
    with transaction(sessions) as db:
        assert db.get_one(Account, mother.id).email_verified_at is None


def test_a_card_that_nobody_linked_opens_nothing(app, provider, upstream, sessions):
    page = recover(Browser(app))
    assert page.status == 400
    assert "登録されていません" in page.text
    assert rows(sessions, PasswordReset) == []


@pytest.mark.parametrize("status", [AccountStatus.CLOSED, AccountStatus.ISSUED])
def test_only_an_account_in_use_is_opened_by_a_card(app, person, sessions, mother, status):
    link(person)
    with transaction(sessions) as db:
        db.get_one(Account, mother.id).status = status
    assert recover(Browser(app)).status == 400


def test_a_recovery_links_nothing_and_a_link_recovers_nothing(app, person, upstream, sessions):
    page = recover(person)
    assert page.status == 400
    assert rows(sessions, LinkedIdentity) == []
    link(person)
    assert rows(sessions, PasswordReset) == []


def test_a_mixed_up_cookie_of_the_newer_request_takes_the_newer_answer_only(person, sessions):
    first = visit_upstream(leave(person))
    second = visit_upstream(leave(person))
    assert person.get(first).status == 400
    assert person.get(second).location == f"{HOME}?done=linked"


def test_where_no_provider_is_configured_its_pages_do_not_exist(browser, sign_in):
    sign_in(browser)
    assert browser.get(HOME).status == 404
    assert browser.get("/password/reset/identity").status == 404
    assert browser.get("/upstream/callback?state=x&code=y").status == 404
    assert HOME not in browser.get("/account/security").text
    assert "/password/reset/identity" not in browser.get("/password/reset").text


def test_where_one_is_configured_the_pages_lead_there(person):
    assert HOME in person.get("/account/security").links
    assert "/password/reset/identity" in person.get("/password/reset").links
    listed = person.get("/.well-known/openid-configuration").response.get_json()
    assert "urn:kosodate:acr:upstream" in listed["acr_values_supported"]


def test_a_service_hears_of_the_proof(person, sessions, mother, keys, clock, provider):
    from idp.domain.grants.userinfo import _assurance

    link(person)
    with transaction(sessions) as db:
        assert _assurance(db, mother.id) == {
            "ial": 2,
            "method": "digital_auth_app",
            "proofed_at": int(clock().timestamp()),
        }


def test_requests_and_identities_of_closed_accounts_go(person, sessions, mother, clock):
    link(person)
    with transaction(sessions) as db:
        clean_up(db, now=clock())
    assert len(rows(sessions, LinkedIdentity)) == 1
    with transaction(sessions) as db:
        db.get_one(Account, mother.id).status = AccountStatus.CLOSED
    clock.advance(timedelta(days=1, minutes=10))
    with transaction(sessions) as db:
        clean_up(db, now=clock())
    assert rows(sessions, LinkedIdentity) == []
    assert rows(sessions, UpstreamRequest) == []


def test_cd_10_nothing_that_proves_a_request_is_readable_in_the_database(person, sessions):
    address = leave(person)
    asked = parse_qs(urlsplit(address).query)
    (row,) = rows(sessions, UpstreamRequest)
    for name in ("state", "nonce"):
        assert asked[name][0].encode() not in row.sealed + row.state_digest


def test_fapi2_user_rejects_authentication_instead_of_proving_who_she_is(
    sessions, clock, town, connect, browser, open_walk
):
    connect()
    with transaction(sessions) as db:
        client = factories.make_client(db, now=clock(), municipality_id=town.id)
    walk = open_walk(purpose=interactions.AUTHORIZE, client_id=client.id)
    page = browser.get("/password/reset/identity").submit("/cancel")
    assert page.location == f"/continue?i={walk}"
    with transaction(sessions) as db:
        assert db.get(Interaction, walk).denied_at == clock()


def test_b04_of_the_card_nothing_is_kept_but_who_proved_it_how_and_when(
    person, upstream, sessions, caplog
):
    number = "123456789018"
    upstream.claims = {
        "individual_number": number,
        "my_number": number,
        "residence_code": number[:11],
        "birthdate": "1990-01-02",
        "address": {"formatted": "架空市架空町1-2-3"},
    }
    assert link(person).location == f"{HOME}?done=linked"
    for table in METADATA.sorted_tables:
        with transaction(sessions) as db:
            for row in db.execute(select(table)):
                assert number[:11] not in repr(row), table.name
                assert "架空町" not in repr(row), table.name
    assert number[:11] not in caplog.text
    assert {column.name for column in LinkedIdentity.__table__.columns} == {
        *("id", "account_id", "issuer", "subject", "method", "acr", "linked_at", "proofed_at")
    }
