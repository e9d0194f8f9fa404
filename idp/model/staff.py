"""Roles of staff: each within a municipality, each with an end."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.model.base import Base


class Role(enum.StrEnum):
    """What a member of staff may do (D13)."""

    SYSTEM_ADMIN = "system_admin"
    MUNICIPALITY_STAFF = "municipality_staff"
    ISSUE_ONLY = "issue_only"
    READ_ONLY = "read_only"
    AUDITOR = "auditor"


class StaffRole(Base):
    """One role of one person; without a municipality it holds for all (administrators)."""

    __tablename__ = "staff_role"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    municipality_id: Mapped[UUID | None] = mapped_column(ForeignKey("municipality.id"))
    role: Mapped[Role]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
