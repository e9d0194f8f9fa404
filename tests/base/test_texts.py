"""The words people read: catalogues, plurals, facts, dates and times."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from idp.base.texts import (
    BrokenCatalogue,
    MissingFact,
    UnknownText,
    format_date,
    format_datetime,
    format_time,
    load_texts,
)

SHIPPED = Path(__file__).parents[2] / "templates" / "texts"


@pytest.fixture
def catalogue(tmp_path):
    def write(**languages):
        for tag, content in languages.items():
            folder = tmp_path / tag.replace("_", "-")
            folder.mkdir(exist_ok=True)
            (folder / "signin.toml").write_text(content, encoding="utf-8")
        return load_texts(tmp_path)

    return write


def test_a_text_is_found_by_its_area_and_its_nested_key(catalogue):
    texts = catalogue(ja='[login]\ntitle = "利用者向けログイン"')
    assert texts.get("ja", "signin.login.title") == "利用者向けログイン"


def test_an_unknown_key_is_an_error_that_names_it(catalogue):
    with pytest.raises(UnknownText, match=r"signin\.nothing"):
        catalogue(ja='a = "x"').get("ja", "signin.nothing")


def test_facts_are_filled_in(catalogue):
    texts = catalogue(ja='a = "{minutes}分、あと{tries}回"')
    assert texts.get("ja", "signin.a", minutes=10, tries="3") == "10分、あと3回"


def test_a_missing_fact_is_an_error_that_names_text_and_fact(catalogue):
    texts = catalogue(ja='a = "{minutes}分"')
    with pytest.raises(MissingFact, match=r"signin\.a.*minutes"):
        texts.get("ja", "signin.a")


def test_a_fact_may_have_any_name(catalogue):
    texts = catalogue(ja='a = "{lang} {key} {self}"')
    assert texts.get("ja", "signin.a", lang="1", key="2", self="3") == "1 2 3"


@pytest.mark.parametrize(("n", "text"), [(0, "0 tries"), (1, "1 try"), (2, "2 tries")])
def test_english_plurals_follow_n(catalogue, n, text):
    texts = catalogue(ja='tries = "{n}回"', en='[tries]\none = "{n} try"\nother = "{n} tries"\n')
    assert texts.get("en", "signin.tries", n=n) == text
    assert texts.get("ja", "signin.tries", n=n) == f"{n}回"


def test_a_language_without_a_singular_uses_other(catalogue):
    texts = catalogue(ja='[tries]\none = "一"\nother = "{n}"')
    assert texts.get("ja", "signin.tries", n=1) == "1"


def test_the_forms_of_a_plural_are_one_key(catalogue):
    texts = catalogue(ja='tries = "{n}回"', en='[tries]\none = "{n} try"\nother = "{n} tries"')
    assert texts.keys("en") == texts.keys("ja") == {"signin.tries"}


def test_a_table_with_other_among_other_names_is_no_plural(catalogue):
    texts = catalogue(ja='[relation]\nmother = "母"\nother = "その他"')
    assert texts.get("ja", "signin.relation.other") == "その他"


def test_what_a_language_lacks_is_said_in_japanese(catalogue):
    texts = catalogue(ja='a = "あ"\nb = "{day}"', en='a = "A"', ja_simple='a = "やさしい"')
    assert texts.get("ja-simple", "signin.a") == "やさしい"
    assert texts.get("fr", "signin.a") == "あ"
    # The date is written in the language of the text it stands in.
    assert texts.get("en", "signin.b", day=date(2026, 12, 22)) == "2026年12月22日（令和8年）"
    assert "signin.b" not in texts.keys("en")


def test_japanese_comes_first_among_the_languages(catalogue):
    texts = catalogue(en='a = "A"', ja_simple='a = "a"', ja='a = "あ"', de='a = "a"')
    assert texts.languages == ("ja", "ja-simple", "de", "en")


def test_dates_among_the_facts_are_written_by_kind(catalogue):
    texts = catalogue(ja='a = "{at}・{on}"', en='a = "{at}; {on}"')
    at = datetime(2026, 11, 19, 23, 12, tzinfo=UTC)
    facts = {"at": at, "on": at.date()}
    assert texts.get("ja", "signin.a", **facts) == (
        "2026年11月20日（金）8時12分・2026年11月19日（令和8年）"
    )
    assert texts.get("en", "signin.a", **facts) == (
        "Friday 20 November 2026, 08:12; 19 November 2026"
    )


def test_markup_among_the_facts_keeps_its_tags_and_everything_else_is_escaped(catalogue):
    texts = catalogue(ja='a = "<{mail}> & {name}"')
    written = texts.get("ja", "signin.a", mail=Markup("<b>m</b>"), name="<i>")
    assert written == "&lt;<b>m</b>&gt; &amp; &lt;i&gt;"
    assert isinstance(written, Markup)


def test_without_markup_the_answer_is_plain_text(catalogue):
    written = catalogue(ja='a = "{name}"').get("ja", "signin.a", name="<i>")
    assert written == "<i>"
    assert not isinstance(written, Markup)


def test_placeholders_are_those_of_every_form(catalogue):
    texts = catalogue(ja='[a]\none = "{x}"\nother = "{n} {y}"')
    assert texts.placeholders("ja", "signin.a") == {"x", "n", "y"}


@pytest.mark.parametrize(
    "content",
    [
        "a = 1",
        'a = ""',
        'a = "{"',
        'a = "{0}"',
        'a = "{}"',
        'a = "{x.y}"',
        'a = "{x[0]}"',
        'a = ["x"]',
        'a = "x',
        'a = "1"\na = "2"',
    ],
)
def test_a_broken_catalogue_does_not_start(catalogue, content):
    with pytest.raises(BrokenCatalogue, match=r"signin\.toml"):
        catalogue(ja=content)


def test_a_catalogue_that_is_not_utf_8_does_not_start(tmp_path):
    (tmp_path / "ja").mkdir()
    (tmp_path / "ja" / "common.toml").write_bytes('a = "あ"'.encode("shift_jis"))
    with pytest.raises(BrokenCatalogue):
        load_texts(tmp_path)


def test_without_japanese_there_is_no_catalogue(catalogue):
    with pytest.raises(BrokenCatalogue, match="ja"):
        catalogue(en='a = "A"')


@pytest.mark.parametrize(
    ("day", "japanese"),
    [
        (date(2026, 12, 22), "2026年12月22日（令和8年）"),
        (date(2019, 5, 1), "2019年5月1日（令和元年）"),
        (date(2019, 4, 30), "2019年4月30日（平成31年）"),
        (date(1989, 1, 8), "1989年1月8日（平成元年）"),
        (date(1989, 1, 7), "1989年1月7日（昭和64年）"),
        (date(1926, 12, 25), "1926年12月25日（昭和元年）"),
        (date(1926, 12, 24), "1926年12月24日（大正15年）"),
        (date(1900, 1, 1), "1900年1月1日"),
    ],
)
def test_a_japanese_date_names_the_era(day, japanese):
    assert format_date("ja", day) == japanese
    assert format_date("ja-simple", day) == japanese


def test_an_english_date_is_day_month_year():
    assert format_date("en", date(2026, 12, 22)) == "22 December 2026"


def test_times_are_those_of_tokyo_whatever_the_zone_they_come_in():
    at = datetime(2026, 12, 31, 15, 5, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=-8)))
    for moment in (at, elsewhere):
        assert format_time("ja", moment) == "0時05分"
        assert format_time("en", moment) == "00:05"
        assert format_date("ja", moment) == "2027年1月1日（令和9年）"
        assert format_datetime("en", moment) == "Friday 1 January 2027, 00:05"
        assert format_datetime("ja", moment) == "2027年1月1日（金）0時05分"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="aware"):
        format_time("ja", datetime(2026, 1, 1, 12, 0))  # noqa: DTZ001 - this is the mistake


@given(st.dates(min_value=date(1912, 7, 30)))
def test_every_living_persons_birthday_has_an_era(day):
    assert format_date("ja", day).endswith("年）")


@pytest.fixture(scope="module")
def shipped():
    return load_texts(SHIPPED)


def test_shipped_languages_are_complete(shipped):
    source = shipped.keys("ja")
    for lang in shipped.languages:
        assert shipped.keys(lang) == source, lang


def test_shipped_translations_ask_for_the_facts_of_the_japanese_text(shipped):
    for lang in shipped.languages:
        for key in shipped.keys(lang):
            assert shipped.placeholders(lang, key) <= shipped.placeholders("ja", key), key


def test_shipped_english_is_not_japanese(shipped):
    own_names = {key for key in shipped.keys("en") if key.endswith(".language.ja")}
    for key in shipped.keys("en") - own_names:
        facts = dict.fromkeys(shipped.placeholders("en", key), "x")
        letters = shipped.get("en", key, **facts)
        assert not any("\u3040" <= letter <= "\u9fff" for letter in letters), key
