"""The installation that is measured: its settings, and a town of families in its database."""

import compileall
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session, sessionmaker

import idp
from idp.base.clock import utc_now
from idp.base.ids import new_id
from idp.base.keyring import Keyring
from idp.base.secret import digest, from_base64url, new_token
from idp.db.engine import configure_engine, engine_options
from idp.db.session import Sessions, transaction
from idp.domain.documents.versions import NewText, NewVersion, publish
from idp.domain.signin.passwords import Hasher
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.clients import ClientSecret
from idp.model.documents import Agreement, DocumentKind, DocumentText, DocumentVersion
from idp.model.households import SecondStep
from idp.model.people import Account, CredentialState, PasswordCredential
from idp.model.upkeep import OutboxMessage
from idp.settings.keys import keyring_of
from idp.settings.load import load_settings
from tests import factories

CLIENT_ID = "benchmark"
CALLBACK = "https://service.example.jp/callback"
PASSWORD = "Himawari-42-batake"  # noqa: S105 - of invented people in a database that is thrown away
#: People of each kind. One gets at most five codes by mail in a quarter of an hour.
PEOPLE = 400
_SCOPE = "openid profile email household offline_access"


@dataclass(frozen=True)
class Town:
    """What the load scenarios know of the installation."""

    settings: Path
    port: int
    database_url: str
    client_secret: str

    @property
    def issuer(self) -> str:
        """Return the address of the provider."""
        return f"http://127.0.0.1:{self.port}"

    def person(self, number: int) -> str:
        """Return the login id of somebody whose password is enough."""
        return f"family{number % PEOPLE}@example.jp"

    def careful_person(self, number: int) -> str:
        """Return the login id of somebody who is asked for a mailed code."""
        return f"careful{number % PEOPLE}@example.jp"


def found_town(folder: Path, *, port: int, database_url: str, workers: int, threads: int) -> Town:
    """Write the settings, make the tables, and let the families move in."""
    # Compiled beforehand, as deploy/environment.sh does it.
    compileall.compile_dir(Path(idp.__file__).parent, quiet=2)
    settings = folder / "config.toml"
    table: dict[str, dict[str, object]] = {
        "provider": {"issuer": f"http://127.0.0.1:{port}"},
        "server": {"port": port, "workers": workers, "threads": threads, "worker": False},
        "database": {"url": database_url},
        "secrets": {name: new_token() for name in ("master_key", "subject_key", "password_pepper")},
        "mail": {"from_address": "noreply@kakuu.example.jp"},
        "limits": {"per_minute": 100_000},
        "dev": {"allow_http": True},
    }
    settings.write_text(_write_toml(table))
    run_idp(settings, "db", "upgrade")
    run_idp(settings, "keys", "ensure")
    secret = new_token()
    with opened(settings, database_url) as (sessions, keys), transaction(sessions) as db:
        del keys
        _settle(db, settings, secret, now=utc_now())
    return Town(settings, port, database_url, secret)


def run_idp(settings: Path, *arguments: str) -> None:
    """Run one of the provider's own commands."""
    subprocess.run(
        (sys.executable, "-m", "idp.cli.main", "--config", str(settings), *arguments),
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def opened(settings: Path, database_url: str) -> Iterator[tuple[Sessions, Keyring]]:
    """Open the database of the installation beside its server."""
    engine: Engine = create_engine(database_url, **engine_options(database_url, pool_size=1))
    configure_engine(engine)
    try:
        yield sessionmaker(engine, expire_on_commit=False), keyring_of(load_settings(settings))
    finally:
        engine.dispose()


def read_codes(sessions: Sessions, keys: Keyring, *, since: datetime) -> dict[str, str]:
    """Return the code that was mailed last in each walk since then: mail address to code."""
    found: dict[str, str] = {}
    with sessions() as db:
        rows = db.execute(
            select(OutboxMessage.id, OutboxMessage.sealed_body, Account.login_id)
            .join(Account, Account.id == OutboxMessage.account_id)
            .where(OutboxMessage.created_at >= since, OutboxMessage.sealed_body.is_not(None))
            .order_by(OutboxMessage.created_at, OutboxMessage.id)
        )
        for message_id, sealed, login_id in rows:
            assert sealed is not None
            assert login_id is not None
            body = json.loads(keys.sealer.unseal(sealed, context=f"outbox:{message_id}"))
            if "code" in body["facts"]:
                found[login_id] = body["facts"]["code"]
    return found


def _settle(db: Session, settings: Path, secret: str, *, now: datetime) -> None:
    pepper = from_base64url(load_settings(settings).secrets.password_pepper)
    town = factories.make_municipality(db, now=now, second_step=SecondStep.USER_CHOICE)
    texts = (NewText(language="ja", text="# 利用規約\n\n架空市の約束です。", summary=None),)
    for kind in DocumentKind:
        version = NewVersion(kind=kind, texts=texts, is_material=True, effective_at=now)
        publish(db, town.id, version, actor=COMMAND_LINE, now=now)
    db.flush()  # the agreements refer to them
    agreed = db.execute(
        select(DocumentVersion.id, DocumentText.sha256).join(
            DocumentText, DocumentText.version_id == DocumentVersion.id
        )
    ).all()
    # One hash for all: what is measured is verifying it, and making 800 takes half a minute.
    stored = Hasher(pepper=pepper).hash(PASSWORD)
    for number in range(PEOPLE):
        for kind_of_person, is_careful in (("family", False), ("careful", True)):
            person = factories.make_account(
                db,
                now=now,
                municipality_id=town.id,
                email=f"{kind_of_person}{number}@example.jp",
                password=None,
                wants_second_step=is_careful,
                phone_number="+81000000000",
            )
            person.credential_state = CredentialState.SET
            db.add(PasswordCredential(account_id=person.id, hash=stored, changed_at=now))
            factories.make_household(db, now=now, municipality_id=town.id, representative=person)
            db.add_all(_agreement(person.id, *version, now=now) for version in agreed)
    _register_service(db, town.id, secret, now=now)


def _agreement(account_id: Any, version_id: Any, sha256: bytes, *, now: datetime) -> Agreement:  # noqa: ANN401
    return Agreement(
        id=new_id(now=now),
        account_id=account_id,
        version_id=version_id,
        language="ja",
        sha256=sha256,
        client_id=None,
        suppress_until_changed=True,
        session_id=None,
        agreed_at=now,
    )


def _register_service(db: Session, municipality_id: Any, secret: str, *, now: datetime) -> None:  # noqa: ANN401
    factories.make_client(
        db,
        now=now,
        client_id=CLIENT_ID,
        municipality_id=municipality_id,
        sector="municipality:990001",
        details={
            "redirect_uris": [CALLBACK],
            "scope": _SCOPE,
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        },
    )
    db.add(
        ClientSecret(id=new_id(now=now), client_id=CLIENT_ID, digest=digest(secret), created_at=now)
    )


def _write_toml(table: dict[str, dict[str, object]]) -> str:
    """Write sections of plain values; texts, numbers and truths look as they do in JSON."""
    lines = []
    for section, values in table.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"
