"""A PostgreSQL server of its own for one run: durable, as a municipality runs it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import find_binaries, unprivileged_user

_USER = "kosodate"


@dataclass(frozen=True)
class Cluster:
    """A running server: where it is reached, and its process."""

    url: str
    pid: int


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a server that listens on a socket only; stop it and forget its data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kosodate-bench-"))
    who = unprivileged_user()
    if who:
        os.chown(folder, who["user"], who["group"])
    data = folder / "data"
    try:
        _run(folder, "initdb", "-D", str(data), "-U", _USER, "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses= -c unix_socket_directories={folder}"
        _run(folder, "pg_ctl", "-D", str(data), "-w", "-o", options, "start")
        try:
            pid = int((data / "postmaster.pid").read_text().splitlines()[0])
            yield Cluster(f"postgresql+psycopg://{_USER}@/postgres?host={folder}", pid)
        finally:
            _run(folder, "pg_ctl", "-D", str(data), "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, program: str, *arguments: str) -> None:
    who = unprivileged_user()
    # The server inherits these streams and outlives the call: a pipe would never close.
    with (folder / "log").open("a") as log:
        subprocess.run(
            (str(find_binaries() / program), *arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            check=True,
            user=who.get("user"),
            group=who.get("group"),
            extra_groups=[] if who else None,
        )
