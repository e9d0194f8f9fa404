"""Security events over real HTTP (RFC 8935): taken, refused for good, or tried again."""

import json
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from idp.base.http import HttpClient
from idp.base.secret import from_base64url
from idp.db.session import transaction
from idp.domain.backstage.delivery import BACK_OFF
from idp.domain.grants.security_events import tell_of_person
from idp.model.upkeep import OutboxMessage, OutboxState
from idp.protocol.events import PREFIX, SecurityEvent, read_refusal
from tests import factories
from tests.domain.held import grant
from tests.mail.servers import http_service
from tests.signing import install_keys


@contextmanager
def receiver(*answers):
    """Run a service that answers so, one by one; yield its address and what it got."""
    with http_service(*answers) as (origin, taken):
        yield f"{origin}/events", taken


@pytest.fixture
def caller(make_worker):
    worker = make_worker(port=1)
    worker.http = HttpClient(timeout_seconds=1, allow_loopback=True)
    return worker


@pytest.fixture
def happen(sessions, clock, keys, person):
    """Let the account of somebody who uses a service at this address be closed."""

    def run(address):
        with transaction(sessions) as db:
            install_keys(db, keys=keys, now=clock())
            factories.make_client(
                db,
                now=clock(),
                client_id="booking",
                details={"kosodate_events": ["account.closed"], "kosodate_event_endpoint": address},
            )
            grant(db, person, clock()).client_id = "booking"
            db.flush()
            event = SecurityEvent.ACCOUNT_CLOSED
            tell_of_person(db, event, person.id, keys=keys, now=clock())

    return run


def row_of(sessions):
    with transaction(sessions) as db:
        row = db.scalar(select(OutboxMessage))
        db.expunge(row)
        return row


def claims_of(body):
    return json.loads(from_base64url(body.split(".")[1]))


def test_an_event_that_is_taken_is_done(sessions, caller, happen):
    with receiver((202, b"")) as (address, taken):
        happen(address)
        assert caller.run_once() == 1
    [(headers, body)] = taken
    assert headers["Content-Type"] == "application/secevent+jwt"
    assert headers["Accept"] == "application/json"
    assert claims_of(body)["events"] == {f"{PREFIX}account.closed": {}}
    row = row_of(sessions)
    assert (row.state, row.sealed_body, row.last_problem) == (OutboxState.SENT, None, None)


def test_a_refusal_is_final_and_can_be_read(sessions, caller, happen):
    answer = json.dumps({"err": "invalid_audience", "description": "not ours 秘密"}).encode()
    with receiver((400, answer)) as (address, _):
        happen(address)
        caller.run_once()
    row = row_of(sessions)
    assert (row.state, row.last_problem) == (OutboxState.FAILED, "refused_invalid_audience")
    assert row.sealed_body is not None


@pytest.mark.parametrize(
    "answer",
    [(400, b""), (400, b"<html>"), (400, b'{"err": "x"}'), (200, b""), (204, b""), (503, b"")],
)
def test_anything_else_is_tried_again_as_the_same_event(sessions, caller, happen, clock, answer):
    with receiver(answer, (202, b"")) as (address, taken):
        happen(address)
        caller.run_once()
        row = row_of(sessions)
        assert (row.state, row.last_problem) == (OutboxState.QUEUED, f"status_{answer[0]}")
        clock.advance(BACK_OFF[0])
        caller.run_once()
    first, second = (claims_of(body) for _, body in taken)
    assert first == second
    assert row_of(sessions).state is OutboxState.SENT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"err": "access_denied"}', "access_denied"),
        (b'{"err": ["access_denied"]}', None),
        (b'{"err": "Access Denied"}', None),
        (b'["err"]', None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_a_refusal_is_one_of_the_registered_codes(body, expected):
    assert read_refusal(body) == expected
