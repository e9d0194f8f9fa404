"""The fictional municipality 架空市 and its people: every name and number is invented."""

from dataclasses import dataclass
from types import MappingProxyType

#: 全国地方公共団体コード with its check digit; no prefecture has the number 99.
MUNICIPALITY_CODE = "990001"

#: The contact block, with the keys that the relying parties' settings have.
OFFICE = MappingProxyType(
    {
        "name_ja": "架空市",
        "name_en": "Kakuu City",
        "office_ja": "こども課",
        "office_en": "Children’s Division",
        "tel": "0000-12-3456",
        "hours_ja": "平日 8時30分から17時15分まで",
        "hours_en": "Weekdays, 8:30 to 17:15",
    }
)


@dataclass(frozen=True)
class Person:
    """Somebody of the demo."""

    family_name: str
    given_name: str
    family_name_kana: str
    given_name_kana: str
    #: Empty for the family without e-mail.
    email: str = ""

    @property
    def name(self) -> str:
        """The whole name, family name first."""
        return f"{self.family_name} {self.given_name}"


@dataclass(frozen=True)
class Kid:
    """A child, by its age at the day of the seed, so that the demo never goes stale."""

    name: str
    kana: str
    age_months: int


@dataclass(frozen=True)
class Family:
    """A household: its representative, its children, perhaps a proxy."""

    guardian: Person
    application_number: str
    kids: tuple[Kid, ...]
    proxy: Person | None = None


STAFF = Person("福祉", "一郎", "フクシ", "イチロウ", "ichiro.fukushi@kakuu.example.jp")
ADMINISTRATOR = Person("情報", "花子", "ジョウホウ", "ハナコ", "hanako.joho@kakuu.example.jp")

SAKURA = Family(
    guardian=Person("佐倉", "美咲", "サクラ", "ミサキ", "misaki.sakura@example.jp"),
    application_number="2026-00417",
    kids=(Kid("佐倉 ひより", "サクラ ヒヨリ", 19),),
    proxy=Person("佐倉", "健", "サクラ", "ケン", "ken.sakura@example.jp"),
)
SAKURABA = Family(
    guardian=Person("桜庭", "直人", "サクラバ", "ナオト", "naoto.sakuraba@example.jp"),
    application_number="2026-00291",
    kids=(
        Kid("桜庭 そら", "サクラバ ソラ", 40),
        Kid("桜庭 つむぎ", "サクラバ ツムギ", 10),
    ),
)
SAKAI = Family(
    guardian=Person("酒井", "房江", "サカイ", "フサエ"),
    application_number="2026-00365",
    kids=(Kid("酒井 りく", "サカイ リク", 26),),
)
