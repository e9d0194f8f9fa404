"""The volume is full, the log is full, the database comes from a copy: nothing false, and back."""

import os
import resource
import shutil
import sqlite3
import stat
import subprocess

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import sessionmaker

from idp.base.secret import digest
from idp.model.grants import TokenFamily
from idp.model.tables import METADATA
from idp.model.upkeep import AuditEvent
from tests.faults.conftest import made_server, made_world
from tests.postgres import find_binaries
from tests.races.test_one_winner import authorize_query, code_of, sign_in

UNLIMITED = resource.RLIM_INFINITY


def let_files_grow(server, size):
    """Bound how large a file the serving processes may write: beyond, writing fails."""
    for pid in server.workers():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


@pytest.fixture
def sqlite_server(sqlite_url, tmp_path):
    """A town on SQLite and its server."""
    with made_world(sqlite_url) as world, made_server(tmp_path, sqlite_url) as server:
        server.start()
        yield server, world


def test_ft_03_a_full_volume_stops_writing_only_and_heals_without_a_restart(sqlite_server):
    server, world = sqlite_server
    tokens = server.redeem_for_app(world.authorize(client_id="app")).json()
    code = world.authorize(client_id="app")
    families = select(func.count()).select_from(TokenFamily)
    before = world.one(families)
    let_files_grow(server, 0)
    for answer in (server.redeem_for_app(code), server.refresh_app(tokens["refresh_token"])):
        assert (answer.status, answer.json()) == (503, {"error": "temporarily_unavailable"})
    for path in ("/login", "/jwks", "/.well-known/openid-configuration", "/health/live"):
        assert server.call("GET", path).status == 200, path
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert server.call("GET", "/userinfo", headers=bearer).status == 200
    assert world.one(families) == before
    let_files_grow(server, UNLIMITED)
    assert server.redeem_for_app(code).status == 200
    assert server.refresh_app(tokens["refresh_token"]).status == 200
    assert world.one(families) == before


def test_ft_04_a_full_log_volume_stops_nothing_and_the_audit_is_elsewhere(sqlite_url, tmp_path):
    with (
        made_world(sqlite_url) as world,
        made_server(tmp_path, sqlite_url) as server,
        open("/dev/full", "w") as full,  # noqa: PTH123 - a device that takes nothing
    ):
        server.start(stdout=full, stderr=full)
        cookie, _session_id = sign_in(world)
        granted = select(func.count()).select_from(AuditEvent)
        granted = granted.where(AuditEvent.name == "authorization.granted")
        before = world.one(granted)
        for _ in range(3):
            # A refusal is written to the log; the grant after it into the database.
            refused = server.redeem("no such code")
            assert (refused.status, refused.json()["error"]) == (400, "invalid_grant")
            silent = server.call("GET", authorize_query(prompt="none"), headers={"Cookie": cookie})
            assert server.redeem(code_of(silent)).status == 200
        assert world.one(granted) == before + 3
        assert server.process.poll() is None
        # Python itself complains at the end that it could not write (120).
        assert server.end() in {0, 120}


def digests(sessions):
    """Return a digest of every table's rows."""
    with sessions() as db:
        return {
            table.name: digest(repr(sorted(repr(row) for row in db.execute(select(table)))))
            for table in METADATA.sorted_tables
        }


def assert_it_goes_on(server, promised):
    """Keys, sessions, tokens and spent codes are those of before."""
    cookie, tokens, used, keys = promised
    assert server.call("GET", "/jwks").body == keys
    assert server.redeem(used).status == 400
    assert server.refresh_app(tokens["refresh_token"]).status == 200
    silent = server.call("GET", authorize_query(prompt="none"), headers={"Cookie": cookie})
    assert server.redeem(code_of(silent)).status == 200


def make_promises(server, world):
    cookie, _session_id = sign_in(world)
    tokens = server.redeem_for_app(world.authorize(client_id="app")).json()
    used = world.authorize()
    assert server.redeem(used).status == 200
    return cookie, tokens, used, server.call("GET", "/jwks").body


def test_ft_12_a_copy_of_sqlite_made_while_it_serves_is_a_working_provider(sqlite_server, tmp_path):
    server, world = sqlite_server
    promised = make_promises(server, world)
    before = digests(world.sessions)
    copy = tmp_path / "elsewhere" / "copy.db"
    copy.parent.mkdir(mode=0o700)
    # As docs/operate.md says: umask 077, then `.backup`, which this is.
    old = os.umask(0o077)
    try:
        with (
            sqlite3.connect(world.sessions.kw["bind"].url.database) as live,
            sqlite3.connect(copy) as made,
        ):
            live.backup(made)
    finally:
        os.umask(old)
    live.close()
    made.close()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert server.end() == 0
    assert_restored(f"sqlite:///{copy}", tmp_path, before, promised, server)


def assert_restored(url, folder, before, promised, old):
    """Start a server on the copy under the old name, with the old secrets."""
    engine = create_engine(url)
    assert digests(sessionmaker(engine)) == before
    engine.dispose()
    issuer = f"http://127.0.0.1:{old.port}"
    with made_server(folder, url, port=old.port, issuer=issuer) as server:
        server.start()
        assert_it_goes_on(server, promised)


def test_ft_12_a_dump_of_postgresql_is_a_working_provider(
    postgres, postgresql_url, postgres_database, tmp_path
):
    with made_world(postgresql_url) as world, made_server(tmp_path, postgresql_url) as server:
        server.start()
        promised = make_promises(server, world)
        before = digests(world.sessions)
        dump = tmp_path / "kosodate.dump"
        run_postgres(
            postgres,
            "pg_dump",
            "--format=custom",
            "--no-owner",
            f"--file={dump}",
            postgres_database,
        )
        assert stat.S_IMODE(dump.stat().st_mode) == 0o600
        assert server.end() == 0
        name = postgres.create_database()
        run_postgres(
            postgres, "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={name}", dump
        )
        assert_restored(postgres.url(name), tmp_path, before, promised, server)


def run_postgres(cluster, program, *arguments):
    found = find_binaries() / program
    path = str(found) if found.exists() else shutil.which(program)
    subprocess.run(
        [path, "--host", str(cluster.folder), "--username", "kosodate", *map(str, arguments)],
        check=True,
        umask=0o077,
    )
