"""The data folder, the ports and the private files of the demo."""

import json
import socket

import pytest

from idp.demo.credentials import Credentials, Login, read_credentials, write_credentials
from idp.demo.failure import DemoFailure
from idp.demo.folder import (
    Prepared,
    empty_folder,
    hold_folder,
    open_folder,
    read_prepared,
    write_prepared,
)
from idp.demo.ports import ports_from, taken_ports
from idp.demo.private import write_private
from idp.demo.screen import build_screen


@pytest.fixture
def folder(tmp_path):
    return open_folder(tmp_path / "data")


def test_the_folder_is_private_and_unseen_by_git(folder):
    assert folder.root.stat().st_mode & 0o777 == 0o700
    assert (folder.root / ".gitignore").read_text() == "*\n"
    assert folder.logs.is_dir()


def test_opening_it_again_keeps_what_is_in_it(folder):
    folder.database.write_text("rows")
    assert open_folder(folder.root).database.read_text() == "rows"


def test_a_folder_with_other_files_is_never_used(tmp_path):
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(DemoFailure, match="not the demo's"):
        open_folder(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["thesis.txt"]


def test_a_path_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DemoFailure, match="--data"):
        open_folder(tmp_path / "file")


def test_emptying_deletes_data_and_logs_but_follows_no_link(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder.database.touch()
    (folder.logs / "provider.log").touch()
    (folder.root / "link").symlink_to(outside)
    empty_folder(folder)
    assert (outside / "kept").exists()
    assert not folder.database.exists()
    assert list(folder.logs.iterdir()) == []
    open_folder(folder.root)


def test_two_demos_cannot_hold_one_folder(folder):
    with (
        hold_folder(folder),
        pytest.raises(DemoFailure, match="running already"),
        hold_folder(folder),
    ):
        pytest.fail("held twice")
    with hold_folder(folder):
        pass


def test_what_was_prepared_is_remembered(folder):
    assert read_prepared(folder) is None
    prepared = Prepared(port_base=9000, migrations=("0001.py",), month="2026-11")
    write_prepared(folder, prepared)
    assert read_prepared(folder) == prepared


@pytest.mark.parametrize(
    "broken", ["", "[]", "{}", '{"port_base": "x", "migrations": [], "month": ""}']
)
def test_a_broken_state_says_how_to_start_anew(folder, broken):
    folder.state.write_text(broken)
    with pytest.raises(DemoFailure, match="--reset"):
        read_prepared(folder)


def test_private_files_are_private_even_where_an_open_one_stood(tmp_path):
    file = tmp_path / "secret"
    file.touch(mode=0o666)
    write_private(file, "第一")
    assert file.stat().st_mode & 0o777 == 0o600
    write_private(file, "第二")
    assert file.read_text() == "第二"
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_credentials_are_read_as_they_were_written(tmp_path):
    file = tmp_path / "credentials.json"
    credentials = Credentials((Login("staff", "福祉 一郎", "こども課", "a@example.jp", "pw"),))
    write_credentials(file, credentials)
    assert read_credentials(file) == credentials
    assert file.stat().st_mode & 0o777 == 0o600
    assert "福祉 一郎" in json.loads(file.read_text())["logins"][0]["name"]


def test_the_ports_follow_from_the_first():
    assert vars(ports_from(8000)) == {
        "provider": 8000,
        "booking": 8001,
        "certificate": 8002,
        "mailbox": 8025,
        "smtp": 8026,
    }


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])  # noqa: S104  as others bind
def test_a_port_that_another_program_holds_is_found(address):
    with socket.socket() as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        assert taken_ports(ports_from(port))[:1] == (port,)


def test_the_command_to_start_anew_keeps_the_ports(folder):
    usual, other = (
        build_screen(ports_from(base), Credentials(()), folder) for base in (8000, 18000)
    )
    assert "Start anew: make demo-reset\n" in usual
    assert "Start anew: make demo-reset PORT_BASE=18000\n" in other


def test_the_screen_shows_every_address_and_every_login_in_even_columns(folder):
    logins = (
        Login("family", "佐倉 美咲", "waiting", "misaki@example.jp", application_number="A-1"),
        Login("family", "Sakura", "active", "ken@example.jp", "Kaki-1234"),
    )
    screen = build_screen(ports_from(9000), Credentials(logins), folder)
    for url in ("9000/", "9001/", "9002/", "9025/", "9000/staff/login"):
        assert f"http://127.0.0.1:{url}" in screen
    rows = [line for line in screen.splitlines() if "@example.jp" in line]
    assert "Kaki-1234" in screen
    assert "A-1" in screen
    # A full-width character takes two columns, so its row has fewer characters before it.
    assert rows[1].index("ken@") - rows[0].index("misaki@") == 4
