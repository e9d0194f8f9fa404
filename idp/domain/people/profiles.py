"""Profiles: the facts about a person that claims, mails and pages repeat."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.domain.people.names import PersonName
from idp.model.people import Account


@dataclass(frozen=True)
class PostalAddress:
    """An address in Japan, in the order it is written."""

    postal_code: str | None
    region: str | None
    locality: str | None
    street_address: str | None

    @property
    def formatted(self) -> str:
        """The address as one line."""
        code = f"〒{self.postal_code[:3]}-{self.postal_code[3:]}" if self.postal_code else ""
        place = "".join(part for part in (self.region, self.locality, self.street_address) if part)
        return " ".join(part for part in (code, place) if part)


@dataclass(frozen=True)
class Profile:
    """What a person has told the municipality about herself."""

    account_id: UUID
    name: PersonName
    email: str | None
    email_verified_at: datetime | None
    phone_number: str | None
    address: PostalAddress
    locale: str
    municipality_id: UUID | None
    updated_at: datetime
    login_id: str | None = None


def find_profile(db: Session, account_id: UUID) -> Profile | None:
    """Return the facts about a person, whatever the state of the account."""
    account = db.get(Account, account_id)
    if account is None:
        return None
    return Profile(
        account_id=account.id,
        name=name_of(account),
        email=account.email,
        email_verified_at=account.email_verified_at,
        phone_number=account.phone_number,
        address=PostalAddress(
            postal_code=account.postal_code,
            region=account.region,
            locality=account.locality,
            street_address=account.street_address,
        ),
        locale=account.locale,
        municipality_id=account.municipality_id,
        updated_at=account.updated_at,
        login_id=account.login_id,
    )


def name_of(account: Account) -> PersonName:
    """Return the name of an account's row."""
    return PersonName(
        family_name=account.family_name,
        given_name=account.given_name,
        family_name_kana=account.family_name_kana,
        given_name_kana=account.given_name_kana,
    )


def choose_locale(db: Session, account_id: UUID, locale: str, *, now: datetime) -> None:
    """Remember the language of pages and mails; the caller checked that it is offered."""
    account = db.get_one(Account, account_id)
    account.locale = locale
    account.updated_at = now
