"""The command `python -m idp.demo`: what it refuses, in one clear line, before it starts."""

import socket

import pytest

from idp.demo.__main__ import main
from idp.demo.folder import Prepared, hold_folder, open_folder, write_prepared


@pytest.fixture
def base():
    """Return a first port from which on all five are free."""
    for candidate in range(20_000, 60_000, 101):
        probes = []
        try:
            for step in (0, 1, 2, 25, 26):
                probe = socket.socket()
                probes.append(probe)
                probe.bind(("127.0.0.1", candidate + step))
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
        return candidate
    raise AssertionError("no free ports")


def run(tmp_path, base, *more):
    return main(["--data", str(tmp_path / "data"), "--port-base", str(base), *more])


def test_a_taken_port_is_named_with_what_to_do_and_nothing_starts(tmp_path, base, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", base + 25))
        other.listen()
        assert run(tmp_path, base) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"port {base + 25} (mailbox)" in line
    assert "PORT_BASE" in line
    assert not (tmp_path / "data" / "provider.toml").exists()


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path, base, capsys):
    with hold_folder(open_folder(tmp_path / "data")):
        assert run(tmp_path, base) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "running already" in line


def test_data_made_for_other_ports_is_not_mixed_up(tmp_path, base, capsys):
    write_prepared(open_folder(tmp_path / "data"), Prepared(base + 7, (), "2026-11"))
    assert run(tmp_path, base) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert str(base + 7) in line
    assert "--reset" in line


def test_a_foreign_folder_is_not_emptied(tmp_path, base, capsys):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").touch()
    assert run(tmp_path, base, "--reset") == 1
    assert (tmp_path / "data" / "thesis.txt").exists()
    assert "not the demo's" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["80", "65536", "x", "８０００", "-1", ""])
def test_a_wrong_first_port_is_explained(tmp_path, wrong, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--data", str(tmp_path / "data"), f"--port-base={wrong}"])
    assert end.value.code == 2
    assert "1024 to 65000" in capsys.readouterr().err
