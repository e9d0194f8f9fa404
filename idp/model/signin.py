"""Signing in: interactions, one-time secrets, failure counts, sessions, devices."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class InteractionPurpose(enum.StrEnum):
    """What a walk through the sign-in pages ends in."""

    AUTHORIZE = "authorize"
    HOME = "home"
    STAFF = "staff"
    #: A device waits for the answer (RFC 8628).
    DEVICE = "device"


class SecretKind(enum.StrEnum):
    """What a one-time secret is for; one kind is never accepted as another."""

    SIGN_IN_CODE = "sign_in_code"
    RESET_LINK = "reset_link"
    RESET_CODE = "reset_code"
    SETUP_SHEET = "setup_sheet"


class SessionEnd(enum.StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    IDLE = "idle"
    EXPIRED = "expired"
    REPLACED = "replaced"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EVERYWHERE = "everywhere"
    SUSPENDED = "suspended"
    STAFF = "staff"
    #: The person no longer acts for the household the session was for.
    ACCESS_CHANGED = "access_changed"


class Interaction(Base):
    """One walk through the sign-in pages, bound to one browser. Gone a day after its end.

    The checked authorization request stands in `request`; from then on the browser only
    carries the cookie whose digest is `browser_digest`. What has been done is written here
    and read by the pure `next_step`.
    """

    __tablename__ = "interaction"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    browser_digest: Mapped[bytes] = mapped_column(index=True)
    purpose: Mapped[InteractionPurpose]
    client_id: Mapped[str | None]
    municipality_id: Mapped[UUID | None] = mapped_column(ForeignKey("municipality.id"))
    #: The checked parameters of the authorization request.
    request: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Where a sign-in without a service goes: a path of ours, checked.
    return_path: Mapped[str | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    password_verified_at: Mapped[datetime | None]
    second_step_at: Mapped[datetime | None]
    #: The session this walk made or took over.
    session_id: Mapped[UUID | None]
    shared_device: Mapped[bool] = mapped_column(default=False)
    #: The person asked to stay signed in on this device.
    keeps_session: Mapped[bool] = mapped_column(default=False, server_default=false())
    household_id: Mapped[UUID | None]
    #: Terms agreed to in this walk (asked once a sign-in).
    terms_at: Mapped[datetime | None]
    consent_at: Mapped[datetime | None]
    #: The person pressed cancel, or declined: the answer is access_denied.
    denied_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class OneTimeSecret(Base):
    """Every secret that works once: mailed codes, reset links and codes, set-up sheets.

    Claimed by one conditional UPDATE on `used_at`. Gone a week after `expires_at`.
    """

    __tablename__ = "one_time_secret"
    __table_args__ = (Index("ix_one_time_secret_owner", "account_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[SecretKind]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    #: The interaction or password reset it was made for.
    transaction_id: Mapped[UUID | None] = mapped_column(index=True)
    digest: Mapped[bytes] = mapped_column(index=True)
    #: The address it was sent to: void when the address has changed since.
    email_key: Mapped[str | None]
    failed_count: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
    superseded_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PasswordReset(Base):
    """One request to set a password, from the request page to the new password.

    A row exists for unknown addresses too (`account_id` empty), so that both look alike.
    Gone a day after `expires_at`.
    """

    __tablename__ = "password_reset"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    browser_digest: Mapped[bytes] = mapped_column(index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    #: Shown again on the next page; sealed, since it is an address.
    sealed_email: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_activation: Mapped[bool] = mapped_column(default=False)
    #: Opened with an upstream identity: no mail was read, so no address is proved.
    by_identity: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: The sign-in to return to.
    interaction_id: Mapped[UUID | None]
    #: Link or code was used in this browser.
    opened_at: Mapped[datetime | None]
    fact_checked_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class FailureCount(Base):
    """Failures in one window, by purpose and subject, across flows, devices and restarts.

    `subject` is `account:<id>`, `address:<ip prefix>`, `device:<id>`, `mailbox:<digest>`.
    Raised by one UPSERT, in a transaction of its own. Gone a week after its last
    change, wrong facts of the first activation after a year.
    """

    __tablename__ = "failure_count"
    __table_args__ = (UniqueConstraint("purpose", "subject", "window"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    subject: Mapped[str]
    #: Name of the window: lock, hour, day, quarter …
    window: Mapped[str]
    count: Mapped[int]
    window_started_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
    #: How often it was blocked in a row: pauses grow.
    block_count: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Device(Base):
    """A browser a person has signed in with before, by a cookie. Gone after a year unused."""

    __tablename__ = "device"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    label: Mapped[str]
    #: Until when it may skip the mailed code; empty = it is only known.
    trusted_until: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class BrowserSession(Base):
    """A signed-in browser. Ended rows stay 90 days for the history.

    The cookie holds a token, the row its digest; `id` is what people and tokens may see
    (`sid`). `idle_seconds` and `expires_at` are fixed at sign-in.
    """

    __tablename__ = "browser_session"
    __table_args__ = (Index("ix_browser_session_account", "account_id", "ended_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    door: Mapped[str]
    acr: Mapped[str]
    amr: Mapped[list[str]]
    authenticated_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    idle_seconds: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    shared_device: Mapped[bool] = mapped_column(default=False)
    device_id: Mapped[UUID | None]
    device_label: Mapped[str]
    #: Network prefix, for the history.
    address: Mapped[str | None]
    household_id: Mapped[UUID | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[SessionEnd | None]
