"""What others know about a person: the words no password of hers is made of (B44)."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.base.contact import show_phone
from idp.domain.signin.passwords import PersonWords
from idp.model.households import Child, Membership, Municipality
from idp.model.people import Account

#: What this service is called, wherever it runs.
_OWN_NAMES = ("kosodate", "kosodateid", "子育て")


def person_words(db: Session, account_id: UUID) -> PersonWords:
    """Collect her names and readings, addresses and numbers, her town, her children's birthdays.

    Children of every household she ever belonged to: a former spouse knows those dates too.
    """
    account = db.get_one(Account, account_id)
    words = [
        account.family_name,
        account.given_name,
        account.family_name_kana,
        account.given_name_kana,
        account.login_id,
        account.email,
        account.locality,
        *_phone_words(account.phone_number),
        *_town_words(db, account.municipality_id),
        *_OWN_NAMES,
    ]
    children = db.execute(
        select(Child.name, Child.name_kana, Child.birthdate)
        .join(Membership, Membership.household_id == Child.household_id)
        .where(Membership.account_id == account_id)
    ).all()
    for child in children:
        words += [*_name_words(child.name), *_name_words(child.name_kana)]
    return PersonWords(
        words=tuple(word for word in words if word),
        birthdates=tuple(child.birthdate for child in children),
    )


def _name_words(name: str | None) -> list[str]:
    return name.split() if name else []


def _phone_words(number: str | None) -> tuple[str, ...]:
    """Return the number as it is dialled here and abroad, and its last eight and four digits."""
    if number is None:
        return ()
    national = "".join(sign for sign in show_phone(number) if sign.isdigit())
    return national, number, national[-8:], national[-4:]


def _town_words(db: Session, municipality_id: UUID | None) -> tuple[str, ...]:
    town = db.get(Municipality, municipality_id) if municipality_id else None
    if town is None:
        return ()
    return town.name, *town.name_en.split(), town.service_name, *town.service_name_en.split()
