"""Identities at an upstream provider, and the requests that are under way there."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class UpstreamPurpose(enum.StrEnum):
    """Why somebody was sent to the upstream provider."""

    LINK = "link"
    RECOVER = "recover"


class LinkedIdentity(Base):
    """That a person proved herself at the upstream provider. Goes with the account.

    One identity belongs to one account, and an account has one at each provider.
    """

    __tablename__ = "linked_identity"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        UniqueConstraint("account_id", "issuer"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    issuer: Mapped[str]
    #: Its `sub`, which means this person to us alone.
    subject: Mapped[str]
    #: How it was proved: the name of the profile.
    method: Mapped[str]
    acr: Mapped[str | None]
    linked_at: Mapped[datetime]
    #: The name there was the name here; empty: the provider told none.
    proofed_at: Mapped[datetime | None]


class UpstreamRequest(Base):
    """An authentication request to the upstream provider. Gone a day after `expires_at`.

    Used up by one conditional UPDATE on `used_at`, in the browser that began it.
    """

    __tablename__ = "upstream_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    state_digest: Mapped[bytes] = mapped_column(unique=True)
    browser_digest: Mapped[bytes]
    purpose: Mapped[UpstreamPurpose]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    session_id: Mapped[UUID | None]
    #: The nonce and the code verifier: both are sent or compared later, so they are sealed.
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
