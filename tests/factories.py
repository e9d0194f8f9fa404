"""Rows that tests start from: every value has a plausible default, every argument is named.

    town = make_municipality(db, now=now)
    mother = make_account(db, municipality_id=town.id, now=now, password="…", hasher=hasher)
    home = make_household(db, municipality_id=town.id, representative=mother, now=now)

Each function adds and flushes; the caller commits (`transaction(sessions)`) and may go on
reading the row afterwards.
"""

import itertools
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from idp.base.contact import mail_key
from idp.base.ids import new_id
from idp.base.keyring import Keyring, build_keyring
from idp.base.text import login_key, search_key
from idp.domain.people.facts import application_key
from idp.domain.signin.devices import remember_device, trust_device
from idp.model.clients import Client, ClientOrigin, ClientStatus
from idp.model.households import (
    Child,
    ChildStatus,
    Household,
    Membership,
    MembershipRole,
    MembershipStatus,
    Municipality,
    SecondStep,
)
from idp.model.people import (
    Account,
    AccountStatus,
    CredentialState,
    Door,
    PasswordCredential,
    TotpCredential,
)
from idp.model.staff import Role, StaffRole

#: Satisfies the rules: 10 characters, four classes.
PASSWORD = "Himawari-42-batake"
#: A seed of an authenticator app (base32), for staff.
TOTP_SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

#: Keys of the tests, the same every time.
MASTER_KEY, SUBJECT_KEY, PEPPER = (
    sha256(name).digest() for name in (b"master", b"subject", b"pepper")
)

_numbers = itertools.count(1)


def make_keyring() -> Keyring:
    """Return the same keys every time."""
    return build_keyring(
        master_key=MASTER_KEY,
        subject_key=SUBJECT_KEY,
        pepper=PEPPER,
        previous_master_key=None,
    )


def make_municipality(db: Session, *, now: datetime, **columns) -> Municipality:
    """Make a fictional municipality; any column may be given."""
    number = next(_numbers)
    values = {
        "code": f"{990000 + number % 10000:06d}",
        "name": "架空市",
        "name_en": "Kakuu City",
        "service_name": "子育てログイン",
        "service_name_en": "Kosodate Login",
        "office": "こども課",
        "office_en": "Children's Division",
        "tel": "0000-12-3456",
        "hours": "平日 8時30分から17時15分まで",
        "hours_en": "8:30 to 17:15 on working days",
        "second_step": SecondStep.ALWAYS,
    }
    row = Municipality(id=new_id(now=now), created_at=now, updated_at=now, **(values | columns))
    return _added(db, row)


def make_account(
    db: Session,
    *,
    now: datetime,
    municipality_id: UUID | None = None,
    email: str | None = "",
    login_id: str | None = "",
    password: str | None = PASSWORD,
    hasher=None,
    door: Door = Door.FAMILY,
    status: AccountStatus = AccountStatus.ACTIVE,
    **columns,
) -> Account:
    """Make a person. `password=None` makes one who has not set hers yet.

    `email=""` invents an address, `None` is a person without one; `login_id=""` follows the
    address. `hasher` is the `Hasher` under test; without one a cheap hash without pepper is
    stored, which no real `Hasher` accepts.
    """
    number = next(_numbers)
    address = f"guardian{number}@example.jp" if email == "" else email
    login = address if login_id == "" else login_id
    names = {"family_name": "佐倉", "given_name": "美咲"} | {
        key: columns.pop(key) for key in ("family_name", "given_name") if key in columns
    }
    row = Account(
        id=new_id(now=now),
        door=door,
        municipality_id=municipality_id,
        status=status,
        credential_state=CredentialState.SET if password else CredentialState.NONE,
        login_id=login_key(login) if login else None,
        email=address,
        email_key=mail_key(address) if address else None,
        search_key=search_key(*names.values()),
        access_valid_from=now,
        created_at=now,
        updated_at=now,
        **names,
        **columns,
    )
    if status is AccountStatus.ACTIVE:
        row.activated_at = row.activated_at or now
        row.issued_at = row.issued_at or now
    _added(db, row)
    if password:
        hashed = hasher.hash(password) if hasher else _CHEAP.hash(password)
        _added(db, PasswordCredential(account_id=row.id, hash=hashed, changed_at=now))
    return row


#: For tests that never sign in: hashing at full cost would take a fifth of a second each.
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def make_staff(
    db: Session,
    *,
    now: datetime,
    keys: Keyring | None = None,
    municipality_id: UUID | None = None,
    role: Role = Role.MUNICIPALITY_STAFF,
    seed: str = TOTP_SEED,
    valid_until: datetime | None = None,
    **columns,
) -> Account:
    """Make a member of staff with a role until next year and a confirmed authenticator app."""
    keys = keys or make_keyring()
    row = make_account(db, now=now, municipality_id=municipality_id, door=Door.STAFF, **columns)
    make_totp(db, account_id=row.id, keys=keys, now=now, seed=seed)
    _added(
        db,
        StaffRole(
            id=new_id(now=now),
            account_id=row.id,
            municipality_id=None if role is Role.SYSTEM_ADMIN else municipality_id,
            role=role,
            valid_from=now,
            valid_until=valid_until or now + timedelta(days=365),
            created_at=now,
        ),
    )
    return row


def make_device(db: Session, *, account_id: UUID, now: datetime, trust_days: int = 0) -> str:
    """Make a browser the person knows; return the value of its cookie."""
    device = remember_device(db, None, account_id, "Safari (iPhone)", now=now)
    if trust_days:
        trust_device(db, device.id, days=trust_days, now=now)
    return device.token


def make_totp(
    db: Session, *, account_id: UUID, keys: Keyring, now: datetime, seed: str = TOTP_SEED
) -> TotpCredential:
    """Give a person a confirmed authenticator app."""
    sealed = keys.sealer.seal(seed.encode(), context=f"totp:{account_id}")
    return _added(
        db,
        TotpCredential(account_id=account_id, sealed_seed=sealed, confirmed_at=now, created_at=now),
    )


@dataclass(frozen=True)
class Home:
    """A household and what belongs to it, by id."""

    id: UUID
    membership_id: UUID | None
    child_ids: tuple[UUID, ...]


def make_household(
    db: Session,
    *,
    now: datetime,
    municipality_id: UUID,
    representative: Account | None = None,
    children: tuple[tuple[str, date], ...] = (("佐倉 ひより", date(2025, 6, 1)),),
    **columns,
) -> Home:
    """Make a household with its representative and children (name, birthdate)."""
    number = next(_numbers)
    columns.setdefault("application_number", f"R8-{number:05d}")
    row = _added(
        db,
        Household(
            id=new_id(now=now),
            municipality_id=municipality_id,
            application_key=columns.pop(
                "application_key", application_key(columns["application_number"])
            ),
            valid_from=now,
            created_at=now,
            updated_at=now,
            **columns,
        ),
    )
    member = None
    if representative is not None:
        member = make_member(db, household_id=row.id, account=representative, now=now)
    ids = tuple(
        make_child(db, household_id=row.id, name=name, birthdate=born, now=now).id
        for name, born in children
    )
    return Home(id=row.id, membership_id=member.id if member else None, child_ids=ids)


#: What the family of `make_newcomer` can tell: her child's birthdate, or the number.
NEWCOMERS_CHILD_BORN = date(2024, 5, 12)
NEWCOMERS_NUMBER = "R8-00042"


def make_newcomer(db: Session, *, now: datetime, municipality_id: UUID) -> Account:
    """Make a guardian whose account was issued, who has a child and no password yet."""
    account = make_account(
        db,
        now=now,
        municipality_id=municipality_id,
        email="hana.mori@example.jp",
        family_name="森",
        given_name="花",
        password=None,
        status=AccountStatus.ISSUED,
        issued_at=now,
    )
    make_household(
        db,
        now=now,
        municipality_id=municipality_id,
        representative=account,
        children=(("森 みどり", NEWCOMERS_CHILD_BORN),),
        application_number=NEWCOMERS_NUMBER,
    )
    return account


def make_member(
    db: Session,
    *,
    household_id: UUID,
    account: Account,
    now: datetime,
    role: MembershipRole = MembershipRole.REPRESENTATIVE,
    **columns,
) -> Membership:
    """Make a person a member of a household; `role=MembershipRole.PROXY` for a proxy."""
    columns = {"status": MembershipStatus.ACTIVE, "categories": {}, "valid_from": now} | columns
    row = Membership(
        id=new_id(now=now),
        household_id=household_id,
        account_id=account.id,
        role=role,
        created_at=now,
        updated_at=now,
        **columns,
    )
    return _added(db, row)


def make_child(
    db: Session,
    *,
    household_id: UUID,
    now: datetime,
    name: str = "佐倉 ひより",
    birthdate: date = date(2025, 6, 1),
    **columns,
) -> Child:
    """Make a child of a household."""
    row = Child(
        id=new_id(now=now),
        household_id=household_id,
        name=name,
        search_key=search_key(name),
        birthdate=birthdate,
        created_at=now,
        updated_at=now,
        **({"status": ChildStatus.ACTIVE} | columns),
    )
    return _added(db, row)


def make_client(
    db: Session,
    *,
    now: datetime,
    client_id: str | None = None,
    municipality_id: UUID | None = None,
    details: dict | None = None,
    **columns,
) -> Client:
    """Make a registered service, as a row; `details` adds to its metadata (RFC 7591 names)."""
    number = next(_numbers)
    metadata = {
        "client_name": "Booking",
        "client_name#ja": "一時あずかり予約",
        "redirect_uris": ["https://rp.example/callback"],
        "post_logout_redirect_uris": ["https://rp.example/"],
        "scope": "openid profile email household children",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }
    columns = {"is_consented": True, "sector": "rp.example"} | columns
    row = Client(
        id=client_id or f"client-{number}",
        municipality_id=municipality_id,
        status=ClientStatus.ACTIVE,
        origin=ClientOrigin.COMMAND_LINE,
        details=metadata | (details or {}),
        created_at=now,
        updated_at=now,
        **columns,
    )
    return _added(db, row)


def _added(db: Session, row):
    # Tests read the rows after the commit, when the session is closed.
    db.expire_on_commit = False
    db.add(row)
    db.flush()
    return row
