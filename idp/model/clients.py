"""Registered relying parties and their secrets."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from idp.base.ids import new_version
from idp.model.base import Base


class ClientStatus(enum.StrEnum):
    """Whether a client may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"
    #: It has taken itself away (RFC 7592 §2.3), and nobody brings it back.
    REMOVED = "removed"


class ClientOrigin(enum.StrEnum):
    """Who registered a client."""

    CONSOLE = "console"
    COMMAND_LINE = "command_line"
    #: It registered itself (RFC 7591).
    REGISTRATION = "registration"
    #: The demonstration.
    SEED = "seed"


class Client(Base):
    """A relying party. `details` holds its metadata with the names of RFC 7591.

    What the provider alone decides (first party, sector, municipality) has columns. A removed
    one goes 30 days later, when no consent refers to it any more.
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
    #: Another one after every change, never one that was before: caches compare it.
    version: Mapped[int] = mapped_column(default=new_version)
    origin: Mapped[ClientOrigin]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    #: What it registered itself with, and the SHA-256 of the token it changes itself with.
    initial_access_token_id: Mapped[UUID | None]
    registration_digest: Mapped[bytes | None]
    #: The logo people see, by its content.
    logo_digest: Mapped[bytes | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class InitialAccessToken(Base):
    """What lets a service register itself (RFC 7591 §3), and within which limits.

    Goes a year after its end, when no client is left that came with it.
    """

    __tablename__ = "initial_access_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    #: For whom it was made, in words of the administrator.
    label: Mapped[str]
    municipality_id: Mapped[UUID | None] = mapped_column(ForeignKey("municipality.id"))
    #: What its clients may ask for.
    scopes: Mapped[list[str]]
    #: Its clients may do without PKCE and name the token endpoint in their assertions.
    is_legacy: Mapped[bool]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    uses_left: Mapped[int]
    revoked_at: Mapped[datetime | None]


class Logo(Base):
    """A picture of a service, fetched once and served by us. Goes when no client shows it."""

    __tablename__ = "logo"

    content_digest: Mapped[bytes] = mapped_column(primary_key=True)
    content_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class ClientSecret(Base):
    """A secret of a client, as its SHA-256; two are valid during a rotation.

    Only where the client signs with it (client_secret_jwt) it is kept sealed besides: a
    signature cannot be checked with a digest. What is sealed goes with its end, the row with
    its client: an ended secret must be known to be refused.
    """

    __tablename__ = "client_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
