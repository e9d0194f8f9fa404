"""How the answers of a suite are read, against a transport that plays them back."""

import httpx
import pytest

from tests.conformance.__main__ import is_passed, summarise
from tests.conformance.plans import PLANS
from tests.conformance.suite import Outcome, Suite, read_outcome

FINISHED = {"status": "FINISHED", "result": "PASSED"}
FAILURE = {"result": "FAILURE", "src": "CheckState", "msg": "state differs"}
WARNING = {"result": "WARNING", "src": "CheckScopes", "msg": "a claim is missing"}
MUTE = ({"result": "SUCCESS", "src": "x", "msg": "y"}, {"msg": "no result at all"})


def played(infos, log, urls=()):
    """Return a suite whose answers are given, and the requests that it gets."""
    seen, states, waiting = [], list(infos), list(urls)

    def answer(request):
        seen.append((request.method, request.url.path))
        path = request.url.path
        if path == "/api/plan":
            modules = [{"testModule": "one"}, {"testModule": "two", "variant": {"a": "b"}}]
            return httpx.Response(201, json={"id": "plan", "modules": modules})
        if path == "/api/runner":
            return httpx.Response(201, json={"id": "test"})
        if path.startswith("/api/info/"):
            return httpx.Response(200, json=states.pop(0) if len(states) > 1 else states[0])
        if path.endswith("/visit"):
            waiting.clear()
            return httpx.Response(204)
        if path.startswith("/api/runner/browser/"):
            return httpx.Response(200, json={"urls": waiting})
        return httpx.Response(200, json=log if path.startswith("/api/log/") else {})

    suite = Suite("https://suite.example.jp")
    suite.http = httpx.Client(
        base_url="https://suite.example.jp", transport=httpx.MockTransport(answer)
    )
    return suite, seen


def test_a_finished_module_without_a_failure_is_clean():
    outcome = read_outcome("one", FINISHED, [*MUTE, WARNING])
    assert outcome.is_clean
    assert [finding.condition for finding in outcome.findings] == ["CheckScopes"]


@pytest.mark.parametrize("result", ["PASSED", "REVIEW", "WARNING"])
def test_a_failed_condition_spoils_whatever_the_suite_sums_up(result):
    outcome = read_outcome("one", {"status": "FINISHED", "result": result}, [FAILURE])
    assert not outcome.is_clean


@pytest.mark.parametrize("status", ["INTERRUPTED", "WAITING", "RUNNING", "CONFIGURED"])
def test_a_module_that_did_not_end_is_not_clean(status):
    assert not read_outcome("one", {"status": status, "result": "PASSED"}, []).is_clean


def test_a_module_of_which_the_suite_knows_nothing_is_not_clean():
    assert not read_outcome("one", {}, []).is_clean


def test_a_plan_of_which_nothing_ran_has_not_passed():
    clean = read_outcome("one", FINISHED, [])
    assert is_passed([clean])
    assert not is_passed([])
    assert not is_passed([clean, read_outcome("two", FINISHED, [FAILURE])])


def test_the_line_of_a_plan_counts_modules_failures_and_warnings():
    outcomes = [
        read_outcome("one", FINISHED, [WARNING, WARNING]),
        read_outcome("two", FINISHED, [FAILURE, FAILURE]),
    ]
    assert summarise(PLANS[0], outcomes) == "Basic\t2 modules\t1 failed\t2 warnings"


def test_every_module_of_a_plan_is_run_and_read():
    suite, seen = played([FINISHED], [WARNING])
    outcomes = list(suite.run(PLANS[0], {}))
    assert [outcome.module for outcome in outcomes] == ["one", "two"]
    assert all(isinstance(outcome, Outcome) and outcome.is_clean for outcome in outcomes)
    assert seen.count(("POST", "/api/runner")) == 2


def test_modules_are_picked_by_name():
    suite, _ = played([FINISHED], [])
    assert [outcome.module for outcome in suite.run(PLANS[0], {}, only="tw")] == ["two"]


def test_a_configured_module_is_started():
    suite, seen = played([{"status": "CONFIGURED"}, FINISHED], [])
    list(suite.run(PLANS[0], {}, only="one"))
    assert ("POST", "/api/runner/test") in seen


def test_a_real_browser_visits_each_address_once_and_tells_the_suite():
    address = "https://op.example.jp/authorize"
    waiting = {"status": "WAITING"}
    suite, seen = played([waiting, waiting, FINISHED], [], [address])
    visited = []
    list(suite.run(PLANS[0], {}, only="one", visit=visited.append))
    assert visited == [address]
    assert ("POST", "/api/runner/browser/test/visit") in seen


def test_a_plan_that_the_suite_refuses_ends_the_run_with_its_words():
    suite, _ = played([FINISHED], [])
    suite.http = httpx.Client(
        base_url="https://suite.example.jp",
        transport=httpx.MockTransport(lambda _: httpx.Response(400, text="no such variant")),
    )
    with pytest.raises(SystemExit, match="no such variant"):
        list(suite.run(PLANS[0], {}))
