"""Terms and privacy policy: what may be published, and what is read when."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.domain.documents.versions import (
    NewText,
    NewVersion,
    Paragraph,
    PublishedVersion,
    PublishFault,
    current_texts,
    digest_of,
    find_text,
    list_versions,
    parse_paragraphs,
    publish,
)
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.documents import DocumentKind
from idp.model.upkeep import AuditEvent
from tests.factories import make_municipality

JAPANESE = "# 利用規約\n\n## 第1条\nだれでも使えます。\n\nくわしくは窓口へ。"
ENGLISH = "# Terms of use\n\n## Article 1\nEveryone may use it."


def put(db, town, *texts, now, kind=DocumentKind.TERMS, is_material=True, effective_at=None):
    wanted = NewVersion(
        kind=kind,
        texts=texts or (NewText("ja", JAPANESE), NewText("en", ENGLISH)),
        is_material=is_material,
        effective_at=effective_at or now,
    )
    return publish(db, town.id, wanted, actor=COMMAND_LINE, now=now)


def read(db, town, *, now, language="ja", number=None, kind=DocumentKind.TERMS):
    return find_text(db, town.id, kind, language, number=number, now=now)


def test_a25_a_published_version_is_read_in_each_of_its_languages(db, town, now):
    published = put(db, town, now=now)
    assert (published.number, read(db, town, now=now).title) == (1, "利用規約")
    text = read(db, town, now=now, language="en")
    assert (text.language, text.title) == ("en", "Terms of use")
    assert text.paragraphs == (Paragraph("Article 1", "Everyone may use it."),)


def test_a25_a_language_without_a_translation_reads_japanese(db, town, now):
    put(db, town, NewText("ja", JAPANESE), now=now)
    assert read(db, town, now=now, language="en").language == "ja"


def test_a28_the_digest_is_that_of_what_is_shown(db, town, now):
    put(db, town, NewText("ja", "# 表題\r\n\r\n本文\r\n"), now=now)
    assert read(db, town, now=now).sha256 == digest_of("表題", "本文")


def test_a29_old_versions_stay_readable_by_number(db, town, now):
    put(db, town, now=now)
    later = now + timedelta(days=30)
    put(db, town, NewText("ja", "# 利用規約\n\n新しい文"), now=later)
    assert read(db, town, now=later).number == 2
    assert read(db, town, now=later, number=1).paragraphs[0].heading == "第1条"
    assert list_versions(db, town.id, DocumentKind.TERMS, now=later) == ((2, later), (1, now))
    assert read(db, town, now=later, number=3) is None


def test_a28_a_version_holds_from_its_first_moment_and_not_before(db, town, now):
    put(db, town, now=now)
    begins = now + timedelta(days=7)
    put(db, town, NewText("ja", "# 利用規約\n\n新しい文"), now=now, effective_at=begins)
    assert read(db, town, now=begins - timedelta(microseconds=1)).number == 1
    assert read(db, town, now=begins).number == 2
    assert read(db, town, now=now, number=2) is None


def test_a28_the_first_version_is_always_material(db, town, now):
    put(db, town, now=now, is_material=False)
    assert read(db, town, now=now).is_material
    put(db, town, NewText("ja", "# 利用規約\n\n字を直した文"), now=now, is_material=False)
    assert not read(db, town, now=now).is_material


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        ((NewText("en", ENGLISH),), PublishFault.NO_JAPANESE),
        ((NewText("ja", JAPANESE), NewText("ja", JAPANESE)), PublishFault.LANGUAGE_TWICE),
        ((NewText("ja", "題のない文"),), PublishFault.NO_TITLE),
        ((NewText("ja", "# 題だけ"),), PublishFault.EMPTY),
        ((NewText("ja", JAPANESE), NewText("en", "# Only a title\n\n")), PublishFault.EMPTY),
    ],
)
def test_a25_what_cannot_be_read_is_not_published(db, town, now, texts, fault):
    assert put(db, town, *texts, now=now) is fault
    assert current_texts(db, town.id, "ja", now=now) == ()


def test_a28_the_same_text_again_is_no_new_version(db, town, now):
    put(db, town, now=now)
    assert put(db, town, now=now) is PublishFault.UNCHANGED
    assert isinstance(put(db, town, NewText("ja", JAPANESE), now=now), PublishedVersion)


def test_a25_current_texts_are_terms_and_then_privacy(db, town, now):
    put(
        db,
        town,
        NewText("ja", "# プライバシーポリシー\n\n本文"),
        now=now,
        kind=DocumentKind.PRIVACY,
    )
    put(db, town, now=now)
    kinds = [text.kind for text in current_texts(db, town.id, "ja", now=now)]
    assert kinds == [DocumentKind.TERMS, DocumentKind.PRIVACY]


def test_a25_documents_belong_to_one_municipality(db, town, now):
    put(db, town, now=now)
    other = make_municipality(db, now=now)
    assert current_texts(db, other.id, "ja", now=now) == ()


def test_a28_publishing_leaves_a_trace(db, town, now):
    put(db, town, now=now)
    event = db.scalars(select(AuditEvent).where(AuditEvent.name == "documents.published")).one()
    assert event.detail == {"kind": "terms_of_service", "number": 1, "is_material": True}
    assert event.municipality_id == town.id


@pytest.mark.parametrize(
    ("body", "paragraphs"),
    [
        ("", ()),
        ("一行", (Paragraph(None, "一行"),)),
        ("## 題\n文", (Paragraph("題", "文"),)),
        ("## 題\n\n文", (Paragraph("題", "文"),)),
        ("## 一\n\n## 二\n\n文", (Paragraph("一", ""), Paragraph("二", "文"))),
        ("文\n\n\n\n## 終わり", (Paragraph(None, "文"), Paragraph("終わり", ""))),
    ],
)
def test_a25_a_body_is_read_as_headings_and_paragraphs(body, paragraphs):
    assert parse_paragraphs(body) == paragraphs
