"""What the seed does with every person, family or office."""

from uuid import UUID

from idp.demo.kakuu import Person
from idp.demo.seed.tools import SeedError, Tools
from idp.domain.people import accounts
from idp.domain.people.names import PersonName
from idp.domain.signin.passwords import set_password


def person_name(person: Person) -> PersonName:
    """Return the name as operations take it."""
    return PersonName(
        family_name=person.family_name,
        given_name=person.given_name,
        family_name_kana=person.family_name_kana,
        given_name_kana=person.given_name_kana,
    )


def begin_use(tools: Tools, account_id: UUID, email: str) -> None:
    """Give an account its first password, as if its owner had followed the mailed link."""
    accounts.issue(tools.db, account_id, now=tools.now)
    set_password(tools.db, account_id, tools.secrets[email].hashed, now=tools.now)
    if not accounts.activate(tools.db, account_id, now=tools.now):
        raise SeedError(f"account {account_id} could not be activated")
