"""The seed: everything is there after it, and sowing twice changes nothing."""

import shutil
import tomllib
from datetime import UTC, datetime

import pytest
from pyotp import TOTP
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from clients.booking.site import load_settings as load_booking
from clients.certificate.site import load_settings as load_certificate
from idp.base.secret import digest, from_base64url
from idp.demo.config import to_toml, write_provider_settings
from idp.demo.credentials import read_credentials
from idp.demo.folder import open_folder
from idp.demo.kakuu import MUNICIPALITY_CODE, SAKURABA
from idp.demo.ports import ports_from
from idp.demo.seed.__main__ import sow
from idp.demo.seed.passwords import new_password
from idp.domain.documents.versions import current_texts
from idp.domain.grants.clients import find_client
from idp.domain.people.children import children_of
from idp.domain.signin.hashing import Hasher
from idp.domain.signin.lookup import find_by_login_id, find_owner
from idp.domain.signin.passwords import PersonWords, check_password
from idp.domain.staff.municipalities import find_municipality, is_municipality_code
from idp.domain.staff.roles import Permission, find_staff_member
from idp.model.households import ChildStatus, Household, Membership
from idp.model.people import Account, AccountStatus, Door
from idp.model.tables import Base
from idp.settings.load import load_settings

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
PORTS = ports_from(18_000)


@pytest.fixture
def folder(tmp_path, sqlite_template):
    folder = open_folder(tmp_path / "data")
    write_provider_settings(folder, PORTS)
    shutil.copyfile(sqlite_template, folder.database)
    sow(folder, PORTS, now=NOW)
    return folder


@pytest.fixture
def db(folder):
    engine = create_engine(load_settings(folder.settings).database.url)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def logins(folder):
    return {login.login_id: login for login in read_credentials(folder.credentials).logins}


def count_rows(db):
    return {
        table.name: db.scalar(select(func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }


def test_sowing_twice_changes_neither_rows_nor_passwords(folder, db, logins):
    before = count_rows(db)
    db.rollback()
    sow(folder, PORTS, now=NOW)
    assert count_rows(db) == before
    assert {login.login_id: login for login in read_credentials(folder.credentials).logins} == (
        logins
    )


def test_every_password_that_is_shown_signs_in(folder, db, logins):
    pepper = load_settings(folder.settings).secrets.password_pepper
    hasher = Hasher(pepper=from_base64url(pepper))
    with_password = [login for login in logins.values() if login.password]
    assert len(with_password) == 4
    for login in with_password:
        found = find_owner(db, login.login_id, door=Door(login.door), page=None, now=NOW)
        assert hasher.verify(found.owner.hash, login.password)


def test_one_account_is_issued_and_waits_with_its_application_number(db, logins):
    [waiting] = [login for login in logins.values() if login.application_number]
    account = db.get_one(Account, find_by_login_id(db, waiting.login_id, door=Door.FAMILY))
    assert account.status is AccountStatus.ISSUED
    assert account.issued_at == NOW
    household = db.scalar(
        select(Household).join(Membership).where(Membership.account_id == account.id)
    )
    assert household.application_number == waiting.application_number


def test_three_families_one_without_mail_one_with_a_child_that_has_aged_out(db):
    assert db.scalar(select(func.count()).select_from(Household)) == 3
    family = db.scalars(select(Account).where(Account.door == Door.FAMILY)).all()
    assert sorted(bool(account.email) for account in family) == [False, True, True, True]
    guardian = find_by_login_id(db, SAKURABA.guardian.email, door=Door.FAMILY)
    household_id = db.scalar(
        select(Membership.household_id).where(Membership.account_id == guardian)
    )
    statuses = [child.status for child in children_of(db, household_id, now=NOW)]
    assert statuses == [ChildStatus.AGED_OUT, ChildStatus.ACTIVE]


def test_the_office_has_roles_that_end_and_codes_of_its_own(db, logins):
    office = [login for login in logins.values() if login.totp_secret]
    members = [
        find_staff_member(db, find_by_login_id(db, login.login_id, door=Door.STAFF), now=NOW)
        for login in office
    ]
    assert Permission.ISSUE in members[0].permissions
    assert members[0].municipality_id == find_municipality(db, MUNICIPALITY_CODE)
    assert Permission.MANAGE_CLIENTS in members[1].permissions
    assert members[1].municipality_id is None
    assert all(len(TOTP(login.totp_secret).now()) == 6 for login in office)
    later = NOW.replace(year=NOW.year + 2)
    first = find_by_login_id(db, office[0].login_id, door=Door.STAFF)
    assert find_staff_member(db, first, now=later) is None


@pytest.mark.parametrize("language", ["ja", "en"])
def test_both_documents_are_in_force_in_both_languages(db, language):
    texts = current_texts(db, find_municipality(db, MUNICIPALITY_CODE), language, now=NOW)
    assert [text.language for text in texts] == [language, language]
    assert all(len(text.paragraphs) > 10 and text.summary for text in texts)


def test_both_services_have_settings_and_a_secret_that_is_private(folder, db):
    for name, settings in (
        ("booking", load_booking(folder.root / "booking.toml")[0]),
        ("certificate", load_certificate(folder.root / "certificate.toml")),
    ):
        client = find_client(db, name)
        assert digest(settings.client_secret) == client.secrets[0].digest
        assert client.redirect_uris == (f"{settings.base_url}/callback",)
        for ending in ("toml", "secret"):
            assert (folder.root / f"{name}.{ending}").stat().st_mode & 0o777 == 0o600


def test_the_code_of_the_municipality_has_its_check_digit():
    assert is_municipality_code(MUNICIPALITY_CODE)


def test_new_passwords_keep_every_rule_and_differ():
    passwords = {new_password() for _ in range(200)}
    assert len(passwords) == 200
    assert all(check_password(password, PersonWords()) == () for password in passwords)


def test_settings_are_written_as_toml_that_says_the_same():
    table = {
        "text": 'a "quote", a \\ and 架空市\x7f',
        "number": 8000,
        "section": {"on": True, "line": "a\nb"},
    }
    assert tomllib.loads(to_toml(table)) == table
