"""What every table has: names of constraints, types of columns."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, MetaData, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, registry

from idp.db.types import Digest, Json, UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def _wire_values(kind: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in kind]


_TYPES: dict[Any, Any] = {
    str: Text(),
    bytes: Digest,
    UUID: Uuid(),
    datetime: UtcDateTime(),
    dict[str, Any]: Json,
    list[str]: Json,
    enum.Enum: Enum(
        enum.Enum,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=_wire_values,
    ),
}


class Base(DeclarativeBase):
    """The base of all tables.

    Each table says in its docstring how long a row lives; housekeeping keeps that promise.
    """

    # A registry of its own: Flask-SQLAlchemy copies this class, and SQLAlchemy refuses a copy
    # that has both a registry and a type_annotation_map.
    registry = registry(metadata=MetaData(naming_convention=NAMING), type_annotation_map=_TYPES)
