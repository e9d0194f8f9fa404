"""The household's children: hours left, until when they may book, and their nicknames."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from clients.booking.asking import allowance, own_children
from clients.booking.children import label, parse_nickname, rename_child
from clients.booking.rules import standing
from clients.kit.ages import first_day, last_day
from clients.kit.clock import tokyo_day
from clients.kit.context import Member, kit
from clients.kit.guards import household_member
from clients.kit.pages import page_language, render, say_in

bp = Blueprint("children", __name__)


@bp.get("/children")
@household_member
def show_children(member: Member) -> ResponseReturnValue:
    """Show each child and a field for its nickname."""
    return _page(member, wrong_child="", typed="")


@bp.post("/children/<child_id>/nickname")
@household_member
def set_nickname(member: Member, child_id: str) -> ResponseReturnValue:
    """Keep a nickname, only in this service."""
    typed = request.form.get("nickname", "")
    nickname = parse_nickname(typed)
    if all(child.id != child_id for child in member.person.children):
        raise NotFound
    if nickname is None:
        return _page(member, wrong_child=child_id, typed=typed)
    with kit().database.write() as db:
        rename_child(db, member.household.id, child_id, nickname)
    return redirect(url_for("children.show_children", done="saved"), 303)


def _page(member: Member, *, wrong_child: str, typed: str) -> ResponseReturnValue:
    say, today = say_in(page_language()), tokyo_day(kit().clock())
    with kit().database.read() as db:
        children = [
            {
                "id": known.child.id,
                "label": label(known, say),
                "nickname": typed if known.child.id == wrong_child else known.nickname,
                "is_wrong": known.child.id == wrong_child,
                "standing": standing(known.child, today=today),
                "first": first_day(known.child.birthdate),
                "last": last_day(known.child.birthdate),
                "allowance": allowance(db, member, known.child.id, today),
            }
            for known in own_children(db, member)
        ]
    return render(
        "booking/children.html",
        status=422 if wrong_child else 200,
        children=children,
        today=today,
        is_saved=request.args.get("done") == "saved",
    )
