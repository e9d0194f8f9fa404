"""The token endpoint over HTTP: codes, refresh tokens, clients' own tokens."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from idp.db.session import transaction
from idp.domain.grants.client_registry import disable_client
from idp.domain.grants.client_secrets import rotate_secret
from idp.domain.grants.token_families import revoke_families_of_session
from idp.domain.upkeep.audit import SYSTEM
from idp.model.grants import AuthorizationCode, RefreshToken, TokenFamily
from idp.model.people import Account, AccountStatus
from idp.model.upkeep import AuditEvent
from idp.web.deps import SERVICES
from tests.web.applications import ORIGIN
from tests.web.oidc.conftest import CALLBACK, VERIFIER


def assert_error(tokens, code, status=400):
    """TE: JSON with this error, not kept, without a token."""
    assert tokens.error == (status, code)
    assert tokens.response.headers["Cache-Control"] == "no-store"
    assert not {"access_token", "id_token", "refresh_token"} & set(tokens.body)
    assert tokens.error_description.isascii()


def test_cd_01_a_second_use_is_refused_and_kills_the_first_tokens(rp, browser, session_id):
    code = rp.code(browser)
    first = rp.redeem(code)
    assert_error(rp.redeem(code), "invalid_grant")
    assert rp.userinfo(first.access_token).error == (401, "invalid_token")
    assert_error(rp.refresh(first.refresh_token), "invalid_grant")
    assert rp.introspect(first.access_token) == {"active": False}


def test_cd_02_of_twenty_parallel_redemptions_one_gets_tokens(rp, browser, session_id):
    code = rp.code(browser)
    barrier = threading.Barrier(20)
    answers = []

    def run():
        barrier.wait()
        answers.append(rp.redeem(code))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.status for each in answers) == [200] + [400] * 19
    assert {each.body["error"] for each in answers if each.status == 400} == {"invalid_grant"}
    (winner,) = (each for each in answers if each.status == 200)
    assert rp.userinfo(winner.access_token).status == 401


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400), (61, 400)])
def test_cd_03_a_code_lives_a_minute(rp, browser, session_id, later, seconds, status):
    code = rp.code(browser)
    later(seconds=seconds)
    assert rp.redeem(code).status == status


def test_cd_04_another_client_gets_nothing_and_the_owner_everything(
    rp, other, spa, browser, session_id
):
    code = rp.code(browser)
    assert_error(other.redeem(code), "invalid_grant")
    assert_error(spa.redeem(code), "invalid_grant")
    assert rp.redeem(code).status == 200


@pytest.mark.parametrize("uri", [None, "", CALLBACK + "/", "https://evil.example/"])
def test_cd_05_the_redirect_uri_has_to_be_the_same(rp, browser, session_id, uri):
    code = rp.code(browser)
    assert_error(rp.redeem(code, redirect_uri=uri), "invalid_grant")
    assert rp.redeem(code).status == 200


def test_cd_06_only_a_post_is_answered(rp):
    answer = rp.call("/token", method="GET").response
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("name", ["client_secret", "code", "grant_type", "anything"])
def test_cd_06_nothing_belongs_into_the_address(rp, browser, session_id, name):
    code = rp.code(browser)
    answer = rp.call(
        "/token",
        query={name: "x"},
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )
    assert_error(answer, "invalid_request")
    assert rp.redeem(code).status == 200


@pytest.mark.parametrize("status", [AccountStatus.SUSPENDED, AccountStatus.CLOSED])
def test_cd_07_a_person_who_was_stopped_in_between_gets_nothing(
    rp, browser, session_id, sessions, mother, status
):
    code = rp.code(browser)
    with transaction(sessions) as db:
        db.execute(update(Account).where(Account.id == mother.id).values(status=status))
    assert_error(rp.redeem(code), "invalid_grant")


@pytest.mark.parametrize(
    "grant",
    [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "",
        "x" * 10_240,
        '"<>\\日本',
    ],
)
def test_cd_08_other_grants_are_not_supported(rp, grant):
    assert_error(rp.call("/token", grant_type=grant), "unsupported_grant_type")


@pytest.mark.parametrize(
    "grant",
    [
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ],
)
def test_cd_08_a_grant_the_client_was_not_registered_for(rp, grant):
    answer = rp.call("/token", grant_type=grant)
    assert_error(answer, "unauthorized_client")


def test_cd_09_the_answer_is_json_that_nobody_keeps(rp, browser, session_id):
    tokens = rp.sign_in(browser)
    headers = tokens.response.headers
    assert tokens.status == 200
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert "Set-Cookie" not in headers
    assert (tokens.token_type, tokens.expires_in, tokens.scope) == ("Bearer", 300, "openid profile")
    assert len(tokens.access_token) > 128
    assert len(tokens.refresh_token) >= 43


def test_cd_10_the_database_holds_no_usable_secret(rp, browser, session_id, sessions):
    code = rp.code(browser)
    tokens = rp.redeem(code)
    secrets = [code, tokens.refresh_token, tokens.access_token, tokens.id_token, rp.secret]
    with sessions() as db:
        raw = db.connection().connection.driver_connection
        dump = "\n".join(raw.iterdump())
    assert [secret for secret in secrets if secret in dump] == []


def test_cd_11_the_id_token_tells_who_signed_in_how_and_when(rp, browser, session_id, later, clock):
    signed_in_at = int(clock().timestamp())
    later(minutes=3)
    tokens = rp.sign_in(browser)
    claims = tokens.claims()
    assert claims["iss"] == ORIGIN
    assert (claims["aud"], claims["nonce"]) == ("rp", "n-1")
    assert claims["auth_time"] == signed_in_at
    assert claims["iat"] == signed_in_at + 180
    assert claims["acr"] == "urn:kosodate:acr:pwd+emailotp"
    assert claims["amr"] == ["pwd", "otp"]
    assert "name" not in claims
    assert "email" not in claims


def test_cd_11_without_a_nonce_there_is_none(rp, browser, session_id):
    assert "nonce" not in rp.sign_in(browser, nonce=None).claims()


def test_cd_11_sub_is_stable_and_another_persons_differs(
    rp, spa, browser, session_id, stranger, sessions, mother
):
    first = rp.sign_in(browser).claims()["sub"]
    with transaction(sessions) as db:
        change = update(Account).where(Account.id == mother.id)
        db.execute(change.values(email="new@example.jp", family_name="別"))
    assert rp.sign_in(browser).claims()["sub"] == first
    assert spa.sign_in(browser, scope="openid").claims()["sub"] == first
    assert rp.sign_in(stranger).claims()["sub"] != first
    assert str(mother.id) not in first


@pytest.mark.parametrize(
    "code", ["nul\0inside", "x" * 1_000_000, "\udcff", "日本", "'; DROP TABLE client; --"]
)
def test_cd_12_a_strange_code_is_refused(rp, code):
    text = code.encode("utf-8", "surrogateescape")
    answer = rp.http.post(
        "/token",
        data=b"grant_type=authorization_code&redirect_uri=x&code_verifier="
        + b"v" * 43
        + b"&code="
        + text,
        headers=rp.basic(),
        content_type="application/x-www-form-urlencoded",
        base_url=ORIGIN,
    )
    assert answer.status_code in (400, 413)
    if answer.status_code == 400:
        assert answer.get_json()["error"] in ("invalid_grant", "invalid_request")


def test_ft_01_while_the_database_is_away_clients_are_told_to_come_back(
    rp, browser, session_id, app
):
    token = rp.sign_in(browser).access_token
    services = app.extensions[SERVICES]
    app.extensions[SERVICES] = replace(services, sessions=_gone)
    for answer in (rp.userinfo(token), rp.redeem("x"), rp.call("/introspect", token=token)):
        assert answer.error == (503, "temporarily_unavailable")
        assert int(answer.response.headers["Retry-After"]) > 0


def _gone():
    raise OperationalError("SELECT 1", {}, Exception("gone"))


def test_a_body_of_another_kind_is_refused(rp):
    answer = rp.http.post("/token", json={"grant_type": "x"}, headers=rp.basic(), base_url=ORIGIN)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_az_05_a_parameter_twice_is_refused_here_too(rp):
    answer = rp.http.post(
        "/token",
        data="grant_type=authorization_code&code=a&code=b",
        headers=rp.basic(),
        content_type="application/x-www-form-urlencoded",
        base_url=ORIGIN,
    )
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("verifier", [None, ""])
def test_pk_04_a_missing_verifier_is_refused(rp, browser, session_id, verifier):
    code = rp.code(browser)
    assert_error(rp.redeem(code, code_verifier=verifier), "invalid_grant")


@pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "v" * 42 + "!", "é" * 50])
def test_pk_06_a_verifier_of_another_shape_is_malformed(rp, browser, session_id, verifier):
    code = rp.code(browser)
    assert_error(rp.redeem(code, code_verifier=verifier), "invalid_request")
    assert rp.redeem(code).status == 200


def test_pk_07_a_wrong_verifier_then_the_right_one(rp, browser, session_id):
    code = rp.code(browser)
    assert_error(rp.redeem(code, code_verifier="w" * 43), "invalid_grant")
    assert rp.redeem(code).status == 200


def test_rt_01_a_reused_token_ends_everything(spa, browser, session_id, sessions):
    first = spa.sign_in(browser, scope="openid")
    second = spa.refresh(first.refresh_token)
    assert second.status == 200
    assert second.refresh_token != first.refresh_token
    assert_error(spa.refresh(first.refresh_token), "invalid_grant")
    assert_error(spa.refresh(second.refresh_token), "invalid_grant")
    for tokens in (first, second):
        assert spa.userinfo(tokens.access_token).error == (401, "invalid_token")
    with sessions() as db:
        assert db.scalars(select(AuditEvent).where(AuditEvent.name == "refresh.reused")).one()


def test_rt_02_of_twenty_parallel_refreshes_one_gets_tokens(spa, browser, session_id):
    token = spa.sign_in(browser, scope="openid").refresh_token
    barrier = threading.Barrier(20)
    answers = []

    def run():
        barrier.wait()
        answers.append(spa.refresh(token))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.status for each in answers) == [200] + [400] * 19
    (winner,) = (each for each in answers if each.status == 200)
    assert_error(spa.refresh(winner.refresh_token), "invalid_grant")


def test_rt_03_a_token_of_another_client(rp, other, browser, session_id):
    token = rp.sign_in(browser).refresh_token
    assert_error(other.refresh(token), "invalid_grant")
    assert rp.refresh(token).status == 200


def test_rt_04_more_scope_and_less_scope(rp, browser, session_id):
    token = rp.sign_in(browser).refresh_token
    assert_error(rp.refresh(token, scope="openid email"), "invalid_scope")
    assert_error(rp.refresh(token, scope='openid "'), "invalid_scope")
    narrowed = rp.refresh(token, scope="openid")
    assert narrowed.scope == "openid"
    assert set(rp.userinfo(narrowed.access_token).body) == {"sub"}


def test_a_confidential_client_keeps_its_token(rp, browser, session_id):
    tokens = rp.sign_in(browser)
    for _ in range(3):
        again = rp.refresh(tokens.refresh_token)
        assert again.status == 200
        assert "refresh_token" not in again.body


def test_a_refreshed_id_token_tells_the_old_sign_in(rp, browser, session_id, later):
    first = rp.sign_in(browser)
    later(minutes=4)
    second = rp.refresh(first.refresh_token).claims()
    before = first.claims()
    for name in ("iss", "sub", "aud", "auth_time", "acr", "sid"):
        assert second[name] == before[name]
    assert second["iat"] == before["iat"] + 240
    assert "nonce" not in second


def test_rt_05_it_dies_with_the_session(rp, browser, session_id, later):
    token = rp.sign_in(browser).refresh_token
    later(hours=12)
    assert_error(rp.refresh(token), "invalid_grant")


def test_rt_06_signing_out_kills_everything_at_once(rp, browser, session_id, sessions, clock):
    tokens = rp.sign_in(browser)
    with transaction(sessions) as db:
        revoke_families_of_session(db, session_id, "test", now=clock())
    assert rp.userinfo(tokens.access_token).error == (401, "invalid_token")
    assert_error(rp.refresh(tokens.refresh_token), "invalid_grant")


def test_rt_08_whatever_the_hint_a_refresh_token_is_revoked(rp, browser, session_id):
    tokens = rp.sign_in(browser)
    for _ in range(2):
        answer = rp.call("/revoke", token=tokens.refresh_token, token_type_hint="access_token")
        assert answer.status == 200
    assert_error(rp.refresh(tokens.refresh_token), "invalid_grant")
    assert rp.userinfo(tokens.access_token).status == 401


def test_rt_08_an_access_token_is_revoked_alone(rp, browser, session_id):
    tokens = rp.sign_in(browser)
    assert rp.call("/revoke", token=tokens.access_token).status == 200
    assert rp.userinfo(tokens.access_token).status == 401
    assert rp.refresh(tokens.refresh_token).status == 200


def test_rt_08_another_clients_token_stays(rp, other, spa, browser, session_id):
    tokens = rp.sign_in(browser)
    for service in (other, spa):
        for token in (tokens.refresh_token, tokens.access_token, "unknown"):
            assert service.call("/revoke", token=token).status == 200
    assert rp.userinfo(tokens.access_token).status == 200
    assert rp.refresh(tokens.refresh_token).status == 200


def test_rt_08_a_revocation_without_a_token_is_malformed(rp):
    assert_error(rp.call("/revoke"), "invalid_request")


def test_rt_09_a_client_sees_its_own_tokens_only(rp, other, browser, session_id):
    tokens = rp.sign_in(browser)
    seen = rp.introspect(tokens.access_token)
    assert seen["active"] is True
    assert (seen["client_id"], seen["scope"], seen["iss"]) == ("rp", "openid profile", ORIGIN)
    assert seen["sub"] == tokens.claims()["sub"]
    assert seen["exp"] - seen["iat"] == 300
    assert rp.introspect(tokens.refresh_token)["active"] is True
    assert other.introspect(tokens.access_token) == {"active": False}
    assert other.introspect(tokens.refresh_token) == {"active": False}


def test_rt_09_what_has_ended_or_never_was_is_only_inactive(rp, browser, session_id, later):
    tokens = rp.sign_in(browser)
    for text in ("unknown", tokens.id_token, "a.b.c"):
        assert rp.introspect(text) == {"active": False}
    later(minutes=5)
    assert rp.introspect(tokens.access_token) == {"active": False}


def test_rt_09_a_caller_that_is_disabled_is_refused_though_it_is_remembered(
    rp, other, browser, session_id, sessions, clock
):
    token = rp.sign_in(browser).access_token
    assert other.introspect(token) == {"active": False}
    with transaction(sessions) as db:
        disable_client(db, "other", actor=SYSTEM, now=clock())
    assert other.call("/introspect", token=token).error == (401, "invalid_client")


@pytest.mark.parametrize(("minutes", "is_known"), [(10, True), (0, False)])
def test_rt_09_a_secret_that_has_ended_is_refused_though_it_is_remembered(
    rp, browser, session_id, sessions, clock, keys, minutes, is_known
):
    token = rp.sign_in(browser).access_token
    assert rp.introspect(token)["active"] is True
    end = timedelta(minutes=minutes)
    with transaction(sessions) as db:
        rotate_secret(db, "rp", actor=SYSTEM, keys=keys, now=clock(), overlap=end)
    answer = rp.call("/introspect", token=token)
    assert answer.status == (200 if is_known else 401)


def test_rt_09_without_proof_nobody_is_told_anything(rp, spa, browser, session_id):
    token = rp.sign_in(browser).access_token
    assert rp.call("/introspect", headers={}, token=token).error == (401, "invalid_client")
    assert spa.call("/introspect", token=token).error == (401, "invalid_client")


def test_offline_access_is_asked_for_and_outlives_the_session(
    spa, browser, session_id, sessions, clock, later
):
    page = spa.authorize(browser, scope="openid offline_access")
    assert page.status == 200
    answer = page.submit(decision="allow").arrive()
    code = answer.location.partition("code=")[2].partition("&")[0]
    tokens = spa.redeem(code)
    assert tokens.scope == "openid offline_access"
    later(days=1)
    again = spa.refresh(tokens.refresh_token)
    assert again.status == 200
    assert spa.userinfo(again.access_token).status == 200


def test_what_is_issued_is_in_the_audit(rp, browser, session_id, sessions, mother):
    rp.redeem(rp.code(browser))
    with sessions() as db:
        events = {each.name: each for each in db.scalars(select(AuditEvent))}
        granted, redeemed = events["authorization.granted"], events["code.redeemed"]
        assert (granted.subject_id, granted.client_id) == (mother.id, "rp")
        assert (redeemed.actor_kind, redeemed.client_id) == ("client", "rp")
        for table in (TokenFamily, AuthorizationCode, RefreshToken):
            assert len(db.scalars(select(table)).all()) == 1
        assert db.scalars(select(AuthorizationCode)).one().redeemed_at is not None


def test_client_credentials_give_a_token_of_the_client_itself(app, world, sessions, clock):
    from tests import factories
    from tests.web.oidc.conftest import SECRET, Service, secret_row

    with transaction(sessions) as db:
        factories.make_client(
            db,
            now=clock(),
            client_id="machine",
            details={
                "grant_types": ["client_credentials"],
                "redirect_uris": [],
                "scope": "household notices",
            },
        )
        db.add(secret_row("machine", SECRET, now=clock()))
    machine = Service(app, "machine")
    tokens = machine.call("/token", grant_type="client_credentials", scope="notices")
    assert (tokens.status, tokens.scope) == (200, "notices")
    assert not {"id_token", "refresh_token"} & set(tokens.body)
    assert tokens.claims("access_token")["sub"] == "machine"
    assert machine.introspect(tokens.access_token)["active"] is True
    assert machine.userinfo(tokens.access_token).error == (403, "insufficient_scope")
    assert_error(
        machine.call("/token", grant_type="client_credentials", scope="openid"), "invalid_scope"
    )
    whole = machine.call("/token", grant_type="client_credentials")
    assert whole.scope == "household notices"
    assert timedelta(seconds=whole.expires_in) == timedelta(minutes=5)
