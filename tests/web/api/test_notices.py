"""Mails to households, and what waits for them."""

import pytest
from sqlalchemy import select

from idp.base.ids import new_id
from idp.db.session import transaction
from idp.domain.grants.notices import NoticeRefusal
from idp.model.people import ProtectionFlag
from idp.model.upkeep import AuditEvent, OutboxMessage, PendingNotice
from tests import factories

NOTIFY = ("POST", "/api/notifications")
PENDING = ("PUT", "/api/pending-notices")


def message(subject, **changes):
    return {
        "household_id": subject,
        "kind": "booking.booked",
        "messages": {
            "ja": {"subject": "予約を受け付けました", "text": "4月2日 10時から"},
            "en": {"subject": "Booked", "text": "2 April, 10:00"},
        },
        "idempotency_key": "k" * 20,
    } | changes


def test_a33_a36_a_mail_goes_to_the_guardian_and_the_proxy(call, subject, mailbox, sessions):
    answer = call(*NOTIFY, message(subject))
    assert (answer.status_code, answer.get_json()) == (202, {"accepted": True})
    mails = mailbox("notification")
    assert len(mails) == 2
    facts = mails[0][1]
    assert (facts["subject_ja"], facts["text_en"]) == ("予約を受け付けました", "2 April, 10:00")
    assert facts["client_name_ja"] == "一時あずかり予約"
    with sessions() as db:
        event = db.scalars(
            select(AuditEvent).where(AuditEvent.name == "notification.accepted")
        ).one()
        assert (event.client_id, event.detail["recipients"]) == ("booking", 2)


def test_the_same_key_again_sends_nothing_again(call, subject, mailbox):
    for _ in range(3):
        assert call(*NOTIFY, message(subject)).status_code == 202
    assert len(mailbox("notification")) == 2
    call(*NOTIFY, message(subject, idempotency_key="l" * 20))
    assert len(mailbox("notification")) == 4


def test_a36_where_somebody_is_protected_only_she_hears_of_it(
    call, subject, mother, sessions, clock
):
    with transaction(sessions) as db:
        officer = factories.make_account(db, now=clock())
        db.add(
            ProtectionFlag(
                id=new_id(now=clock()),
                account_id=mother.id,
                reason="x",
                set_by=officer.id,
                set_at=clock(),
            )
        )
    answer = call(*NOTIFY, message(subject))
    assert answer.get_json() == {"accepted": True}
    with sessions() as db:
        assert [row.account_id for row in db.scalars(select(OutboxMessage))] == [mother.id]


def test_only_a_service_that_may_may(call, subject, mailbox):
    answer = call(*NOTIFY, message(subject), client_id="silent")
    assert (answer.status_code, answer.get_json()["error"]) == (403, "access_denied")
    assert mailbox("notification") == []


def test_a_household_nobody_knows_is_refused_for_good(call, subject):
    for method, path, body in (
        (*NOTIFY, message("x" * 43)),
        (*PENDING, {"household_id": "x" * 43, "code": "unread", "count": 1}),
    ):
        assert call(method, path, body).status_code == 422


def test_refusals_have_stable_names():
    assert NoticeRefusal.NOT_ALLOWED == "notice_not_allowed"
    assert NoticeRefusal.HOUSEHOLD == "household_unknown"


@pytest.mark.parametrize("changes", [{"secret": "wrong"}, {"secret": None}, {"client_id": "no"}])
def test_ca_01_without_proof_nothing_happens(call, subject, mailbox, changes):
    answer = call(*NOTIFY, message(subject), **changes)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert mailbox("notification") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": {}},
        {"messages": {"ja": {"subject": "a\r\nBcc: x", "text": "b"}}},
        {"household_id": None},
        {"household_id": ["x"]},
        {"kind": "A B"},
        {"idempotency_key": "x"},
    ],
)
def test_in_06_what_has_another_shape_is_refused(call, subject, mailbox, changes):
    answer = call(*NOTIFY, message(subject, **changes))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert mailbox("notification") == []


def test_a31_the_newest_number_is_kept_and_zero_takes_it_away(call, subject, sessions, household):
    for count in (2, 5):
        body = {"household_id": subject, "code": "certificate", "count": count}
        assert call(*PENDING, body).status_code == 200
    with sessions() as db:
        row = db.scalars(select(PendingNotice)).one()
        assert (row.client_id, row.household_id, row.count) == ("booking", household.id, 5)
    call(*PENDING, {"household_id": subject, "code": "certificate", "count": 0})
    with sessions() as db:
        assert db.scalars(select(PendingNotice)).all() == []


def test_a_body_of_another_kind_is_refused(call, subject, app):
    answer = call("POST", "/api/notifications", None)
    assert answer.status_code in (400, 415)
    assert answer.get_json()["error"] == "invalid_request"
