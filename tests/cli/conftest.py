"""The command line on a settings file of its own, and what it left in the database."""

import logging

import pytest
import structlog
from sqlalchemy import create_engine

from idp.base.secret import to_base64url
from idp.cli.main import main
from idp.db.engine import configure_engine
from tests import factories

TOWN = {
    "name": "架空市",
    "name-en": "Kakuu City",
    "service-name": "子育てログイン",
    "service-name-en": "Kosodate Login",
    "office": "こども課",
    "office-en": "Children's Office",
    "tel": "0000-12-3456",
    "hours": "平日",
    "hours-en": "weekdays",
}


@pytest.fixture(autouse=True)
def quiet_logs():
    """Commands set the log up for their process: put back what was there."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def config(database_url, tmp_path):
    """A settings file as config.example.toml describes it."""
    path = tmp_path / "config.toml"
    keys = (factories.MASTER_KEY, factories.SUBJECT_KEY, factories.PEPPER)
    master, subject, pepper = (to_base64url(key) for key in keys)
    path.write_text(
        f"""
        [provider]
        issuer = "https://login.kakuu.example"
        [database]
        url = "{database_url}"
        [secrets]
        master_key = "{master}"
        subject_key = "{subject}"
        password_pepper = "{pepper}"
        [mail]
        from_address = "no-reply@login.kakuu.example"
        """,
        encoding="utf-8",
    )
    return path


@pytest.fixture
def idp(config, capsys):
    """Run one command; return its exit code, what it printed, and what it complained of."""

    def run(*words):
        code = main(["--config", str(config), *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def ask(database_url):
    """Ask the database behind the command line."""
    engine = create_engine(database_url)
    configure_engine(engine)

    def run(query):
        with engine.connect() as connection:
            return connection.execute(query).all()

    yield run
    engine.dispose()


@pytest.fixture
def town(idp):
    words = [word for name, value in TOWN.items() for word in (f"--{name}", value)]
    assert idp("municipalities", "add", "990001", *words)[0] == 0
    return "990001"


@pytest.fixture
def write(tmp_path):
    def run(name, content):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return path

    return run
