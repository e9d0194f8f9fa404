"""How a client came to be registered.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    origin = sa.Enum(
        "console",
        "command_line",
        "registration",
        "seed",
        name="clientorigin",
        native_enum=False,
        length=40,
    )
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", origin, nullable=True))
    # A registrant used a token, an administrator is named, and only a command has neither.
    op.execute(
        "UPDATE client SET origin = CASE "
        "WHEN initial_access_token_id IS NOT NULL THEN 'registration' "
        "WHEN created_by IS NOT NULL THEN 'console' "
        "ELSE 'command_line' END"
    )
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.alter_column("origin", existing_type=origin, nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_column("origin")
