"""Sow the demo's data: `python -m idp.demo.seed --data … --port-base …`. Twice is harmless."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.base.secret import from_base64url
from idp.db.engine import configure_engine, engine_options
from idp.db.session import Sessions, transaction
from idp.demo.credentials import Credentials, read_credentials, write_credentials
from idp.demo.folder import DataFolder
from idp.demo.kakuu import ADMINISTRATOR, SAKURA, SAKURABA, STAFF
from idp.demo.ports import Ports, ports_from
from idp.demo.seed.families import sow_families
from idp.demo.seed.legal import sow_documents
from idp.demo.seed.municipality import sow_municipality
from idp.demo.seed.office import sow_office
from idp.demo.seed.passwords import new_password
from idp.demo.seed.services import sow_services
from idp.demo.seed.tools import Secret, SeedError, Tools
from idp.domain.signin.lookup import find_by_login_id
from idp.domain.signin.passwords import Hasher
from idp.domain.staff.desk import Desk, Post
from idp.domain.upkeep.audit import Actor
from idp.model.people import Door
from idp.settings.keys import keyring_of
from idp.settings.load import load_settings
from idp.settings.schema import Settings


def sow(folder: DataFolder, ports: Ports, *, now: datetime) -> None:
    """Bring the database to what the demo shows, in one transaction: all of it or nothing."""
    settings = load_settings(folder.settings)
    secrets = _make_secrets(settings)
    with _opened(settings) as sessions, transaction(sessions) as db:
        issuer = settings.provider.issuer
        tools = Tools(db, keyring_of(settings), issuer, secrets, now)
        municipality_id = sow_municipality(tools)
        sow_documents(tools, municipality_id)
        sow_services(tools, folder, ports)
        office = sow_office(tools, municipality_id)
        clerk = Actor("account", find_by_login_id(db, STAFF.email, door=Door.STAFF))
        post = Post(tools.keys, f"{issuer}/password/reset")
        families = sow_families(tools, Desk(municipality_id, clerk), post)
        # Inside the transaction: without its passwords the data would be of no use.
        known = read_credentials(folder.credentials).logins
        new = (*families, *office)
        names = {login.login_id for login in new}
        kept = tuple(login for login in known if login.login_id not in names)
        write_credentials(folder.credentials, Credentials((*kept, *new)))


def _make_secrets(settings: Settings) -> Mapping[str, Secret]:
    hasher = Hasher(pepper=from_base64url(settings.secrets.password_pepper))
    secrets = {}
    for person in (SAKURA.proxy, SAKURABA.guardian, STAFF, ADMINISTRATOR):
        if person is not None:
            password = new_password()
            secrets[person.email] = Secret(password, hasher.hash(password))
    return secrets


@contextmanager
def _opened(settings: Settings) -> Iterator[Sessions]:
    url = settings.database.url
    engine = create_engine(url, **engine_options(url, pool_size=1))
    configure_engine(engine)
    try:
        yield sessionmaker(engine, expire_on_commit=False)
    finally:
        engine.dispose()


def main(arguments: list[str]) -> int:
    """Sow and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m idp.demo.seed", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data folder of the demo")
    parser.add_argument("--port-base", type=int, required=True, help="first port of the demo")
    options = parser.parse_args(arguments)
    try:
        sow(DataFolder(options.data.resolve()), ports_from(options.port_base), now=utc_now())
    except SeedError as error:
        sys.stderr.write(f"seed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
