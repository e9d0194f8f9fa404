"""Terms and privacy policy: immutable versions, and who agreed to which."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class DocumentKind(enum.StrEnum):
    """The two documents a person agrees to (A25)."""

    TERMS = "terms_of_service"
    PRIVACY = "privacy_policy"


class LegalDocument(Base):
    """One document of one municipality."""

    __tablename__ = "legal_document"
    __table_args__ = (UniqueConstraint("municipality_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    municipality_id: Mapped[UUID] = mapped_column(ForeignKey("municipality.id"))
    kind: Mapped[DocumentKind]
    created_at: Mapped[datetime]


class DocumentVersion(Base):
    """A published version. Never changed, never deleted; a correction is a new version."""

    __tablename__ = "document_version"
    __table_args__ = (UniqueConstraint("document_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("legal_document.id"))
    number: Mapped[int]
    #: A material change asks everyone again; a minor one (a typing error) does not.
    is_material: Mapped[bool]
    effective_at: Mapped[datetime]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))


class DocumentText(Base):
    """The text of a version in one language, with the digest of what is shown."""

    __tablename__ = "document_text"
    __table_args__ = (UniqueConstraint("version_id", "language"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    language: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    #: What changed against the version before, for people.
    summary: Mapped[str | None]
    sha256: Mapped[bytes]


class Agreement(Base):
    """That a person agreed to the text she was shown (A25, A27). 3 years after closing."""

    __tablename__ = "document_agreement"
    __table_args__ = (Index("ix_document_agreement_account", "account_id", "version_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("document_version.id"))
    language: Mapped[str]
    sha256: Mapped[bytes]
    client_id: Mapped[str | None]
    suppress_until_changed: Mapped[bool]
    #: The sign-in in which it was given: without the tick, the next one asks again.
    session_id: Mapped[UUID | None]
    agreed_at: Mapped[datetime]
