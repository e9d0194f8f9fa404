"""Terms and privacy policy: publish a version, read the current or an old one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.base.ids import new_id
from idp.domain.upkeep.audit import Act, Actor, record
from idp.model.documents import DocumentKind, DocumentText, DocumentVersion, LegalDocument

#: The language that prevails and that every version must have.
SOURCE_LANGUAGE = "ja"
#: The documents by the word in their address, in the order they are shown.
KINDS = {"terms": DocumentKind.TERMS, "privacy": DocumentKind.PRIVACY}
_TITLE = "# "
_HEADING = "## "


@dataclass(frozen=True)
class NewText:
    """The text of a version in one language: a title line `# …`, headings `## …`, paragraphs."""

    language: str
    text: str
    #: What changed against the version before, or the main points; for people.
    summary: str | None = None


@dataclass(frozen=True)
class NewVersion:
    """A version to publish."""

    kind: DocumentKind
    texts: tuple[NewText, ...]
    #: A material change asks everyone again; a minor one (a typing error) does not (A28).
    is_material: bool
    effective_at: datetime


@dataclass(frozen=True)
class PublishedVersion:
    """What was published."""

    version_id: UUID
    number: int


class PublishFault(StrEnum):
    """Why a version was not published."""

    NO_JAPANESE = "document_no_japanese"
    LANGUAGE_TWICE = "document_language_twice"
    NO_TITLE = "document_no_title"
    EMPTY = "document_empty"
    UNCHANGED = "document_unchanged"


@dataclass(frozen=True)
class Paragraph:
    """One heading with its text, or a text alone."""

    heading: str | None
    text: str


@dataclass(frozen=True)
class VersionText:
    """A version as one person reads it."""

    version_id: UUID
    kind: DocumentKind
    number: int
    is_material: bool
    effective_at: datetime
    language: str
    title: str
    summary: str | None
    paragraphs: tuple[Paragraph, ...]
    sha256: bytes


def publish(
    db: Session, municipality_id: UUID, version: NewVersion, *, actor: Actor, now: datetime
) -> PublishedVersion | PublishFault:
    """Publish a version: from then on it is never changed (the first one is always material).

    Two publications at once get two numbers or one fails on the unique number.
    """
    fault = _find_fault(version.texts)
    if fault is not None:
        return fault
    document = _require_document(db, municipality_id, version.kind, now=now)
    newest = db.scalar(
        select(func.max(DocumentVersion.number)).where(DocumentVersion.document_id == document.id)
    )
    if newest is not None and _is_unchanged(db, document.id, newest, version.texts):
        return PublishFault.UNCHANGED
    row = DocumentVersion(
        id=new_id(now=now),
        document_id=document.id,
        number=(newest or 0) + 1,
        is_material=version.is_material or newest is None,
        effective_at=version.effective_at,
        published_at=now,
        published_by=actor.account_id,
    )
    db.add(row)
    db.flush()  # the texts refer to the version
    db.add_all(_build_text(row.id, text, now=now) for text in version.texts)
    detail = {"kind": version.kind.value, "number": row.number, "is_material": row.is_material}
    act = Act("documents.published", municipality_id=municipality_id, detail=detail)
    record(db, act, actor=actor, now=now)
    return PublishedVersion(version_id=row.id, number=row.number)


def current_texts(
    db: Session, municipality_id: UUID, language: str, *, now: datetime
) -> tuple[VersionText, ...]:
    """Return the version in force of each document, terms first, in the language or Japanese."""
    found = (
        find_text(db, municipality_id, kind, language, number=None, now=now)
        for kind in (DocumentKind.TERMS, DocumentKind.PRIVACY)
    )
    return tuple(text for text in found if text is not None)


def find_text(
    db: Session,
    municipality_id: UUID,
    kind: DocumentKind,
    language: str,
    *,
    number: int | None,
    now: datetime,
) -> VersionText | None:
    """Return one published version in force or earlier; without a number the one in force."""
    query = (
        select(DocumentVersion)
        .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
        .where(
            LegalDocument.municipality_id == municipality_id,
            LegalDocument.kind == kind,
            DocumentVersion.effective_at <= now,
        )
        .order_by(DocumentVersion.number.desc())
        .limit(1)
    )
    if number is not None:
        query = query.where(DocumentVersion.number == number)
    version = db.scalar(query)
    return None if version is None else read_text(db, version, kind, language)


def list_versions(
    db: Session, municipality_id: UUID, kind: DocumentKind, *, now: datetime
) -> tuple[tuple[int, datetime], ...]:
    """Return number and first day of every version in force or earlier, newest first (A29)."""
    rows = db.execute(
        select(DocumentVersion.number, DocumentVersion.effective_at)
        .join(LegalDocument, LegalDocument.id == DocumentVersion.document_id)
        .where(
            LegalDocument.municipality_id == municipality_id,
            LegalDocument.kind == kind,
            DocumentVersion.effective_at <= now,
        )
        .order_by(DocumentVersion.number.desc())
    )
    return tuple((number, effective_at) for number, effective_at in rows)


def read_text(
    db: Session, version: DocumentVersion, kind: DocumentKind, language: str
) -> VersionText:
    """Return a version in the language, or in Japanese where it has not been translated."""
    texts = {
        text.language: text
        for text in db.scalars(select(DocumentText).where(DocumentText.version_id == version.id))
    }
    text = texts.get(language) or texts[SOURCE_LANGUAGE]
    return VersionText(
        version_id=version.id,
        kind=kind,
        number=version.number,
        is_material=version.is_material,
        effective_at=version.effective_at,
        language=text.language,
        title=text.title,
        summary=text.summary,
        paragraphs=parse_paragraphs(text.body),
        sha256=text.sha256,
    )


def parse_paragraphs(body: str) -> tuple[Paragraph, ...]:
    """Split a body at blank lines; a line `## …` heads the paragraph after it."""
    paragraphs: list[Paragraph] = []
    heading: str | None = None
    for block in body.split("\n\n"):
        text = block.strip()
        if text.startswith(_HEADING):
            if heading is not None:
                paragraphs.append(Paragraph(heading, ""))
            first, _, text = text.partition("\n")
            heading = first.removeprefix(_HEADING).strip()
            text = text.strip()
        if text:
            paragraphs.append(Paragraph(heading, text))
            heading = None
    if heading is not None:
        paragraphs.append(Paragraph(heading, ""))
    return tuple(paragraphs)


def _find_fault(texts: Sequence[NewText]) -> PublishFault | None:
    languages = [text.language for text in texts]
    if SOURCE_LANGUAGE not in languages:
        return PublishFault.NO_JAPANESE
    if len(set(languages)) < len(languages):
        return PublishFault.LANGUAGE_TWICE
    for text in texts:
        title, body = _split_title(text.text)
        if not title:
            return PublishFault.NO_TITLE
        if not body:
            return PublishFault.EMPTY
    return None


def _split_title(text: str) -> tuple[str, str]:
    first, _, body = text.replace("\r\n", "\n").strip().partition("\n")
    if not first.startswith(_TITLE):
        return "", body.strip()
    return first.removeprefix(_TITLE).strip(), body.strip()


def _build_text(version_id: UUID, text: NewText, *, now: datetime) -> DocumentText:
    title, body = _split_title(text.text)
    return DocumentText(
        id=new_id(now=now),
        version_id=version_id,
        language=text.language,
        title=title,
        body=body,
        summary=text.summary,
        sha256=digest_of(title, body),
    )


def digest_of(title: str, body: str) -> bytes:
    """Return the SHA-256 of what is shown: the title, a line break, the body."""
    return hashlib.sha256(f"{title}\n{body}".encode()).digest()


def _require_document(
    db: Session, municipality_id: UUID, kind: DocumentKind, *, now: datetime
) -> LegalDocument:
    known = db.scalar(
        select(LegalDocument)
        .where(LegalDocument.municipality_id == municipality_id, LegalDocument.kind == kind)
        .with_for_update()
    )
    if known is not None:
        return known
    document = LegalDocument(
        id=new_id(now=now), municipality_id=municipality_id, kind=kind, created_at=now
    )
    db.add(document)
    db.flush()  # the version refers to the document
    return document


def _is_unchanged(db: Session, document_id: UUID, number: int, texts: Sequence[NewText]) -> bool:
    rows = db.execute(
        select(DocumentText.language, DocumentText.sha256)
        .join(DocumentVersion, DocumentVersion.id == DocumentText.version_id)
        .where(DocumentVersion.document_id == document_id, DocumentVersion.number == number)
    )
    known = {row.language: row.sha256 for row in rows}
    return known == {text.language: digest_of(*_split_title(text.text)) for text in texts}
