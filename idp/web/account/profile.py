"""What is registered about a person, the language, and the accessibility statement (A43)."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint
from werkzeug.wrappers import Response

from idp.base.contact import show_phone
from idp.db.session import reading
from idp.domain.people.own_households import OwnHousehold, list_own_households
from idp.domain.people.profiles import Profile, find_profile
from idp.web.account.entry import ask_for_agreement
from idp.web.deps import require_person, services
from idp.web.guards import signed_in
from idp.web.render import language, page

bp = Blueprint("account_profile", __name__)


@dataclass(frozen=True)
class _Row:
    key: str
    value: str
    #: Where the person changes it herself; everything else goes through the office (A43).
    href: str | None = None


@bp.get("/account/profile")
@signed_in
def show_profile() -> Response:
    """Show what is registered; only the language is the person's own to change here."""
    redirected = ask_for_agreement()
    if redirected is not None:
        return redirected
    account_id = require_person().account_id
    with reading(services().sessions) as db:
        profile = find_profile(db, account_id)
        households = list_own_households(db, account_id, now=services().clock())
    assert profile is not None  # somebody is signed in with it
    return page("account/profile.html", rows=list(_rows(profile, households)))


@bp.get("/account/language")
@signed_in
def show_language() -> Response:
    """Ask for the language of pages and mails."""
    return page("account/language.html")


def _rows(profile: Profile, households: tuple[OwnHousehold, ...]) -> Iterator[_Row]:
    texts, tag = services().texts, language()
    phone = profile.phone_number
    facts = {
        "name": profile.name.full,
        "kana": profile.name.kana,
        "login_id": profile.login_id,
        "mail": profile.email,
        "phone": show_phone(phone) if phone else None,
        "address": profile.address.formatted,
    }
    missing = texts.get(tag, "account.profile.not_registered")
    for key, value in facts.items():
        yield _Row(key, value or missing)
    spoken = profile.locale if profile.locale in texts.languages else "ja"
    yield _Row("language", texts.get(tag, f"common.language.{spoken}"), "/account/language")
    names = texts.get(tag, "common.list_separator").join(
        _household_name(household) for household in households
    )
    yield _Row("household", names or missing, "/account/household")


def _household_name(household: OwnHousehold) -> str:
    key = "account.household.own" if household.own else "account.household.other"
    return services().texts.get(language(), key, name=household.representative_name)
