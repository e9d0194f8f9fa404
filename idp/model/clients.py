"""Registered relying parties and their secrets."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class ClientStatus(enum.StrEnum):
    """Whether a client may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Client(Base):
    """A relying party. `details` holds its metadata with the names of RFC 7591.

    What the provider alone decides (first party, sector, municipality) has columns.
    """

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(primary_key=True)
    municipality_id: Mapped[UUID | None] = mapped_column(ForeignKey("municipality.id"), index=True)
    status: Mapped[ClientStatus] = mapped_column(default=ClientStatus.ACTIVE)
    #: redirect_uris, scope, token_endpoint_auth_method, client_name, client_name#ja …
    details: Mapped[dict[str, Any]]
    #: First-party clients of the municipality count as consented.
    is_consented: Mapped[bool] = mapped_column(default=False)
    #: May ask the provider to mail a household (A33).
    may_notify: Mapped[bool] = mapped_column(default=False)
    #: Input of the pairwise subject: one sector = one municipality's clients.
    sector: Mapped[str]
    #: Raised by every change: caches compare it.
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ClientSecret(Base):
    """A secret of a client, as its SHA-256; two are valid during a rotation."""

    __tablename__ = "client_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
