"""Municipalities, households, and who belongs to them."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class SecondStep(enum.StrEnum):
    """Whether every sign-in asks for the mailed code, or only where the person wants it."""

    ALWAYS = "always"
    USER_CHOICE = "user_choice"


class IssuanceMode(enum.StrEnum):
    """Who makes accounts: staff, or the guardian with a check at the counter."""

    STAFF = "staff"
    SELF = "self"


class HouseholdStatus(enum.StrEnum):
    """Whether the household still belongs to the municipality."""

    ACTIVE = "active"
    MOVED = "moved"
    CLOSED = "closed"


class MembershipRole(enum.StrEnum):
    """The representative of a household, or a proxy (代理利用者)."""

    REPRESENTATIVE = "representative"
    PROXY = "proxy"


class MembershipStatus(enum.StrEnum):
    """Where a membership stands; the period is looked at as well."""

    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class ChildStatus(enum.StrEnum):
    """Whether the child is still eligible; never a reason to close an account (A42)."""

    ACTIVE = "active"
    AGED_OUT = "aged_out"
    MOVED_OUT = "moved_out"
    WITHDRAWN = "withdrawn"


class Municipality(Base):
    """The tenant: contact block, modes and texts of one municipality. Never deleted."""

    __tablename__ = "municipality"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: 全国地方公共団体コード, six digits with the check digit.
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str]
    #: The name of the sign-in on pages and before mail subjects.
    service_name: Mapped[str]
    service_name_en: Mapped[str]
    office: Mapped[str]
    office_en: Mapped[str]
    tel: Mapped[str]
    hours: Mapped[str]
    hours_en: Mapped[str]
    second_step: Mapped[SecondStep] = mapped_column(default=SecondStep.ALWAYS)
    issuance_mode: Mapped[IssuanceMode] = mapped_column(default=IssuanceMode.STAFF)
    #: Ask one more fact at the first activation (house decision; default on).
    asks_activation_fact: Mapped[bool] = mapped_column(default=True)
    #: Ask for the address twice at the reset request (A10).
    asks_address_twice: Mapped[bool] = mapped_column(default=True)
    #: Give birthdate and status of children to services that may ask (scope children).
    shares_children: Mapped[bool] = mapped_column(default=False)
    #: Longest time a device may skip the mailed code; 0 = never offered.
    trusted_device_days: Mapped[int] = mapped_column(default=0)
    #: After how long a wrong-password lock ends (5 to 60).
    lock_minutes: Mapped[int] = mapped_column(default=30)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Household(Base):
    """A family in one municipality. Records at services hang on it, never on a person."""

    __tablename__ = "household"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    municipality_id: Mapped[UUID] = mapped_column(ForeignKey("municipality.id"), index=True)
    status: Mapped[HouseholdStatus] = mapped_column(default=HouseholdStatus.ACTIVE)
    #: 申請の受付番号 as typed; asked at the first activation by its key.
    application_number: Mapped[str | None]
    application_key: Mapped[str | None] = mapped_column(index=True)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Membership(Base):
    """One account in one household: role, status, period, and what it may do.

    `categories` maps a category code to whether it is on; empty = everything (A35).
    An ended membership stays, so that the history can name who it was.
    """

    __tablename__ = "membership"
    __table_args__ = (Index("ix_membership_account", "account_id", "status"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    role: Mapped[MembershipRole]
    status: Mapped[MembershipStatus] = mapped_column(default=MembershipStatus.ACTIVE)
    #: mother, father, grandparent, other
    relationship: Mapped[str | None]
    categories: Mapped[dict[str, Any]] = mapped_column(default=dict)
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: Copies of business mails (A36).
    receives_mail: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Child(Base):
    """A child of a household. Names as typed; at services only id, birthdate and status."""

    __tablename__ = "child"
    __table_args__ = (UniqueConstraint("household_id", "external_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    name: Mapped[str]
    name_kana: Mapped[str | None]
    search_key: Mapped[str]
    birthdate: Mapped[date] = mapped_column(Date)
    status: Mapped[ChildStatus] = mapped_column(default=ChildStatus.ACTIVE)
    external_key: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
