"""The people of the office: a member of staff and the administrator, with their codes."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pyotp import TOTP

from idp.demo.credentials import Login
from idp.demo.kakuu import ADMINISTRATOR, STAFF, Person
from idp.demo.seed.people import begin_use, person_name
from idp.demo.seed.tools import SeedError, Tools
from idp.domain.people import accounts
from idp.domain.people.accounts import NewAccount
from idp.domain.signin.lookup import find_by_login_id
from idp.domain.signin.totp import confirm_totp, enrol_totp
from idp.domain.staff.roles import NewRole, RoleFault, grant_role
from idp.domain.upkeep.audit import COMMAND_LINE
from idp.model.people import Door
from idp.model.staff import Role

#: The demo's roles end as every role does.
_ROLE_PERIOD = timedelta(days=365)
_STEP = timedelta(seconds=30)


@dataclass(frozen=True)
class _Post:
    """A place in the office and who has it."""

    person: Person
    role: Role
    municipality_id: UUID | None
    note: str


def sow_office(tools: Tools, municipality_id: UUID) -> tuple[Login, ...]:
    """Make the office's accounts; return the logins of those that are new."""
    posts = (
        _Post(STAFF, Role.MUNICIPALITY_STAFF, municipality_id, "municipal staff"),
        _Post(ADMINISTRATOR, Role.SYSTEM_ADMIN, None, "administrator"),
    )
    logins = (_sow(tools, post) for post in posts)
    return tuple(login for login in logins if login is not None)


def _sow(tools: Tools, post: _Post) -> Login | None:
    person = post.person
    if find_by_login_id(tools.db, person.email, door=Door.STAFF) is not None:
        return None
    account_id = accounts.create_account(
        tools.db,
        NewAccount(
            door=Door.STAFF,
            municipality_id=post.municipality_id,
            name=person_name(person),
            email=person.email,
        ),
        now=tools.now,
    )
    begin_use(tools, account_id, person.email)
    seed = _enrol(tools, account_id)
    new_role = NewRole(
        account_id=account_id,
        role=post.role,
        valid_until=tools.now + _ROLE_PERIOD,
        municipality_id=post.municipality_id,
    )
    outcome = grant_role(tools.db, new_role, actor=COMMAND_LINE, now=tools.now)
    if isinstance(outcome, RoleFault):
        raise SeedError(f"{person.name}: {outcome}")
    return Login(
        door=Door.STAFF,
        name=person.name,
        note=f"{post.note}; one-time code: see the mailbox",
        login_id=person.email,
        password=tools.secrets[person.email].password,
        totp_secret=seed,
    )


def _enrol(tools: Tools, account_id: UUID) -> str:
    """Enrol an authenticator app with the code of a moment ago: the present one stays unused."""
    seed = enrol_totp(tools.db, account_id, keys=tools.keys, now=tools.now)
    tools.db.flush()  # the app is read back
    code = TOTP(seed).at(tools.now - _STEP)
    if not confirm_totp(tools.db, account_id, code, keys=tools.keys, now=tools.now):
        raise SeedError("the authenticator app could not be confirmed")
    return seed
