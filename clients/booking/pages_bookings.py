"""The household's bookings: the list, one of them, and cancelling it."""

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from clients.booking.children import KnownChild, known_children, label
from clients.booking.ending import Ended, TooLate, cancel_booking
from clients.booking.history import BookingRecord, bookings_of_household, find_booking
from clients.booking.mails import tell_household
from clients.kit.context import Member, kit
from clients.kit.guards import household_member
from clients.kit.pages import page_language, render, say_in

bp = Blueprint("bookings", __name__)

_DONE = frozenset({"made", "cancelled"})


@dataclass(frozen=True)
class _Shown:
    """A booking and what a page says about it."""

    record: BookingRecord
    child: str
    is_open: bool
    is_in_vain: bool
    is_mine: bool


@bp.get("/bookings")
@household_member
def show_bookings(member: Member) -> ResponseReturnValue:
    """Show what is coming, the next first, and what has been."""
    with kit().database.read() as db:
        records = bookings_of_household(db, member.household.id)
        children = known_children(db, member.household.id)
    shown = [_shown(record, member, children) for record in records]
    return render(
        "booking/bookings.html",
        coming=[entry for entry in reversed(shown) if entry.is_open],
        past=[entry for entry in shown if not entry.is_open],
    )


@bp.get("/bookings/<booking_id>")
@household_member
def show_booking(member: Member, booking_id: str) -> ResponseReturnValue:
    """Show one booking of the household; anybody else's is not found."""
    done = request.args.get("done", "")
    return render(
        "booking/booking.html",
        shown=_require(member, booking_id),
        done=done if done in _DONE else "",
    )


@bp.get("/bookings/<booking_id>/cancel")
@household_member
def ask_cancel(member: Member, booking_id: str) -> ResponseReturnValue:
    """Ask once before a booking is cancelled."""
    return render("booking/cancel.html", shown=_require(member, booking_id), error="")


@bp.post("/bookings/<booking_id>/cancel")
@household_member
def cancel(member: Member, booking_id: str) -> ResponseReturnValue:
    """Cancel, and tell the household; or say that it is too late."""
    shown = _require(member, booking_id)
    now = kit().clock()
    with kit().database.write() as db:
        outcome = cancel_booking(db, member.household, member.person.sub, booking_id, now=now)
        if isinstance(outcome, Ended):
            tell_household(db, "cancelled", shown.record, kit().settings, kit().texts, now=now)
    kit().worker.wake()
    match outcome:
        case Ended():
            return redirect(
                url_for("bookings.show_booking", booking_id=booking_id, done="cancelled"), 303
            )
        case TooLate():
            return render(
                "booking/cancel.html",
                status=422,
                shown=_require(member, booking_id),
                error="too_late",
            )


def _require(member: Member, booking_id: str) -> _Shown:
    with kit().database.read() as db:
        record = find_booking(db, member.household.id, booking_id)
        children = known_children(db, member.household.id)
    if record is None:
        raise NotFound
    return _shown(record, member, children)


def _shown(record: BookingRecord, member: Member, children: dict[str, KnownChild]) -> _Shown:
    say, now = say_in(page_language()), kit().clock()
    known = children.get(record.child_id)
    return _Shown(
        record=record,
        child=label(known, say) if known else say("child.somebody"),
        is_open=record.is_open(now=now),
        is_in_vain=record.is_waiting_in_vain(now=now),
        is_mine=record.made_by == member.person.sub,
    )
