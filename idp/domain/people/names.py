"""Names of people: kept as typed, searched by their folded form."""

from dataclasses import dataclass

from idp.base.text import search_key


@dataclass(frozen=True)
class PersonName:
    """A name in its parts; someone with a single name has an empty given name.

    Nothing is folded: even NFC would rewrite some names (domain.md §4.1).
    """

    family_name: str
    given_name: str = ""
    family_name_kana: str | None = None
    given_name_kana: str | None = None

    @property
    def full(self) -> str:
        """The name as it is written: family name first."""
        return full_name(self.family_name, self.given_name)

    @property
    def kana(self) -> str:
        """The reading, empty where there is none."""
        return full_name(self.family_name_kana or "", self.given_name_kana or "")

    @property
    def search_key(self) -> str:
        """What the person is searched by: the name and its reading."""
        return search_key(
            self.family_name, self.given_name, "/", self.family_name_kana, self.given_name_kana
        )


def full_name(family_name: str, given_name: str) -> str:
    """Return the two parts as one line."""
    return f"{family_name} {given_name}".strip()
