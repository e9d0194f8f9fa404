"""Back-channel logout calls over real HTTP: to services that are well, slow, broken or gone."""

from contextlib import contextmanager
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from sqlalchemy import select

from idp.base.http import HttpClient
from idp.db.session import transaction
from idp.domain.backstage.delivery import BACK_OFF
from idp.domain.upkeep.outbox import BackchannelLogout, enqueue_backchannel_logout
from idp.model.upkeep import OutboxKind, OutboxMessage, OutboxState
from tests import factories
from tests.mail.servers import Inbox, http_service, silent_server, smtp_server
from tests.signing import install_keys

CALLS = frozenset({OutboxKind.BACKCHANNEL_LOGOUT})


@contextmanager
def service(*statuses):
    """Run a service that answers its calls one by one so; yield its address and what it got."""
    with http_service(*((status, b"") for status in statuses)) as (origin, taken):
        yield f"{origin}/backchannel", taken


@pytest.fixture
def caller(make_worker):
    """A worker for calls alone, which may reach this machine."""
    worker = make_worker(port=1)
    worker.kinds, worker.width = CALLS, 2
    worker.http = HttpClient(timeout_seconds=1, allow_loopback=True)
    return worker


@pytest.fixture
def signed_in(sessions, clock, keys, person):
    """A person at a provider that has its keys."""
    with transaction(sessions) as db:
        install_keys(db, keys=keys, now=clock())
    return person


@pytest.fixture
def sign_out(sessions, clock, keys, signed_in):
    """Register a service at the address and put the call of an ended session into the outbox."""

    def run(address, client_id="booking"):
        with transaction(sessions) as db:
            factories.make_client(
                db,
                now=clock(),
                client_id=client_id,
                details={"backchannel_logout_uri": address},
            )
            ended = BackchannelLogout(client_id, uuid4(), signed_in.id)
            enqueue_backchannel_logout(db, ended, keys=keys, now=clock())

    return run


def state_of(sessions, client_id="booking"):
    with transaction(sessions) as db:
        row = db.scalar(select(OutboxMessage).where(OutboxMessage.client_id == client_id))
        return row.state, row.last_problem, row.try_count


@pytest.mark.parametrize("status", [200, 204])
def test_a_service_that_says_yes_has_taken_it(sessions, caller, sign_out, status):
    with service(status) as (address, taken):
        sign_out(address)
        assert caller.run_once() == 1
    assert [list(parse_qs(body)) for _headers, body in taken] == [["logout_token"]]
    assert state_of(sessions) == (OutboxState.SENT, None, 1)


def test_sr_06_a_broken_service_is_called_again_until_it_is_well(sessions, caller, sign_out, clock):
    with service(500, 302, 200) as (address, taken):
        sign_out(address)
        problems = []
        for pause in BACK_OFF[:3]:
            assert caller.run_once() == 1
            problems.append(state_of(sessions)[1])
            assert caller.run_once() == 0
            clock.advance(pause)
    assert problems == ["status_500", "status_302", None]
    assert len(taken) == 3
    assert state_of(sessions)[0] is OutboxState.SENT


def test_sr_06_a_service_that_is_gone_is_given_up_after_the_last_pause(
    sessions, caller, sign_out, clock
):
    with service() as (address, _):
        pass
    sign_out(address)
    for pause in (*BACK_OFF, *BACK_OFF[-1:]):
        assert caller.run_once() == 1
        clock.advance(pause)
    assert caller.run_once() == 0
    state, problem, tries = state_of(sessions)
    assert (state, problem, tries) == (OutboxState.FAILED, "connection", len(BACK_OFF) + 1)


def test_sr_06_a_silent_service_keeps_neither_the_others_nor_the_mails_waiting(
    sessions, caller, make_worker, post, sign_out
):
    inbox = Inbox()
    with silent_server() as silent, service(200) as (address, taken), smtp_server(inbox) as port:
        sign_out(f"http://127.0.0.1:{silent}/backchannel", "silent")
        sign_out(address, "booking")
        post()
        mailer = make_worker(port)
        mailer.kinds = frozenset({OutboxKind.MAIL})
        assert mailer.run_once() == 1
        assert len(inbox.mails) == 1
        assert caller.run_once() == 2
    assert len(taken) == 1
    assert state_of(sessions, "silent")[:2] == (OutboxState.QUEUED, "timeout")
    assert state_of(sessions, "booking")[0] is OutboxState.SENT
