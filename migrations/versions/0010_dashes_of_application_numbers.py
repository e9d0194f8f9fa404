"""Application numbers are compared without dashes; two numbers may share a key, as before.

Revision ID: 0010
Revises: 0009
"""

import re
import unicodedata

import jaconv
import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DASHES = "\u002d\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u30fc\uff0d\uff70"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_household = sa.table(
    "household",
    sa.column("id", sa.Uuid()),
    sa.column("application_number", sa.Text()),
    sa.column("application_key", sa.Text()),
)


def upgrade() -> None:
    key = _household.c.application_key
    shorter = key
    for dash in _DASHES:
        shorter = sa.func.replace(shorter, dash, "")
    # Nobody can answer with a number of nothing but dashes.
    op.execute(
        sa.update(_household)
        .where(key.is_not(None))
        .values(application_key=sa.func.nullif(shorter, ""))
    )


def downgrade() -> None:
    # Where the dashes stood is known from the number as it was typed.
    connection = op.get_bind()
    columns = _household.c
    rows = connection.execute(
        sa.select(columns.id, columns.application_number).where(
            columns.application_number.is_not(None), columns.application_number != ""
        )
    ).all()
    for household_id, number in rows:
        connection.execute(
            sa.update(_household)
            .where(columns.id == household_id)
            .values(application_key=_key_with_dashes(number))
        )


def _key_with_dashes(number: str) -> str:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", number))
    return jaconv.hira2kata(re.sub(r"\s+", "", text)).casefold()
