"""Fresh databases for tests: the schema is built once a run, then copied for each test."""

from pathlib import Path

from sqlalchemy import create_engine

from idp.db.engine import configure_engine, engine_options
from idp.model.tables import METADATA


def build_schema(url: str) -> None:
    """Make every table in an empty database."""
    engine = create_engine(url, **engine_options(url, pool_size=1))
    configure_engine(engine)
    METADATA.create_all(engine)
    engine.dispose()


def build_sqlite_template(folder: Path) -> Path:
    """Make the file that every SQLite test copies."""
    path = folder / "template.sqlite3"
    build_schema(f"sqlite:///{path}")
    return path
