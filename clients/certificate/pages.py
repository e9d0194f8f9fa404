"""認定証管理画面: the list with the notice of unread ones, a certificate, and confirming it."""

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from clients.certificate.certificates import (
    AlreadyDone,
    Certificate,
    Confirmed,
    OnlyRepresentative,
    State,
    certificates_of_household,
    confirm_certificate,
    find_certificate,
)
from clients.certificate.unread import is_put_off, put_off, report_unread
from clients.kit.claims import Role
from clients.kit.clock import tokyo_day
from clients.kit.context import Member, kit
from clients.kit.dates import plain_day
from clients.kit.guards import household_member
from clients.kit.pages import page_language, render, say_in

bp = Blueprint("certificates", __name__)


@dataclass(frozen=True)
class _Shown:
    """A certificate and what a page says about it."""

    certificate: Certificate
    child: str
    state: State
    is_mine: bool


@bp.get("/")
@household_member
def show_certificates(member: Member) -> ResponseReturnValue:
    """Show the list; above it the notice, unless it was put off in this visit (A31)."""
    with kit().database.read() as db:
        certificates = certificates_of_household(db, member.household.id)
        is_silent = is_put_off(db, member.visit.key)
    shown = [_shown(certificate, member) for certificate in certificates]
    return render(
        "certificate/certificates.html",
        shown=shown,
        unread=[entry for entry in shown if entry.state is State.ISSUED],
        ended=[entry for entry in shown if entry.state is State.EXPIRED],
        is_silent=is_silent,
        may_confirm=_may_confirm(member),
    )


@bp.post("/notice/later")
@household_member
def put_notice_off(member: Member) -> ResponseReturnValue:
    """Put the notice off until the next sign-in."""
    with kit().database.write() as db:
        put_off(db, member.visit.key)
    return redirect(url_for("certificates.show_certificates"), 303)


@bp.get("/certificates/<certificate_id>")
@household_member
def show_certificate(member: Member, certificate_id: str) -> ResponseReturnValue:
    """Show one certificate of the household; anybody else's is not found."""
    return render(
        "certificate/certificate.html",
        shown=_require(member, certificate_id),
        may_confirm=_may_confirm(member),
        is_done=request.args.get("done") == "confirmed",
        error="",
    )


@bp.post("/certificates/<certificate_id>/confirm")
@household_member
def confirm(member: Member, certificate_id: str) -> ResponseReturnValue:
    """Confirm for the household; the second one is told that it was done already."""
    now = kit().clock()
    _require(member, certificate_id)
    with kit().database.write() as db:
        outcome = confirm_certificate(
            db, member.household, member.person.sub, certificate_id, now=now
        )
        report_unread(db, member.household.id, now=now)
    kit().worker.wake()
    match outcome:
        case Confirmed():
            return redirect(_page_of(certificate_id, done="confirmed"), 303)
        case AlreadyDone():
            return redirect(_page_of(certificate_id), 303)
        case OnlyRepresentative():
            return render(
                "certificate/certificate.html",
                status=403,
                shown=_require(member, certificate_id),
                may_confirm=False,
                is_done=False,
                error="only_representative",
            )


def _page_of(certificate_id: str, *, done: str | None = None) -> str:
    return url_for("certificates.show_certificate", certificate_id=certificate_id, done=done)


def _may_confirm(member: Member) -> bool:
    return member.household.role is Role.REPRESENTATIVE


def _require(member: Member, certificate_id: str) -> _Shown:
    with kit().database.read() as db:
        certificate = find_certificate(db, member.household.id, certificate_id)
    if certificate is None:
        raise NotFound
    return _shown(certificate, member)


def _shown(certificate: Certificate, member: Member) -> _Shown:
    say = say_in(page_language())
    return _Shown(
        certificate=certificate,
        child=say("child.label", birthdate=plain_day(certificate.birthdate, say)),
        state=certificate.state(today=tokyo_day(kit().clock())),
        is_mine=certificate.confirmed_by == member.person.sub,
    )
