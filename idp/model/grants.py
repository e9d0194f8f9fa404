"""What clients were granted: codes, token families, consents, and the keys that sign."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class KeyState(enum.StrEnum):
    """Published (not used yet), active (signs), retired (still verifies), removed."""

    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRED = "retired"
    REMOVED = "removed"


class TokenFamily(Base):
    """One authorization: everything issued from one code. Gone 30 days after its end.

    `facts` keeps what later tokens repeat: nonce, claims request, resource, dpop_jkt.
    """

    __tablename__ = "token_family"
    __table_args__ = (Index("ix_token_family_account", "account_id", "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    session_id: Mapped[UUID | None] = mapped_column(index=True)
    household_id: Mapped[UUID | None]
    scope: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    acr: Mapped[str]
    amr: Mapped[list[str]]
    authenticated_at: Mapped[datetime]
    #: offline_access was consented: survives the session.
    is_offline: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None]


class AuthorizationCode(Base):
    """A code and what it stands for. Kept a day after `expires_at`, so that reuse is seen."""

    __tablename__ = "authorization_code"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code_digest: Mapped[bytes] = mapped_column(unique=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_family.id", ondelete="CASCADE"))
    client_id: Mapped[str]
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str | None]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    redeemed_at: Mapped[datetime | None]


class PushedRequest(Base):
    """An authorization request that a client pushed (RFC 9126). Gone a day after `expires_at`.

    It may be visited again until its walk has been answered, by one conditional UPDATE on
    `completed_at`.
    """

    __tablename__ = "pushed_request"

    uri_digest: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    #: The parameters, checked when they came: `pairs` of name and value.
    params: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    completed_at: Mapped[datetime | None]


class DeviceAuthorization(Base):
    """A device that waits for a person to let it in (RFC 8628). Gone a day after `expires_at`.

    The person types the user code; what she lets it have is the family. Decided and redeemed
    by one conditional UPDATE each.
    """

    __tablename__ = "device_authorization"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    device_code_digest: Mapped[bytes] = mapped_column(unique=True)
    #: HMAC: the code is short, since people type it.
    user_code_digest: Mapped[bytes] = mapped_column(unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    scope: Mapped[str]
    family_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("token_family.id", ondelete="CASCADE")
    )
    #: Grows by 5 with every poll that comes too early.
    interval_seconds: Mapped[int]
    next_poll_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RefreshToken(Base):
    """A refresh token of a family. Used ones stay until the family goes: reuse is seen."""

    __tablename__ = "refresh_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    family_id: Mapped[UUID] = mapped_column(
        ForeignKey("token_family.id", ondelete="CASCADE"), index=True
    )
    #: The key that a public client must prove to hold at every use (RFC 9449 §5).
    key_thumbprint: Mapped[str | None]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]


class DeniedToken(Base):
    """An access token that was revoked before its end, by `jti`. Gone after `expires_at`."""

    __tablename__ = "denied_token"

    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Consent(Base):
    """That a person lets a client have scopes. Revoked rows stay three years."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_account_client", "account_id", "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    scope: Mapped[str]
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ClientSession(Base):
    """That a client took part in a browser session: it is told at logout. 90 days."""

    __tablename__ = "client_session"
    __table_args__ = (UniqueConstraint("session_id", "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("browser_session.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    first_used_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class ReplayMark(Base):
    """A value that may be seen once (assertion or proof `jti`). Gone after `expires_at`."""

    __tablename__ = "replay_mark"

    key_digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SigningKey(Base):
    """A key that signs our tokens; the private half is sealed."""

    __tablename__ = "signing_key"
    #: One active and one waiting key for an algorithm: of two processes that make one, one wins.
    __table_args__ = (
        Index(
            "uq_signing_key_published",
            "alg",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
        Index(
            "uq_signing_key_active",
            "alg",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    kid: Mapped[str] = mapped_column(primary_key=True)
    alg: Mapped[str]
    state: Mapped[KeyState] = mapped_column(index=True)
    public_jwk: Mapped[dict[str, Any]]
    sealed_private: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
