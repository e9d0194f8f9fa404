"""The statements of `attempts`, built once for each number of counters they are about."""

import functools
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from idp.db.types import UtcDateTime
from idp.model.signin import FailureCount

_count: Any = FailureCount.__table__
_NOW: Any = bindparam("now", type_=UtcDateTime())

#: Sets what it is given.
BLOCK = update(_count).where(_count.c.id == bindparam("row"))


def _locked(condition: ColumnElement[bool]) -> Select[Any]:
    """Return the ids of rows, each locked, always in the same order.

    Two transactions that change several rows then never wait for each other.
    """
    return (
        select(_count.c.id)
        .where(condition)
        .order_by(_count.c.purpose, _count.c.subject, _count.c.window)
        .with_for_update()
    )


def _forget(condition: ColumnElement[bool]) -> Delete:
    return delete(_count).where(_count.c.id.in_(_locked(condition)))


FORGET = _forget(
    and_(
        _count.c.purpose.in_(bindparam("purposes", expanding=True)),
        _count.c.subject == bindparam("subject"),
    )
)
_PREFIX = bindparam("prefix", type_=Text())
FORGET_PREFIX = _forget(
    and_(
        _count.c.purpose == bindparam("purpose"),
        func.substr(_count.c.subject, 1, func.length(_PREFIX)) == _PREFIX,
    )
)


@functools.cache
def count_tries(dialect: str, restarts: tuple[bool, ...]) -> Any:  # noqa: ANN401
    """Return the UPSERT that raises these counts, except those that are blocked.

    A window that is over begins the count anew; so does a block that has ended, for those that
    `restarts` names. The row that comes is told by its new id, which is not kept if there is a row.
    """
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = [_new_row(number) for number in range(len(restarts))]
    # Not VALUES with several rows: SQLAlchemy would compile that anew every time.
    coming_rows = union_all(*(select(*row.values()) for row in rows))
    statement = insert(_count).from_select(list(rows[0]), coming_rows)
    coming = statement.excluded.id
    is_over = _count.c.window_started_at <= _of_row(coming, "over", len(restarts))
    is_new: ColumnElement[bool] = is_over
    if any(restarts):
        ids = [
            bindparam(f"id_{n}", type_=_count.c.id.type) for n, each in enumerate(restarts) if each
        ]
        is_new = or_(is_over, and_(_count.c.blocked_until.is_not(None), coming.in_(ids)))
    changes: dict[str, Any] = {
        "count": case((is_new, 1), else_=_count.c.count + 1),
        "window_started_at": case((is_over, _NOW), else_=_count.c.window_started_at),
        "block_count": case((is_over, 0), else_=_count.c.block_count),
        "blocked_until": None,
        "updated_at": _NOW,
    }
    return statement.on_conflict_do_update(
        index_elements=[_count.c.purpose, _count.c.subject, _count.c.window],
        set_=changes,
        where=or_(_count.c.blocked_until.is_(None), _count.c.blocked_until <= _NOW),
    ).returning(
        _count.c.id,
        _count.c.purpose,
        _count.c.subject,
        _count.c.window,
        _count.c.count.label("tries"),
        _count.c.block_count,
        _count.c.window_started_at,
    )


def _new_row(number: int) -> dict[str, Any]:
    return {
        "id": bindparam(f"id_{number}", type_=_count.c.id.type),
        "purpose": bindparam(f"purpose_{number}", type_=Text()),
        "subject": bindparam(f"subject_{number}", type_=Text()),
        "window": bindparam(f"window_{number}", type_=Text()),
        "count": literal(1),
        "window_started_at": _NOW,
        "block_count": literal(0),
        "updated_at": _NOW,
    }


def _of_row(coming: Any, name: str, number: int) -> Any:  # noqa: ANN401
    """Return the moment that belongs to the row that comes."""
    moments = [bindparam(f"{name}_{n}", type_=UtcDateTime()) for n in range(number)]
    if number == 1:
        return moments[0]
    ids = [bindparam(f"id_{n}", type_=_count.c.id.type) for n in range(number)]
    return case(*((coming == each, moment) for each, moment in zip(ids, moments, strict=True)))


@functools.cache
def find_blocks(number: int) -> Select[Any]:
    """Return the question which of so many counters are blocked."""
    return select(
        _count.c.purpose,
        _count.c.subject,
        _count.c.window,
        _count.c.blocked_until,
        _count.c.block_count,
    ).where(or_(*(_is(n) for n in range(number))), _count.c.blocked_until > _NOW)


@functools.cache
def give_back(number: int) -> Update:
    """Return the UPDATE that takes a try back from so many counters, and its block."""
    is_full = or_(*(and_(_is(n), _count.c.count >= bindparam(f"full_{n}")) for n in range(number)))
    wanted = or_(*(_is(n) for n in range(number)))
    return (
        update(_count)
        .where(_count.c.id.in_(_locked(wanted)), _count.c.count > 0)
        .values(
            count=_count.c.count - 1,
            blocked_until=None,
            block_count=case((is_full, _count.c.block_count - 1), else_=_count.c.block_count),
        )
    )


def _is(number: int) -> ColumnElement[bool]:
    return and_(
        _count.c.purpose == bindparam(f"purpose_{number}"),
        _count.c.subject == bindparam(f"subject_{number}"),
        _count.c.window == bindparam(f"window_{number}"),
    )
