"""The command lines, and both applications served for real."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from clients.booking.__main__ import PROGRAM as BOOKING_PROGRAM
from clients.booking.book import Wish, book
from clients.booking.facilities import find_facility, next_free_day
from clients.booking.history import waiting_requests
from clients.booking.site import FOLDER, load_settings
from clients.certificate.__main__ import PROGRAM as CERTIFICATE_PROGRAM
from clients.kit.app import open_database
from clients.kit.claims import Child, ChildStatus, Household, Role
from clients.kit.cli import run_program
from clients.kit.clock import tokyo_day, utc_now
from clients.kit.server import default_port
from tests.clients.test_settings import write_config


def run(program, *arguments):
    return run_program(program, [str(argument) for argument in arguments])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def patient_session():
    """A session that connects again while a server is about to listen."""
    session = requests.Session()
    patience = Retry(total=None, connect=20, read=0, redirect=5, backoff_factor=0.02)
    session.mount("http://", HTTPAdapter(max_retries=patience))
    return session


@contextmanager
def started(command):
    """Start a server; whatever happens, nothing of it is left."""
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, **out) as server:
        try:
            yield server
        finally:
            server.terminate()


@pytest.mark.parametrize("name", ["booking", "certificate"])
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_an_application_is_served_and_ends_cleanly(tmp_path, name, end):
    nobody = f"http://127.0.0.1:{free_port()}"
    config, port = write_config(tmp_path, name, issuer=nobody), free_port()
    command = [sys.executable, "-m", f"clients.{name}", "--config", config, "--port", str(port)]
    with started(command) as server:
        lines = iter(server.stdout.readline, "")
        assert any("Started worker" in line for line in lines)
        with patient_session() as session:
            answer = session.get(f"http://127.0.0.1:{port}/health", timeout=10)
            assert answer.json() == {"status": "ok"}
            answer = session.get(f"http://127.0.0.1:{port}/", timeout=10)
            assert answer.status_code == 503, "its provider is not there"
        os.kill(server.pid, end)
        rest = server.stdout.read()
    assert server.returncode == 0
    assert "Traceback" not in rest
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/health", timeout=10)


def test_a_taken_port_is_one_clear_line(tmp_path, capsys):
    config = write_config(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert run(BOOKING_PROGRAM, "--config", config, "--port", port) == 2
    said = capsys.readouterr().err
    reason = "Address already in use; choose another with --host and --port"
    assert said == f"booking: 127.0.0.1:{port}: {reason}\n"


def test_a_port_that_is_none_is_said(tmp_path, capsys):
    assert run(BOOKING_PROGRAM, "serve", "--config", write_config(tmp_path), "--port", 99999) == 2
    assert "choose another" in capsys.readouterr().err


def test_a_wrong_setting_is_one_clear_line(tmp_path, capsys):
    assert run(BOOKING_PROGRAM, "--config", tmp_path / "none.toml") == 2
    assert capsys.readouterr().err.startswith("booking: ")


def test_the_port_is_the_one_of_the_address():
    assert default_port("http://127.0.0.1:8001", 1) == 8001
    assert default_port("https://booking.example", 8001) == 8001


def test_seeding_twice_is_harmless(tmp_path, capsys):
    config = write_config(tmp_path)
    assert run(BOOKING_PROGRAM, "seed", "--config", config, "--weeks", 2) == 0
    assert run(BOOKING_PROGRAM, "--config", config, "seed", "--weeks", 2) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert int(first.split()[0]) > 100
    assert second == "0 new slots in the next 2 weeks"


def ask_komorebi(config):
    """Ask the facility that answers later; return database and booking id."""
    settings, _ = load_settings(config)
    database, now = open_database(settings, FOLDER, clock=utc_now), utc_now()
    with database.write() as db:
        tomorrow = now + timedelta(days=1)
        wish = Wish(
            household=Household("sakura", "990001", Role.REPRESENTATIVE),
            sub="misaki",
            facility=find_facility(db, "komorebi"),
            child=Child("c", tokyo_day(now) - timedelta(days=700), ChildStatus.ACTIVE),
            day=next_free_day(db, "komorebi", now=tomorrow),
            hours=(10,),
            form_key="1",
        )
        return database, book(db, wish, cap=10, now=now).booking_ids[0]


@pytest.mark.parametrize(("verdict", "kind"), [("approve", "approved"), ("decline", "declined")])
def test_b54_a_facility_s_answer_is_entered_and_mailed(tmp_path, capsys, verdict, kind):
    config = write_config(tmp_path)
    run(BOOKING_PROGRAM, "seed", "--config", config)
    database, booking_id = ask_komorebi(config)
    capsys.readouterr()
    assert run(BOOKING_PROGRAM, "requests", "--config", config) == 0
    assert capsys.readouterr().out.startswith(f"{booking_id} komorebi ")
    answer = ("answer", verdict, "--booking", booking_id, "--config", config)
    assert run(BOOKING_PROGRAM, *answer) == 0
    assert capsys.readouterr().out == f"{booking_id} {kind}\n"
    assert run(BOOKING_PROGRAM, *answer) == 2
    with database.read() as db:
        assert waiting_requests(db, now=utc_now()) == []
        [row] = db.execute("SELECT body FROM outbox").fetchall()
    assert f'"kind": "booking.{kind}"' in row["body"]


def test_a_door_sign_leads_to_its_facility(tmp_path, capsys):
    config, out = write_config(tmp_path), tmp_path / "sign.svg"
    run(BOOKING_PROGRAM, "seed", "--config", config)
    sign = ("door-sign", "--config", config, "--out", out, "--facility")
    assert run(BOOKING_PROGRAM, *sign, "minami") == 0
    assert "http://127.0.0.1:8001/b/minami" in capsys.readouterr().out
    assert out.read_text().startswith("<?xml")
    assert run(BOOKING_PROGRAM, *sign, "nowhere") == 2


def test_certificates_are_issued_and_revoked_by_command(tmp_path, capsys):
    config = write_config(tmp_path, "certificate")
    issue = ("issue", "--config", config, "--household", "sakura")
    assert run(CERTIFICATE_PROGRAM, *issue) == 2
    assert run(CERTIFICATE_PROGRAM, *issue, "--child", "hiyori") == 2
    birthdate = date.today() - timedelta(days=500)  # noqa: DTZ011
    first = ("--child", "hiyori", "--birthdate", birthdate.isoformat())
    assert run(CERTIFICATE_PROGRAM, *issue, *first) == 0
    assert run(CERTIFICATE_PROGRAM, *issue) == 0
    one, two = capsys.readouterr().out.split()
    assert one.endswith("-00001")
    assert two.endswith("-00002")
    revoke = ("revoke", "--config", config, "--number")
    assert run(CERTIFICATE_PROGRAM, *revoke, two) == 0
    assert capsys.readouterr().out == "1 revoked\n"
    assert run(CERTIFICATE_PROGRAM, *revoke, "2026-99999") == 2
