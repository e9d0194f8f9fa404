"""What the suite is told about the provider, without a suite."""

import json
from fnmatch import fnmatchcase

import pytest

from idp.protocol.addresses import AddressRules
from idp.protocol.registration import parse_registration
from tests.conformance.__main__ import choose_plans
from tests.conformance.pages import look_or_return
from tests.conformance.plans import (
    PLANS,
    PUSHING,
    SIGNING,
    build_fapi,
    build_openid,
    describe_fapi_client,
    leave_visits_to_us,
)
from tests.conformance.seed import _make_key

ISSUER, SUITE = "https://op.example.jp", "https://suite.example.jp"
KEYS = {name: {"kty": "EC", "kid": name} for name in ("fapi1", "fapi2")}


def all_tasks(value):
    """Return every task of the scripted browser in a configuration."""
    if isinstance(value, dict):
        found = value.get("tasks", []) if isinstance(value.get("tasks"), list) else []
        return found + [task for inner in value.values() for task in all_tasks(inner)]
    if isinstance(value, list):
        return [task for inner in value for task in all_tasks(inner)]
    return []


def configurations():
    return [
        build_openid(ISSUER, initial_access_token="first"),
        build_fapi(ISSUER, suite=SUITE, keys=KEYS),
    ]


def test_there_are_ten_plans_and_none_twice():
    assert len(PLANS) == 10
    assert len({(plan.name, str(plan.variant)) for plan in PLANS}) == 10


@pytest.mark.parametrize("configuration", configurations())
def test_a_configuration_is_json_and_names_the_issuer(configuration):
    assert json.loads(json.dumps(configuration)) == configuration
    discovery = configuration["server"]["discoveryUrl"]
    assert discovery == f"{ISSUER}/.well-known/openid-configuration"


@pytest.mark.parametrize("configuration", configurations())
def test_a_script_of_our_pages_starts_at_our_addresses(configuration):
    assert all(entry["match"].startswith(ISSUER) for entry in configuration["browser"])
    assert all_tasks(configuration)


@pytest.mark.parametrize("configuration", configurations())
def test_a_task_that_may_be_skipped_does_not_take_our_page_for_the_callback(configuration):
    """The address of a callback also stands in the query of a request, on a page of ours."""
    request = f"{ISSUER}/authorize?client_id=fapi2&redirect_uri={SUITE}/test/a/kosodate/callback"
    optional = [task for task in all_tasks(configuration) if task.get("optional")]
    assert optional
    for task in optional:
        is_callback = "/callback" in task["match"]
        assert not (is_callback and fnmatchcase(request, task["match"])), task


def test_an_error_may_be_shown_or_sent_to_the_suite():
    task = look_or_return(f"{ISSUER}/authorize*", "words", suite=SUITE)["tasks"][1]
    assert fnmatchcase(f"{SUITE}/test/a/kosodate/callback?error=x", task["match"])


def test_a_plan_for_a_real_browser_has_no_script_and_an_alias_of_its_own():
    scripted = build_openid(ISSUER, initial_access_token="first")
    own = leave_visits_to_us(scripted)
    assert "browser" not in own
    assert own["server"] == scripted["server"]
    assert own["alias"] != scripted["alias"]


def test_the_aliases_differ_so_that_plans_may_run_at_once():
    openid, fapi = configurations()
    assert openid["alias"] != fapi["alias"]


@pytest.mark.parametrize("client_id", [*PUSHING, *SIGNING])
def test_our_registration_accepts_the_fapi_clients(client_id):
    public = _make_key(client_id).as_dict(private=False)
    assert "d" not in public
    metadata = describe_fapi_client(client_id, SUITE, public_key=public)
    alias = build_fapi(ISSUER, suite=SUITE, keys=KEYS)["alias"]
    assert metadata["redirect_uris"][0].startswith(f"{SUITE}/test/a/{alias}/callback")
    assert parse_registration(metadata, rules=AddressRules()) is not None
    assert metadata["require_signed_request_object"] is (client_id in SIGNING)


def test_plans_are_chosen_by_words_of_their_titles():
    assert choose_plans([]) == list(PLANS)
    assert [plan.title for plan in choose_plans(["CONFIG"])] == ["Config"]
    assert [plan.title for plan in choose_plans(["basic"])] == ["Basic", "Form Post Basic"]
    assert choose_plans(["nothing of the kind"]) == []
