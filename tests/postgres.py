"""A private PostgreSQL cluster for one test run, started by the first test that needs it."""

import fcntl
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

SUPERUSER = "kosodate"
DURABILITY_IS_NOT_TESTED_HERE = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
    " -c shared_buffers=64MB -c autovacuum=off -c listen_addresses= -c log_min_messages=fatal"
)
#: Stops the cluster when the test run is gone, however it went.
WATCHER = """
{
    while kill -0 "$1"; do sleep 1; done
    kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")"
    rm -rf "$2"
} >/dev/null 2>&1 </dev/null &
"""


class PostgresCluster:
    """A cluster in one folder, reached by the socket in that folder.

    Every worker of a run makes its own object for the same folder; a lock file lets one of them
    start the server. `run_pid` is the process whose end ends the cluster.
    """

    def __init__(self, folder: Path, *, run_pid: int) -> None:
        self.folder = folder
        self.run_pid = run_pid

    @classmethod
    def at(cls, environ: Mapping[str, str]) -> "PostgresCluster":
        """Return the cluster of this run, whose folder and process the first process named."""
        folder = Path(environ["KOSODATE_TEST_CLUSTER"])
        return cls(folder, run_pid=int(environ["KOSODATE_TEST_PID"]))

    def start(self) -> None:
        """Start the server unless another worker has."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.folder / "ready").exists():
                self._start_server()
                (self.folder / "ready").touch()

    def stop(self) -> None:
        """Stop the server if it was started, and remove the folder."""
        if (self.folder / "data").exists():
            self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self) -> str:
        """Make an empty database; return its name."""
        name = f"t_{uuid4().hex}"
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.folder}"

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.folder), user=SUPERUSER, dbname=database, autocommit=True
        )

    def _start_server(self) -> None:
        who = unprivileged_user()
        if who:
            os.chown(self.folder, who["user"], who["group"])
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", SUPERUSER, "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"{DURABILITY_IS_NOT_TESTED_HERE} -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", data, "-w", "-o", options, "-l", self.folder / "log", "start")
        subprocess.run(
            ["sh", "-c", WATCHER, "watcher", str(self.run_pid), str(self.folder)],
            start_new_session=True,
            check=True,
        )

    def _run(self, program: str, *arguments: object) -> None:
        # The server inherits these streams and outlives the call: a pipe would never close.
        with (self.folder / "commands.log").open("a+") as log:
            result = subprocess.run(
                [str(find_binaries() / program), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                check=False,
                **unprivileged_user(),
                extra_groups=[] if unprivileged_user() else None,
            )
            log.seek(0)
            assert result.returncode == 0, f"{program} failed:\n{log.read()}"


def delete_all_rows(connection: psycopg.Connection) -> None:
    """Empty every table of a database nobody uses any more: a millisecond, where a clone takes 300.

    Foreign keys sleep meanwhile, so the order does not matter. Connections a test forgot are ended.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    tables = connection.execute(
        "SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchall()
    deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in tables]
    connection.execute("SET session_replication_role = replica")
    connection.execute(sql.SQL(";").join(deletes))


def name_cluster_folder() -> Path:
    """Choose a folder with a short path: sockets allow 107 characters."""
    return Path("/tmp") / f"kosodate-pg-{os.getpid()}-{uuid4().hex[:6]}"  # noqa: S108


def unprivileged_user() -> dict[str, int]:
    """Return whom to run the server as: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid}


def find_binaries() -> Path:
    """Find the newest PostgreSQL on this machine."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    assert found, "PostgreSQL is missing: `make test` installs it, or says what to install"
    return found[-1].parent
