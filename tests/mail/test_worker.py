"""What becomes of a mail in the outbox, over real SMTP servers."""

import email
import threading
from datetime import timedelta
from email.policy import default

import pytest
from sqlalchemy import select

from idp.db.session import transaction
from idp.domain.backstage.delivery import BACK_OFF, LEASE, claim_due
from idp.model.people import Account, AccountStatus
from idp.model.upkeep import OutboxMessage, OutboxState
from tests.mail.servers import Inbox, silent_server, smtp_server


def row_of(sessions):
    with transaction(sessions) as db:
        row = db.scalar(select(OutboxMessage))
        db.expunge(row)
        return row


def test_a03_a05_ot_12_a_mail_leaves_by_smtp_and_its_content_is_wiped(sessions, make_worker, post):
    post()
    inbox = Inbox()
    with smtp_server(inbox) as port:
        assert make_worker(port).run_once() == 1
    [(recipients, content)] = inbox.mails
    assert recipients == ["misaki.sakura@example.jp"]
    mail = email.message_from_bytes(content, policy=default)
    assert "042042" not in mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@login.kakuu.example>")
    assert "\n042042\n" in mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "042042" in mail.get_body(("html",)).get_content()
    row = row_of(sessions)
    assert (row.state, row.sealed_body, row.last_problem) == (OutboxState.SENT, None, None)


def test_ft_07_a_mailbox_that_does_not_exist_fails_at_once(sessions, make_worker, post):
    post()
    with smtp_server(Inbox(recipient="550 no such user")) as port:
        make_worker(port).run_once()
    row = row_of(sessions)
    assert (row.state, row.last_problem) == (OutboxState.FAILED, "recipient_550")
    assert row.sealed_body is None


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"recipient": "451 later"}, "recipient_451"),
        ({"data": "452 full"}, "content_452"),
    ],
)
def test_ft_07_a_passing_refusal_is_tried_again(
    sessions, make_worker, post, clock, answers, problem
):
    post()
    inbox = Inbox(**answers)
    with smtp_server(inbox) as port:
        worker = make_worker(port)
        worker.run_once()
        row = row_of(sessions)
        assert (row.state, row.last_problem) == (OutboxState.QUEUED, problem)
        assert row.next_try_at == clock() + BACK_OFF[0]
        assert worker.run_once() == 0
        inbox.recipient = inbox.data = "250 OK"
        clock.advance(BACK_OFF[0])
        assert worker.run_once() == 1
    assert row_of(sessions).state is OutboxState.SENT


def test_ft_05_a_server_that_is_away_loses_nothing(sessions, make_worker, post, clock):
    post()
    inbox = Inbox()
    with smtp_server(inbox) as port:
        pass
    make_worker(port).run_once()
    assert row_of(sessions).last_problem == "connection"
    clock.advance(timedelta(minutes=2))
    with smtp_server(inbox) as again:
        make_worker(again).run_once()
    assert len(inbox.mails) == 1


def test_ft_06_a_server_that_says_nothing_is_given_up_in_time(sessions, make_worker, post):
    post()
    with silent_server() as port:
        make_worker(port, timeout_seconds=2).run_once()
    assert row_of(sessions).last_problem == "connection"


def test_ft_07_without_starttls_nothing_is_sent(sessions, make_worker, post):
    post()
    inbox = Inbox()
    with smtp_server(inbox) as port:
        make_worker(port, security="starttls").run_once()
    assert inbox.mails == []
    assert row_of(sessions).last_problem == "starttls_missing"


def test_a_code_that_would_come_too_late_is_dropped(sessions, make_worker, post, clock):
    post(useless_after=clock() + timedelta(minutes=10))
    clock.advance(timedelta(minutes=10))
    inbox = Inbox()
    with smtp_server(inbox) as port:
        make_worker(port).run_once()
    row = row_of(sessions)
    assert (row.state, row.last_problem, inbox.mails) == (OutboxState.DROPPED, "too_late", [])


def test_a_code_just_in_time_is_sent(sessions, make_worker, post, clock):
    post(useless_after=clock() + timedelta(minutes=10))
    clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    inbox = Inbox()
    with smtp_server(inbox) as port:
        make_worker(port).run_once()
    assert len(inbox.mails) == 1


def test_px_08_a_closed_account_gets_nothing_more(sessions, make_worker, post, person):
    post()
    with transaction(sessions) as db:
        db.get_one(Account, person.id).status = AccountStatus.CLOSED
    inbox = Inbox()
    with smtp_server(inbox) as port:
        make_worker(port).run_once()
    assert (row_of(sessions).last_problem, inbox.mails) == ("account_closed", [])


def test_one_broken_row_does_not_stop_the_others(sessions, make_worker, post):
    post()
    with transaction(sessions) as db:
        db.scalar(select(OutboxMessage)).sealed_body = b"\x01 not sealed by us at all"
    post()
    inbox = Inbox()
    with smtp_server(inbox) as port:
        assert make_worker(port).run_once() == 2
    assert len(inbox.mails) == 1


def test_of_two_workers_one_gets_a_row(sessions, post, clock):
    for _ in range(5):
        post()
    claimed = []
    barrier = threading.Barrier(4)

    def claim():
        barrier.wait()
        with transaction(sessions) as db:
            claimed.extend(claim_due(db, limit=10, now=clock()))

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 5


def test_rows_of_a_dead_worker_are_taken_over_after_the_lease(sessions, post, clock):
    post()
    with transaction(sessions) as db:
        assert len(claim_due(db, limit=10, now=clock())) == 1
    clock.advance(LEASE - timedelta(seconds=1))
    with transaction(sessions) as db:
        assert claim_due(db, limit=10, now=clock()) == ()
    clock.advance(timedelta(seconds=1))
    with transaction(sessions) as db:
        assert len(claim_due(db, limit=10, now=clock())) == 1


def test_after_the_last_pause_a_row_has_failed(sessions, make_worker, post, clock):
    post()
    with smtp_server(Inbox(recipient="451 later")) as port:
        worker = make_worker(port)
        for pause in (*BACK_OFF, timedelta(0)):
            assert worker.run_once() == 1
            clock.advance(pause)
    assert row_of(sessions).state is OutboxState.FAILED
