"""What a process of the provider has loaded when it starts to work: no more than it needs."""

import json
import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory

from idp.cli.database import alembic_config
from idp.cli.main import build_parser
from idp.cli.schema import newest_revision

#: Prints what is loaded once the command is read, before it runs.
_LIST = """
import json, sys
from idp.cli import main
main._parse(json.loads(sys.argv[1]))
print(json.dumps(sorted(sys.modules)))
"""
#: What changes tables, writes demonstrations, or imports families has no place in a server.
_NEVER_SERVED = ("alembic", "mako", "idp.demo", "idp.cli.database", "idp.cli.accounts")


def loaded_by(*words):
    """Return the modules that reading a command loads, in a process of its own."""
    command = (sys.executable, "-c", _LIST, json.dumps(words))
    ended = subprocess.run(command, capture_output=True, check=True, text=True)
    return set(json.loads(ended.stdout))


def inside(modules, package):
    return {each for each in modules if each == package or each.startswith(f"{package}.")}


def test_serve_loads_no_tool_that_only_other_commands_use():
    loaded = loaded_by("--config", "nowhere.toml", "serve")
    assert [each for package in _NEVER_SERVED for each in inside(loaded, package)] == []
    assert inside(loaded, "idp.cli") == {
        "idp.cli",
        *("idp.cli.context", "idp.cli.failure", "idp.cli.main", "idp.cli.process"),
        *("idp.cli.schema", "idp.cli.serving", "idp.cli.working"),
    }


def test_serve_loads_the_whole_application_before_it_forks():
    """Servers that load for themselves take as long again, and as much memory each."""
    assert {"idp.app", "idp.web.oidc.token", "sqlalchemy.orm", "granian"} <= loaded_by("serve")


@pytest.mark.parametrize("words", [("db", "check"), ("config", "check"), ("keys", "list")])
def test_a_tool_does_not_load_the_pages(words):
    loaded = loaded_by(*words)
    assert inside(loaded, "idp.app") == inside(loaded, "idp.web.signin") == set()


def test_the_help_names_every_command():
    """It is the only one that loads them all."""
    written = build_parser().format_help()
    for word in ("config", "db", "serve", "worker", "keys", "clients", "documents", "staff"):
        assert f"    {word}" in written


def test_the_newest_revision_is_where_the_migrations_end():
    script = ScriptDirectory.from_config(alembic_config("sqlite://"))
    assert newest_revision() == script.get_current_head()
