"""Booking on a real file: capacity, the monthly cap and one place at a time, with threads."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from clients.booking.book import AlreadySent, Booked, State, Wish, book, hours_used
from clients.booking.ending import Ended, TooLate, Verdict, answer_request, cancel_booking
from clients.booking.facilities import Room, find_facility, room_by_day, seed_facilities
from clients.booking.facilities import slots_of_day as slots
from clients.booking.history import bookings_of_household, find_booking, forget_old_bookings
from clients.booking.rules import BookingRefusedError, Refusal, read_rules
from clients.booking.site import FOLDER
from clients.kit.app import open_database
from clients.kit.claims import Child, ChildStatus, Household, Role
from clients.kit.clock import tokyo_hour
from clients.kit.settings import SettingsError
from tests.clients.visitor import MORNING

WEDNESDAY = date(2026, 12, 2)
NOW = MORNING.astimezone(UTC)
FAMILY = Household("sakura", "990001", Role.REPRESENTATIVE)
HIYORI = Child("hiyori", date(2024, 5, 12), ChildStatus.ACTIVE)


@pytest.fixture
def database(settings, clock):
    database = open_database(settings, FOLDER, clock=clock)
    with database.write() as db:
        seed_facilities(db, weeks=12, now=NOW)
    return database


def wish(db, *, code="minami", child=HIYORI, day=WEDNESDAY, hours=(9,), key="", household=FAMILY):
    facility = find_facility(db, code)
    key = key or f"{child.id} {code} {day} {hours}"
    return Wish(household, "misaki", facility, child, day, tuple(hours), key)


def make(database, *, cap=10, now=NOW, **choices):
    with database.write() as db:
        return book(db, wish(db, **choices), cap=cap, now=now)


def refusal(database, **choices):
    with pytest.raises(BookingRefusedError) as refused:
        make(database, **choices)
    return refused.value.reason


def taken(database, *, code="minami", day=WEDNESDAY):
    with database.read() as db:
        rows = db.execute(
            "SELECT hour, taken FROM slot WHERE facility_code = ? AND day = ? AND taken > 0",
            (code, day.isoformat()),
        )
        return {row["hour"]: row["taken"] for row in rows}


def used(database, child="hiyori", day=WEDNESDAY):
    with database.read() as db:
        return hours_used(db, child, day)


def at_once(tasks):
    """Run all tasks at the same moment, each in its thread; return results or reasons."""
    start = threading.Barrier(len(tasks))

    def run(task):
        start.wait(timeout=30)
        try:
            return type(task()).__name__
        except BookingRefusedError as refused:
            return refused.reason

    with ThreadPoolExecutor(len(tasks)) as pool:
        return Counter(pool.map(run, tasks))


def test_b54_neighbouring_hours_are_one_booking(database):
    done = make(database, hours=(9, 10, 13))
    assert isinstance(done, Booked)
    assert done.state is State.BOOKED
    assert len(done.booking_ids) == 2
    assert taken(database) == {9: 1, 10: 1, 13: 1}
    assert used(database) == 3
    with database.read() as db:
        records = [find_booking(db, "sakura", booking_id) for booking_id in done.booking_ids]
    assert [(r.start_hour, r.end_hour) for r in records] == [(9, 11), (13, 14)]


def test_of_twenty_at_once_only_as_many_get_in_as_there_are_places(database):
    tasks = [
        lambda n=n: make(
            database,
            child=Child(f"child-{n}", date(2024, 5, 12), ChildStatus.ACTIVE),
            household=Household(f"household-{n}", "990001", Role.REPRESENTATIVE),
        )
        for n in range(20)
    ]
    assert at_once(tasks) == {"Booked": 4, Refusal.FULL: 16}
    assert taken(database) == {9: 4}


def test_the_cap_holds_when_both_parents_book_at_once(database):
    days = [WEDNESDAY + timedelta(days=7 * n) for n in range(4)]
    tasks = [lambda day=day: make(database, day=day, hours=(9, 10, 11)) for day in days]
    assert at_once(tasks) == {"Booked": 3, Refusal.MONTH_USED_UP: 1}
    assert used(database) == 9


def test_one_child_is_in_one_place_at_a_time_even_at_once(database):
    tasks = [
        lambda code=code: make(database, code=code, hours=(10,))
        for code in ("minami", "hidamari", "ekimae")
    ]
    assert at_once(tasks) == {"Booked": 1, Refusal.SAME_HOUR: 2}
    assert used(database) == 1
    assert sum(sum(taken(database, code=code).values()) for code in ("minami", "hidamari")) <= 1


def test_pressing_the_button_twice_at_once_books_once(database):
    tasks = [lambda: make(database, key="one form") for _ in range(2)]
    assert at_once(tasks) == {"Booked": 1, "AlreadySent": 1}
    assert used(database) == 1


def test_the_same_form_later_books_nothing(database):
    make(database, key="one form")
    assert isinstance(make(database, key="one form"), AlreadySent)


def test_a_refused_form_can_be_sent_again(database):
    assert refusal(database, hours=(9,), key="one form", cap=0) is Refusal.MONTH_USED_UP
    assert isinstance(make(database, hours=(9,), key="one form"), Booked)


def test_the_cap_ends_exactly_at_its_last_hour(database):
    make(database, hours=tuple(range(9, 16)))
    thursday = WEDNESDAY + timedelta(days=1)
    assert refusal(database, day=thursday, hours=(9, 10, 11, 12)) is Refusal.MONTH_USED_UP
    assert used(database) == 7
    make(database, day=thursday, hours=(9, 10, 11))
    assert used(database) == 10
    assert refusal(database, day=thursday, hours=(13,)) is Refusal.MONTH_USED_UP


def test_the_cap_counts_calendar_months_of_japan(database):
    """9 o'clock on 1 December in Japan is still November in UTC; it counts for December."""
    first = date(2026, 12, 1)
    assert tokyo_hour(first, 8).month == 11
    make(database, code="ekimae", day=first, hours=(8,))
    assert used(database, day=first) == 1
    assert used(database, day=date(2026, 11, 30)) == 0
    make(database, code="ekimae", day=date(2026, 11, 30), hours=tuple(range(8, 18)))
    assert used(database, day=date(2026, 11, 30)) == 10


def test_the_cap_is_one_child_s_own(database):
    make(database, hours=tuple(range(9, 16)))
    brother = Child("brother", date(2025, 6, 1), ChildStatus.ACTIVE)
    make(database, child=brother, hours=tuple(range(9, 16)))
    assert used(database, "brother") == 7


@pytest.mark.parametrize(
    ("reason", "choices"),
    [
        (Refusal.NO_HOURS, {"hours": ()}),
        (Refusal.UNKNOWN_SLOT, {"hours": (23,)}),
        (Refusal.UNKNOWN_SLOT, {"day": date(2026, 12, 6)}),
        (Refusal.PAST, {"day": date(2026, 11, 24), "hours": (9,)}),
        (Refusal.AFTER_LAST_DAY, {"child": Child("a", date(2023, 12, 3), ChildStatus.ACTIVE)}),
        (Refusal.CHILD_ENDED, {"child": Child("a", date(2023, 11, 1), ChildStatus.ACTIVE)}),
        (Refusal.CHILD_LEFT, {"child": Child("a", date(2024, 5, 12), ChildStatus.MOVED_OUT)}),
        (Refusal.TOO_YOUNG, {"child": Child("a", date(2026, 6, 3), ChildStatus.ACTIVE)}),
    ],
    ids=str,
)
def test_what_cannot_be_booked_leaves_no_trace(database, reason, choices):
    assert refusal(database, **choices) is reason
    with database.read() as db:
        for table in ("booking", "booking_slot", "sent_form"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0  # noqa: S608
        assert db.execute("SELECT coalesce(sum(taken), 0) FROM slot").fetchone()[0] == 0


def test_all_or_nothing(database):
    make(
        database,
        code="hidamari",
        hours=(11,),
        child=Child("x", date(2024, 5, 12), ChildStatus.ACTIVE),
    )
    assert refusal(database, code="hidamari", hours=(10, 11)) is Refusal.FULL
    assert taken(database, code="hidamari") == {11: 1}
    assert used(database) == 0


def test_an_hour_can_be_booked_until_it_begins(database):
    ten = tokyo_hour(date(2026, 11, 24), 10)
    just_before = ten - timedelta(microseconds=1)
    today = {"day": date(2026, 11, 24), "hours": (10,)}
    assert refusal(database, now=ten, **today) is Refusal.PAST
    assert isinstance(make(database, now=just_before, **today), Booked)


def cancel(database, booking_id, *, household=FAMILY, now=NOW):
    with database.write() as db:
        return cancel_booking(db, household, "misaki", booking_id, now=now)


def test_cancelling_gives_place_and_hours_back(database):
    done = make(database, hours=(9, 10))
    assert isinstance(cancel(database, done.booking_ids[0]), Ended)
    assert taken(database) == {}
    assert used(database) == 0
    assert isinstance(make(database, hours=(9, 10), key="again"), Booked)


def test_cancelling_twice_at_once_gives_back_once(database):
    make(database, hours=(9,), child=Child("x", date(2024, 5, 12), ChildStatus.ACTIVE))
    booking_id = make(database, hours=(9,)).booking_ids[0]
    assert at_once([lambda: cancel(database, booking_id) for _ in range(4)]) == {
        "Ended": 1,
        "TooLate": 3,
    }
    assert taken(database) == {9: 1}
    assert used(database) == 0


def test_cancelling_ends_when_the_first_hour_begins(database):
    booking_id = make(database, hours=(9, 10)).booking_ids[0]
    nine = tokyo_hour(WEDNESDAY, 9)
    assert isinstance(cancel(database, booking_id, now=nine), TooLate)
    assert isinstance(cancel(database, booking_id, now=nine - timedelta(microseconds=1)), Ended)


def test_another_household_cannot_cancel(database):
    booking_id = make(database).booking_ids[0]
    other = Household("another", "990001", Role.REPRESENTATIVE)
    assert isinstance(cancel(database, booking_id, household=other), TooLate)
    assert taken(database) == {9: 1}


def answer(database, booking_id, verdict, *, now=NOW):
    with database.write() as db:
        return answer_request(db, booking_id, verdict, now=now)


@pytest.mark.parametrize(
    ("verdict", "state", "places"),
    [(Verdict.APPROVE, State.BOOKED, {9: 1}), (Verdict.DECLINE, State.DECLINED, {})],
)
def test_b54_a_facility_answers_once(database, verdict, state, places):
    friday = date(2026, 12, 4)
    done = make(database, code="komorebi", day=friday)
    assert done.state is State.WAITING
    assert taken(database, code="komorebi", day=friday) == {9: 1}, "the place is held meanwhile"
    assert isinstance(answer(database, done.booking_ids[0], verdict), Ended)
    assert isinstance(answer(database, done.booking_ids[0], Verdict.DECLINE), TooLate)
    assert taken(database, code="komorebi", day=friday) == places
    with database.read() as db:
        assert find_booking(db, "sakura", done.booking_ids[0]).state is state


def test_b54_an_answer_comes_too_late_when_the_hour_has_begun(database):
    friday = date(2026, 12, 4)
    done = make(database, code="komorebi", day=friday)
    nine = tokyo_hour(friday, 9)
    assert isinstance(answer(database, done.booking_ids[0], Verdict.APPROVE, now=nine), TooLate)


def test_seeding_again_adds_only_what_is_new(database):
    make(database)
    with database.write() as db:
        assert seed_facilities(db, weeks=12, now=NOW) == 0
        assert seed_facilities(db, weeks=12, now=NOW + timedelta(days=7)) > 0
    assert taken(database) == {9: 1}


def test_the_room_of_a_day_is_its_emptiest_hour(database):
    for n in range(3):
        child = Child(f"c{n}", date(2024, 5, 12), ChildStatus.ACTIVE)
        make(database, child=child, hours=tuple(range(9, 16)))
    sunday = date(2026, 12, 6)
    with database.read() as db:
        rooms = room_by_day(db, "minami", [WEDNESDAY, date(2026, 12, 3), sunday], now=NOW)
        assert rooms[WEDNESDAY] is Room.FEW
        assert rooms[sunday] is Room.NONE
        assert [slot.left for slot in slots(db, "minami", WEDNESDAY, now=NOW)] == [1] * 7


def test_a_history_is_kept_for_five_years(database):
    make(database)
    for years, count in ((4, 1), (6, 0)):
        with database.write() as db:
            forget_old_bookings(db, now=datetime(2026 + years, 12, 1, tzinfo=UTC))
            assert len(bookings_of_household(db, "sakura")) == count
    with database.read() as db:
        assert db.execute("SELECT count(*) FROM slot").fetchone()[0] == 0


@pytest.mark.parametrize(
    "section",
    [
        {"monthly_hours": 0},
        {"monthly_hours": 161},
        {"monthly_hours": "10"},
        {"monthly_hours": True},
        {"fee_yen_per_hour": -1},
        {"monthly_hours_by_municipality": {"990002": 0}},
        {"monthly_hours_by_municipality": 6},
        {"monthly_hour": 6},
        {"fictional_weeks": 53},
        {"fictional_weeks": -1},
    ],
    ids=str,
)
def test_rule_37_a_wrong_rule_is_refused_at_the_start(section):
    with pytest.raises(SettingsError, match="booking"):
        read_rules(section)


def test_the_cap_is_the_municipality_s():
    rules = read_rules({"monthly_hours_by_municipality": {"990002": 6}})
    assert rules.monthly_hours_in("990002") == 6
    assert rules.monthly_hours_in("990001") == 10
