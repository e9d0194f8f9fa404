"""Mails and notices through the provider: both languages, both parents, nothing lost."""

from datetime import timedelta
from time import monotonic

import pytest
import requests

from clients.kit.http import ApiSession, BoundedBody, OutgoingCallError
from clients.kit.outbox import lease_message, report_pending
from tests.clients.conftest import kit_of
from tests.clients.test_booking_pages import DAY, book
from tests.clients.visitor import family

MAILS = "/api/notifications"


def outbox(app):
    with kit_of(app).database.read() as db:
        return [dict(row) for row in db.execute("SELECT * FROM outbox ORDER BY id")]


def deliver(app):
    return kit_of(app).worker.deliver_due()


def test_a33_a_booking_is_mailed_to_the_household_in_every_language(booking, visitor, provider):
    visitor.sign_in(family())
    visitor.get("/children")
    visitor.post("/children/child-hiyori/nickname", {"nickname": "ひより"})
    book(visitor)
    assert deliver(booking) == 1
    [message] = provider.messages(MAILS)
    assert set(message) == {"household_id", "kind", "messages", "idempotency_key"}
    assert message["household_id"] == "sakura"
    assert message["kind"] == "booking.created"
    assert set(message["messages"]) == {"ja", "en"}
    japanese, english = message["messages"]["ja"], message["messages"]["en"]
    assert japanese["subject"] == "予約を受け付けました（12月2日（水））"
    assert "日と時間：12月2日（水）9時00分から11時00分" in japanese["text"]
    assert "お子さま：ひより さん" in japanese["text"]
    assert english["subject"] == "Your booking is made (Wed 2 December)"
    assert "Wed 2 December, 9:00 to 11:00" in english["text"]
    assert "2024" not in japanese["text"] + english["text"], "no birthdate in a mail"
    assert not deliver(booking)


def test_a_child_without_a_nickname_is_named_by_its_age(booking, visitor, provider):
    visitor.sign_in(family())
    book(visitor)
    deliver(booking)
    [message] = provider.messages(MAILS)
    assert "お子さま：2歳のお子さま" in message["messages"]["ja"]["text"]
    assert "Child: your 2-year-old" in message["messages"]["en"]["text"]


def test_a33_a_cancellation_is_mailed(booking, visitor, provider):
    visitor.sign_in(family())
    booking_id = book(visitor).location.split("/")[2].split("?")[0]
    visitor.get(f"/bookings/{booking_id}/cancel")
    visitor.post(f"/bookings/{booking_id}/cancel")
    deliver(booking)
    assert [message["kind"] for message in provider.messages(MAILS)] == [
        "booking.created",
        "booking.cancelled",
    ]
    keys = {message["idempotency_key"] for message in provider.messages(MAILS)}
    assert len(keys) == 2


def test_a_booking_that_is_refused_mails_nobody(booking, visitor):
    visitor.sign_in(family())
    book(visitor, hours=range(9, 16))
    sent = len(outbox(booking))
    assert book(visitor, day=DAY + timedelta(days=1), hours=range(9, 16)).status_code == 422
    assert len(outbox(booking)) == sent


def test_what_was_delivered_is_forgotten(booking, visitor):
    visitor.sign_in(family())
    book(visitor)
    deliver(booking)
    [row] = outbox(booking)
    assert row["outcome"] == "delivered"
    assert row["body"] is None


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503])
def test_what_may_get_better_is_tried_again_with_growing_pauses(
    booking, visitor, provider, clock, status
):
    visitor.sign_in(family())
    book(visitor)
    provider.api_status = status
    assert deliver(booking) == 1
    for pause in (5, 10, 20):
        clock.advance(timedelta(seconds=pause - 1))
        assert deliver(booking) == 0
        clock.advance(timedelta(seconds=1))
        assert deliver(booking) == 1
    provider.api_status = 202
    clock.advance(timedelta(hours=1))
    deliver(booking)
    assert outbox(booking)[0]["outcome"] == "delivered"
    assert len({call["idempotency_key"] for call in provider.messages(MAILS)}) == 1


def test_a_provider_that_is_down_loses_nothing(booking, visitor, provider, clock):
    visitor.sign_in(family())
    book(visitor)
    provider.stop()
    assert deliver(booking) == 1
    [row] = outbox(booking)
    assert row["settled_at"] is None
    assert "ひより" not in str(row["last_answer"])
    assert row["body"]


def test_the_provider_may_ask_for_more_patience(booking, visitor, provider, clock):
    visitor.sign_in(family())
    book(visitor)
    provider.api_status, provider.api_headers = 429, {"Retry-After": "120"}
    deliver(booking)
    clock.advance(timedelta(seconds=119))
    assert deliver(booking) == 0
    clock.advance(timedelta(seconds=1))
    assert deliver(booking) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_wrong_itself_is_not_repeated(booking, visitor, provider, clock, status):
    visitor.sign_in(family())
    book(visitor)
    provider.api_status = status
    deliver(booking)
    clock.advance(timedelta(days=1))
    assert deliver(booking) == 0
    assert outbox(booking)[0]["outcome"] == "refused"


def test_after_three_days_it_is_given_up(booking, visitor, provider, clock):
    visitor.sign_in(family())
    book(visitor)
    provider.api_status = 500
    clock.advance(timedelta(days=3) - timedelta(microseconds=1))
    deliver(booking)
    assert outbox(booking)[0]["settled_at"] is None
    clock.advance(timedelta(hours=1))
    deliver(booking)
    assert outbox(booking)[0]["outcome"] == "given_up"


def test_the_newest_count_replaces_one_that_waits(certificate, provider, clock):
    with kit_of(certificate).database.write() as db:
        for count in (1, 2, 0):
            report_pending(db, "sakura", "certificate.unread", count, now=clock())
    deliver(certificate)
    assert provider.messages("/api/pending-notices") == [
        {"household_id": "sakura", "code": "certificate.unread", "count": 0}
    ]
    assert [row["outcome"] for row in outbox(certificate)] == [
        "superseded",
        "superseded",
        "delivered",
    ]


def test_a_message_in_flight_is_left_alone(booking, visitor, clock):
    """Its lease ends after half a minute: then whoever held it has died."""
    visitor.sign_in(family())
    book(visitor)
    database = kit_of(booking).database
    with database.write() as db:
        assert lease_message(db, now=clock()) is not None
        assert lease_message(db, now=clock()) is None
    clock.advance(timedelta(seconds=30))
    with database.write() as db:
        assert lease_message(db, now=clock()) is not None


def test_old_things_are_cleared_away(booking, visitor, provider, clock):
    visitor.sign_in(family())
    book(visitor)
    deliver(booking)
    visitor.client.post(
        "/backchannel-logout",
        data={"logout_token": provider.logout_token(clock(), sid="other")},
        base_url=visitor.base_url,
    )
    clock.advance(timedelta(days=31))
    kit_of(booking).worker.clear_away()
    with kit_of(booking).database.read() as db:
        for table in ("visit", "errand", "logout_token", "outbox", "sent_form"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0  # noqa: S608
        assert db.execute("SELECT count(*) FROM booking").fetchone()[0] == 1


def test_the_thread_delivers_and_stops(booking, visitor, provider):
    visitor.sign_in(family())
    worker = kit_of(booking).worker
    thread = worker.start()
    book(visitor)
    while not provider.messages(MAILS) and thread.is_alive():
        thread.join(0.01)
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert len(provider.messages(MAILS)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.jp/",
        "ftp://127.0.0.1/",
        "http://169.254.169.254/",
        "http://user:secret@127.0.0.1/",
        "http://127.0.0.1.example.jp/",
    ],
)
def test_a_call_to_a_foreign_address_is_not_made(url):
    with ApiSession() as session, pytest.raises(OutgoingCallError):
        session.get(url)


@pytest.mark.parametrize("path", ["/long", "/elsewhere"])
def test_a_long_answer_or_a_redirect_is_refused(provider, path):
    with ApiSession() as session, pytest.raises(OutgoingCallError):
        session.get(provider.issuer + path)


class Dripping:
    """An answer that comes byte by byte and never ends."""

    def read1(self, _size, *, decode_content):
        return b"x"


def test_an_answer_that_drips_is_cut_off_at_its_deadline():
    pieces = BoundedBody(Dripping(), monotonic()).stream(10, decode_content=True)
    with pytest.raises(OutgoingCallError, match="takes too long"):
        for _ in pieces:
            pass


def test_the_environment_names_no_proxy(provider, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with ApiSession() as session:
        answer = session.get(f"{provider.issuer}/jwks")
    assert isinstance(answer, requests.Response)
    assert answer.status_code == 200
