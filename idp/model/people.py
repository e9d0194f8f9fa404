"""Accounts: one person who can sign in, and what proves it."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, false
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class Door(enum.StrEnum):
    """Through which entrance a person signs in."""

    FAMILY = "family"
    STAFF = "staff"


class AccountStatus(enum.StrEnum):
    """Where an account stands; an expired lock is no status."""

    DRAFT = "draft"
    ISSUED = "issued"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class CredentialState(enum.StrEnum):
    """Whether the person has a password of her own."""

    NONE = "none"
    SET = "set"
    RESET_REQUIRED = "reset_required"


class IntakeRoute(enum.StrEnum):
    """How the application reached the municipality (A01)."""

    ONLINE = "online"
    PAPER = "paper"
    STAFF = "staff"


class Account(Base):
    """One person who can sign in: guardian, proxy, or member of staff.

    The id is the person: never changed, never reused. The e-mail address is an attribute;
    it may be missing and two people may share a mailbox. `login_id` is unique and holds the
    canonical form of what is typed at sign-in, by default the address.
    Names are kept as typed; `search_key` is their NFKC form. A closed account keeps its row.
    """

    __tablename__ = "account"
    __table_args__ = (Index("ix_account_search", "municipality_id", "search_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    door: Mapped[Door]
    #: The municipality that issued the account; its contact block and modes apply.
    municipality_id: Mapped[UUID | None] = mapped_column(ForeignKey("municipality.id"), index=True)
    status: Mapped[AccountStatus]
    credential_state: Mapped[CredentialState] = mapped_column(default=CredentialState.NONE)
    login_id: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None]
    #: NFKC, without spaces, casefolded: what is compared (two people may share it).
    email_key: Mapped[str | None] = mapped_column(index=True)
    email_verified_at: Mapped[datetime | None]
    phone_number: Mapped[str | None]
    family_name: Mapped[str]
    given_name: Mapped[str]
    family_name_kana: Mapped[str | None]
    given_name_kana: Mapped[str | None]
    search_key: Mapped[str]
    #: Language of pages and mails (BCP 47): ja, en, ja-simple …
    locale: Mapped[str] = mapped_column(default="ja", server_default="ja")
    postal_code: Mapped[str | None]
    region: Mapped[str | None]
    locality: Mapped[str | None]
    street_address: Mapped[str | None]
    intake_route: Mapped[IntakeRoute] = mapped_column(default=IntakeRoute.STAFF)
    #: The key of the person in the application system; makes repeated issuing harmless.
    external_key: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    activated_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: Tokens and sessions from before this moment are void.
    access_valid_from: Mapped[datetime]
    #: The person asks for the code at every sign-in, where the municipality leaves it to her.
    wants_second_step: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: First activation stopped after too many wrong facts; the counter opens it again.
    activation_stopped_at: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


Index(
    "uq_account_external_key",
    Account.municipality_id,
    Account.external_key,
    unique=True,
)


class PasswordCredential(Base):
    """The password of one account: Argon2id over the NFKC form and the pepper."""

    __tablename__ = "password_credential"

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str]
    #: Version of the normalisation applied before hashing (1 = NFKC).
    normalisation: Mapped[int] = mapped_column(default=1, server_default="1")
    changed_at: Mapped[datetime]


class TotpCredential(Base):
    """An authenticator app of one account (RFC 6238); the seed is sealed."""

    __tablename__ = "totp_credential"

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True
    )
    sealed_seed: Mapped[bytes] = mapped_column(LargeBinary)
    confirmed_at: Mapped[datetime | None]
    #: The last time step used; an older or equal one is a replay.
    last_timecode: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]


class ProtectionFlag(Base):
    """A person under protection (D3): known to staff only, in no claim, page, mail or log.

    Lifting takes two members of staff. A lifted row stays three years.
    """

    __tablename__ = "protection_flag"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    reason: Mapped[str]
    set_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    set_at: Mapped[datetime]
    lift_asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    lifted_at: Mapped[datetime | None]


class ProofingEvent(Base):
    """An identity check at the counter (B10): who, how, the kind of document only. 3 years."""

    __tablename__ = "proofing_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    method: Mapped[str]
    document_kind: Mapped[str]
    at: Mapped[datetime]
