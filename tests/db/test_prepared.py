"""Statements that are written once say what SQLAlchemy says, value by value, error by error."""

import gc
import weakref
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    case,
    create_engine,
    event,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
    values,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, MultipleResultsFound, StatementError
from sqlalchemy.orm import sessionmaker

from idp.base.secret import digest
from idp.db.engine import configure_engine, engine_options
from idp.db.prepared import statements_of
from idp.db.rows import change, fetch_all, fetch_one
from idp.db.session import reading, transaction
from idp.db.types import Json, UtcDateTime

THINGS = Table(
    "things_of_a_test",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", String),
    Column("digest", LargeBinary),
    Column("is_open", Boolean),
    Column("details", Json),
    Column("plain", JSON),
    Column("at", UtcDateTime),
    Column("number", Integer),
)
NEW = insert(THINGS)
FIND = select(THINGS).where(THINGS.c.id == bindparam("id"))
NAMED = select(THINGS.c.number.label("count"), literal("x%s").label("fixed")).where(
    THINGS.c.name == bindparam("name")
)
RENAME = (
    update(THINGS)
    .where(THINGS.c.id == bindparam("which"), THINGS.c.name == "old")
    .values(name=bindparam("then"), number=THINGS.c.number + 1)
)
CLAIM = RENAME.returning(THINGS.c.at, THINGS.c.number)
AMONG = select(THINGS.c.number).where(THINGS.c.name.in_(bindparam("names", expanding=True)))

ID = UUID("0190f3a2-0000-7000-8000-000000000001")
ROW = {
    "id": ID,
    "name": "old",
    "digest": digest("x"),
    "is_open": True,
    "details": {"children": ["花子"], "count": 2},
    "plain": [1, None],
    "at": datetime(2026, 4, 1, 9, 30, tzinfo=UTC),
    "number": 7,
}


@pytest.fixture
def things(engine):
    THINGS.create(engine)
    yield
    THINGS.drop(engine)


@pytest.fixture
def written(engine):
    """Tell whether a statement goes to the driver as it is."""

    def ask(statement, values):
        return statements_of(engine.dialect).find(statement, values) is not None

    return ask


def twice(operation):
    """Run it by SQLAlchemy, then in its written form; return both answers."""
    return operation(), operation()


def numbered(number):
    return ROW | {"id": UUID(int=ID.int + number), "number": number}


def test_every_type_comes_back_as_from_sqlalchemy(sessions, things, written):
    with transaction(sessions) as db:
        for number in range(3):
            change(db, NEW, numbered(number))
    with reading(sessions) as db:
        theirs, ours = twice(lambda: fetch_one(db, FIND, {"id": numbered(1)["id"]}))
    assert written(NEW, ROW)
    assert written(FIND, {"id": ID})
    assert ours == theirs
    assert {name: getattr(ours, name) for name in ROW} == numbered(1)
    assert {name: type(getattr(ours, name)) for name in ROW} == {
        name: type(value) for name, value in ROW.items()
    }


def test_nothing_comes_back_as_none(sessions, things):
    bare = {"id": ID, "name": None, "details": None, "at": None, "digest": None, "is_open": None}
    with transaction(sessions) as db:
        change(db, NEW, bare)
        change(db, NEW, bare | {"id": UUID(int=1)})
        theirs, ours = twice(lambda: fetch_one(db, FIND, {"id": UUID(int=1)}))
        third = fetch_one(db, FIND, {"id": ID})
    assert ours == theirs
    assert set(third[1:]) == {None}


def test_values_of_the_statement_itself_are_bound_too(sessions, things):
    with transaction(sessions) as db:
        change(db, NEW, ROW)
        theirs, ours = twice(lambda: fetch_one(db, NAMED, {"name": "old"}))
        assert ours == theirs == (7, "x%s")
        assert (ours.count, ours.fixed) == (7, "x%s")
        moves = {"which": ID, "then": "old"}
        assert twice(lambda: change(db, RENAME, moves)) == (1, 1)
        assert change(db, RENAME, moves | {"then": "new"}) == 1
        assert change(db, RENAME, moves) == 0
        assert fetch_one(db, FIND, {"id": ID}).number == 10


def test_what_a_change_returns_is_read(sessions, things, written):
    moves = {"which": ID, "then": "old"}
    with transaction(sessions) as db:
        change(db, NEW, ROW)
        theirs, ours = twice(lambda: fetch_one(db, CLAIM, moves))
        assert (theirs.at, theirs.number) == (ROW["at"], 8)
        assert (ours.at, ours.number) == (ROW["at"], 9)
        assert fetch_one(db, CLAIM, moves | {"which": UUID(int=1)}) is None
    assert written(CLAIM, moves)


def test_a_second_row_is_a_mistake_for_both(sessions, things):
    with transaction(sessions) as db:
        for number in range(2):
            change(db, NEW, numbered(number))
        for _ in range(2):
            with pytest.raises(MultipleResultsFound):
                fetch_one(db, NAMED, {"name": "old"})
        assert [row.count for row in fetch_all(db, NAMED, {"name": "old"})] == [0, 1]


def test_an_error_of_the_database_has_sqlalchemys_name_and_no_values(sessions, things):
    with transaction(sessions) as db:
        twice(lambda: change(db, NEW, numbered(len(fetch_all(db, select(THINGS), {})))))
    for _ in range(2):
        with pytest.raises(IntegrityError) as caught, transaction(sessions) as db:
            change(db, NEW, numbered(0) | {"name": "a name of somebody"})
        assert "a name of somebody" not in str(caught.value)
    with reading(sessions) as db:
        assert len(fetch_all(db, select(THINGS), {})) == 2


def test_a_failure_in_a_savepoint_undoes_the_savepoint_alone(sessions, things):
    with transaction(sessions) as db:
        change(db, NEW, numbered(0))
        change(db, NEW, numbered(1))
        with pytest.raises(IntegrityError), db.begin_nested():
            _fill(db)
    with reading(sessions) as db:
        assert len(fetch_all(db, select(THINGS), {})) == 2


def _fill(db):
    change(db, NEW, numbered(2))
    change(db, NEW, numbered(0))


def test_a_missing_value_is_an_error_and_no_null(sessions, things):
    with transaction(sessions) as db:
        twice(lambda: fetch_one(db, NAMED, {"name": "old"}))
        for _ in range(2):
            with pytest.raises((KeyError, StatementError), match="name"):
                fetch_one(db, NAMED, {"nam": "old"})


def test_a_list_stays_with_sqlalchemy(sessions, things, written):
    with transaction(sessions) as db:
        change(db, NEW, ROW)
        answers = [fetch_all(db, AMONG, {"names": names}) for names in (["old"], [], ["a", "old"])]
    assert [len(each) for each in answers] == [1, 0, 1]
    assert not written(AMONG, {"names": []})


def test_an_insert_of_fewer_columns_is_another_text(sessions, things):
    with transaction(sessions) as db:
        for number in range(2):
            change(db, NEW, numbered(number))
        for number in range(2, 4):
            change(db, NEW, {"id": numbered(number)["id"], "name": "short"})
        rows = fetch_all(db, NAMED, {"name": "short"})
    assert [row.count for row in rows] == [None, None]


def _ask_once_built(sessions):
    statement = select(THINGS.c.name).where(THINGS.c.number == 7)
    with reading(sessions) as db:
        twice(lambda: fetch_all(db, statement, {}))
    return weakref.ref(statement)


def test_a_statement_built_for_one_call_is_not_kept(sessions, things, engine):
    gone = _ask_once_built(sessions)
    # SQLAlchemy keeps what it compiled itself for a while; that is bounded.
    engine.clear_compiled_cache()
    gc.collect()
    assert gone() is None


def test_who_listens_hears_every_statement(sessions, engine, things):
    heard = []

    def listen(_connection, _cursor, text, *_facts):
        heard.append(text)

    with reading(sessions) as db:
        twice(lambda: fetch_one(db, FIND, {"id": ID}))
    event.listen(engine, "before_cursor_execute", listen)
    with reading(sessions) as db:
        twice(lambda: fetch_one(db, FIND, {"id": ID}))
    assert len([text for text in heard if "things_of_a_test" in text]) == 2


def test_a_text_stays_with_sqlalchemy(sessions, things, written):
    question = text("SELECT number FROM things_of_a_test WHERE name = :name")
    with transaction(sessions) as db:
        change(db, NEW, ROW)
        assert twice(lambda: fetch_one(db, question, {"name": "old"}).number) == (7, 7)
    assert not written(question, {"name": "old"})


def test_an_error_between_two_rows_has_sqlalchemys_name_too(sqlite_url):
    """SQLite finds the second row when it is asked for: here it cannot compute it."""
    engine = create_engine(sqlite_url, **engine_options(sqlite_url, pool_size=1))
    configure_engine(engine)
    sessions = sessionmaker(engine)
    number = values(Column("n", Integer), name="given").data([(1,), (2,)])
    smallest = literal_column("-9223372036854775808")
    broken = select(func.abs(case((number.c.n == 2, smallest), else_=1)))
    for _ in range(2):
        with pytest.raises(DBAPIError), reading(sessions) as db:
            fetch_all(db, broken, {})
    engine.dispose()
