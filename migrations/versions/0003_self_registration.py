"""Clients that register themselves, and logos that we serve.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: JSON that PostgreSQL stores parsed.
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "initial_access_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("municipality_id", sa.Uuid(), nullable=True),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("is_legacy", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account.id"], name=op.f("fk_initial_access_token_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"],
            ["municipality.id"],
            name=op.f("fk_initial_access_token_municipality_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initial_access_token")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_initial_access_token_token_digest")),
    )
    op.create_table(
        "logo",
        sa.Column("content_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("content_digest", name=op.f("pk_logo")),
    )
    # Added one by one: a table that is rebuilt on SQLite would take with it what refers to it.
    op.add_column(
        "client", sa.Column("registration_digest", sa.LargeBinary(length=32), nullable=True)
    )
    op.add_column("client", sa.Column("initial_access_token_id", sa.Uuid(), nullable=True))
    op.add_column("client", sa.Column("logo_digest", sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("client", "logo_digest")
    op.drop_column("client", "initial_access_token_id")
    op.drop_column("client", "registration_digest")
    op.drop_table("logo")
    op.drop_table("initial_access_token")
