"""What a command works with: settings, keys, and transactions on the database."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from idp.base.clock import utc_now
from idp.base.keyring import Keyring
from idp.cli.failure import CommandError
from idp.db.engine import configure_engine, engine_options
from idp.db.errors import UNAVAILABLE
from idp.db.session import transaction
from idp.settings.keys import keyring_of
from idp.settings.load import load_settings
from idp.settings.schema import Settings


@dataclass(frozen=True)
class Context:
    """One command's transaction and what operations ask for beside it."""

    db: Session
    settings: Settings
    keys: Keyring
    now: datetime


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Context]:
    """Open the database of the settings in one transaction; an exception undoes everything.

    Raises:
        CommandError: the database does not answer or has no tables yet.
    """
    settings = load_settings(options.config)
    url = settings.database.url
    engine = create_engine(url, **engine_options(url, pool_size=1))
    configure_engine(engine)
    sessions = sessionmaker(engine, expire_on_commit=False)
    try:
        with transaction(sessions) as db:
            yield Context(db=db, settings=settings, keys=keyring_of(settings), now=utc_now())
    except UNAVAILABLE as error:
        raise CommandError(
            f"the database does not answer, or lacks its tables: run `idp db upgrade` "
            f"({type(error).__name__})"
        ) from error
    finally:
        engine.dispose()
