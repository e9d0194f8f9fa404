"""How Alembic reaches the database: the address comes from the settings, never from a file here."""

from alembic import context
from sqlalchemy import JSON, create_engine, pool

from idp.db.types import UtcDateTime
from idp.model.tables import METADATA

config = context.config


def run_migrations() -> None:
    """Migrate in one transaction each; on SQLite tables are rebuilt where needed."""
    connection = config.attributes.get("connection")
    if connection is not None:
        _run(connection)
        return
    engine = create_engine(config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as opened:
        _run(opened)
    engine.dispose()


def _render(kind, item, _context):  # noqa: ANN001, ANN202
    """Write columns in terms of the database, so that a migration outlives our own types."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        return "JSON"
    return False


def _run(connection) -> None:  # noqa: ANN001
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        render_item=_render,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run_migrations()
