"""The migrations make the tables the code knows, on both databases, and name everything."""

from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from idp.cli.database import alembic_config
from idp.db.session import transaction
from idp.domain.people.facts import application_key
from idp.model.clients import Client, ClientOrigin, ClientSecret
from idp.model.households import Household
from idp.model.tables import METADATA
from tests import factories
from tests.databases import build_schema


def test_the_migrations_make_exactly_the_tables_of_the_models(database_url):
    command.check(alembic_config(database_url))


def test_there_is_one_line_of_migrations():
    script = ScriptDirectory.from_config(alembic_config("sqlite://"))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_upgrading_twice_changes_nothing(database_url, engine):
    build_schema(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_going_back_leaves_nothing_behind(sqlite_url, tmp_path):
    command.downgrade(alembic_config(sqlite_url), "base")
    build_schema(sqlite_url)
    command.check(alembic_config(sqlite_url))


def test_rule_34_rows_stay_on_the_way_down_and_up_again(database_url, sessions, clock):
    """SQLite builds the table of clients anew: what refers to one must not go with the old one."""
    with transaction(sessions) as db:
        admin = factories.make_account(db, now=clock(), municipality_id=None, email="a@example.jp")
        came = {"by-command": {}, "by-console": {"created_by": admin.id}}
        came["by-itself"] = {"initial_access_token_id": uuid4()}
        for client_id, columns in came.items():
            factories.make_client(db, client_id=client_id, now=clock(), **columns)
            db.add(
                ClientSecret(
                    id=uuid4(), client_id=client_id, digest=client_id.encode(), created_at=clock()
                )
            )
    command.downgrade(alembic_config(database_url), "0007")
    command.upgrade(alembic_config(database_url), "head")
    with transaction(sessions) as db:
        origins = dict(db.execute(select(Client.id, Client.origin)).all())
        secrets = db.scalars(select(ClientSecret.client_id).order_by(ClientSecret.client_id)).all()
    assert origins == {
        "by-command": ClientOrigin.COMMAND_LINE,
        "by-console": ClientOrigin.CONSOLE,
        "by-itself": ClientOrigin.REGISTRATION,
    }
    assert secrets == ["by-command", "by-console", "by-itself"]


def test_application_numbers_lose_their_dashes_and_get_them_back(database_url, sessions, clock):
    """Numbers that differ by dashes only may share a key: nothing demands that it is unique."""
    numbers = ["Ｒ8－ 00417", "R800417", "２０２６ー9", "2026\u22129", "ー", None]
    before = ["r8-00417", "r800417", "2026ー9", "2026\u22129", "ー", None]
    with transaction(sessions) as db:
        home = {"municipality_id": factories.make_municipality(db, now=clock()).id}
        for number, key in zip(numbers, before, strict=True):
            factories.make_household(
                db, now=clock(), **home, application_number=number, application_key=key
            )
    command.downgrade(alembic_config(database_url), "0009")
    assert _application_keys(sessions, numbers) == before
    command.upgrade(alembic_config(database_url), "head")
    after = ["r800417", "r800417", "20269", "20269", None, None]
    assert _application_keys(sessions, numbers) == after
    assert after == [application_key(number or "") or None for number in numbers]


def _application_keys(sessions, numbers):
    with transaction(sessions) as db:
        rows = db.execute(select(Household.application_number, Household.application_key)).all()
    keys = dict(rows)
    return [keys[number] for number in numbers]


def test_rule_34_every_index_and_constraint_has_a_name(engine):
    inspector = inspect(engine)
    unnamed = [
        f"{table}: {found}"
        for table in METADATA.tables
        for found in _indexes_and_constraints(inspector, table)
        if not found["name"]
    ]
    assert unnamed == []


def _indexes_and_constraints(inspector, table):
    yield inspector.get_pk_constraint(table)
    yield from inspector.get_indexes(table)
    yield from inspector.get_unique_constraints(table)
    yield from inspector.get_foreign_keys(table)
    yield from inspector.get_check_constraints(table)


def test_rule_34_names_fit_into_postgresql():
    """PostgreSQL cuts names after 63 bytes, and a cut name is another name."""
    names = [
        item.name
        for table in METADATA.tables.values()
        for item in (*table.indexes, *table.constraints)
    ]
    assert [name for name in names if len(name or "") > 63] == []


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_rule_34_defaults_of_the_database_are_in_the_model(engine, table):
    columns = {column["name"]: column for column in inspect(engine).get_columns(table)}
    with_default = {name for name, column in columns.items() if column["default"] is not None}
    declared = {
        column.name
        for column in METADATA.tables[table].columns
        if column.server_default is not None
    }
    assert with_default == declared
