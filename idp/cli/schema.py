"""Whether the tables are those of this code, asked without the tool that changes them."""

from pathlib import Path

from sqlalchemy import create_engine, inspect, text

from idp.cli.failure import CommandError
from idp.db.engine import engine_options
from idp.db.errors import UNAVAILABLE

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def check_tables(url: str) -> str:
    """Return the revision of the tables.

    Raises:
        CommandError: they are of another, or the database does not answer.
    """
    wanted, present = newest_revision(), _find_revision(url)
    if present != wanted:
        raise CommandError(f"the tables are at {present}, not {wanted}: run `idp db upgrade`")
    return wanted


def newest_revision() -> str:
    """Return the number of the last migration; every file's name begins with its own."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/*.py"))


def _find_revision(url: str) -> str | None:
    engine = create_engine(url, **engine_options(url, pool_size=1))
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            query = text("SELECT version_num FROM alembic_version")
            revision: str | None = connection.execute(query).scalar()
            return revision
    except UNAVAILABLE as error:
        raise CommandError(f"the database does not answer ({type(error).__name__})") from error
    finally:
        engine.dispose()
