"""Statements that run many times: written once for a dialect, then given to the driver as they are.

SQLAlchemy looks a statement up, binds it and describes its rows anew at every execution, which
costs more than most of our queries (docs/performance.md). What it worked out at the first time
is kept here: the text, the order of the parameters, the converters of both directions.
A statement is written down when it is run for the second time, so those that are built for one
call never are. What is beyond a plain SELECT, INSERT or UPDATE with fixed parameters (lists in IN,
defaults of Python) stays with SQLAlchemy, and everything does while somebody listens to it.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Connection, Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
Taken = TypeVar("Taken")


class Prepared:
    """A statement as one dialect writes it, for one set of parameters."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.text = str(compiled)
        self._dialect = compiled.dialect
        places = compiled.positiontup if compiled.positional else compiled.bind_names.values()
        self._names = tuple(dict.fromkeys(places or ()))
        self._wanted = [_find_parameter(name, compiled) for name in self._names]
        # A moment may stand in six places of a text: it is converted once.
        self._order = [self._names.index(name) for name in places or ()]
        self._is_positional = compiled.positional
        statement: Any = compiled.statement
        self._columns = [(column.key, column.type) for column in statement.exported_columns]
        self._make_row = _row_maker([key for key, _ in self._columns])
        self._converters: list[tuple[int, Any]] | None = None

    def bind(self, values: Values) -> Any:  # noqa: ANN401 - a tuple or a dict, as the driver has it
        """Return the parameters in the driver's form.

        Raises:
            KeyError: a value is missing.
        """
        taken = [
            (values[key] if convert is None else convert(values[key]))
            if constant is _REQUIRED or key in values
            else constant
            for key, convert, constant in self._wanted
        ]
        if self._is_positional:
            return tuple([taken[place] for place in self._order])
        return dict(zip(self._names, taken, strict=True))

    def read(self, cursor: Any, data: Sequence[Sequence[Any]]) -> list[Any]:  # noqa: ANN401
        """Return what a cursor fetched as rows with names, every value converted."""
        converters = self._converters
        if converters is None:
            converters = self._converters = self._find_converters(cursor)
        make = self._make_row
        if not converters:
            return [make(each) for each in data]
        rows = []
        for each in data:
            values = list(each)
            for place, convert in converters:
                values[place] = convert(values[place])
            rows.append(make(values))
        return rows

    def _find_converters(self, cursor: Any) -> list[tuple[int, Any]]:  # noqa: ANN401
        """Work out what has to be converted: some depends on the type that the driver found."""
        found = [
            kind.dialect_impl(self._dialect).result_processor(self._dialect, described[1])
            for (_, kind), described in zip(self._columns, cursor.description, strict=True)
        ]
        return [(place, convert) for place, convert in enumerate(found) if convert is not None]


def _row_maker(names: Sequence[str]) -> Any:  # noqa: ANN401
    """Return what makes a tuple with names: a row of SQLAlchemy looks for each one twice."""
    make: Any = namedtuple  # noqa: PYI024 - the names are those of a query, known only now
    return make("FoundRow", names, rename=True)._make


#: Stands for "the caller gives it" where a constant of the statement would stand.
_REQUIRED = object()


def _find_parameter(name: str, compiled: SQLCompiler) -> tuple[str, Any, Any]:
    """Return how the caller names a value, its converter, and the statement's own value."""
    bound: BindParameter[Any] = compiled.binds[name]
    convert = bound.type.dialect_impl(compiled.dialect).bind_processor(compiled.dialect)
    if bound.required:
        return bound.key, convert, _REQUIRED
    return bound.key, convert, bound.value if convert is None else convert(bound.value)


#: None: this one is for SQLAlchemy. By the names of its parameters, which an INSERT depends on.
_Written = dict[tuple[str, ...], Prepared | None]


class Statements:
    """What one dialect has been asked to run; kept as long as the statements themselves."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, _Written] = WeakKeyDictionary()

    def find(self, statement: Executable, values: Values) -> Prepared | None:
        """Return the statement in its written form, or None if SQLAlchemy has to run it."""
        written = self._known.get(statement)
        if written is None:
            self._known[statement] = {}
            return None
        names = tuple(values)
        if names not in written:
            written[names] = _prepare(statement, names, self._dialect)
        return written[names]


_OF_DIALECT: WeakKeyDictionary[Dialect, Statements] = WeakKeyDictionary()


def statements_of(dialect: Dialect) -> Statements:
    """Return the statements that this dialect has written."""
    found = _OF_DIALECT.get(dialect)
    if found is None:
        found = _OF_DIALECT.setdefault(dialect, Statements(dialect))
    return found


def _prepare(statement: Any, names: Sequence[str], dialect: Dialect) -> Prepared | None:  # noqa: ANN401
    compiled = statement.compile(dialect=dialect, column_keys=sorted(names))
    return Prepared(compiled) if _is_plain(compiled) else None


def _is_plain(compiled: Any) -> bool:  # noqa: ANN401
    """Tell whether text, parameters and columns are the same at every execution."""
    if not isinstance(compiled, SQLCompiler) or not hasattr(compiled.statement, "exported_columns"):
        return False
    parameters = compiled.binds.values()
    return not (
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.implicit_returning
        or any(each.expanding or each.callable is not None for each in parameters)
    )


def run(
    connection: Connection, prepared: Prepared, values: Values, take: Callable[[Any], Taken]
) -> tuple[Any, Taken]:
    """Give a statement to the driver; return its cursor, which the caller closes, and what it had.

    Raises:
        sqlalchemy.exc.DBAPIError: as from SQLAlchemy itself, for an error between two rows too.
    """
    if not connection.in_transaction():
        connection.begin()
    parameters = prepared.bind(values)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(prepared.text, parameters)
        return cursor, take(cursor)
    except BaseException as error:  # noqa: BLE001 - it always raises
        # SQLAlchemy's own words for it, and its care of a connection that is gone.
        connection._handle_dbapi_exception(  # noqa: SLF001
            error, prepared.text, parameters, cursor, None
        )


def is_watched(connection: Connection) -> bool:
    """Tell whether somebody listens to the statements of this connection: then they go there."""
    return bool(connection._has_events or connection.engine._has_events)  # noqa: SLF001
