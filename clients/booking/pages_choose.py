"""Choose a facility, a day and hours, look once more, book."""

from dataclasses import dataclass
from datetime import date, timedelta
from sqlite3 import Connection

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from clients.booking.asking import (
    Allowance,
    allowance,
    asked_child,
    asked_day,
    asked_hours,
    own_children,
    refusal_text,
    require_facility,
    rules,
    week_of,
)
from clients.booking.book import AlreadySent, Booked, State, Wish, book
from clients.booking.children import KnownChild, label
from clients.booking.facilities import (
    Facility,
    last_slot_day,
    list_facilities,
    next_free_day,
    room_by_day,
    slots_of_day,
)
from clients.booking.history import find_booking, hours_taken_by
from clients.booking.mails import tell_household
from clients.booking.rules import BookingRefusedError, Refusal, check_child, standing
from clients.kit import dates
from clients.kit.ages import age_in_months
from clients.kit.clock import tokyo_day
from clients.kit.context import Member, kit
from clients.kit.guards import household_member
from clients.kit.pages import page_language, render, say_in
from clients.kit.secret import new_token

bp = Blueprint("choose", __name__)

_LONGEST_FORM_KEY = 100


@dataclass(frozen=True)
class _Choice:
    """What has been chosen so far."""

    facility: Facility
    children: list[KnownChild]
    known: KnownChild
    day: date
    hours: tuple[int, ...]
    allowance: Allowance


@bp.get("/")
@household_member
def show_facilities(_member: Member) -> ResponseReturnValue:
    """Step 1 of 3: the facilities and when each has its next free place."""
    now = kit().clock()
    with kit().database.read() as db:
        facilities = [
            (facility, next_free_day(db, facility.code, now=now))
            for facility in list_facilities(db)
        ]
    return render("booking/facilities.html", facilities=facilities)


@bp.get("/b/<code>")
@household_member
def open_door_sign(_member: Member, code: str) -> ResponseReturnValue:
    """Follow the QR code at a facility's door, after a sign-in if there has to be one."""
    with kit().database.read() as db:
        facility = require_facility(db, code)
    return redirect(url_for("choose.show_slots", code=facility.code), 303)


@bp.get("/facilities/<code>")
@household_member
def show_slots(member: Member, code: str) -> ResponseReturnValue:
    """Step 2 of 3: the days of a week and the hours of a day."""
    with kit().database.read() as db:
        choice = _choice(db, member, code)
        if choice is None:
            return render("booking/no_child.html")
        return _slots_page(db, member, choice, error=None)


@bp.get("/facilities/<code>/children")
@household_member
def choose_child(member: Member, code: str) -> ResponseReturnValue:
    """Choose which child the booking is for."""
    say = say_in(page_language())
    with kit().database.read() as db:
        facility = require_facility(db, code)
        children = [(known.child.id, label(known, say)) for known in own_children(db, member)]
        day = asked_day(db, facility)
    return render("booking/choose_child.html", facility=facility, children=children, day=day)


@bp.get("/facilities/<code>/confirm")
@household_member
def confirm(member: Member, code: str) -> ResponseReturnValue:
    """Step 3 of 3: look once more at what will be booked."""
    with kit().database.read() as db:
        choice = _choice(db, member, code)
        if choice is None:
            raise NotFound
        if not choice.hours:
            return _slots_page(db, member, choice, error=BookingRefusedError(Refusal.NO_HOURS))
    return render(
        "booking/confirm.html",
        choice=choice,
        child=label(choice.known, say_in(page_language())),
        runs=dates.runs(choice.hours),
        fee=len(choice.hours) * rules().fee_yen_per_hour,
        form_key=new_token(),
    )


@bp.post("/facilities/<code>/book")
@household_member
def make_booking(member: Member, code: str) -> ResponseReturnValue:
    """Book, or show the hours again with what was in the way."""
    with kit().database.read() as db:
        choice = _choice(db, member, code)
    if choice is None:
        raise NotFound
    try:
        done = _book(member, choice)
    except BookingRefusedError as refusal:
        with kit().database.read() as db:
            return _slots_page(db, member, choice, error=refusal)
    kit().worker.wake()
    match done:
        case AlreadySent():
            return redirect(url_for("bookings.show_bookings"), 303)
        case Booked(booking_ids, _):
            return redirect(
                url_for("bookings.show_booking", booking_id=booking_ids[0], done="made"), 303
            )


def _choice(db: Connection, member: Member, code: str) -> _Choice | None:
    facility = require_facility(db, code)
    children = own_children(db, member)
    known = asked_child(children)
    if known is None:
        return None
    day = asked_day(db, facility)
    left = allowance(db, member, known.child.id, day)
    return _Choice(facility, children, known, day, asked_hours(), left)


def _book(member: Member, choice: _Choice) -> Booked | AlreadySent:
    wish = Wish(
        household=member.household,
        sub=member.person.sub,
        facility=choice.facility,
        child=choice.known.child,
        day=choice.day,
        hours=choice.hours,
        form_key=request.form.get("form_key", "")[:_LONGEST_FORM_KEY] or new_token(),
    )
    now = kit().clock()
    with kit().database.write() as db:
        done = book(db, wish, cap=choice.allowance.cap, now=now)
        if isinstance(done, Booked):
            _tell(db, member, done)
        return done


def _tell(db: Connection, member: Member, booked: Booked) -> None:
    """Mail the household once for each booking that was made."""
    kind = "created" if booked.state is State.BOOKED else "requested"
    for booking_id in booked.booking_ids:
        record = find_booking(db, member.household.id, booking_id)
        assert record is not None, "it was made in this transaction"
        tell_household(db, kind, record, kit().settings, kit().texts, now=kit().clock())


def _slots_page(
    db: Connection, member: Member, choice: _Choice, *, error: BookingRefusedError | None
) -> ResponseReturnValue:
    say, now = say_in(page_language()), kit().clock()
    child, day, today = choice.known.child, choice.day, tokyo_day(now)
    week, name = week_of(day), label(choice.known, say)
    months = age_in_months(child.birthdate, today)
    hindrance = _hindrance(choice, today=today)
    return render(
        "booking/slots.html",
        status=422 if error else 200,
        choice=choice,
        child=name,
        age=(months // 12, months % 12),
        week=list(room_by_day(db, choice.facility.code, week, now=now).items()),
        earlier=max(week[0] - timedelta(days=7), today) if today < week[0] else None,
        later=week[-1] + timedelta(days=1) if week[-1] < (last_slot_day(db) or day) else None,
        slots=slots_of_day(db, choice.facility.code, day, now=now),
        taken=hours_taken_by(db, member.household.id, child.id, day),
        may_book=standing(child, today=today) is None,
        hindrance=refusal_text(hindrance, name, say) if hindrance else "",
        error=refusal_text(error, name, say) if error else "",
        fee_per_hour=rules().fee_yen_per_hour,
    )


def _hindrance(choice: _Choice, *, today: date) -> BookingRefusedError | None:
    """Tell what stands in the way of any booking on this day, before anybody tries."""
    try:
        check_child(choice.known.child, choice.day, today=today)
    except BookingRefusedError as refusal:
        return refusal
    if choice.allowance.left == 0:
        return BookingRefusedError(Refusal.MONTH_USED_UP, n=0)
    return None
