"""The mails about a booking: to everybody of the household who may get them (A33, A36)."""

from datetime import datetime
from functools import partial
from sqlite3 import Connection
from urllib.parse import urlsplit

from clients.booking.children import KnownChild, known_children, mail_label
from clients.booking.history import BookingRecord
from clients.kit import dates
from clients.kit.outbox import MailTexts, notify_household
from clients.kit.settings import Settings
from clients.kit.texts import LANGUAGES, Texts


def tell_household(
    db: Connection,
    kind: str,
    booking: BookingRecord,
    settings: Settings,
    texts: Texts,
    *,
    now: datetime,
) -> None:
    """Put the mails about a booking into the outbox, in every language.

    `kind` is the last part of both the notification's kind and the texts' keys: created,
    requested, approved, declined, cancelled.
    """
    child = known_children(db, booking.household_id).get(booking.child_id)
    mails = {lang: _mail(kind, booking, child, settings, texts, lang) for lang in LANGUAGES}
    notify_household(db, booking.household_id, f"booking.{kind}", mails, now=now)


def _mail(
    kind: str,
    booking: BookingRecord,
    child: KnownChild | None,
    settings: Settings,
    texts: Texts,
    lang: str,
) -> MailTexts:
    say = partial(texts.get, lang)
    facts = {
        "day": dates.short_day(booking.day, say),
        "hours": dates.hours(booking.start_hour, booking.end_hour, say),
        "facility": booking.facility.name[lang],
        "facility_tel": booking.facility.tel,
        "child": mail_label(child, booking.day, say) if child else say("child.somebody"),
        "url": f"{settings.base_url}/bookings",
        "host": urlsplit(settings.base_url).netloc,
    }
    text = say("mail.facts", intro=say(f"mail.{kind}.intro"), end=say(f"mail.{kind}.end"), **facts)
    return MailTexts(subject=say(f"mail.{kind}.subject", **facts), text=text)
