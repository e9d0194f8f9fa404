"""The data folder of the demo: what lies where, who holds it, and how it is emptied."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from idp.demo.failure import DemoFailure
from idp.demo.private import write_private

#: Only a folder with this file in it is used or emptied.
_MARKER = ".kosodate-demo"
_LOCK = "lock"


@dataclass(frozen=True)
class DataFolder:
    """The paths in one data folder."""

    root: Path

    @property
    def logs(self) -> Path:
        """What every part writes, one file each."""
        return self.root / "logs"

    @property
    def settings(self) -> Path:
        """The provider's settings, with its secrets."""
        return self.root / "provider.toml"

    @property
    def database(self) -> Path:
        """The provider's database."""
        return self.root / "provider.sqlite3"

    @property
    def credentials(self) -> Path:
        """Who can sign in, and with what."""
        return self.root / "credentials.json"

    @property
    def mails(self) -> Path:
        """What the mailbox received."""
        return self.root / "mails.jsonl"

    @property
    def state(self) -> Path:
        """What has been prepared here."""
        return self.root / "state.json"


@dataclass(frozen=True)
class Prepared:
    """What an earlier start has finished in this folder."""

    port_base: int
    migrations: tuple[str, ...]
    #: Bookable hours are entered for some months ahead, so once a month there are new ones.
    month: str


def open_folder(root: Path) -> DataFolder:
    """Make the folder unless it is there; Git never sees what is in it.

    Raises:
        DemoFailure: it holds something that is not the demo's.
    """
    folder = DataFolder(root.resolve())
    try:
        folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _claim(folder)
        folder.logs.mkdir(exist_ok=True)
    except OSError as error:
        raise DemoFailure(
            f"The data folder {folder.root} cannot be used: {error.strerror}. "
            "Name another one with --data."
        ) from error
    return folder


@contextmanager
def hold_folder(folder: DataFolder) -> Iterator[None]:
    """Keep a second demo out of the folder for as long as the block runs.

    Raises:
        DemoFailure: another demo holds it.
    """
    with (folder.root / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoFailure(
                f"A demo with the data folder {folder.root} is running already. "
                "Stop it with Ctrl-C, or name another folder with --data."
            ) from error
        yield


def empty_folder(folder: DataFolder) -> None:
    """Delete all that the demo made; the caller holds the folder."""
    for entry in folder.root.iterdir():
        if entry.name in {_LOCK, _MARKER, ".gitignore"}:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    folder.logs.mkdir()


def read_prepared(folder: DataFolder) -> Prepared | None:
    """Return what an earlier start finished, or None if none ever did."""
    if not folder.state.exists():
        return None
    try:
        state = json.loads(folder.state.read_text(encoding="utf-8"))
        return Prepared(int(state["port_base"]), tuple(state["migrations"]), str(state["month"]))
    except (ValueError, TypeError, KeyError) as error:
        raise DemoFailure(f"{folder.state} cannot be read. Start anew with --reset.") from error


def write_prepared(folder: DataFolder, prepared: Prepared) -> None:
    """Remember that the folder is ready to start from."""
    write_private(folder.state, json.dumps(asdict(prepared), indent=2) + "\n")


def _claim(folder: DataFolder) -> None:
    marker = folder.root / _MARKER
    if marker.exists():
        return
    if any(folder.root.iterdir()):
        raise DemoFailure(
            f"The folder {folder.root} holds files that are not the demo's. "
            "Name a new or empty one with --data."
        )
    marker.touch()
    (folder.root / ".gitignore").write_text("*\n", encoding="utf-8")
