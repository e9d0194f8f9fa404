"""What works once works once, however many server processes are asked at the same time."""

import base64
from urllib.parse import parse_qs, urlencode, urlsplit

from sqlalchemy import func, select

from idp.db.session import transaction
from idp.domain.signin.hashing import Hasher
from idp.domain.signin.sessions import NewSession, SessionLimits, start_session
from idp.model.grants import AuthorizationCode, ClientSession
from idp.model.households import Municipality, SecondStep
from idp.model.people import Door
from idp.model.signin import BrowserSession
from idp.protocol import acr, pkce
from tests import factories
from tests.domain.grants.conftest import CALLBACK, VERIFIER
from tests.races.conftest import RACES, RUNNERS
from tests.web.pages import read_forms

#: Each costs as many password hashes as there are runners.
SIGN_INS = 4
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BASIC = FORM | {
    "Authorization": "Basic " + base64.b64encode(b"booking:" + b"s" * 40).decode(),
}


def redeem_form(code, **changes):
    return urlencode(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        | changes
    )


def authorize_query(**changes):
    return "/authorize?" + urlencode(
        {
            "response_type": "code",
            "client_id": "booking",
            "redirect_uri": CALLBACK,
            "scope": "openid profile",
            "state": "st-1",
            "nonce": "n-1",
            "code_challenge": pkce.build_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        | changes
    )


def sign_in(world):
    """Start a session of the mother; return the cookie."""
    wanted = NewSession(
        account_id=world.account_id,
        door=Door.FAMILY,
        acr=acr.Acr.MAILED_CODE.value,
        amr=("pwd", "otp"),
        device_label="Firefox",
        limits=SessionLimits(),
        household_id=world.household_id,
    )
    with transaction(world.sessions) as db:
        started = start_session(db, wanted, now=world.now)
    return f"kid_session={started.token}", started.session_id


def code_of(answer):
    return parse_qs(urlsplit(answer.location).query).get("code", [None])[0]


def assert_one_winner(answers):
    """One gets its tokens; the others hear invalid_grant, nobody an error of ours."""
    assert sorted(each.status for each in answers) == [200, *[400] * (RUNNERS - 1)]
    refused = [each.json()["error"] for each in answers if each.status == 400]
    assert refused == ["invalid_grant"] * (RUNNERS - 1)
    return next(each for each in answers if each.status == 200).json()


def test_cd_01_of_processes_that_redeem_a_code_at_once_one_gets_tokens(servers):
    for _ in range(RACES):
        code = servers.world.authorize()
        tokens = assert_one_winner(
            servers.race("POST", "/token", body=redeem_form(code), headers=BASIC)
        )
        # The second use ended what the first one got (RFC 6749 §4.1.2).
        again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        answer = servers.call("POST", "/token", body=urlencode(again), headers=BASIC)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


def test_rt_01_of_processes_that_rotate_a_refresh_token_at_once_one_gets_a_successor(servers):
    for _ in range(RACES):
        code = servers.world.authorize(client_id="app", scope="openid profile")
        form = redeem_form(code, client_id="app")
        token = servers.call("POST", "/token", body=form, headers=FORM).json()["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}
        tokens = assert_one_winner(
            servers.race("POST", "/token", body=urlencode(form), headers=FORM)
        )
        # The token was in two hands: the whole family ended (RFC 9700 §4.14.2).
        form["refresh_token"] = tokens["refresh_token"]
        answer = servers.call("POST", "/token", body=urlencode(form), headers=FORM)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


def test_silent_requests_at_once_get_a_code_each_and_are_noted_once(servers):
    world = servers.world
    for _ in range(RACES):
        cookie, session_id = sign_in(world)
        answers = servers.race("GET", authorize_query(prompt="none"), headers={"Cookie": cookie})
        codes = {code_of(each) for each in answers}
        assert [each.status for each in answers] == [303] * RUNNERS
        assert None not in codes
        assert len(codes) == RUNNERS
        noted = select(func.count()).where(ClientSession.session_id == session_id)
        assert world.one(noted.select_from(ClientSession)) == 1


def with_password(world):
    """Make somebody whose password is enough; return her sign-in ID."""
    hasher, town = Hasher(pepper=factories.make_keyring().pepper), world.municipality_id
    with transaction(world.sessions) as db:
        db.get_one(Municipality, town).second_step = SecondStep.USER_CHOICE
        person = factories.make_account(db, now=world.now, municipality_id=town, hasher=hasher)
        return person.login_id


def cookies_of(answer):
    return "; ".join(each.partition(";")[0] for each in answer.cookies)


def test_a_sign_in_form_that_arrives_several_times_at_once_gets_one_code(servers):
    world, login_id = servers.world, with_password(servers.world)
    begun = world.one(select(func.count()).select_from(BrowserSession))
    for number in range(SIGN_INS):
        walk = servers.call("GET", authorize_query(), number=number)
        headers = {"Cookie": cookies_of(walk)} | FORM
        page = servers.call("GET", walk.location, headers=headers)
        forms = read_forms(page.body.decode())
        [form] = [each for each in forms if each.action.startswith("/login?i=")]
        typed = {"login_id": login_id, "password": factories.PASSWORD}
        body = urlencode(form.fields | typed)
        answers = servers.race("POST", form.action, body=body, headers=headers)
        assert len([code for each in answers if (code := code_of(each))]) == 1
        assert sorted(each.status for each in answers) == [303, *[400] * (RUNNERS - 1)]
    sessions = world.one(select(func.count()).select_from(BrowserSession)) - begun
    assert sessions == SIGN_INS
    assert world.one(select(func.count()).select_from(AuthorizationCode)) == SIGN_INS


def test_a_walk_that_processes_answer_at_once_gets_one_code(servers):
    world = servers.world
    for number in range(RACES):
        begun = servers.call("GET", authorize_query(), number=number)
        cookie, _ = sign_in(world)
        cookies = "; ".join([cookie, *(each.partition(";")[0] for each in begun.cookies)])
        # Somebody signed in meanwhile, in another tab; every page of the walk leads here.
        onward = begun.location.replace("/login", "/continue")
        answers = servers.race("GET", onward, headers={"Cookie": cookies})
        codes = [code for each in answers if (code := code_of(each))]
        assert len(codes) == 1
        assert sorted(each.status for each in answers) == [303, *[400] * (RUNNERS - 1)]
    assert world.one(select(func.count()).select_from(AuthorizationCode)) == RACES
