"""Statements that run many times: written once for a dialect, then given to the driver as they are.

SQLAlchemy looks a statement up, binds it and describes its rows anew at every execution; for a
query that takes the database 30 microseconds this costs 80 more. What it worked out at the first
time is kept here: the text, the order of the parameters, the converters of both directions.
A statement is written down when it is run for the second time, so those that are built for one
call never are. What is beyond a plain SELECT, INSERT or UPDATE with fixed parameters (lists in IN,
defaults of Python) stays with SQLAlchemy, and everything does while somebody listens to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Connection, Dialect, Executable, Row
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]


class Prepared:
    """A statement as one dialect writes it, for one set of parameters."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.text = str(compiled)
        self._dialect = compiled.dialect
        self._is_positional = compiled.positional
        names = compiled.positiontup if compiled.positional else compiled.binds
        self._parameters = [_Parameter(name, compiled) for name in names or ()]
        returned = getattr(compiled.statement, "exported_columns", ())
        self._columns = [(column.key, column.type) for column in returned]
        self._metadata: SimpleResultMetaData | None = None
        self._converters: list[Any] | None = None

    def bind(self, values: Values) -> Any:  # noqa: ANN401 - a tuple or a dict, as the driver has it
        """Return the parameters in the driver's form.

        Raises:
            KeyError: a value is missing.
        """
        if self._is_positional:
            return tuple([each.take(values) for each in self._parameters])
        return {each.name: each.take(values) for each in self._parameters}

    def read(self, cursor: Any, data: Sequence[tuple[Any, ...]]) -> list[Row[Any]]:  # noqa: ANN401
        """Return what a cursor fetched as SQLAlchemy's rows, every value converted."""
        metadata = self._metadata
        if metadata is None:
            metadata = self._describe(cursor)
        places, converters = metadata._key_to_index, self._converters  # noqa: SLF001
        return [Row(metadata, converters, places, each) for each in data]

    def _describe(self, cursor: Any) -> SimpleResultMetaData:  # noqa: ANN401
        """Work out the converters: some depend on the type that the driver found."""
        converters = [
            kind.dialect_impl(self._dialect).result_processor(self._dialect, described[1])
            for (_, kind), described in zip(self._columns, cursor.description, strict=True)
        ]
        self._converters = converters if any(converters) else None
        self._metadata = SimpleResultMetaData([key for key, _ in self._columns])
        return self._metadata


class _Parameter:
    """One place of a statement: a value of the caller, or one that stands in the statement."""

    def __init__(self, name: str, compiled: SQLCompiler) -> None:
        bound: BindParameter[Any] = compiled.binds[name]
        dialect = compiled.dialect
        self.name = name
        self._key = bound.key
        self._convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
        self._is_required = bound.required
        self._constant = None if bound.required else self._converted(bound.value)

    def _converted(self, value: Any) -> Any:  # noqa: ANN401
        return value if self._convert is None else self._convert(value)

    def take(self, values: Values) -> Any:  # noqa: ANN401
        """Return the value that goes to the driver."""
        if self._is_required or self._key in values:
            value = values[self._key]
            return value if self._convert is None else self._convert(value)
        return self._constant


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
    if not isinstance(compiled, SQLCompiler):
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


def run(connection: Connection, prepared: Prepared, values: Values) -> Any:  # noqa: ANN401
    """Give a statement to the driver; return its cursor, which the caller closes.

    Raises:
        sqlalchemy.exc.DBAPIError: as from SQLAlchemy itself.
    """
    if not connection.in_transaction():
        connection.begin()
    parameters = prepared.bind(values)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(prepared.text, parameters)
    except BaseException as error:  # noqa: BLE001 - it always raises
        # SQLAlchemy's own words for it, and its care of a connection that is gone.
        connection._handle_dbapi_exception(  # noqa: SLF001
            error, prepared.text, parameters, cursor, None
        )
    return cursor


def is_watched(connection: Connection) -> bool:
    """Tell whether somebody listens to the statements of this connection: then they go there."""
    return bool(connection._has_events or connection.engine._has_events)  # noqa: SLF001
